"""What shots say of each other to a template, and whose words ask for a picture."""

from dataclasses import replace

from clipbuild.catalog.model import Clip, Reference
from clipbuild.planner import shots
from tests.support.templates import clip


def shot(doing: str, reference: Reference | None = None) -> Clip:
    """A clip whose subject does something."""
    plain = clip()
    return replace(plain, prompt=replace(plain.prompt, doing=doing), reference=reference)


def test_a_plain_clip_has_none() -> None:
    """No doing, nothing to be the same as, no other pictures."""
    assert shots.words(clip()) == {"doing": "", "same": False, "shots": ()}
    assert shots.leader(clip()) is None
    assert shots.asked(clip(), "image") == clip()


def test_all_but_the_first_follow_the_first() -> None:
    """Its picture goes along with theirs and not with its own."""
    first = shot("pours")
    assert shots.leader(shot("pours", Reference("first", 0, (first,)))) is None
    assert shots.leader(shot("sips", Reference("first", 1, (first,)))) == first
    assert shots.words(shot("sips", Reference("first", 1, (first,))))["same"] is True


def test_a_batch_is_asked_for_in_one_voice() -> None:
    """Every shot asks for the same picture; its motion it asks for itself."""
    every = shot("pours"), shot("sips")
    one, other = (shot(doing, Reference("batch", n, every)) for n, doing in enumerate(("pours", "sips")))
    assert shots.asked(one, "image") == shots.asked(other, "image")
    assert shots.words(shots.asked(other, "image")) == {"doing": "", "same": False, "shots": ("pours", "sips")}
    assert shots.asked(other, "motion") == other
