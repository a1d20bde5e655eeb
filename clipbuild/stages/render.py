"""Stage `render`: from a picture (or a bought clip) to the file that is posted, in one pass.

Camera move, captions, logo, sound and encoding happen together: no second generation, no intermediate file. The
result is looked at before it is handed on. Knows nothing of plans, platforms or money.
"""

import json
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from clipbuild.errors import MediaError

if TYPE_CHECKING:
    from clipbuild.media.clearance import Words
    from clipbuild.media.encode import Target
    from clipbuild.media.frames import Scene
    from clipbuild.media.inset import Inset
    from clipbuild.media.layers import Layer
    from clipbuild.media.layout import Box
    from clipbuild.stages.workdir import Workdir

LOOSE = 1.2
"""From how many seconds of a held last frame on a person is told."""


@dataclass(frozen=True, slots=True)
class Render:
    """The stage: inputs `image` (with `background`, `subject`, `shadow`, `choice`) or `video`; `logo`, `bed`, `font_…`,
    `layer_…`.

    Params: width, height, fps, seconds, crf, preset, maxrate_kbps, audio_kbps, audio_rate, safe, motion, sound, logo,
    layers, label, and what captions ask for.
    """

    name: str = "render"
    version: int = 8
    outputs: tuple[str, ...] = ("video", "told")
    tools: tuple[str, ...] = ("ffmpeg", "pillow", "numpy", "freetype", "harfbuzz", "bidi")
    inline: bool = False

    def run(self, work: "Workdir") -> dict[str, Any]:
        """Make the clip. Raises MediaError for bad input and for a result that is not what was asked for."""
        from clipbuild.media import encode, labels, probe

        program = _program(work)
        with ThreadPoolExecutor(1) as side:
            wanted = _target(work)
            insets = _insets(work, wanted)
            heard = side.submit(_sound, work, program, wanted, insets)
            with _source(work, program, wanted, insets) as (target, see), closing(_frames(work, target, see, insets)) as shown:
                wait = (lambda: heard.result()[0]) if _has_sound(work, insets) else None
                encode.encode(program, target, shown, work.out("video"), wait, _tell(work, target.count))
        if label := work.params.get("label"):
            labels.put(work.out("video"), label)
        facts = probe.facts(work.out("video"))
        problems = probe.check(facts, _spec(target))
        if problems:
            raise MediaError(f"{work.name}: the clip is not what was asked for", [("problem", p) for p in problems])
        level = heard.result()[1]
        return {**facts.plain(), **({"loudness": level.loudness, "true_peak": level.peak} if level else {})}


STAGE = Render()
Sampler = Callable[..., list[Any]]
See = Callable[[], "tuple[Scene, Sampler]"]


def _program(work: "Workdir") -> str:
    from clipbuild.media import ffmpeg

    return work.tool("ffmpeg") or ffmpeg.find()


def _target(work: "Workdir") -> "Target":
    from clipbuild.media import encode, motion

    p = work.params
    fps = Fraction(str(p["fps"])).limit_denominator(1001)
    count = motion.frame_count(float(p["seconds"]), float(fps))
    target = encode.Target(
        int(p["width"]), int(p["height"]), fps, count, int(p.get("crf", 20)), str(p.get("preset", "veryfast")),
        int(p.get("maxrate_kbps", 12000)), int(p.get("audio_kbps", 128)), int(p.get("audio_rate", 48000)),
    )  # fmt: skip
    return encode.checked(target)


@contextmanager
def _source(
    work: "Workdir", program: str, target: "Target", insets: "Sequence[Inset]"
) -> "Iterator[tuple[Target, See]]":
    """The target at its real frame rate, and what gives the scene with a way to look at it."""
    if "video" in work.inputs:
        with _footage(work, program, target) as made:
            yield made
    else:
        yield target, lambda: _still(work, target, insets)


