"""`clipbuild build`: make what is out of date, with live progress on a terminal and plain lines elsewhere."""

import re
import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from clipbuild import build as builder
from clipbuild import events
from clipbuild.cli.common import json_option, selectors, settings, show_json, workspace
from clipbuild.cli.scope import narrowed, scope_of, scope_options
from clipbuild.errors import ClipbuildError
from clipbuild.plural import counted
from clipbuild.settings import Settings
from clipbuild.wish import Wish

if TYPE_CHECKING:
    from clipbuild.consent import Ask
    from clipbuild.pricing import Bill

INTERRUPTED = (130, 143)
"""By Ctrl-C, by a signal to end."""


@click.command()
@selectors
@scope_options
@click.option("--jobs", "-j", type=click.IntRange(1, 256), default=None, help="How many actions run at once.")
@click.option("--dry-run", "-n", is_flag=True, help="Say what would run, like `plan`; run nothing.")
@click.option("--approved-only", is_flag=True, help="Put only what a person approved into the output tree.")
@click.option("--fail-fast", is_flag=True, help="Start nothing new after the first failure.")
@click.option("--until", metavar="STAGE", default="", help="Stop after this stage: `image` makes and checks the pictures.")
@click.option("--max-spend", metavar="USD", default="", help="Buy for so much at most, without asking.")
@click.option("--locked", is_flag=True, help="Fail if anything would have to be bought.")
@click.option("--frozen", is_flag=True, help="Buy nothing, ask no provider, leave the lock as it is.")
@click.option("--quiet", "-q", is_flag=True, help="Say nothing but errors and the last line.")
@click.option("--events", "events_file", type=click.Path(dir_okay=False), help="Write every event as a line of JSON.")
@click.option("--trace", "trace_file", type=click.Path(dir_okay=False), help="Write a Chrome trace (opens in Perfetto).")
@click.option("--junit", "junit_file", type=click.Path(dir_okay=False), help="Write a JUnit report, also of a failure.")
@json_option
@click.pass_context
def build(
    ctx: click.Context, products: tuple[str, ...], platforms: tuple[str, ...], profile: str, jobs: int | None,
    dry_run: bool, approved_only: bool, fail_fast: bool, until: str, max_spend: str, locked: bool, frozen: bool,
    quiet: bool, events_file: str | None, trace_file: str | None, junit_file: str | None, as_json: bool,
) -> int:  # fmt: skip
    """Make what is out of date.

    SKU may be a pattern: `clipbuild build 'olive-*'`. Without one, every product is built. Nothing is made again
    that is up to date; a failed product never stops the others. A clip that its check says no to, or that must be
    reviewed, is held back until a person approves it: `clipbuild review`.

    What costs money is bought once and pinned in clipbuild.lock. On a terminal you are asked before more than
    `confirm_above` is spent; elsewhere nothing is bought without --max-spend or a budget in your configuration.

    Exit status: 0 done, 1 some products failed, 2 catalog or command line wrong, 3 incomplete (spending not allowed,
    open jobs), 4 a person must decide, 5 damage found, 130 and 143 interrupted.
    """
    wish, scope = Wish(workspace(ctx.obj), products, platforms, profile), scope_of(ctx)
    if dry_run:
        from clipbuild.cli.plan import show_change, show_plan

        if scope.since:
            return show_change(wish, scope, "json" if as_json else "text")
        return show_plan(wish, scope, as_json, until=until)
    chosen: Settings = settings()
    began = time.monotonic()
    bus = events.Bus(lambda: time.monotonic() - began)
    options = builder.Options(
        jobs or 0, fail_fast, approved_only=approved_only, max_spend=max_spend, locked=locked, frozen=frozen,
        until=until, ask=asker(),
    )  # fmt: skip
    listeners = _Listeners(bus, events_file, trace_file, junit_file, show=not (quiet or as_json))
    with listeners:
        wish, _ = narrowed(wish, scope, chosen)
        report = listeners.report = builder.build(wish, chosen, bus, options)
    if as_json:
        show_json(report.plain())
    else:
        _last_words(report)
    return report.status


