"""What can be measured on a still picture: numbers only, no verdicts and no limits.

Everything is computed on a copy of about 512 px (`SIDE`), texture and blocking on a full-size crop. Formulas are named
where they come from. Knows nothing of what the numbers are used for.
"""

from dataclasses import dataclass, field

import cv2
import numpy as np

from clipbuild.media.subject import OPAQUE, Bytes, Floats, Mask, Subject, find, parts_of, to_lab

SIDE = 512
SMOOTH = 8.0
"""Local deviation of luma below which a place counts as free of texture."""
Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Seen:
    """A picture as it was measured: the working copy, its subject, the free places and the heat of its texture."""

    rgb: Bytes
    subject: Subject
    heat: Floats
    free: Mask
    values: dict[str, float]
    boxes: dict[str, Box] = field(default_factory=dict)
    """`subject`, `free` (largest empty rectangle) and free rectangles by side, as shares of the frame."""
    alpha: Bytes | None = None


def look(rgb: Bytes, alpha: Bytes | None = None, layer: Bytes | None = None) -> Seen:
    """Measure an RGB picture of any size (uint8, height × width × 3), with its alpha if it has one.

    `layer` is the alpha of the subject's own layer where the picture was composed of layers: it settles the mask.
    """
    height, width = rgb.shape[:2]
    scale = min(1.0, SIDE / max(height, width))
    size = max(8, round(width * scale)), max(8, round(height * scale))
    small = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
    small_alpha = None if alpha is None else cv2.resize(alpha, size, interpolation=cv2.INTER_AREA)
    if small_alpha is not None:
        share = small_alpha[..., None] / 255.0
        small = np.asarray(small * share + 255 * (1 - share), np.uint8)
    subject = find(small, small_alpha)
    if layer is not None and (known := cv2.resize(layer, size, interpolation=cv2.INTER_AREA) >= OPAQUE).any():
        subject = Subject(np.asarray(known), parts_of(np.asarray(known)), known.astype(np.float32))
    grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
    heat = gradient(grey)
    free = free_mask(grey, subject)
    boxes = free_boxes(free)
    if subject.box:
        boxes["subject"] = subject.box
    values = {"width": float(width), "height": float(height), "aspect": width / height, "alpha": float(subject.given)}
    values |= _full_size(rgb)
    values |= _subject_values(subject)
    values |= _ground_values(small, grey, heat, subject)
    values |= _depth_values(small, grey, subject, small_alpha)
    values |= _light_values(small, grey, heat, subject)
    values |= {
        "free_area": one_area(free),
        **{f"free_{k[5:]}": _area(b) for k, b in boxes.items() if k.startswith("free_")},
    }
    values["free_rectangle"] = _area(boxes["free"]) if "free" in boxes else 0.0
    return Seen(small, subject, heat, free, {k: round(float(v), 4) for k, v in values.items()}, boxes, small_alpha)


def gradient(grey: Bytes) -> Floats:
    """Scharr gradient / 16: how many grey levels the picture changes a pixel."""
    x, y = cv2.Scharr(grey, cv2.CV_32F, 1, 0), cv2.Scharr(grey, cv2.CV_32F, 0, 1)
    return np.asarray(cv2.magnitude(x, y) / 16, np.float32)


def deviation(grey: Bytes, window: int = 9) -> Floats:
    """Local standard deviation in a square window."""
    values = grey.astype(np.float32)
    mean = cv2.blur(values, (window, window))
    square = cv2.blur(values * values, (window, window))
    return np.asarray(np.sqrt(np.maximum(square - mean * mean, 0)), np.float32)


def free_mask(grey: Bytes, subject: Subject) -> Mask:
    """Places for text or camera travel: smooth, away from the subject, and nowhere narrower than a seventh."""
    side = max(grey.shape)
    near: Bytes = cv2.dilate(subject.mask.astype(np.uint8), _disc(round(side * 0.02)))
    smooth: Bytes = np.ones_like(near)
    if not subject.given:
        smooth = (deviation(cv2.GaussianBlur(grey, (0, 0), 2)) < SMOOTH).astype(np.uint8)
        smooth = cv2.morphologyEx(smooth, cv2.MORPH_CLOSE, _disc(3))
    free = smooth & (1 - near)
    return np.asarray(cv2.morphologyEx(free, cv2.MORPH_OPEN, _disc(round(side * 0.07))) > 0, np.bool_)


