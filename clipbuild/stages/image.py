"""Stage `image`: the local image provider. From a product photo (and a place, or nothing) to the picture of a clip.

How the photo is used is decided by what it is: one with alpha, or one that can be cut out with confidence, stands on
the wanted ground in layers; one before a plain backdrop goes on past its edges; a real place fills the frame or is
shown whole. The product is never stretched and never cropped. Knows nothing of captions but where they want room.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from clipbuild.errors import MediaError
from clipbuild.media import backdrop, canvas, compose, cutout, extend, ground, layout, masks, pictures, subject
from clipbuild.media.canvas import Bytes, Colour, Floats
from clipbuild.media.compose import Layers, Product

if TYPE_CHECKING:
    from clipbuild.stages.workdir import Workdir

LARGEST_SIDE, CUT_SIDE = 3072, 2048
"""Longer sides of what a photo is read at, and of what its product is cut out at."""
PLAIN = 0.45
"""From this plainness on a photo's own backdrop goes on past its edges."""
FILLED = 0.62
"""A real place that fills less than this of the frame's height or width is shown as a print instead."""
RESTLESS = 2.5
"""Mean step of lightness from pixel to pixel (of a 512 px copy) from which on a photo is all texture."""
STYLES = ("plain", "gradient", "blur", "studio", "plate")


@dataclass(frozen=True, slots=True)
class Wanted:
    """The picture to make: its size, recipe, ground style, colours, and whether captions need room."""

    width: int
    height: int
    recipe: str
    style: str
    tones: tuple[Colour, ...]
    primary: Colour
    accent: Colour
    paper: Colour
    room: tuple[float, float, float, float]


@dataclass(frozen=True, slots=True, eq=False)
class Photo:
    """The product's photo: pixels, alpha if it has one, and its cut-out if that can be shown."""

    rgb: Bytes
    product: Product | None
    cut: cutout.Cut | None


@dataclass(frozen=True, slots=True)
class Image:
    """The stage: inputs `photo_0` … and `plate`; layers are left out where the picture has none."""

    name: str = "image"
    version: int = 5
    outputs: tuple[str, ...] = ("image", "background", "subject", "shadow")
    tools: tuple[str, ...] = ("pillow", "numpy", "opencv")
    inline: bool = False

    def run(self, work: "Workdir") -> None:
        """Compose the picture. Raises MediaError for a photo that can't be read or a colour that is none."""
        with canvas.steady():
            made = picture(wanted(work.params), _photo(work.inputs), _plate(work.inputs))
            if isinstance(made, Layers):
                canvas.save(work.out("background"), canvas.dithered(made.ground))
                canvas.save(work.out("subject"), np.dstack([made.rgb, _eight(made.alpha)]))
                black = np.zeros_like(made.rgb)
                canvas.save(work.out("shadow"), np.dstack([black, _eight(made.shadow)]))
                made = made.flat()
            canvas.save(work.out("image"), canvas.dithered(made))


def wanted(params: Mapping[str, Any]) -> Wanted:
    """The params as the picture they ask for. Raises MediaError."""
    brand, asked = params.get("brand", {}), params.get("ground", {})
    width, height = int(params["width"]), int(params["height"])
    tones = tuple(canvas.colour(text) for text in asked.get("colors", ()))
    style = str(asked.get("style") or "studio")
    if style not in STYLES:
        raise MediaError(f"there is no ground {style!r}", [("known", ", ".join(STYLES))])
    primary, accent, paper = (
        canvas.colour(brand.get(name) or other)
        for name, other in (("primary", "#1f2937"), ("accent", "#e0a43a"), ("background", "#f3efe8"))
    )
    recipe = str(params.get("recipe", "packshot"))
    if recipe == "card":
        tones = tones or (primary,)
    tones = tones or (canvas.mixed(paper, accent, 0.26), canvas.mixed(paper, accent, 0.1))
    room = layout.standing_room(width, height, bool(params.get("text_space", True)))
    return Wanted(width, height, recipe, style, tones, primary, accent, paper, room)


def picture(want: Wanted, photo: Photo | None, plate: Bytes | None) -> Layers | Floats:
    """The picture, in layers where it has some."""
    if want.recipe == "card":
        return _card(want, photo)
    if photo is None:
        if plate is None:
            raise MediaError("there is no photo to compose from", hint="add `photos:` to the product")
        return ground.plate(plate, want.width, want.height, 0.5, compose.stage_for(want.room, (want.width, want.height)))
    if plate is not None:
        return _scene(want, photo, plate)
    if photo.product is not None and want.style != "blur":
        return _stood(want, photo.product)
    return _whole(want, photo)