def _frames(work: "Workdir", target: "Target", see: See, insets: "Sequence[Inset]") -> Generator[memoryview]:
    """All frames. Everything is got ready when the first is asked for: the encoder starts meanwhile."""
    from clipbuild.media import frames, inset

    scene, sample = see()
    with inset.shown(scene, insets, _program(work)):
        scene.layers.extend(_layers(work, target, insets, sample))
        _note(work, scene, insets)
        yield from frames.all_frames(scene)


def _still(work: "Workdir", target: "Target", insets: "Sequence[Inset]") -> "tuple[Scene, Sampler]":
    from clipbuild.media import frames, shot

    choice = _choice(work)
    still = shot.Still.of(work.inputs)
    wanted = shot.camera(work.params.get("motion") or {"name": "hold", "kind": "hold"}, str(choice.get("motion", "")))
    box = choice.get("subject")
    subject = (float(box[0]), float(box[1]), float(box[2]), float(box[3])) if box else None
    out = shot.Frames(target.width, target.height, float(target.fps), float(work.params["seconds"]))
    scene = shot.scene(still, wanted, out, subject, _words(work, target, insets))
    return scene, lambda times, box=None: frames.sample(scene, times, box)


def _words(work: "Workdir", target: "Target", insets: "Sequence[Inset]") -> "list[Words]":
    """Where text will stand, so that the move keeps the product off it."""
    from clipbuild.media import captions
    from clipbuild.media.clearance import Words

    size, taken = (target.width, target.height), [item.rect for item in insets if not item.whole]
    small = _logo(work, target)
    placed = captions.stands(work.params, _fonts(work), size, _safe(work, target), taken + ([small[1]] if small else []))
    every = size * 2
    boxes = [(p.rect.x0, p.rect.y0, p.rect.x1, p.rect.y1) for p in placed]
    shares = [tuple(value / whole for value, whole in zip(box, every, strict=True)) for box in boxes]
    return [Words((s[0], s[1], s[2], s[3]), p.cue.start, p.cue.end) for s, p in zip(shares, placed, strict=True)]


def _choice(work: "Workdir") -> dict[str, Any]:
    """Which move was chosen, and where the subject is."""
    if "choice" not in work.inputs:
        return {}
    with open(work.inputs["choice"], "rb") as file:
        return dict(json.load(file))


def _note(work: "Workdir", scene: "Scene", insets: "Sequence[Inset]") -> None:
    """Say what the clip is meant to show, for the check of the finished file."""
    from clipbuild import digest
    from clipbuild.media import told

    asked = work.params.get("motion") or {}
    name = str(_choice(work).get("motion") or asked.get("name", ""))
    with open(work.out("told"), "wb") as file:
        films = [(one.rect, one.start, one.end) for one in insets if one.facts is not None]
        file.write(digest.canonical(told.scene(scene, name, loop=bool(asked.get("loop", False)), films=films)))


@contextmanager
def _footage(work: "Workdir", program: str, target: "Target") -> "Iterator[tuple[Target, See]]":
    from clipbuild.media import footage, frames, motion, probe

    path = work.inputs["video"]
    facts = probe.facts(path)
    fps = footage.rate(facts.rate, target.fps) if facts.steady else target.fps
    target = replace(target, fps=fps, count=motion.frame_count(float(work.params["seconds"]), float(fps)))
    if target.seconds - facts.seconds > LOOSE:
        work.progress(0.0, f"the bought clip is {target.seconds - facts.seconds:.1f} s too short: its end is held")
    size = (target.width, target.height)

    def sample(times: Sequence[float], box: Any = None) -> list[Any]:
        last = facts.seconds - 1 / float(facts.rate)
        return footage.sample(program, path, size, [min(max(0.0, at), last) for at in times], box)

    with footage.Footage(program, path, facts, *size, fps) as shown:
        scene = frames.Scene(*size, float(fps), target.count, (), under=shown.rows)
        yield target, lambda: (scene, sample)
        shown.finish()


