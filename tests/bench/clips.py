"""What the clip checks measure on a clean clip and on clips broken on purpose: `python -m tests.bench clips [PHOTO]`.

Without a photo a drawn one is used. Prints one row a clip, the measure that must tell it in bold, and the findings.
"""

import sys
import time
from collections.abc import Callable

import cv2
import numpy as np

from clipbuild.media import clipcheck, clipmeasures, metrics, pictures
from clipbuild.media.clipcheck import Asked
from clipbuild.media.metrics import Box
from tests.support import stills
from tests.support.stills import Picture

SIZE = (270, 480)
COLUMNS = ("black", "frozen", "doubled", "flicker", "shimmer", "cut", "judder", "zoom", "pan_x", "first_like",
           "label_worst", "warp", "drift", "colour_most")  # fmt: skip


def main(photo: str = "") -> None:
    """Print the table."""
    cv2.setNumThreads(1)
    still = clipmeasures.fitted(pictures.read(photo)[0], 720, 1280) if photo else drawn()
    mask = clipmeasures.fitted(metrics.look(still).subject.mask.astype(np.uint8), *SIZE) > 0
    label = label_of(mask)
    asked = Asked(picture=still, mask=mask, label=label, motion={"zoom": 1.06}, moving=True)
    clean = stills.push(still, frames=90)
    print("| clip | " + " | ".join(COLUMNS) + " | findings | s |\n|" + "---|" * (len(COLUMNS) + 3))
    for name, (tells, make) in broken(still, label).items():
        frames = make(list(clean))
        began = time.perf_counter()
        clip = clipmeasures.collect(frames, 30.0)
        values = clipcheck.measure(clip, asked)
        spent = time.perf_counter() - began
        found = clipcheck.judge(values, clipcheck.limits(), asked, 30.0)
        cells = [f"**{values[c]:.3g}**" if c == tells else f"{values[c]:.3g}" for c in COLUMNS]
        told = ", ".join(f"{f.id} ({f.severity})" for f in found.findings) or "none"
        print(f"| {name} | " + " | ".join(cells) + f" | {told} | {spent:.1f} |")


def broken(still: Picture, label: Box) -> dict[str, tuple[str, Callable[[list[Picture]], list[Picture]]]]:
    """Ways to break a clip: the measure that must tell it, and how it is done."""
    other = stills.bottle(stills.busy(720, 1280), x=0.25)
    return {
        "clean 6 % push-in": ("", lambda f: f),
        "6 black frames": ("black", lambda f: [*f[:40], *[np.zeros_like(f[0])] * 6, *f[46:]]),
        "30 frozen frames": ("frozen", lambda f: [*f[:30], *[f[30]] * 30, *f[30:60]]),
        "every frame twice": ("doubled", lambda f: [f[i - i % 2] for i in range(len(f))]),
        "±2 % of brightness": ("flicker", stills.flickering),
        "upper third boils": ("shimmer", stills.shimmering),
        "cut to another shot": ("cut", lambda f: f[:45] + stills.push(other, frames=90)[45:]),
        "1 px of judder": ("judder", lambda _: stills.push(still, frames=90, shake=2.0)),
        "sideways instead": ("pan_x", lambda _: stills.push(still, frames=90, zoom=1.0, pan=(0.11, 0.0))),
        "another first frame": ("first_like", lambda _: stills.push(other, frames=90)),
        "label melts": ("label_worst", lambda f: stills.smearing(f, label)),
        "5 px wave": ("warp", lambda f: stills.waving(f, 5)),
        "2 px wave": ("warp", lambda f: stills.waving(f, 2)),
        "colours grow warm": ("colour_most", stills.tinting),
    }


def drawn() -> Picture:
    """A labelled bottle before a soft scene, 9:16."""
    return stills.bottle(stills.blurred(720, 1280), tall=0.6)


def label_of(mask: Picture) -> Box:
    """A place in the middle of the subject."""
    down, across = np.nonzero(mask)
    x, y = float(np.median(across)) / SIZE[0], float(np.median(down)) / SIZE[1]
    return x - 0.13, y - 0.08, x + 0.13, y + 0.08


if __name__ == "__main__":
    main(*sys.argv[1:])
