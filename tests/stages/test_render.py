"""The render stage: pictures and bought clips become what was asked for, with the same bytes however it is run."""

import json
import pathlib
import threading
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import yaml
from PIL import Image

from clipbuild.errors import MediaError
from clipbuild.media import fonts, probe
from clipbuild.stages.render import STAGE
from clipbuild.stages.workdir import Workdir
from tests.bench import _jitter
from tests.support import reels
from tests.support.reels import PROGRAM

ROOT = pathlib.Path(__file__).resolve().parents[2]
MOTIONS: dict[str, Any] = yaml.safe_load((ROOT / "templates" / "motions.yaml").read_text(encoding="utf-8"))["motions"]
SIZE = (108, 192)
WORDS = "Stays warm"


def params(**more: Any) -> dict[str, Any]:
    """A second of push-in, silent, without text."""
    return {
        "recipe": "packshot", "width": SIZE[0], "height": SIZE[1], "fps": 24, "seconds": 1.0, "crf": 20,
        "preset": "superfast", "safe": [6, 20, 100, 160], "motion": {**MOTIONS["push-in"], "name": "push-in"},
        "captions": [], "hook": "", "offer": {"price": "", "was": "", "text": ""}, "cta": "", "language": "en",
        "sound": {"gain": 0.0, "own": "mix"}, "brand": {"primary": "#24443a", "text": "#ffffff"}, **more,
    }  # fmt: skip


def written(**more: Any) -> dict[str, Any]:
    """The same with a caption from 0.3 s to the end."""
    style = yaml.safe_load((ROOT / "templates" / "captions" / "boxed.yaml").read_text(encoding="utf-8"))
    return params(captions=[{"text": WORDS, "at": 0.3, "seconds": 0.7}], caption_style=style, **more)


def letters() -> dict[str, str]:
    return {f"font_{i}": path for i, path in enumerate(fonts.needed(WORDS))}


