"""A picture that explains its verdict: subject outlined, free space marked, texture as heat, findings beside it.

Draws what readiness found and decides nothing. Knows nothing of files or commands.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from clipbuild.media import fonts
from clipbuild.media.metrics import Box, Seen
from clipbuild.media.pixels import Bytes
from clipbuild.media.readiness import ERROR, NOTE, Readiness
from clipbuild.plural import counted

PICTURE = 860
"""Long side of the picture in the annotation."""
PANEL = 420
INK, SOFT, PAPER, LINE = (24, 28, 34), (104, 112, 122), (250, 250, 248), (226, 228, 230)
COLOURS = {"ready": (22, 130, 82), "risky": (184, 116, 8), "not_ready": (196, 48, 43)}
SUBJECT, FREE, PLACE = (0, 214, 255), (60, 200, 120), (255, 72, 66)
Colour = tuple[int, int, int]
Font = ImageFont.FreeTypeFont


@dataclass(slots=True)
class Pen:
    """Writes down the panel, line by line."""

    draw: ImageDraw.ImageDraw
    x: int
    y: int
    width: int

    def text(self, words: str, size: int, colour: Colour = INK, weight: int = 400, gap: int = 6) -> None:
        """Words wrapped to the panel's width."""
        font = face(size, weight)
        for line in wrapped(words, font, self.width):
            self.draw.text((self.x, self.y), line, fill=colour, font=font)
            self.y += round(size * 1.32)
        self.y += gap

    def pair(self, name: str, value: str, size: int = 16) -> None:
        """A name on the left, its value on the right."""
        font, bold = face(size, 400), face(size, 600)
        self.draw.text((self.x, self.y), name, fill=SOFT, font=font)
        self.draw.text((self.x + self.width, self.y), value, fill=INK, font=bold, anchor="ra")
        self.y += round(size * 1.6)

    def rule(self) -> None:
        """A thin line with air around it."""
        self.y += 8
        self.draw.line((self.x, self.y, self.x + self.width, self.y), fill=LINE, width=1)
        self.y += 14


def explain(seen: Seen, result: Readiness, name: str) -> Image.Image:
    """The annotated picture of a measured and judged still, `name` as its title."""
    picture = drawn(seen, result)
    width = picture.width + PANEL + 72
    for height in (max(picture.height + 48, 560), 4000):
        sheet = Image.new("RGB", (width, height), PAPER)
        sheet.paste(picture, (24, 24))
        pen = Pen(ImageDraw.Draw(sheet), picture.width + 48, 22, PANEL)
        _panel(pen, seen, result, name)
        if pen.y + 16 <= height:
            break
    return sheet.crop((0, 0, width, min(height, max(picture.height + 48, 560, pen.y + 24))))


def drawn(seen: Seen, result: Readiness) -> Image.Image:
    """The picture alone with heat, free space, outline and the places of its findings."""
    height, width = seen.rgb.shape[:2]
    scale = PICTURE / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    rgb = cv2.resize(_checkered(seen), size, interpolation=cv2.INTER_CUBIC)
    if not seen.subject.given:
        rgb = _heated(rgb, cv2.resize(seen.heat, size), _grown(~seen.subject.mask, size))
    rgb = _tinted(rgb, _grown(seen.free, size))
    outline, _ = cv2.findContours(
        _grown(seen.subject.mask, size).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE
    )
    for colour, thickness in (((0, 0, 0), 5), (SUBJECT, 2)):
        cv2.drawContours(rgb, outline, -1, colour, thickness, cv2.LINE_AA)
    picture = Image.fromarray(rgb)
    draw = ImageDraw.Draw(picture)
    if "free" in result.boxes and result.measures["free_rectangle"] > 0.04:
        _box(draw, size, result.boxes["free"], FREE, "free space")
    for finding in result.findings:
        if finding.box and finding.severity != NOTE:
            _box(draw, size, finding.box, PLACE, finding.id.replace("_", " "))
    return picture


def _panel(pen: Pen, seen: Seen, result: Readiness, name: str) -> None:
    pen.text(name, 15, SOFT)
    colour = COLOURS[result.verdict]
    label = {"ready": "Ready", "risky": "Risky", "not_ready": "Not ready"}[result.verdict]
    pen.text(label, 34, colour, 700, 2)
    found = [f for f in result.findings if f.severity != NOTE]
    things = f"{counted(len(found), 'thing')} to mend before motion is bought"
    pen.text(things if found else "to be animated as it is", 16, SOFT)
    pen.rule()
    for words, value in _axes(result):
        pen.pair(words, value)
    pen.rule()
    for finding in sorted(result.findings, key=lambda f: (f.severity == NOTE, f.severity != ERROR)):
        shade = COLOURS["not_ready"] if finding.severity == ERROR else COLOURS["risky"]
        shade = SOFT if finding.severity == NOTE else shade
        pen.draw.ellipse((pen.x, pen.y + 6, pen.x + 9, pen.y + 15), fill=shade)
        inner = Pen(pen.draw, pen.x + 20, pen.y, pen.width - 20)
        inner.text(finding.advice, 16, INK if finding.severity != NOTE else SOFT, 500, 0)
        inner.text(f"{finding.id.replace('_', ' ')}: {finding.value:g}, limit {finding.limit:g}", 13, SOFT, 400, 8)
        pen.y = inner.y
    if not result.findings:
        pen.text("Nothing speaks against it.", 16, INK, 500)
    pen.rule()
    _legend(pen, seen)


