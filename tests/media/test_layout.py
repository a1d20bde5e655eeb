"""Cards are split so that picture and words never meet, whatever the frame."""

import pytest

from clipbuild.media.layout import card_layout, shape

FRAMES = [(1080, 1920), (1920, 1080), (1080, 1350), (1080, 1080), (540, 960), (1296, 2304)]


@pytest.mark.parametrize(("width", "height"), FRAMES)
def test_photo_and_text_stay_apart_and_inside(width: int, height: int) -> None:
    """Both boxes lie in the frame, with a margin, and share no pixel."""
    boxes = card_layout(width, height, has_photo=True)
    for x0, y0, x1, y1 in boxes.values():
        assert 0 < x0 < x1 < width
        assert 0 < y0 < y1 < height
    photo, text = boxes["photo"], boxes["text"]
    assert photo[2] <= text[0] or text[2] <= photo[0] or photo[3] <= text[1] or text[3] <= photo[1]


def test_a_card_without_photo_gives_all_to_the_words() -> None:
    """The text box alone is larger than the one beside a photo."""
    alone, shared = card_layout(1080, 1920, False), card_layout(1080, 1920, True)
    assert set(alone) == {"text"}
    assert (alone["text"][3] - alone["text"][1]) > (shared["text"][3] - shared["text"][1])


def test_layout_scales_with_the_frame() -> None:
    """A picture with headroom has the same shares as the frame, within a pixel."""
    small, large = card_layout(1080, 1920, True), card_layout(2160, 3840, True)
    for name, box in small.items():
        assert all(abs(2 * a - b) <= 1 for a, b in zip(box, large[name], strict=True))


@pytest.mark.parametrize(
    ("size", "kind"), [((1080, 1920), "portrait"), ((1080, 1350), "square"), ((1920, 1080), "landscape")]
)
def test_frames_have_a_kind(size: tuple[int, int], kind: str) -> None:
    """4:5 counts as square: there is no room for a column beside the photo."""
    assert shape(*size) == kind