def asker() -> "Ask | None":
    """How to ask before money is spent; None where nobody is there to answer."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return None

    def ask(found: "Bill") -> bool:
        from clipbuild.pricing import table

        click.echo("This has to be bought:", err=True)
        click.echo("\n".join(table(found)), err=True)
        return click.confirm("Buy it?", default=False, err=True)

    return ask


class _Listeners:
    """Console, event file, trace and JUnit report on the bus, closed at the end whatever happens."""

    def __init__(
        self, bus: events.Bus, events_file: str | None, trace_file: str | None, junit_file: str | None, *, show: bool
    ) -> None:
        self.bus, self.events_file, self.trace_file, self.show = bus, events_file, trace_file, show
        self.junit_file = junit_file
        self.junit: Any = None
        self.report: builder.Report | None = None
        self.closers: list[Any] = []

    def __enter__(self) -> None:
        from clipbuild.cli import console

        if self.show:
            self._add(console.open_console())
        if self.events_file:
            self._add(console.EventFile(self.events_file))
        if self.trace_file:
            self._add(console.TraceFile(self.trace_file))
        if self.junit_file:
            from clipbuild.cli.junit import JUnitFile

            self.junit = JUnitFile(self.junit_file)
            self._add(self.junit)

    def _add(self, listener: Any) -> None:
        self.bus.listeners.append(listener)
        self.closers.append(listener)

    def __exit__(self, _kind: object, error: object, _trace: object) -> None:
        for listener in self.closers:
            listener.close()
        told = self.report or error
        if self.junit and isinstance(told, builder.Report | ClipbuildError):
            self.junit.write(told)


ALIKE = 10
"""So many of one kind are told in full."""


def _few(told: dict[str, str]) -> Iterator[str]:
    """What is to be said of each name; of many that say the same but for names and figures a few, and the others' names."""
    kinds: dict[str, list[str]] = {}
    for name, text in told.items():
        bare = text.replace(name, "").replace(name.partition("/")[0].partition(".")[0], "")
        kinds.setdefault(re.sub(r"[0-9a-f.,:-]*\d[0-9a-f.,:-]*", "", bare), []).append(name)
    for names in kinds.values():
        yield from (told[name] for name in (names if len(names) <= ALIKE else names[:3]))
        if len(names) > ALIKE:
            yield f"… and {len(names) - 3:,} more of that kind: {', '.join(names[3:8])}, … (`--json` and `--junit FILE` have all)"


def _last_words(report: builder.Report) -> None:
    errors = {name: error for error, name in {error: name for name, error in report.failed.items()}.items()}
    for line in (
        *_few(errors), *_few({clip: f"held back  {text}" for clip, text in report.held.items()}),
        *_few({clip: f"degraded   {clip}: {text}" for clip, text in report.degraded.items()}),
    ):  # fmt: skip
        click.echo(line, err=True)
    if report.status in INTERRUPTED:
        click.echo("interrupted: what is done is kept, the same command goes on", err=True)
    elif not any((report.ran, report.failed, report.written, report.removed, report.held, report.degraded)):
        click.echo(f"nothing to do: {counted(report.up_to_date, 'action')} up to date ({report.seconds:.2f} s)")
        return
    failed = len(report.failed) - len(report.waiting) - len(report.unfinished)
    counts = [("ran", len(report.ran)), ("failed", failed), ("not done yet", len(report.unfinished)),
              ("waiting for you", len(report.waiting)), ("not reached", len(report.blocked)),
              ("up to date", report.up_to_date), ("held back", len(report.held)), ("degraded", len(report.degraded))]  # fmt: skip
    parts = [f"{number} {word}" for word, number in counts if number or word in ("ran", "up to date")]
    files = f"{counted(len(report.written), 'file')} written"
    if report.removed:
        files += f", {len(report.removed)} removed"
    cost = f", {report.cost} USD" if report.cost != "0" else ""
    click.echo(f"{', '.join(parts)}; {files}{cost} ({report.seconds:.1f} s)")