def _axes(result: Readiness) -> list[tuple[str, str]]:
    axes, m = result.axes, result.measures
    return [
        ("subjects", axes.subject_count),
        ("background", axes.background),
        ("free space", f"{axes.negative_space}, {m['free_area']:.0%} of the frame"),
        ("light", axes.lighting),
        ("depth", axes.depth_cue),
        ("push-in before it is cut", f"{m['headroom']:.2f}×"),
        ("size", f"{m['width']:.0f} × {m['height']:.0f}"),
    ]


def _legend(pen: Pen, seen: Seen) -> None:
    font = face(14, 400)
    entries: Sequence[tuple[Colour, str]] = (
        (SUBJECT, "subject" + (" (its own alpha)" if seen.subject.given else "")),
        (FREE, "free of texture: text or camera travel"),
        ((255, 96, 20), "sharp texture: may shimmer"),
    )
    for colour, words in entries:
        pen.draw.rounded_rectangle((pen.x, pen.y + 3, pen.x + 22, pen.y + 14), 3, fill=colour)
        pen.draw.text((pen.x + 32, pen.y), words, fill=SOFT, font=font)
        pen.y += 23


def _heated(rgb: Bytes, heat: Bytes, where: Bytes) -> Bytes:
    """Texture over the background as heat: clear below 6 grey levels a pixel, full at 30."""
    level = np.clip((cv2.GaussianBlur(heat, (0, 0), 3) - 6) / 24, 0, 1)
    level = np.where(where, level, 0).astype(np.float32)
    colours = cv2.applyColorMap((level * 155 + 100).astype(np.uint8), cv2.COLORMAP_INFERNO)[..., ::-1]
    share = (np.sqrt(level) * 0.72)[..., None]
    return np.asarray(rgb * (1 - share) + colours * share, np.uint8)


def _tinted(rgb: Bytes, where: Bytes) -> Bytes:
    """Free space: a light tint with diagonal hatching, so that it reads on any ground."""
    height, width = where.shape
    down, across = np.mgrid[0:height, 0:width]
    stripe = ((down + across) % 22) < 2
    share = np.where(where, np.where(stripe, 0.55, 0.14), 0.0)[..., None]
    return np.asarray(rgb * (1 - share) + np.array(FREE) * share, np.uint8)


def _checkered(seen: Seen) -> Bytes:
    """The picture; behind a cut-out the usual chequers."""
    if not seen.subject.given or seen.alpha is None:
        return seen.rgb
    height, width = seen.rgb.shape[:2]
    down, across = np.mgrid[0:height, 0:width]
    board = np.where(((down // 12 + across // 12) % 2)[..., None] == 0, 236, 214)
    share = seen.alpha[..., None] / 255.0
    return np.asarray(seen.rgb * share + board * (1 - share), np.uint8)


def _grown(mask: Bytes, size: tuple[int, int]) -> Bytes:
    large = cv2.resize(mask.astype(np.float32), size, interpolation=cv2.INTER_LINEAR)
    return np.asarray(cv2.GaussianBlur(large, (0, 0), 3) > 0.5)


def _box(draw: ImageDraw.ImageDraw, size: tuple[int, int], box: Box, colour: Colour, label: str) -> None:
    x0, y0 = round(box[0] * (size[0] - 1)), round(box[1] * (size[1] - 1))
    x1, y1 = round(box[2] * (size[0] - 1)), round(box[3] * (size[1] - 1))
    draw.rectangle((x0, y0, x1, y1), outline=colour, width=3)
    font = face(15, 600)
    wide = round(font.getlength(label)) + 14
    x, y = min(x0, size[0] - wide), y0 if y0 + 24 <= size[1] else y0 - 24
    draw.rectangle((x, y, x + wide, y + 24), fill=colour)
    draw.text((x + 7, y + 3), label, fill=(255, 255, 255) if colour == PLACE else INK, font=font)


def face(size: int, weight: int) -> Font:
    """The shipped body font at a size and weight."""
    font = ImageFont.truetype(fonts.shipped(fonts.BODY), size)
    try:
        axes = {axis["name"] if isinstance(axis["name"], str) else axis["name"].decode(): axis
                for axis in font.get_variation_axes()}  # fmt: skip
        font.set_variation_by_axes(
            [weight if "eight" in name else float(axis["default"] or 0) for name, axis in axes.items()]
        )
    except (OSError, NotImplementedError):
        pass  # a font or a library without weights: one weight for all
    return font


def wrapped(words: str, font: Font, width: int) -> list[str]:
    """`words` in lines of at most `width` px; a word that is too long is broken."""
    lines = [""]
    for word in words.split():
        while font.getlength(word) > width:
            cut = next(k for k in range(len(word), 0, -1) if k == 1 or font.getlength(word[:k]) <= width)
            lines.append(word[:cut])
            word = word[cut:]
        longer = f"{lines[-1]} {word}".strip()
        if font.getlength(longer) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return [line for line in lines if line]