@pytest.fixture(scope="module")
def picture(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A picture a fifth larger than the frame, with some texture."""
    y, x = np.mgrid[0:230, 0:130]
    rgb = np.stack([120 + 60 * np.sin(x / 5), 90 + 50 * np.cos(y / 6), 100 + 0 * x], axis=2).astype(np.uint8)
    path = tmp_path_factory.mktemp("picture") / "picture.png"
    Image.fromarray(rgb).save(path)
    return str(path)


def run(folder: pathlib.Path, given: dict[str, Any], **inputs: str) -> tuple[str, dict[str, Any]]:
    """The clip, and the facts the stage tells."""
    folder.mkdir(exist_ok=True)
    work = Workdir("0" * 64, "acme/mug/render", given, inputs, str(folder), tools={"ffmpeg": PROGRAM})
    facts = STAGE.run(work)
    return work.out("video"), facts


def test_a_picture_becomes_what_was_asked_for(tmp_path: pathlib.Path, picture: str) -> None:
    """Size, rate, length and sound are as asked; every frame decodes; the picture moves and shows no edge."""
    path, facts = run(tmp_path, params(), image=picture)
    found = probe.probe(PROGRAM, path)
    assert found.plain() == {key: facts[key] for key in found.plain()}
    assert (found.width, found.height, found.rate, found.frames, found.sound) == (*SIZE, 24, 24, "mp4a")
    frames = reels.frames(path, SIZE)
    assert np.abs(frames[0].astype(int) - frames[-1]).mean() > 2
    assert min(frame.min() for frame in frames) > 30


def test_everything_at_once(tmp_path: pathlib.Path, picture: str) -> None:
    """Caption, logo and bed: the caption comes at its time inside the safe zone, the logo is there from the first
    frame, the sound is at −14 LUFS, and nothing is left in the folder but the clip, its sound and what
    it is said to show."""
    logo = tmp_path / "logo.png"
    Image.new("RGBA", (40, 20), (255, 255, 255, 255)).save(logo)
    bed = reels.tone(tmp_path / "bed.wav", seconds=2)
    path, facts = run(tmp_path / "run", written(seconds=2.0), image=picture, logo=str(logo), bed=bed, **letters())
    bare, _ = run(tmp_path / "bare", params(seconds=2.0), image=picture)
    assert abs(facts["loudness"] + 14) <= 1
    assert facts["true_peak"] <= -1
    changed = [np.abs(a.astype(int) - b) > 24 for a, b in zip(reels.frames(path, SIZE), reels.frames(bare, SIZE), strict=True)]
    assert changed[0].any()
    assert not changed[0][40:].any()
    assert changed[18][20:160, 6:76].sum() > 80
    assert not changed[3][20:160, 6:76].any()
    assert not changed[18][162:].any()
    assert not changed[18][:, :3].any()
    assert sorted(p.name for p in (tmp_path / "run").iterdir()) == ["mixed.wav", "sound.m4a", "told", "video"]


def test_the_bytes_are_the_same_however_it_is_run(tmp_path: pathlib.Path, picture: str) -> None:
    """Alone, again, or three at once beside each other: one digest."""
    bed = reels.tone(tmp_path / "bed.wav", seconds=2)
    inputs = {"image": picture, "bed": bed, **letters()}
    alone = pathlib.Path(run(tmp_path / "alone", written(), **inputs)[0]).read_bytes()
    threads = [threading.Thread(target=run, args=(tmp_path / f"t{i}", written()), kwargs=inputs) for i in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for i in range(3):
        assert (tmp_path / f"t{i}" / "video").read_bytes() == alone


def test_a_move_is_taken_as_chosen(tmp_path: pathlib.Path, picture: str) -> None:
    """`auto` moves as the choice says, around its subject, and tells which move it was."""
    choice = tmp_path / "choice.json"
    choice.write_text(json.dumps({"motion": "pan-left", "subject": [0.3, 0.3, 0.6, 0.7]}))
    motion = {"name": "auto", "amount": None, "loop": False, "library": MOTIONS}
    _, facts = run(tmp_path / "run", params(motion=motion), image=picture, choice=str(choice))
    assert facts["frames"] == 24
    told = json.loads((tmp_path / "run" / "told").read_bytes())
    assert told["motion"] == "pan-left"
    assert told["moves"][0]["pan_x"] > 0.005


@pytest.mark.parametrize(("size", "fps", "sound", "seconds", "rate", "frames"), [
    ((720, 1280), "24", "", 1.0, "24", 24),  # 24 in 30 would judder: kept
    ((1080, 1920), "24", "sine=f=500", 1.0, "24", 24),
    ((96, 160), "30", "sine=f=500", 2.0, "30", 30),  # trimmed
    ((96, 160), "15", "", 0.6, "30", 30),  # doubled, and its last frame held
    ((160, 96), "60", "", 1.0, "30", 30),  # halved
])  # fmt: skip
def test_a_bought_clip_is_made_to_fit(
    tmp_path: pathlib.Path, size: tuple[int, int], fps: str, sound: str, seconds: float, rate: str, frames: int
) -> None:
    """Any size, rate and length, with sound or without, becomes the size and length asked for, at an even rate."""
    bought = reels.clip(tmp_path / "bought.mp4", size, fps, seconds, sound)
    path, facts = run(tmp_path / "run", params(fps=30), video=bought)
    found = probe.probe(PROGRAM, path)
    assert (found.width, found.height, found.rate, found.frames) == (*SIZE, Fraction(rate), frames)
    assert probe.check(found, {"seconds": 1.0}) == []
    heard = reels.loud(reels.samples(path))
    assert heard > -25 if sound else heard < -90
    assert ("loudness" in facts) == bool(sound)


def test_own_sound_is_kept_mixed_or_dropped(tmp_path: pathlib.Path) -> None:
    """One key: a bought clip's own sound alone, over the bed, or not at all."""
    bought, bed = reels.clip(tmp_path / "own.mp4", sound="sine=f=3000"), reels.tone(tmp_path / "bed.wav")
    heard = {}
    for own in ("keep", "mix", "drop"):
        path, _ = run(tmp_path / own, params(sound={"gain": 0.0, "own": own}), video=bought, bed=bed)
        part = reels.samples(path)[9600:38400, 0]
        power, at = np.abs(np.fft.rfft(part * np.hanning(len(part)))) ** 2, np.fft.rfftfreq(len(part), 1 / 48000)
        heard[own] = [10 * np.log10(power[np.abs(at - f) < 60].sum() + 1e-9) for f in (440, 3000)]
    assert heard["keep"][1] > heard["keep"][0] + 40
    assert heard["drop"][0] > heard["drop"][1] + 40
    assert abs(heard["mix"][0] - heard["mix"][1]) < 30


def test_text_stands_on_a_bought_clip_too(tmp_path: pathlib.Path) -> None:
    """A caption over footage is drawn where it would be over a picture."""
    bought = reels.clip(tmp_path / "own.mp4")
    path, _ = run(tmp_path / "with", written(), video=bought, **letters())
    bare, _ = run(tmp_path / "bare", params(), video=bought)
    off = np.abs(reels.frames(path, SIZE)[18].astype(int) - reels.frames(bare, SIZE)[18]) > 24
    assert off[20:160, 6:100].sum() > 80


def test_a_clip_that_is_too_short_is_told(tmp_path: pathlib.Path) -> None:
    """Where an end is held for long, a person is told."""
    told: list[str] = []
    bought = reels.clip(tmp_path / "short.mp4", seconds=0.5)
    work = Workdir("0" * 64, "acme/mug/render", params(seconds=2.5), {"video": bought}, str(tmp_path),
                   lambda _, note: told.append(note), {"ffmpeg": PROGRAM})  # fmt: skip
    STAGE.run(work)
    assert "the bought clip is 2.0 s too short: its end is held" in told
    assert "encoding" in told


def test_a_damaged_clip_is_refused(tmp_path: pathlib.Path) -> None:
    """Damage anywhere in a bought clip, even behind what is used of it, makes no clip."""
    bought = pathlib.Path(reels.clip(tmp_path / "clip.mp4", seconds=3.0))
    data = bytearray(bought.read_bytes())
    end = data.index(b"moov") - 4
    data[end - 2500 : end - 1500] = bytes(1000)
    bought.write_bytes(data)
    with pytest.raises(MediaError, match="damaged"):
        run(tmp_path / "run", params(), video=str(bought))


@pytest.mark.parametrize(("change", "said"), [({"width": 107}, "no size"), ({"preset": "slowest"}, "no preset"),
                                              ({"motion": {"name": "x", "kind": "spin"}}, "unknown kind")])  # fmt: skip
def test_wrong_params_are_told(tmp_path: pathlib.Path, picture: str, change: dict[str, Any], said: str) -> None:
    """What can't be made is an error with words, and no clip is left."""
    with pytest.raises(MediaError, match=said):
        run(tmp_path, params(**change), image=picture)
    assert not (tmp_path / "video").exists()


@pytest.mark.parametrize("fps", [24, 60])
def test_the_path_is_exact(tmp_path: pathlib.Path, fps: int) -> None:
    """In a slow push-in every spot of the picture is where the curve has it: 0.05 px RMS and 0.2 px at most."""
    off = _jitter.of(str(tmp_path), fps, seconds=1.0, size=(540, 960))
    assert np.sqrt((off**2).mean()) < 0.05
    assert np.abs(off).max() < 0.2