def one_area(mask: Mask) -> float:
    """Share of the frame in the largest connected piece."""
    count, _, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=4)
    return float(stats[1:, cv2.CC_STAT_AREA].max() / mask.size) if count > 1 else 0.0


def free_boxes(free: Mask) -> dict[str, Box]:
    """The largest empty rectangle of all (`free`) and of the left, right, upper and lower part of the frame."""
    grid = cv2.resize(free.astype(np.float32), (32, 32), interpolation=cv2.INTER_AREA) > 0.8
    regions = {
        "free": (0, 0, 32, 32), "free_left": (0, 0, 14, 32), "free_right": (18, 0, 32, 32),
        "free_top": (0, 0, 32, 14), "free_bottom": (0, 18, 32, 32),
    }  # fmt: skip
    found = {}
    for name, (x0, y0, x1, y1) in regions.items():
        box = _largest_rectangle(np.asarray(grid[y0:y1, x0:x1], np.bool_))
        if box:
            found[name] = ((box[0] + x0) / 32, (box[1] + y0) / 32, (box[2] + x0) / 32, (box[3] + y0) / 32)
    return found


def _largest_rectangle(grid: Mask) -> tuple[int, int, int, int] | None:
    best, area = None, 0
    heights = np.zeros(grid.shape[1], int)
    for y, row in enumerate(grid):
        heights = np.where(row, heights + 1, 0)
        for x in range(len(heights)):
            low = heights[x]
            for end in range(x, len(heights)):
                low = min(low, heights[end])
                if low == 0:
                    break
                if low * (end - x + 1) > area:
                    area, best = low * (end - x + 1), (x, y - low + 1, end + 1, y + 1)
    return None if best is None else (int(best[0]), int(best[1]), int(best[2]), int(best[3]))


def headroom(box: Box | None) -> float:
    """How far a push-in to the centre may go before the subject's box leaves the frame (1.0: not at all)."""
    if box is None:
        return 4.0
    reach = max(abs(0.5 - box[0]), abs(box[2] - 0.5), abs(0.5 - box[1]), abs(box[3] - 0.5))
    return float(min(4.0, 0.5 / max(reach, 0.125)))


def _full_size(rgb: Bytes) -> dict[str, float]:
    crop = _middle(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), 512)
    return {"true_detail": true_detail(crop), "blocking": blocking(crop)}


def true_detail(grey: Bytes) -> float:
    """Radius that holds 99.9 % of the windowed power, as a share of Nyquist: low where a picture was upscaled."""
    size = min(grey.shape)
    square = grey[:size, :size].astype(np.float32)
    square = (square - square.mean()) * np.outer(np.hanning(size), np.hanning(size)).astype(np.float32)
    power = np.abs(np.fft.rfft2(square)) ** 2
    radius = np.hypot(np.fft.fftfreq(size)[:, None], np.fft.rfftfreq(size)[None, :]) / 0.5
    order = np.bincount(np.minimum((radius * 100).astype(int), 141).ravel(), power.ravel())
    total = np.cumsum(order)
    return float(np.searchsorted(total, 0.999 * total[-1]) / 100) if total[-1] > 0 else 0.0


def blocking(grey: Bytes) -> float:
    """JPEG damage: how far the steps at every eighth column and row stand out, in grey levels and as a ratio.

    The geometric mean of both, because a smooth ground has a high ratio of next to nothing; below 1 is clean.
    """
    values = grey.astype(np.float32)
    found = []
    for axis in (0, 1):
        step = np.abs(np.diff(values, axis=axis)).mean(axis=1 - axis)
        if len(step) < 16:
            continue
        phases = sorted(float(step[k::8].mean()) for k in range(8))
        excess, ratio = phases[-1] - phases[-2], (phases[-1] + 0.25) / (phases[4] + 0.25)
        found.append((excess * (ratio - 1)) ** 0.5)
    return float(np.mean(found)) if found else 0.0


