"""What `qc` does with its files, and the table it prints. Files are judged in limited children, a few at a time."""

import asyncio
import hashlib
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from clipbuild.engine.executor import Limits, Workers, environment
from clipbuild.errors import ClipbuildError, MediaError, UsageError, shown

MARK = {"ready": ("✓", "green"), "risky": ("!", "yellow"), "not_ready": ("✗", "red")}
WORDS = {"1": "one subject", "many": "many subjects", "none": "no subject"}
LIMITS = Limits(cpu_seconds=120, memory_bytes=4 << 30, file_bytes=256 << 20)
WALL_SECONDS = 180.0


@dataclass(frozen=True, slots=True)
class Row:
    """The verdict on one file. `failed` when it could not be judged at all, `refused` (why) when that is the file's fault."""

    file: str
    verdict: str
    reasons: list[str]
    axes: dict[str, str] = field(default_factory=dict)
    measures: dict[str, float] = field(default_factory=dict)
    failed: bool = False
    findings: list[dict[str, Any]] = field(default_factory=list)
    refused: tuple[str, str] = ("", "")
    """What is wrong with the file, and what to do."""

    def matters(self, ids: Sequence[str]) -> list[str]:
        """The advice of those findings that speak against the file."""
        return [f["advice"] for f in self.findings if f["id"] in ids and f["severity"] != "note"]

    def plain(self) -> dict[str, Any]:
        """As JSON data."""
        row = asdict(self)
        del row["failed"], row["findings"], row["refused"]
        return row


def judge(
    files: Sequence[str], target: tuple[int, int], folder: str | None, environ: Mapping[str, str], program: str = "",
    limits: Mapping[str, Any] | None = None, clip_limits: Mapping[str, Any] | None = None, *, still: bool = False,
) -> list[Row]:
    """The verdict on every file, in order; a file that can't be judged gives a failed row, and so does a clip where
    only a `still` will do. Raises UsageError."""
    if folder:
        try:
            os.makedirs(folder, exist_ok=True)
        except OSError as error:
            raise UsageError(f"{shown(folder)}: {error.strerror}") from error
    names = annotations(files)
    tasks = [
        {
            "path": os.path.abspath(path),
            "target": list(target),
            "ffmpeg": program,
            "still": still,
            "limits": dict(limits or {}),
            "clip_limits": dict(clip_limits or {}),
            "annotated": os.path.abspath(os.path.join(folder, names[path])) if folder else "",
        }
        for path in files
    ]
    count = min(len(files), os.cpu_count() or 1, 4)
    return asyncio.run(_all(files, tasks, count, _environment(environ)))


def _environment(environ: Mapping[str, str]) -> dict[str, str]:
    """The child finds this package and nothing in the current folder; one thread a library."""
    import clipbuild

    root = os.path.dirname(os.path.dirname(os.path.abspath(clipbuild.__file__)))
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    return environment(environ, PYTHONPATH=root, **threads)


async def _all(
    files: Sequence[str], tasks: Sequence[Mapping[str, Any]], count: int, env: Mapping[str, str]
) -> list[Row]:
    argv = [sys.executable, "-s", "-P", "-m", "clipbuild.cli.judge"]
    workers = Workers(argv, count=count, env=env, limits=LIMITS)
    try:
        return await asyncio.gather(*(_one(workers, *pair) for pair in zip(files, tasks, strict=True)))
    finally:
        await workers.close()


async def _one(workers: Workers, path: str, task: Mapping[str, Any]) -> Row:
    try:
        found = await workers.run(task, wall_seconds=WALL_SECONDS)
    except ClipbuildError as error:
        facts = ", ".join(f"{name} {value}" for name, value in error.facts if name != "stderr")
        told = error.what.removeprefix(f"{os.path.basename(path)}: ") + (f" ({facts})" if facts else "")
        said = [f"can't be judged: {shown(told)}"]
        refused = (shown(told), error.hint) if isinstance(error, MediaError) else ("", "")
        return Row(path, "not_ready", said, failed=True, refused=refused)
    return Row(path, found["verdict"], found["reasons"], found["axes"], found["measures"], findings=found["findings"])


def annotations(files: Sequence[str]) -> dict[str, str]:
    """The annotated picture's name of each file: its own name, made different where two files share one."""
    bases = [os.path.basename(path) for path in files]
    names = {}
    for path, base in zip(files, bases, strict=True):
        safe = "".join(c if c.isalnum() or c in "._-" else "_" for c in base).lstrip(".")[:100] or "picture"
        mark = "" if bases.count(base) == 1 else "." + hashlib.sha256(path.encode("utf-8", "replace")).hexdigest()[:8]
        names[path] = f"{safe}{mark}.readiness.png"
    return names


def show(rows: Sequence[Row]) -> None:
    """A table: verdict, file, what kind of picture it is, and below it what speaks against it."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    console = Console(highlight=False)
    table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold", max_width=40)
    table.add_column(ratio=1)
    for row in rows:
        mark, colour = MARK[row.verdict]
        verdict = "unreadable" if row.failed else row.verdict.replace("_", " ")
        lines = ([f"[dim]{escape(kind(row.axes))}[/dim]"] if row.axes else []) + [escape(shown(r)) for r in row.reasons]
        name = escape(shown(os.path.basename(row.file)))
        table.add_row(f"[{colour}]{mark} {verdict}[/]", f"[bold]{name}[/]", "\n".join(lines))
    console.print(table)
    if len(rows) > 1:
        console.print("\n" + counted(rows))


def counted(rows: Sequence[Row]) -> str:
    """How many of each verdict."""
    numbers = {verdict: sum(row.verdict == verdict and not row.failed for row in rows) for verdict in MARK}
    numbers["unreadable"] = sum(row.failed for row in rows)
    return ", ".join(f"{n} {verdict.replace('_', ' ')}" for verdict, n in numbers.items() if n)


def kind(axes: Mapping[str, str]) -> str:
    """The axes as a line a person reads."""
    space = "free space" if axes["negative_space"] == "yes" else "no free space"
    depth = "depth" if axes["depth_cue"] == "yes" else "no depth"
    ground = "cut out" if axes["background"] == "alpha" else f"{axes['background']} background"
    return f"{WORDS[axes['subject_count']]}, {ground}, {space}, {axes['lighting']} light, {depth}"
