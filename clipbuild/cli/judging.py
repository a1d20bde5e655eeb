"""What `qc` does with one file, and the table it prints. Knows pictures and clips, nothing of projects."""

import os
from dataclasses import asdict, dataclass, field
from typing import Any

from clipbuild.errors import ClipbuildError, shown
from clipbuild.media import metrics, pictures, readiness

MARK = {"ready": ("✓", "green"), "risky": ("!", "yellow"), "not_ready": ("✗", "red")}


@dataclass(frozen=True, slots=True)
class Row:
    """The verdict on one file. `failed` when it could not be read at all."""

    file: str
    verdict: str
    reasons: list[str]
    axes: dict[str, str] = field(default_factory=dict)
    measures: dict[str, float] = field(default_factory=dict)
    failed: bool = False

    def plain(self) -> dict[str, Any]:
        """As JSON data."""
        row = asdict(self)
        del row["failed"]
        return row


def judge_file(path: str, target: tuple[int, int], folder: str | None = None) -> Row:
    """The verdict on one picture or clip; an unreadable file gives a failed row, never an exception."""
    try:
        return _picture(path, target, folder)
    except ClipbuildError as error:
        return Row(path, readiness.NOT_READY, [f"can't be judged: {shown(error.what)}"], failed=True)
    except OSError as error:
        return Row(path, readiness.NOT_READY, [f"can't be read: {error.strerror or error}"], failed=True)


def _picture(path: str, target: tuple[int, int], folder: str | None) -> Row:
    rgb, alpha = pictures.read(path)
    seen = metrics.look(rgb, alpha)
    result = readiness.judge(seen, readiness.limits(), target)
    if folder:
        from clipbuild.media import annotate

        os.makedirs(folder, exist_ok=True)
        name = shown(os.path.basename(path), 80)
        annotate.explain(seen, result, name).save(os.path.join(folder, f"{name}.readiness.png"))
    return Row(path, result.verdict, result.reasons, asdict(result.axes), dict(result.measures))


def show(rows: list[Row]) -> None:
    """A table on a terminal, wrapped lines elsewhere."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    console = Console()
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("", "file", "verdict", "subject", "background", "space", "light", "depth", "why"):
        table.add_column(name, overflow="fold", ratio=1 if name == "why" else None)
    for row in rows:
        mark, colour = MARK[row.verdict]
        axes = [
            row.axes.get(n, "–") for n in ("subject_count", "background", "negative_space", "lighting", "depth_cue")
        ]
        verdict = "unreadable" if row.failed else row.verdict.replace("_", " ")
        why = escape("; ".join(row.reasons)) or "[dim]nothing speaks against it[/dim]"
        name = escape(shown(os.path.basename(row.file)))
        table.add_row(f"[{colour}]{mark}[/]", name, f"[{colour}]{verdict}[/]", *axes, why)
    console.print(table)