def _stood(want: Wanted, item: Product) -> Layers:
    """The cut-out on a made ground."""
    size, flat = (want.width, want.height), compose.lying(item) and item.shade is None
    at = compose.stage_for(want.room, size, item, flat=flat)
    tone = _against(want, item)
    second = want.tones[1] if len(want.tones) > 1 else None
    if want.style == "plain":
        base = ground.plain(*size, tone)
    elif want.style == "gradient":
        base = ground.gradient(*size, canvas.shaded(tone, 0.12), second or canvas.mixed(tone, want.primary, 0.3))
    elif flat:
        base = ground.surface(*size, tone, at)
    else:
        base = ground.studio(*size, tone, second or canvas.mixed(tone, want.accent, 0.1), at)
    return compose.placed(item, base, want.room, flat=flat)


def _against(want: Wanted, item: Product) -> Colour:
    """The ground's colour; one of the brand's that the product stands out from, where none was asked for."""
    mean = _mean(item)
    if _apart(mean, want.tones[0]) > 45:
        return want.tones[0]
    deeper = canvas.mixed(want.tones[0], want.primary, 0.3 if canvas.luma(mean) > 110 else 0.0)
    return deeper if _apart(mean, deeper) > _apart(mean, want.tones[0]) else canvas.shaded(want.tones[0], 0.3)


def _mean(item: Product) -> Colour:
    body = item.rgb[item.alpha > 200]
    red, green, blue = (float(v) for v in np.median(body, axis=0)) if len(body) else (128.0, 128.0, 128.0)
    return red, green, blue


def _apart(one: Colour, other: Colour) -> float:
    return float(sum((a - b) ** 2 for a, b in zip(one, other, strict=True)) ** 0.5)


def _whole(want: Wanted, photo: Photo) -> Floats:
    """The photo itself: carried on past its edges, filling the frame, or as a print before a blur of itself."""
    size, shape = (want.width, want.height), (photo.rgb.shape[1], photo.rgb.shape[0])
    box = photo.cut.box if photo.cut is not None and photo.cut.plain >= PLAIN else None
    if want.style != "blur" and box is not None and photo.cut is not None:
        fit = extend.framed(shape, box, want.room, size)
        if not extend.torn(fit, box, size):
            extent = canvas.resized(photo.cut.extent.astype(np.uint8) * np.uint8(255), shape)
            keep = np.asarray(np.maximum(extent, canvas.resized(photo.cut.alpha, shape)) / np.float32(255), np.float32)
            return canvas.vignette(extend.extended(photo.rgb, keep, fit, size, busy=False), 0.1)
    elif want.style != "blur":
        subject_box, focus = _care(photo.rgb)
        fit = extend.filling(shape, subject_box, focus, size)
        if min(fit.height / want.height, fit.width / want.width) >= FILLED:
            none = np.zeros(photo.rgb.shape[:2], np.float32)
            return canvas.vignette(extend.extended(photo.rgb, none, fit, size, busy=True), 0.12)
    return _printed(want, photo.rgb, ground.blur(photo.rgb, *size, want.primary), (0.06, 0.08, 0.94, 0.92))


def _care(rgb: Bytes) -> tuple[tuple[float, float, float, float] | None, tuple[float, float]]:
    """(what must stay whole, with some room; where the eye goes): of a photo of a real place. All-over texture has
    nothing that must."""
    small = canvas.resized(rgb, masks.fitting(rgb.shape[1], rgb.shape[0], 512))
    found = subject.find(small)
    box, focus = found.box, found.parts[0].centre if found.parts else (0.5, 0.5)
    if box is None or _all_over(small, found.mask):
        return None, focus
    x, y = max(0.03, 0.14 * (box[2] - box[0])), max(0.03, 0.2 * (box[3] - box[1]))
    low, high = (max(0.0, box[0] - x), max(0.0, box[1] - y)), (min(1.0, box[2] + x), min(1.0, box[3] + y))
    return (*low, *high), focus


def _all_over(rgb: Bytes, mask: Any) -> bool:
    """The photo is one texture: as restless outside the supposed subject as inside, and of the same colours."""
    lab = backdrop.to_lab(rgb)
    inner, outer = mask & ~masks.eroded(mask, 5), masks.dilated(mask, 6) & ~masks.dilated(mask, 1)
    if not inner.any() or not outer.any() or mask.all():
        return True
    apart = float(((lab[inner].mean(axis=0) - lab[outer].mean(axis=0)) ** 2).sum() ** 0.5)
    restless = float(backdrop.gradient(lab[:, :, 0])[~mask].mean())
    return restless > RESTLESS and apart < 18


