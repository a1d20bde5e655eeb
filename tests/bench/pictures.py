"""The pictures of the documents, made again from a fresh build: `python -m tests.bench pictures [NAME …] [--to FOLDER]`.

NAME is clips, frames, captions or review (in Chromium; left out where there is none); without one, all. They are written
to docs/, small in bytes. Look at them before they are committed.
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
from PIL import Image

from clipbuild.media import ffmpeg
from tests.bench import _scenes, sheet
from tests.bench._scenes import ROOT, SHOP, Pixels

MOVING = ("mug-black/mug-black.en", "cactus-pot/cactus-pot.sand", "stool-wood/stool-wood", "card-shakers/card-shakers.en")
STILLS = (("mug-black/mug-black.en", 1.0), ("cactus-pot/cactus-pot.sage", 4.8), ("vase-red/vase-red", 2.4),
          ("card-sweets/card-sweets", 4.8), ("belt-tan/belt-tan", 1.2))  # fmt: skip
WRITTEN = (("en", "plain"), ("en", "boxed"), ("en", "karaoke"), ("en", "pop"),
           ("ar", "boxed"), ("ja", "plain"), ("hi", "pop"), ("th", "boxed"))  # fmt: skip
SAID = "Holds the heat for an hour"
GAP, PAPER = 10, 255
RATE = 10
WINDOW, HALF = (1440, 860), (864, 516)
APPROVED = ("mug-black", "cactus-pot", "vase-red")


def main(*arguments: str) -> None:
    """Make the pictures that are asked for."""
    names = list(arguments)
    to = pathlib.Path(names.pop(names.index("--to") + 1)) if "--to" in names else ROOT / "docs"
    names = [name for name in names if name != "--to"] or list(MAKERS)
    if unknown := sorted(set(names) - set(MAKERS)):
        sys.exit(f"no such picture: {', '.join(unknown)} (there are {', '.join(MAKERS)})")
    to.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bench-pictures-") as folder:
        if set(names) - {"captions"}:
            build(pathlib.Path(folder) / "storefront")
        for name in names:
            made = MAKERS[name](pathlib.Path(folder), to)
            sys.stdout.write(f"{made}: {made.stat().st_size // 1024} kB\n" if made else f"{name}: not made, no chromium\n")


def build(shop: pathlib.Path) -> None:
    """The example, built as drafts in a folder of its own."""
    shutil.copytree(SHOP, shop, ignore=shutil.ignore_patterns(".clipbuild", "dist*", "clipbuild.lock"))
    clipbuild(shop, "build", "--profile", "draft")


def clipbuild(shop: pathlib.Path, *words: str) -> None:
    """Run a command in the copy; what it says is shown only where it fails."""
    done = subprocess.run([sys.executable, "-m", "clipbuild", *words], cwd=shop, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"clipbuild {' '.join(words)}: {done.stdout[-2000:]}{done.stderr[-2000:]}")


def frames(path: pathlib.Path, high: int, times: Sequence[float] | float) -> list[Pixels]:
    """Frames of a clip, `high` pixels high: at these times, or so many a second."""
    wide = round(9 * high / 16 / 2) * 2
    picked = f"fps={times:g}," if isinstance(times, float) else ""
    argv = [ffmpeg.find(), "-v", "error", "-i", str(path), "-vf", f"{picked}scale={wide}:{high}:flags=lanczos"]
    done = subprocess.run([*argv, "-f", "rawvideo", "-pix_fmt", "rgb24", "-"], capture_output=True, check=True)
    every = np.frombuffer(done.stdout, np.uint8).reshape(-1, high, wide, 3)
    return list(every) if isinstance(times, float) else [every[min(len(every) - 1, round(at * 30))] for at in times]


def row(pictures: Sequence[Pixels]) -> Pixels:
    """Side by side, on white."""
    gap = np.full((pictures[0].shape[0], GAP, 3), PAPER, np.uint8)
    parts = [part for picture in pictures for part in (gap, picture)][1:]
    return np.concatenate(parts, axis=1)


def clips(folder: pathlib.Path, to: pathlib.Path) -> pathlib.Path:
    """Four clips, moving."""
    reels = folder / "storefront" / "dist.draft" / "reels"
    shown = [frames(reels / f"{name}.mp4", 384, float(RATE)) for name in MOVING]
    moments = [Image.fromarray(row([clip[min(i, len(clip) - 1)] for clip in shown])) for i in range(min(map(len, shown)))]
    step = 1000 // RATE
    times = [step] * (len(moments) - 1) + [12 * step]
    path = to / "clips.webp"
    moments[0].save(path, save_all=True, append_images=moments[1:], duration=times, loop=0, quality=52, method=6)
    return path


def stills(folder: pathlib.Path, to: pathlib.Path) -> pathlib.Path:
    """A frame each of five clips."""
    reels = folder / "storefront" / "dist.draft" / "reels"
    return _saved(row([frames(reels / f"{name}.mp4", 640, [at])[0] for name, at in STILLS]), to / "frames.jpg")


def captions(folder: pathlib.Path, to: pathlib.Path) -> pathlib.Path:
    """Four styles, and four scripts."""
    given = _scenes.pictures(str(folder), "packshot", sheet.TALL, *sheet.KINDS["packshot"])
    cells = []
    for language, style in WRITTEN:
        said = SAID if language == "en" else sheet.SCRIPTS[language][0]
        words = {"captions": [{"text": said, "at": 0.0, "seconds": 3.0}], "language": language}
        shown = sheet.clip(given, "packshot", "float", words, _scenes.template(f"captions/{style}.yaml"))
        part = shown.frame(1.27 if style in ("karaoke", "pop") and language == "en" else 2.7)[70:745]
        cells.append(np.asarray(Image.fromarray(part).resize((344, 430), Image.Resampling.LANCZOS)))
    between = np.full((GAP, 4 * 344 + 3 * GAP, 3), PAPER, np.uint8)
    return _saved(np.concatenate([row(cells[:4]), between, row(cells[4:])], axis=0), to / "captions.jpg")


def review(folder: pathlib.Path, to: pathlib.Path) -> pathlib.Path | None:
    """The wall of clips, and one clip as it would stand in Shorts."""
    from tests.support import browser

    if not browser.found():
        return None
    shop = folder / "storefront"
    for product in APPROVED:
        clipbuild(shop, "approve", product, "--profile", "draft", "--by", "you")
    wall, one = str(folder / "wall.png"), str(folder / "one.png")
    with reviewed(shop) as address, browser.page() as page:
        page.size(*WINDOW)
        page.go(address)
        page.until("[...document.images].length > 8 && [...document.images].slice(0, 8).every(image => image.complete)")
        page.shot(wall)
        page.size(*WINDOW, dark=True)
        page.go(address.split("/enter")[0] + "/clip/vase-red/vertical")
        page.until("document.querySelector('video')")
        page.js("[...document.querySelectorAll('button')].find(b => b.textContent.trim() == 'shorts').click()")
        page.until("document.querySelector('video').readyState >= 3")
        page.js("new Promise(done => { const v = document.querySelector('video'); v.pause(); v.onseeked = done; v.currentTime = 2.4 })")
        page.until("document.querySelector('video').readyState >= 3 && !document.querySelector('video').seeking")
        page.js("new Promise(done => setTimeout(done, 700))")  # its spinner goes
        page.shot(one)
    pair = [np.asarray(Image.open(path).convert("RGB").resize(HALF, Image.Resampling.LANCZOS)) for path in (wall, one)]
    return _saved(row(pair), to / "review.jpg")


@contextmanager
def reviewed(shop: pathlib.Path) -> Iterator[str]:
    """The review of a project while the block runs: the address that opens it."""
    argv = [sys.executable, "-u", "-m", "clipbuild", "review", "--profile", "draft", "--no-open", "--port", "0"]
    process = subprocess.Popen(argv, cwd=shop, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"})
    try:
        assert process.stdout is not None
        yield next(word for line in process.stdout for word in line.split() if word.startswith("http"))
    finally:
        process.terminate()
        process.wait(10)


def _saved(picture: Pixels, path: pathlib.Path) -> pathlib.Path:
    Image.fromarray(picture).save(path, quality=80, optimize=True, progressive=True, subsampling=2)
    return path


MAKERS = {"clips": clips, "frames": stills, "captions": captions, "review": review}


if __name__ == "__main__":
    main(*sys.argv[1:])
