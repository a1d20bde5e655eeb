"""A contact sheet to look at: `python -m tests.bench sheet [OUT.png]`.

Every motion over a packshot, a scene and a card (first and last frame), every caption style, five scripts, shapes of
frame, and an end card. Real photos of the storefront example, drawn without encoding, at half size.
"""

import itertools
import sys
import tempfile
from collections.abc import Iterator
from typing import Any

import numpy as np

from clipbuild.media import fonts, timing
from tests.bench import _scenes
from tests.bench._scenes import SHOP, Pixels, Shown

TALL, SAFE = (540, 960), (54, 134, 445, 624)
SHAPES = {(960, 540): (58, 38, 902, 475), (540, 676): (38, 48, 502, 628)}
HIGH, GAP = 300, 6
KINDS = {
    "packshot": ("photos/mug_black_01.jpg", ""), "scene": ("photos/cutout_stool_wood.png", "photos/sofa_grey_01.jpg"),
    "card": ("photos/shakers_01.jpg", ""),
}  # fmt: skip
WORDS = {
    "hook": "Your 7 a.m., upgraded", "captions": [{"text": "Holds the heat for an hour"}],
    "offer": {"price": "€14", "was": "€19"}, "cta": "Shop the mug",
}  # fmt: skip
SCRIPTS = {
    "ar": ("الدفء والمرونة في الأيام الباردة", "٦٥ ر.س", "تسوق الآن"), "he": ("שומר על החום שעה שלמה", "₪49", "לחנות"),
    "ja": ("二度焼きの手作りストーンウェア", "¥1,980", "今すぐ見る"), "zh": ("采用柔软耐用的混纺材料制成", "¥99", "立即购买"),
    "hi": ("सर्दियों की गर्माहट, 50% की छूट", "₹499", "अभी ख़रीदें"), "th": ("ลด 50% วันนี้เท่านั้น", "฿390", "ซื้อเลย"),
    "en": ("🔥 Hot drop: 50% off", "€19", "Shop now 👉"),
}  # fmt: skip


def main(out: str = "sheet.png") -> None:
    """Draw the sheet."""
    from PIL import Image

    with tempfile.TemporaryDirectory(prefix="bench-sheet-") as folder:
        rows = list(sheet(folder))
    width = max(sum(frame.shape[1] + GAP for frame in row) for row in rows)
    whole = np.full((sum(HIGH + GAP for _ in rows), width, 3), 110, np.uint8)
    for number, row in enumerate(rows):
        x, y = 0, number * (HIGH + GAP)
        for frame in row:
            whole[y : y + HIGH, x : x + frame.shape[1]] = frame
            x += frame.shape[1] + GAP
    Image.fromarray(whole).save(out)
    sys.stdout.write(f"{out}: {width}x{whole.shape[0]}, {sum(map(len, rows))} frames\n")


def sheet(folder: str) -> Iterator[list[Pixels]]:
    """The rows of the sheet."""
    inputs = {kind: _scenes.pictures(folder, kind, TALL, *files) for kind, files in KINDS.items()}
    motions = list(_scenes.template("motions.yaml")["motions"])
    for kind, given in inputs.items():
        shots = [clip(given, kind, motion, {}) for motion in motions]
        for some in (shots[:7], shots[7:]):
            yield [small(shot.frame(at)) for shot in some for at in (0.0, 4.95)]
    for path in sorted((_scenes.ROOT / "templates" / "captions").glob("*.yaml")):
        style = _scenes.template(f"captions/{path.name}")
        shots = [clip(inputs[kind], kind, "push-in", WORDS, style) for kind in ("packshot", "scene")]
        yield [small(frame) for shot in shots for frame in moments(shot)]
    for language, (said, price, button) in SCRIPTS.items():
        words = {"captions": [{"text": said}], "offer": {"price": price}, "cta": button, "language": language}
        styles = [_scenes.template(f"captions/{name}.yaml") for name in ("plain", "boxed", "karaoke", "pop")]
        yield [small(frame) for style in styles for frame in moments(clip(inputs["packshot"], "packshot", "float", words, style))]
    for size, safe in SHAPES.items():
        for kind, files in KINDS.items():
            given = _scenes.pictures(folder, kind, size, *files)
            words = {**WORDS, "end_card": {"seconds": 1.6, "name": "Fern & Field"}}
            yield [small(frame) for frame in moments(clip(given, kind, "push-in", words, size=size, safe=safe))]


def clip(
    inputs: dict[str, str], recipe: str, motion: str, words: dict[str, Any], style: Any = None, size: tuple[int, int] = TALL,
    safe: tuple[int, ...] = SAFE,
) -> Shown:  # fmt: skip
    """A clip of the sheet with its logo and fonts."""
    more = {**words, "recipe": recipe, **({"caption_style": style} if style else {})}
    if recipe == "card":
        more["card"] = {"headline": "Salt, meet pepper", "photo": True}
    said = "\n".join(cue.said.replace("→", "") for cue in timing.cues({"seconds": 5, **more}))
    given = {**inputs, **{f"font_{n}": path for n, path in enumerate(fonts.needed(said))}}
    return _scenes.clip(size, safe, {**given, "logo": str(SHOP / "brand" / "logo.png")}, motion, **more)


def moments(shot: Shown) -> list[Pixels]:
    """A frame in the middle of every state of the text."""
    cues = timing.cues(shot.work.params)
    edges = sorted({time for cue in cues for time in (cue.start, cue.end)})
    pairs = itertools.pairwise(edges)
    return [shot.frame(a + 0.62 * (b - a)) for a, b in pairs if b - a > 0.2]


def small(frame: Pixels) -> Pixels:
    """As high as a row."""
    from PIL import Image

    wide = round(frame.shape[1] * HIGH / frame.shape[0])
    return np.asarray(Image.fromarray(frame).resize((wide, HIGH), Image.Resampling.LANCZOS))


if __name__ == "__main__":
    main(*sys.argv[1:])