def _insets(work: "Workdir", target: "Target") -> "list[Inset]":
    from clipbuild.media import inset

    entries = work.params.get("layers") or ()
    paths = [work.inputs[f"layer_{number}"] for number in range(len(entries))]
    return inset.insets(entries, paths, (target.width, target.height), _safe(work, target), target.seconds)


def _safe(work: "Workdir", target: "Target") -> "Box":
    x0, y0, x1, y1 = (int(v) for v in work.params.get("safe") or (0, 0, target.width, target.height))
    return x0, y0, x1, y1


def _has_sound(work: "Workdir", insets: "Sequence[Inset]") -> bool:
    from clipbuild.media import inset

    return "bed" in work.inputs or "video" in work.inputs or inset.voice(insets) is not None


def _sound(work: "Workdir", program: str, target: "Target", insets: "Sequence[Inset]") -> tuple[str, Any]:
    """The sound: the bed, and who speaks: the first of the user's own clips, else the bought one."""
    from clipbuild.media import boxes, inset, sound

    p = work.params.get("sound") or {}
    video, voice = work.inputs.get("video", ""), inset.voice(insets)
    own = voice.path if voice else video if video and boxes.read(video).track("soun") else ""
    at = voice.start if voice else 0.0
    mix = sound.Mix(work.inputs.get("bed", ""), own, float(p.get("gain", 0.0)), str(p.get("own", "mix")), at)
    return sound.make(program, target, mix, work.folder)


def _layers(work: "Workdir", target: "Target", insets: "Sequence[Inset]", sample: Sampler) -> list[Any]:
    """Logo and text over the picture, clear of the user's own layers, and the end card over all."""
    from clipbuild.media import captions, endcard, inset, logo, looks

    size, p, safe = (target.width, target.height), work.params, _safe(work, target)
    seen = inset.sampler(sample, insets, _program(work), size)
    found, taken, large = [], [item.rect for item in insets if not item.whole], None
    if placed := _logo(work, target):
        small = placed[0]
        taken.append(placed[1])
        moments = [0.0, target.seconds / 2, target.seconds]
        found.append(logo.standing_out(small, seen(moments, taken[-1]), looks.colour("background", p.get("brand") or {})))
        large = logo.layer(work.inputs["logo"], size, safe, target.seconds, large=endcard.LOGO) if p.get("end_card") else None
    fonts = _fonts(work)
    found += captions.overlays(p, fonts, size, safe, seen, taken)
    return found + endcard.layers(p, fonts, size, safe, large)


def _logo(work: "Workdir", target: "Target") -> "tuple[Layer, Box] | None":
    """The small logo and its place."""
    from clipbuild.media import logo, timing

    if "logo" not in work.inputs:
        return None
    size, p = (target.width, target.height), work.params
    corner = str((p.get("logo") or {}).get("corner") or logo.corner(size, timing.runs_rtl(timing.cues(p))))
    small = logo.layer(work.inputs["logo"], size, _safe(work, target), target.seconds, corner)
    return small, logo.place(small)


def _fonts(work: "Workdir") -> list[str]:
    return [work.inputs[n] for n in sorted(work.inputs, key=_number) if n.startswith("font_")]


def _number(name: str) -> tuple[int, str]:
    tail = name.rpartition("_")[2]
    return (int(tail), name) if tail.isdecimal() else (0, name)


def _tell(work: "Workdir", count: int) -> Callable[[int], None]:
    step = max(1, count // 20)

    def told(done: int) -> None:
        if done % step == 0:
            work.progress(done / count, "encoding")

    return told


def _spec(target: "Target") -> dict[str, Any]:
    return {
        "width": target.width, "height": target.height, "fps": str(target.fps), "frames": target.count,
        "seconds": target.seconds, "codec": "avc1", "pixels": "yuv420p", "sound_rate": target.audio_rate,
    }  # fmt: skip