def _subject_values(subject: Subject) -> dict[str, float]:
    parts, box = subject.parts, subject.box
    largest = parts[0].area if parts else 0.0
    touching = 0 if box is None else sum((box[0] < 0.008, box[1] < 0.008, box[2] > 0.992, box[3] > 0.992))
    thin = 0.0
    if subject.mask.any():
        opened = cv2.morphologyEx(subject.mask.astype(np.uint8), cv2.MORPH_OPEN, _disc(2))
        thin = 1 - float(opened.sum()) / float(subject.mask.sum())
    centre = parts[0].centre if parts else (0.5, 0.5)
    filled = 1.0
    if box and subject.mask.any():
        points = np.argwhere(subject.mask)[:, ::-1].astype(np.int32)
        filled = float(subject.mask.sum()) / max(1.0, float(cv2.contourArea(cv2.convexHull(points))))
    return {
        "subject_area": subject.area,
        "parts": float(len(parts)),
        "second_part": parts[1].area / largest if len(parts) > 1 else 0.0,
        "filled": min(1.0, filled),
        "span": box[2] - box[0] if box else 0.0,
        "off_centre": float(np.hypot(centre[0] - 0.5, centre[1] - 0.5)),
        "headroom": headroom(box),
        "room_left": box[0] if box else 1.0,
        "room_top": box[1] if box else 1.0,
        "room_right": 1 - box[2] if box else 1.0,
        "room_bottom": 1 - box[3] if box else 1.0,
        "touching": float(touching),
        "thin": thin,
    }


def _ground_values(rgb: Bytes, grey: Bytes, heat: Floats, subject: Subject) -> dict[str, float]:
    """Background: its texture, coarse variation, what of that a smooth model leaves, and its distance to the subject."""
    inside, outside = subject.mask, _outside(subject)
    lab = to_lab(rgb)
    values = dict.fromkeys(("bg_gradient", "busy", "grain", "detail", "border_clutter"), 0.0)
    values |= {"bg_edge": 9.0, "bg_spread": 0.0, "bg_left": 0.0, "bg_row_left": 0.0}
    if outside.any() and not subject.given:
        clear = _outside(subject, 0.027)
        values |= texture(grey, heat, clear if clear.mean() > 0.05 else outside)
        values |= _coarse(lab, outside)
    return values | _separation(lab, inside, outside)


def texture(grey: Bytes, heat: Floats, outside: Mask) -> dict[str, float]:
    """How much there is to shimmer: gradient, its share above 12, fine grain, and detail that survives a blur.

    `detail` ignores weave and noise; `bg_edge` is the width in px of the background's strongest edges, small where
    it is in focus.
    """
    fine = np.abs(grey.astype(np.float32) - cv2.GaussianBlur(grey.astype(np.float32), (0, 0), 1.5))
    ring = np.ones(grey.shape, np.bool_)
    edge = max(2, round(0.06 * min(grey.shape)))
    ring[edge:-edge, edge:-edge] = False
    return {
        "bg_gradient": float(heat[outside].mean()),
        "busy": float((heat[outside] > 12).mean()),
        "grain": float(fine[outside].mean()),
        "detail": float(gradient(cv2.GaussianBlur(grey, (0, 0), 1.5))[outside].mean() * 1.5**0.5),
        "bg_edge": edge_width(grey, heat, outside, 97.0),
        "border_clutter": float(heat[ring].mean() / max(0.5, float(heat.mean()))),
    }


