"""What one sees while a build runs: a live view on a terminal, plain lines elsewhere, and files of events.

Listens to events and knows nothing of the build behind them.
"""

import json
import os
import sys
from typing import IO, Any, Protocol

import click

from clipbuild import events
from clipbuild.errors import shown

NAME, NOTE = 48, 32
"""How much of a name and of a note has room on a line."""
ENDED = {0: "later: what it needs is not here, and is got back first", 3: "not done yet", 4: "waits for you"}
"""How an action ended that did not fail, by its exit status; the build's last words say what to do."""


class Listener(Protocol):
    """Something on the bus that wants to be closed at the end."""

    def __call__(self, event: events.Event) -> None: ...

    def close(self) -> None: ...


def open_console() -> Listener:
    """The live view when stderr is a terminal that can draw one, else plain lines."""
    return Live() if sys.stderr.isatty() and os.environ.get("TERM") not in ("dumb", "unknown") else Lines()


class Lines:
    """One line a finished or failed action, for logs and pipes."""

    def __init__(self) -> None:
        self.total, self.done = 0, 0

    def __call__(self, event: events.Event) -> None:
        match event:
            case events.BuildStarted():
                self.total = self.done + event.will_run + event.may_run
            case events.ActionFinished():
                self._say(f"{shown(event.name)}  {event.seconds:.1f} s")
            case events.ActionSkipped():
                self.done += 1
            case events.ActionFailed():
                self._say(f"{shown(event.name)}  {ENDED.get(event.status, 'failed')}")
            case events.Warned():
                click.echo(f"warning: {shown(event.text)}", err=True)
            case _:
                pass

    def _say(self, text: str) -> None:
        self.done += 1
        click.echo(f"[{self.done}/{self.total}] {text}", err=True)

    def close(self) -> None:
        """Nothing is left open."""


class Live:
    """Overall bar with the time left, and a line a running action, through rich; on `console`, else on stderr."""

    def __init__(self, console: Any = None) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        self.progress = Progress(
            TextColumn("{task.description}", markup=False), BarColumn(bar_width=24), TimeElapsedColumn(),
            TextColumn("{task.fields[told]}", markup=False), console=console or Console(stderr=True), transient=True,
        )  # fmt: skip
        self.all: Any = None
        self.running: dict[str, Any] = {}

    def __call__(self, event: events.Event) -> None:
        match event:
            case events.BuildStarted() if event.will_run:
                self._begin(event.will_run + event.may_run)
            case events.ActionStarted() if event.pool != "inline":
                name = shown(event.name, NAME)
                self.running[event.name] = self.progress.add_task(f"  {name}", total=None, told="")
            case events.ActionProgressed() if event.name in self.running:
                told = shown(event.note, NOTE) or f"{event.done:.0%}"
                self.progress.update(self.running[event.name], completed=event.done, total=1.0, told=told)
            case events.ActionFinished() | events.ActionFailed() | events.ActionSkipped():
                self._end(event.name)
                if isinstance(event, events.ActionFailed):
                    word = ENDED.get(event.status, "failed")
                    self._say(f"{word}  {shown(event.name)}", style="yellow" if event.status in ENDED else "red")
            case events.Warned():
                self._say(f"warning: {shown(event.text)}")
            case _:
                pass

    def _begin(self, total: int) -> None:
        """A plan is made; where it is made anew, what is done so far stays done."""
        self.progress.start()
        if self.all is None:
            self.all = self.progress.add_task("actions", total=total, told=f"0/{total}")
        else:
            self.progress.update(self.all, total=self.progress.tasks[0].completed + total)
            self._tell()

    def _end(self, name: str) -> None:
        if name in self.running:
            self.progress.remove_task(self.running.pop(name))
        if self.all is not None:
            self.progress.advance(self.all)
            self._tell()

    def _tell(self) -> None:
        """How many are done, and how long the rest may take."""
        whole = self.progress.tasks[0]
        left = whole.time_remaining
        told = f"{whole.completed:.0f}/{whole.total or 0:.0f}" + (f", about {left:.0f} s left" if left else "")
        self.progress.update(self.all, told=told)

    def _say(self, text: str, style: str = "") -> None:
        self.progress.console.print(text, markup=False, highlight=False, style=style)

    def close(self) -> None:
        """Give the terminal back."""
        self.progress.stop()


class EventFile:
    """Every event as one line of JSON."""

    def __init__(self, path: str) -> None:
        self.file: IO[str] = open(path, "w", encoding="utf-8", buffering=1)  # noqa: SIM115 (closed in close)

    def __call__(self, event: events.Event) -> None:
        self.file.write(json.dumps(events.plain(event), ensure_ascii=False) + "\n")

    def close(self) -> None:
        """Close the file."""
        self.file.close()


class TraceFile:
    """A Chrome trace of the build: a row a slot, a bar an action."""

    def __init__(self, path: str) -> None:
        self.path, self.rows = path, []  # type: ignore[var-annotated]
        self.started: dict[str, tuple[float, int]] = {}

    def __call__(self, event: events.Event) -> None:
        if isinstance(event, events.ActionStarted):
            used = {slot for _, slot in self.started.values()}
            slot = next(n for n in range(len(used) + 1) if n not in used)
            self.started[event.name] = (event.at, slot)
        elif isinstance(event, events.ActionFinished | events.ActionFailed) and event.name in self.started:
            at, slot = self.started.pop(event.name)
            self.rows.append({
                "name": event.name, "cat": event.stage, "ph": "X", "pid": 1, "tid": slot,
                "ts": round(at * 1e6), "dur": round((event.at - at) * 1e6),
            })  # fmt: skip

    def close(self) -> None:
        """Write the trace."""
        with open(self.path, "w", encoding="utf-8") as file:
            json.dump({"traceEvents": self.rows}, file)
