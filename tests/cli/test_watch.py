"""What a terminal shows of a watch: a line for what was done, and what is wrong once, not at every save."""

from clipbuild import events
from clipbuild.cli.watch import Lines


def ended(lines: Lines, *failed: str, ran: int = 0, wrote: int = 0) -> None:
    """A build of this outcome."""
    bus = events.Bus(lambda: 0.0, [lines])
    bus.emit(events.BuildStarted, will_run=1, may_run=0, up_to_date=0)
    for text in failed:
        bus.emit(events.ActionFailed, name="a/vertical/image", stage="image", error=text)
    for number in range(wrote):
        bus.emit(events.DeliverableWritten, path=f"tiktok/{number}.mp4")
    looked(lines, ran=ran, failed=len(failed))


def looked(lines: Lines, ran: int = 0, failed: int = 0) -> None:
    """A build that stopped at a look."""
    bus = events.Bus(lambda: 0.0, [lines])
    bus.emit(events.BuildFinished, ran=ran, failed=failed, up_to_date=1, seconds=0.0, cost="0", status=0)


def test_what_was_written_is_told_once(capsys) -> None:
    """A save of something else, after a build that wrote files, says nothing."""
    lines = Lines()
    ended(lines, ran=4, wrote=2)
    looked(lines)
    looked(lines)
    assert capsys.readouterr().err.count("written") == 1


def test_a_mistake_is_told_once_until_it_changes(capsys) -> None:
    """The same mistake after another save is not said again; after it was mended it is."""
    lines = Lines()
    for text in ("catalog.yaml:3: unknown key", "catalog.yaml:3: unknown key", "catalog.yaml:9: no photo"):
        lines.wrong(text)
    said = capsys.readouterr().err
    assert said.count("unknown key") == said.count("no photo") == 1
    lines.well()
    lines.wrong("catalog.yaml:9: no photo")
    assert capsys.readouterr().err.count("no photo") == 1


def test_a_failure_is_told_once_until_something_is_made(capsys) -> None:
    """A photo that can't be read fails at every round; it is said with its count, and again after a build without it."""
    lines = Lines()
    ended(lines, "p.jpg: cut short", "p.jpg: cut short")
    ended(lines, "p.jpg: cut short", "p.jpg: cut short")
    said = capsys.readouterr().err
    assert "0 made, 2 failed, 0 files written" in said
    assert said.count("cut short") == 1
    looked(lines)
    ended(lines, "p.jpg: cut short")
    assert capsys.readouterr().err.count("cut short") == 1