def _coarse(lab: Floats, outside: Mask) -> dict[str, float]:
    """Spread of the blurred background, and what a quadratic surface or a per-row profile can't explain of it."""
    size = (48, max(8, round(48 * lab.shape[0] / lab.shape[1])))
    weight = cv2.resize(outside.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    coarse = (
        cv2.resize(lab * outside[..., None], size, interpolation=cv2.INTER_AREA) / np.maximum(weight, 1e-3)[..., None]
    )
    used = weight > 0.6
    if used.sum() < 20:
        return {"bg_spread": 0.0, "bg_left": 0.0, "bg_row_left": 0.0}
    y, x = np.nonzero(used)
    colours = coarse[used]
    across, down = x / size[0] - 0.5, y / size[1] - 0.5
    model = np.stack([np.ones_like(across), across, down, across * down, across**2, down**2], axis=1)
    fit, *_ = np.linalg.lstsq(model, colours, rcond=None)
    rows: Floats = np.zeros_like(colours)
    for row in np.unique(y):
        rows[y == row] = np.median(colours[y == row], axis=0)
    away = np.linalg.norm(colours - colours.mean(axis=0), axis=1)
    return {
        "bg_spread": float(np.sqrt((away**2).mean())),
        "bg_left": float(np.sqrt((np.linalg.norm(colours - model @ fit, axis=1) ** 2).mean())),
        "bg_row_left": float(np.sqrt((np.linalg.norm(colours - rows, axis=1) ** 2).mean())),
    }


def _separation(lab: Floats, inside: Mask, outside: Mask) -> dict[str, float]:
    """Lab distance of the rings on both sides of the contour (CIE76), and Bhattacharyya distance of the histograms."""
    if not inside.any() or not outside.any():
        return {"separation": 0.0, "distinct": 0.0}
    mask = inside.astype(np.uint8)
    inner = inside & (cv2.erode(mask, _disc(4)) == 0)
    outer = (cv2.dilate(mask, _disc(5)) > 0) & (cv2.dilate(mask, _disc(1)) == 0)
    distance = np.linalg.norm(lab[inner].mean(axis=0) - lab[outer].mean(axis=0)) if inner.any() and outer.any() else 0
    ranges = [0, 100, -128, 128, -128, 128]
    pair = [cv2.calcHist([lab], [0, 1, 2], which.astype(np.uint8), [8, 8, 8], ranges) for which in (inside, outside)]
    pair = [np.asarray(h / max(1.0, float(h.sum())), np.float32) for h in pair]
    return {
        "separation": float(distance),
        "distinct": float(cv2.compareHist(pair[0], pair[1], cv2.HISTCMP_BHATTACHARYYA)),
    }


def _depth_values(rgb: Bytes, grey: Bytes, subject: Subject, alpha: Bytes | None) -> dict[str, float]:
    """Focus fall-off, a ground plane (two planes above each other), a contact shadow and a cast one."""
    inside, outside = subject.mask, _outside(subject)
    edges = np.abs(cv2.Laplacian(cv2.GaussianBlur(grey, (0, 0), 0.8), cv2.CV_32F))
    values = {"defocus": 0.0, "contact": contact(grey, subject), "planes": 0.0, "shadow": 0.0}
    if inside.any() and outside.any():
        inner, outer = np.percentile(edges[inside], 90), np.percentile(edges[outside], 90)
        values["defocus"] = float(np.log2((inner + 1) / (outer + 1)))
    if subject.given and alpha is not None:
        values["shadow"] = float(((alpha > 8) & (alpha < 200) & outside).mean()) * 10
    elif not subject.given:
        lab = to_lab(cv2.GaussianBlur(rgb, (0, 0), 2))
        values["planes"] = planes(lab, outside)
        values["shadow"] = shadow(lab, subject)
    return values


def planes(lab: Floats, outside: Mask) -> float:
    """The strongest lasting step of row colour from top to bottom (a table edge, a horizon), in Lab units."""
    rows = [lab[y][outside[y]].mean(axis=0) for y in range(lab.shape[0]) if outside[y].mean() > 0.15]
    if len(rows) < 24:
        return 0.0
    profile = np.array(rows)
    total = np.cumsum(np.vstack([np.zeros(3), profile]), axis=0)
    count = len(profile)
    reach = max(6, count // 8)
    steps = [
        np.linalg.norm((total[k] - total[k - reach]) - (total[k + reach] - total[k])) / reach
        for k in range(reach, count - reach)
    ]
    return float(max(steps))


def contact(grey: Bytes, subject: Subject) -> float:
    """How much darker it is just under the subject than left and right of there, in grey levels."""
    if subject.box is None:
        return 0.0
    height, width = grey.shape
    x0, _, x1, y1 = subject.box
    top, bottom = round(y1 * height), min(height, round(y1 * height) + max(3, round(0.05 * height)))
    left, right = round(x0 * width), round(x1 * width)
    apart = max(4, round(0.08 * width))
    under = grey[top:bottom, left:right]
    beside = np.concatenate(
        [grey[top:bottom, max(0, left - 2 * apart) : max(0, left - apart)].ravel(),
         grey[top:bottom, min(width, right + apart) : min(width, right + 2 * apart)].ravel()]
    )  # fmt: skip
    if under.size == 0 or beside.size == 0:
        return 0.0
    return float(np.median(beside) - np.percentile(under, 25))


def shadow(lab: Floats, subject: Subject) -> float:
    """Share of the surroundings of the subject that is darker, but not otherwise coloured, than the ground further off.

    The ground's colour is a quadratic surface fitted to what is at least a tenth of the frame away.
    """
    mask = subject.mask.astype(np.uint8)
    away = cv2.distanceTransform(1 - mask, cv2.DIST_L2, 5) / max(mask.shape)
    far, ring = away > 0.1, (away > 0.012) & (away < 0.12)
    if far.mean() < 0.1 or not ring.any() or not subject.mask.any():
        return 0.0
    height, width = mask.shape
    down, across = np.mgrid[0:height, 0:width].astype(np.float32)
    down, across = down / height - 0.5, across / width - 0.5
    model = np.stack([np.ones_like(across), across, down, across * down, across**2, down**2], axis=-1)
    fit, *_ = np.linalg.lstsq(model[far][::7], lab[far][::7], rcond=None)
    left = lab[ring] - model[ring] @ fit
    return float(((left[:, 0] < -4) & (np.hypot(left[:, 1], left[:, 2]) < 6)).mean())


def _light_values(rgb: Bytes, grey: Bytes, heat: Floats, subject: Subject) -> dict[str, float]:
    """Hardness: width of the strongest edges, spread of luma, clipping; modelling: shading within the subject."""
    where = subject.mask if subject.mask.any() else np.ones(grey.shape, np.bool_)
    hsv = cv2.cvtColor(rgb, cv2.COLOR_RGB2HSV)
    shine = where & (hsv[..., 2] > 242) & (hsv[..., 1] < 38)
    low, high = np.percentile(grey[where], (5, 95))
    soft = cv2.GaussianBlur(grey.astype(np.float32), (0, 0), 6)
    return {
        "edge_px": edge_width(grey, heat, np.ones(grey.shape, np.bool_), 99.5),
        "contrast": float(high - low),
        "frame_contrast": float(np.subtract(*np.percentile(grey, (98, 2)))),
        "bright": float((grey[where] >= 250).mean()),
        "dark": float((grey <= 12).mean()),
        "shine": float(shine.sum() / where.sum()),
        "modelling": float(np.std(soft[where])),
    }


def edge_width(grey: Bytes, heat: Floats, where: Mask, percentile: float) -> float:
    """Width in px of the strongest luma edges in a place: local range / gradient (after Marziliano 2002)."""
    limit = max(6.0, float(np.percentile(heat[where], percentile)))
    window = np.ones((9, 9), np.uint8)
    reach = cv2.dilate(grey, window).astype(np.float32) - cv2.erode(grey, window)
    strong = where & (heat >= limit)
    return float(np.median(reach[strong] / heat[strong])) if strong.any() else 9.0


def _outside(subject: Subject, margin: float = 0.012) -> Mask:
    side = max(subject.mask.shape)
    return np.asarray(cv2.dilate(subject.mask.astype(np.uint8), _disc(round(side * margin))) == 0, np.bool_)


def _middle(grey: Bytes, side: int) -> Bytes:
    height, width = grey.shape
    y, x = max(0, (height - side) // 2), max(0, (width - side) // 2)
    y, x = y - y % 8, x - x % 8
    return grey[y : y + side, x : x + side]


def _area(box: Box) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])


def _disc(radius: int) -> Bytes:
    size = 2 * max(1, radius) + 1
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)), np.uint8)
