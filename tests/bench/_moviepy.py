"""The same clip by MoviePy 2, as its documentation has one do it. Nothing is measured where it is not installed."""

import os
import time
from typing import Any

from tests.bench._work import CAPTIONS, SHOP, Work


def against(folder: str, work: Work, rounds: int) -> dict[str, Any]:
    """`moviepy_ratio`: how many times as long MoviePy takes as we do, runs taking turns; None when not installed."""
    try:
        import moviepy  # noqa: F401
    except ImportError:
        return {"moviepy_ratio": None}
    ours, theirs = [], []
    for _ in range(rounds):
        for run, times in ((lambda: make(folder, work), theirs), (work.run, ours)):
            began = time.perf_counter()
            run()
            times.append(time.perf_counter() - began)
    return {"moviepy_ratio": min(theirs) / min(ours), "seconds_moviepy": theirs}


def make(folder: str, work: Work) -> None:
    """Push-in by `Resize` over time, two text clips that cross-fade, logo, looped bed."""
    from moviepy import AudioFileClip, CompositeVideoClip, ImageClip, TextClip, afx, vfx

    given, size = work.given(), (work.width, work.height)
    base = ImageClip(given["image"]).with_duration(work.seconds).resized(height=work.height)
    moving = base.with_effects([vfx.Resize(lambda t: 1 + 0.02 * t)]).with_position("center")
    layers = [moving]
    for words, at in zip(CAPTIONS, (0.4, 2.7), strict=True):
        text = TextClip(font=given["font_0"], text=words, font_size=64, color="white", bg_color="black", margin=(30, 20))
        fades = [vfx.CrossFadeIn(0.2), vfx.CrossFadeOut(0.2)]
        layers.append(text.with_start(at).with_duration(2.0).with_position(("center", 1200)).with_effects(fades))
    logo = ImageClip(str(SHOP / "brand" / "logo.png")).with_duration(work.seconds).resized(width=200)
    layers.append(logo.with_position((60, 220)))
    bed = AudioFileClip(given["bed"]).with_effects([afx.AudioLoop(duration=work.seconds), afx.AudioFadeOut(0.9)])
    clip = CompositeVideoClip(layers, size=size).with_duration(work.seconds).with_audio(bed)
    clip.write_videofile(
        os.path.join(folder, "moviepy.mp4"), fps=work.fps, codec="libx264", audio_codec="aac", preset=work.preset,
        threads=3, ffmpeg_params=["-crf", str(work.crf), "-pix_fmt", "yuv420p"], logger=None,
    )  # fmt: skip
