"""What is seen while a build runs: lines in a log, a live view on a terminal, files of events and traces."""

import io
import json
import pathlib
import sys

import pytest
from rich.console import Console

from clipbuild import events
from clipbuild.cli import console
from clipbuild.cli.console import EventFile, Lines, Live, TraceFile


def started(name: str, at: float = 0.0, pool: str = "cpu") -> events.Event:
    """An action of this name begins."""
    return events.ActionStarted(at, name, "render", pool)


def ended(name: str, at: float = 1.0) -> events.Event:
    """It ends well."""
    return events.ActionFinished(at, name, "render", 1.25)


class Screen:
    """A fake terminal of 100 columns, and what is on it."""

    def __init__(self) -> None:
        self.file = io.StringIO()
        self.console = Console(file=self.file, force_terminal=True, width=100, height=20, legacy_windows=False, no_color=True)

    def view(self, live: Live) -> list[str]:
        """The lines of the live view now."""
        seen = Console(file=io.StringIO(), width=100)
        seen.print(live.progress.get_renderable())
        return [line.strip() for line in seen.file.getvalue().splitlines() if line.strip()]


def test_lines_for_a_log(capsys: pytest.CaptureFixture[str]) -> None:
    """One line an action, numbered, on stderr; stdout is left to results. What waits for a person has not failed."""
    lines = Lines()
    for event in (events.BuildStarted(0, 2, 2, 5), started("a/image"), ended("a/image"), events.ActionSkipped(1, "a/check", "check"),
                  events.ActionFailed(2, "a/render", "render", "no"), events.ActionFailed(2, "b/animate", "animate", "look", 4),
                  events.Warned(3, "low disk"), events.ActionFailed(3, "c/render", "render", "gone", 0)):  # fmt: skip
        lines(event)
    lines.close()
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines().pop() == "[5/4] c/render  later: what it needs is not here, and is got back first"
    err = err[: err.index("[5/4]")]
    assert err.splitlines() == ["[1/4] a/image  1.2 s", "[3/4] a/render  failed", "[4/4] b/animate  waits for you", "warning: low disk"]


def test_a_log_is_safe_to_show(capsys: pytest.CaptureFixture[str]) -> None:
    """Names and warnings from outside can't move the cursor or forge a line."""
    lines = Lines()
    lines(ended("a\x1b[2Jb"))
    lines(events.Warned(0, "x\nfailed everything"))
    err = capsys.readouterr().err
    assert "\x1b" not in err
    assert len(err.splitlines()) == 2


def test_a_plan_made_anew_goes_on_counting(capsys: pytest.CaptureFixture[str]) -> None:
    """When a build plans again, what is done so far still counts: no line says "[3/2]"."""
    lines = Lines()
    for event in (events.BuildStarted(0, 2, 0, 0), ended("a"), ended("b"), events.BuildStarted(1, 2, 0, 2), ended("c"), ended("d")):
        lines(event)
    assert [row.split()[0] for row in capsys.readouterr().err.splitlines()] == ["[1/2]", "[2/2]", "[3/4]", "[4/4]"]


def test_the_live_view_shows_what_runs() -> None:
    """An overall count and a line for each running action; the quick inline ones are not shown."""
    screen = Screen()
    live = Live(screen.console)
    live(events.BuildStarted(0, 3, 1, 0))
    live(started("mug/vertical/render"))
    live(started("mug/captions", pool="inline"))
    view = screen.view(live)
    assert [line.split()[0] for line in view] == ["actions", "mug/vertical/render"]
    assert view[0].endswith("0/4")
    live(ended("mug/vertical/render"))
    live(ended("mug/captions"))
    view = screen.view(live)
    assert len(view) == 1
    assert "2/4" in view[0]
    live.close()


def test_progress_is_told_in_words_or_percent() -> None:
    """A note of the stage, else how much is done: never a count of thousandths."""
    screen = Screen()
    live = Live(screen.console)
    for event in (events.BuildStarted(0, 2, 0, 0), started("a"), started("b"), events.ActionProgressed(1, "a", 0.42),
                  events.ActionProgressed(1, "b", 0.5, "frame 60 of 120")):  # fmt: skip
        live(event)
    view = screen.view(live)
    assert view[1].endswith("42%")
    assert view[2].endswith("frame 60 of 120")
    assert "1000" not in " ".join(view)
    live.close()


def test_the_live_view_begins_once() -> None:
    """A plan made anew adds to the one overall bar."""
    screen = Screen()
    live = Live(screen.console)
    for event in (events.BuildStarted(0, 2, 0, 0), started("a"), ended("a"), events.BuildStarted(1, 3, 0, 1)):
        live(event)
    [line] = screen.view(live)
    assert "1/4" in line
    live.close()


def test_failures_and_warnings_stay_above_the_live_view() -> None:
    """They are printed as they are: brackets are no markup, control characters are escaped."""
    screen = Screen()
    live = Live(screen.console)
    live(events.BuildStarted(0, 1, 0, 0))
    live(started("a"))
    live(events.ActionFailed(1, "a", "render", "why"))
    live(events.Warned(2, "[bold]x[/bold] \x1b]0;t\x07 [red"))
    live.close()
    text = screen.file.getvalue()
    assert "failed  a" in text
    assert "warning: [bold]x[/bold] \\x1b]0;t\\x07 [red" in text


def test_nothing_to_run_shows_nothing() -> None:
    """A build that has nothing to make never takes the terminal."""
    screen = Screen()
    live = Live(screen.console)
    live(events.BuildStarted(0, 0, 0, 9))
    live.close()
    assert screen.file.getvalue() == ""


def test_which_console(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines where stderr is no terminal, or one that can't move its cursor, else the live view."""

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "stderr", io.StringIO())
    assert isinstance(console.open_console(), Lines)
    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.setenv("TERM", "xterm")
    assert isinstance(console.open_console(), Live)
    monkeypatch.setenv("TERM", "dumb")
    assert isinstance(console.open_console(), Lines)


def test_the_event_file_is_a_line_of_json_an_event(tmp_path: pathlib.Path) -> None:
    """Readable while the build runs: each line is whole and written at once."""
    path = tmp_path / "events.ndjson"
    file = EventFile(str(path))
    file(events.Warned(0.5, "ünï\nx"))
    file(ended("a"))
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert [row["event"] for row in rows] == ["warned", "action_finished"]
    assert rows[0]["text"] == "ünï\nx"
    file.close()


def test_the_trace_has_a_row_a_slot(tmp_path: pathlib.Path) -> None:
    """Two at once stand in two rows; a row that is free is used again; times are microseconds."""
    path = tmp_path / "trace.json"
    trace = TraceFile(str(path))
    for event in (started("a", 0.0), started("b", 0.5), ended("a", 1.0), started("c", 1.0),
                  events.ActionFailed(2.0, "b", "render", "no"), ended("c", 3.0), ended("never-started", 3.0)):  # fmt: skip
        trace(event)
    trace.close()
    rows = {row["name"]: row for row in json.loads(path.read_text(encoding="utf-8"))["traceEvents"]}
    assert {name: row["tid"] for name, row in rows.items()} == {"a": 0, "b": 1, "c": 0}
    assert (rows["b"]["ts"], rows["b"]["dur"]) == (500000, 1500000)
    assert all(row["ph"] == "X" for row in rows.values())
