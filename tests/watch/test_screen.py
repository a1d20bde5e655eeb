"""What the page is told: a mistake of the catalog until it is mended, a step's failure until a build without it."""

from clipbuild import events
from clipbuild.watch.screen import WATCHING, WRONG, Screen


def built(screen: Screen, *failed: str) -> None:
    """A build in which these steps failed."""
    bus = events.Bus(lambda: 0.0, [screen])
    bus.emit(events.BuildStarted, will_run=1, may_run=0, up_to_date=0)
    for text in failed:
        bus.emit(events.ActionFailed, name="a/vertical/image", stage="image", error=text)
    bus.emit(events.BuildFinished, ran=0, failed=len(failed), up_to_date=1, seconds=0.1, cost="0", status=int(bool(failed)))


def test_a_mended_catalog_hides_no_failure() -> None:
    """A save that mends a key and brings a photo that can't be read: the photo is what is wrong now."""
    screen = Screen("/nowhere")
    screen.wrong("catalog.yaml:3: unknown key")
    assert (screen.phase, screen.problems) == (WRONG, ["catalog.yaml:3: unknown key"])
    built(screen, "p.jpg: not a picture")
    screen.well()
    assert (screen.phase, screen.problems) == (WRONG, ["p.jpg: not a picture"])
    built(screen)
    assert (screen.phase, screen.problems) == (WATCHING, [])


def test_a_mistake_that_is_taken_back_is_gone() -> None:
    """Nothing had to be built: the page is well again all the same."""
    screen = Screen("/nowhere")
    built(screen)
    screen.wrong("catalog.yaml:3: unknown key")
    screen.well()
    assert (screen.phase, screen.problems) == (WATCHING, [])
