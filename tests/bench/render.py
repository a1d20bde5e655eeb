"""What a render costs beside the encoder alone, how still its path is, and how loud: `python -m tests.bench render`.

The work is 5 s of 1080x1920 at 30 fps: a slow push-in over a picture full of detail (`_plain`: over a product before
a studio ground, which is encoded faster), two captions that fade, a logo, a bed as AAC, x264 at CRF 20.
The rival "pure" is x264 over the same frames read as raw video, with the same settings and threads; runs alternate,
and the fastest of each count: whatever else the machine does only adds. `cpu_ratio` compares the processors' time, which
a busy machine changes less: more than 1 is what drawing, text, sound and packing cost besides. MoviePy (`pip install -e '.[bench]'`) does the
same work where it is installed. Options: `--json`, `--rounds N`, `--quick` (veryfast only, no MoviePy).
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import Any

from clipbuild.media import encode, ffmpeg, sound
from tests.bench import _jitter, _moviepy
from tests.bench._work import Work, wall

Runs = dict[str, list[float]]


def main(*args: str) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser("python -m tests.bench render")
    parser.add_argument("--json", action="store_true", help="print JSON and nothing else")
    parser.add_argument("--rounds", type=int, default=5, help="runs of each")
    parser.add_argument("--quick", action="store_true", help="veryfast alone, without MoviePy, memory and path")
    asked = parser.parse_args(args)
    with tempfile.TemporaryDirectory(prefix="bench-render-") as folder:
        found = measured(folder, asked.rounds, quick=asked.quick)
    if asked.json:
        print(json.dumps(found, indent=2))
        return
    for name, value in found.items():
        print(f"{name:24} {shown(value)}")


def shown(value: Any) -> str:
    """A row's value for people."""
    if isinstance(value, list):
        return " ".join(f"{v:.2f}" for v in value)
    return "not run (not installed)" if value is None else f"{value:.4g}"


def measured(folder: str, rounds: int, *, quick: bool = False) -> dict[str, Any]:
    """Every figure by name."""
    Work(folder, 270, 480, preset="ultrafast").run()  # imports are paid once in a worker's life
    final = Work(folder, picture=wall(folder, 1080, 1920))
    clip = final.run()
    found = beside_pure(folder, final, "veryfast", rounds)
    if not quick:
        found |= beside_pure(folder, replace(final, preset="medium"), "medium", max(2, rounds // 2 + 1))
        found |= beside_pure(folder, Work(folder), "veryfast_plain", rounds)
        draft = replace(final, width=540, height=960, preset="superfast", crf=26, picture=wall(folder, 540, 960))
        draft.run()
        pair = alternating(rounds, {"final": final.run, "draft": draft.run})
        found |= {"ratio_draft_to_final": best(pair, "final", "draft"), "seconds_draft": pair["draft"]}
        found["cpu_ratio_draft_to_final"] = best(pair, "final cpu", "draft cpu")
        found |= _moviepy.against(folder, final, rounds=1)
        found |= _jitter.rates(folder)
        found["peak_rss_mb"] = peak(folder)
    level = sound.measure(ffmpeg.find(), clip, "mov")
    return found | {"loudness_lufs": level.loudness, "true_peak_dbtp": level.peak}


def beside_pure(folder: str, work: Work, name: str, rounds: int) -> dict[str, Any]:
    """The ratio to the encoder alone, and the seconds of both."""
    raw = os.path.join(folder, f"{work.picture and 'wall'}.yuv")
    if not os.path.isfile(raw):
        work.dump(raw)
    runs = alternating(rounds, {"pure": lambda: pure(raw, work), "ours": work.run})
    return {
        f"ratio_{name}": best(runs, "ours", "pure"), f"cpu_ratio_{name}": best(runs, "ours cpu", "pure cpu"),
        f"seconds_{name}": runs["ours"], f"seconds_pure_{name}": runs["pure"],
    }  # fmt: skip


def alternating(rounds: int, works: dict[str, Callable[[], Any]]) -> Runs:
    """Seconds of each work, one after the other, `rounds` times; under its name and " cpu" those of processors."""
    runs: Runs = {f"{name}{kind}": [] for name in works for kind in ("", " cpu")}
    for _ in range(rounds):
        for name, work in works.items():
            began, used = time.perf_counter(), sum(os.times()[:4])
            work()
            runs[name].append(time.perf_counter() - began)
            runs[f"{name} cpu"].append(sum(os.times()[:4]) - used)
    return runs


def best(runs: Runs, ours: str, theirs: str) -> float:
    """How many times as long the fastest run took as the other's fastest."""
    return min(runs[ours]) / min(runs[theirs])


def pure(raw: str, work: Work) -> None:
    """The encoder alone: the same frames from a file of raw video, the same settings and threads."""
    target = encode.Target(work.width, work.height, Fraction(work.fps), round(work.seconds * work.fps), work.crf, work.preset)
    argv = encode.command(ffmpeg.find(), target, raw + ".mp4", silent=False)
    argv[argv.index("pipe:0")] = "file:" + raw
    argv[argv.index("-protocol_whitelist") + 1] = "file"
    subprocess.run(argv, check=True)


def peak(folder: str) -> float:
    """The most memory a render has at once, with its encoder, in MB: a fresh process looked at every 10 ms."""
    code = f"from tests.bench._work import Work, wall; Work({folder!r}).run()"
    child = subprocess.Popen([sys.executable, "-c", code])
    most = [0.0]

    def watch() -> None:
        while child.poll() is None:
            most[0] = max(most[0], resident(child.pid))
            time.sleep(0.01)

    thread = threading.Thread(target=watch)
    thread.start()
    thread.join()
    if child.returncode:
        sys.exit("the render failed")
    return most[0]


def resident(pid: int) -> float:
    """Memory of a process and its children in MB (Linux)."""
    total = 0
    try:
        with open(f"/proc/{pid}/statm", encoding="ascii") as file:
            total += int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/children", encoding="ascii") as file:
                total += sum(int(resident(int(child)) * 1e6) for child in file.read().split())
    except OSError:
        pass
    return total / 1e6