def _printed(want: Wanted, photo: Bytes, base: Floats, room: tuple[float, float, float, float]) -> Floats:
    box = (room[0] * want.width, room[1] * want.height, room[2] * want.width, room[3] * want.height)
    return _print_layers(photo, base, box).flat()


def _print_layers(photo: Bytes, base: Floats, box: tuple[float, float, float, float]) -> Layers:
    base, alpha, rgb = compose.print_card(photo, base, box, 0.035)
    return Layers(base, rgb, alpha, compose.drop_shadow(alpha))


def _scene(want: Wanted, photo: Photo, plate: Bytes) -> Layers:
    """The product in a place: on its floor where that is calm, else on a counter before it."""
    at = compose.stage_for(want.room, (want.width, want.height), photo.product)
    focus, calm = _calmest(plate, want)
    base = ground.plate(plate, want.width, want.height, focus, at)
    if photo.product is None:
        box = tuple(v * s for v, s in zip(want.room, (want.width, want.height) * 2, strict=True))
        return _print_layers(photo.rgb, base, (box[0], box[1], box[2], box[3]))
    if not calm:
        base = ground.counter(base, want.tones[1] if len(want.tones) > 1 else want.tones[0], at)
    return compose.placed(photo.product, base, want.room, flat=False)


def _calmest(plate: Bytes, want: Wanted) -> tuple[float, bool]:
    """(where to crop the place so that little happens at the product's foot, whether that is calm enough to stand on)."""
    best: tuple[float, float] = (9e9, 0.5)
    for focus in (0.5, 0.4, 0.6, 0.3, 0.7, 0.2, 0.8):
        small = canvas.cover(plate, want.width // 8, want.height // 8, (focus, 0.5)).astype(np.float32).mean(axis=2)
        high, wide = small.shape
        foot = small[round((want.room[3] - 0.05) * high) :, round(want.room[0] * wide) : round(want.room[2] * wide)]
        restless = float(np.abs(np.diff(foot, axis=1)).mean() + np.abs(np.diff(foot, axis=0)).mean()) + abs(focus - 0.5)
        best = min(best, (restless, focus))
    return best[1], best[0] < 5.0


def _card(want: Wanted, photo: Photo | None) -> Layers | Floats:
    """A graphic ground in the brand's colours; the product, if any, in its box of the card."""
    boxes = layout.card_layout(want.width, want.height, photo is not None)
    box = boxes.get("photo")
    item = photo.product if photo else None
    disc = _behind(want, item) if item else canvas.shaded(want.tones[0], 0.12)
    base = ground.card(want.width, want.height, want.tones[0], want.accent, disc, boxes["text"], box)
    if photo is None or box is None:
        return base
    if item is None:
        return _print_layers(photo.rgb, base, (float(box[0]), float(box[1]), float(box[2]), float(box[3])))
    x, y = 0.08 * (box[2] - box[0]), 0.08 * (box[3] - box[1])
    inner = (box[0] + x, box[1] + y, box[2] - x, box[3] - y)
    room = (inner[0] / want.width, inner[1] / want.height, inner[2] / want.width, inner[3] / want.height)
    return compose.placed(item, base, room, flat=True)


def _behind(want: Wanted, item: Product) -> Colour:
    """The brand's colour that the product stands out from most, its accent first."""
    mean = _mean(item)
    tones = (want.accent, want.paper, canvas.shaded(want.tones[0], 0.3))
    return next((tone for tone in tones if _apart(mean, tone) > 130), max(tones, key=lambda tone: _apart(mean, tone)))


def _photo(inputs: Mapping[str, str]) -> Photo | None:
    path = inputs.get("photo_0") or inputs.get("photo")
    if path is None:
        return None
    rgb, alpha = pictures.read(path, name="the photo", side=LARGEST_SIDE)
    if alpha is not None and subject.has_shape(alpha):
        return Photo(rgb, compose.product(cutout.cleaned(rgb, alpha), alpha, shaded=True), None)
    if alpha is not None:
        rgb = np.rint(canvas.over(np.full(rgb.shape, 255, np.float32), rgb, alpha / np.float32(255))).astype(np.uint8)
    cut = cutout.cut(canvas.resized(rgb, masks.fitting(rgb.shape[1], rgb.shape[0], CUT_SIDE)))
    sure = cut.confidence >= cutout.GOOD
    return Photo(rgb, compose.product(cut.rgb, cut.alpha) if sure else None, cut)


def _plate(inputs: Mapping[str, str]) -> Bytes | None:
    return pictures.read(inputs["plate"], name="the plate", side=LARGEST_SIDE)[0] if "plate" in inputs else None


def _eight(values: Floats) -> Bytes:
    return np.rint(np.clip(values, 0, 1) * 255).astype(np.uint8)


STAGE = Image()
