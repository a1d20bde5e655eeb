"""What stands behind and around the subject: background, depth and light, as numbers.

Works on the small copy that `metrics` makes. Knows nothing of limits.
"""

import cv2
import numpy as np

from clipbuild.media.pixels import Bytes, Floats, Mask, disc, edge_width, gradient
from clipbuild.media.subject import Subject, to_lab


def ground_values(rgb: Bytes, grey: Bytes, heat: Floats, subject: Subject) -> dict[str, float]:
    """Background: its texture, coarse variation, what of that a smooth model leaves, and its distance to the subject."""
    inside, outside = subject.mask, outside_of(subject)
    lab = to_lab(rgb)
    values = dict.fromkeys(("bg_gradient", "busy", "grain", "detail", "border_clutter"), 0.0)
    values |= {"bg_edge": 9.0, "bg_spread": 0.0, "bg_left": 0.0, "bg_row_left": 0.0}
    if outside.any() and not subject.given:
        clear = outside_of(subject, 0.027)
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
    size = (48, min(128, max(8, round(48 * lab.shape[0] / lab.shape[1]))))
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
    inner = inside & (cv2.erode(mask, disc(4)) == 0)
    outer = (cv2.dilate(mask, disc(5)) > 0) & (cv2.dilate(mask, disc(1)) == 0)
    distance = np.linalg.norm(lab[inner].mean(axis=0) - lab[outer].mean(axis=0)) if inner.any() and outer.any() else 0
    ranges = [0, 100, -128, 128, -128, 128]
    pair = [cv2.calcHist([lab], [0, 1, 2], which.astype(np.uint8), [8, 8, 8], ranges) for which in (inside, outside)]
    pair = [np.asarray(h / max(1.0, float(h.sum())), np.float32) for h in pair]
    return {
        "separation": float(distance),
        "distinct": float(cv2.compareHist(pair[0], pair[1], cv2.HISTCMP_BHATTACHARYYA)),
    }


def depth_values(rgb: Bytes, grey: Bytes, subject: Subject, alpha: Bytes | None) -> dict[str, float]:
    """Focus fall-off, a ground plane (two planes above each other), a contact shadow and a cast one."""
    inside, outside = subject.mask, outside_of(subject)
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


def light_values(rgb: Bytes, grey: Bytes, heat: Floats, subject: Subject) -> dict[str, float]:
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


def outside_of(subject: Subject, margin: float = 0.012) -> Mask:
    """What is further from the subject than a share of the longer side."""
    side = max(subject.mask.shape)
    return np.asarray(cv2.dilate(subject.mask.astype(np.uint8), disc(round(side * margin))) == 0, np.bool_)
