"""From clips to actions: what shapes a result is in its action, what only names it is not (S2)."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from clipbuild import digest
from clipbuild.catalog.model import (
    Box,
    Brand,
    Caption,
    Clip,
    Font,
    Footage,
    Ground,
    Motion,
    Offer,
    Place,
    Platform,
    Post,
    Prompt,
    Sound,
    Spec,
)
from clipbuild.engine.action import Graph, Output
from clipbuild.planner.recipes import Bought, Deliverable, Toolbox, aspect, plan_clip
from clipbuild.stages import registry
from tests.support.templates import clip as sample

TALL = Spec("vertical", 1080, 1920, 30, Box(108, 269, 890, 1248))
WIDE = Spec("wide", 1920, 1080, 30, Box(96, 54, 1824, 1026))
SAME = Spec("vertical", 1080, 1920, 30, Box(108, 269, 890, 1248))
PLATFORMS = {
    name: Platform(name, spec, 60.0, 10**8, 100, 2000, 5)
    for name, spec in (("tiktok", TALL), ("reels", SAME), ("youtube", WIDE))
}
MOTIONS = {"push-in": {"zoom": [1.0, 1.2]}, "hold": {"zoom": [1.0, 1.0]}, "pan-left": {"suits": {"room_left": [0.15, None]}}}
Route = Callable[[Clip, str, Spec, str], Bought | None]


def toolbox(route: Route | None = None, **changes: Any) -> Toolbox:
    """A box in which files have the digest of their path, and the tools a version."""
    values: dict[str, Any] = {
        "source": lambda path: digest.of_bytes(path.encode()), "shipped": lambda path: digest.of_bytes(path.encode()),
        "prompt": lambda clip, kind, ratio: f"{kind} of {clip.prompt.subject} {ratio}", "motion": MOTIONS.__getitem__,
        "motions": lambda: MOTIONS, "style": lambda name: {"size": 0.05 if name == "boxed" else 0.06},
        "fonts": lambda texts, language, clip: ("Inter.ttf", *([clip.brand.fonts.body] if clip.brand.fonts.body else [])),
        "route": route or (lambda *_: None), "stage": registry.stage, "tools": dict.fromkeys(TOOLS, "1"),
        "limits": {"area": 0.1}, "clip_limits": {"freeze": 3},
    }  # fmt: skip
    return Toolbox(**(values | changes))


TOOLS = ("ffmpeg", "pillow", "numpy", "opencv", "freetype", "harfbuzz", "bidi")


def planned(clip: Clip, box: Toolbox | None = None) -> tuple[Graph, list[Deliverable]]:
    """The graph of one clip."""
    graph = Graph()
    return graph, plan_clip(graph, clip, PLATFORMS, box or toolbox())


def stages(clip: Clip, box: Toolbox | None = None) -> dict[str, set[str]]:
    """stage → the identities of its actions."""
    found: dict[str, set[str]] = {}
    for action in planned(clip, box)[0]:
        found.setdefault(action.stage, set()).add(action.id)
    return found


def changed(before: Clip, after: Clip, box: Toolbox | None = None) -> set[str]:
    """The stages whose actions differ between two clips."""
    one, other = stages(before, box), stages(after, box)
    return {stage for stage in {*one, *other} if one.get(stage) != other.get(stage)}


def full(**changes: Any) -> Clip:
    """A clip that says something everywhere."""
    values: dict[str, Any] = {
        "captions": (Caption("Holds the heat"), Caption("Fits", 2.0, 1.5)), "hook": "Upgraded", "cta": "Shop",
        "offer": Offer("€14", "€19", "until Sunday"), "brand": Brand("Ember", logo="brand/logo.png"),
        "sound": Sound("sound/bed.wav"), "end_card": 1.5, "layers": (Footage("clips/talk.mp4", 1.0),),
        "post": Post("Title", "Words", ("mug",), "A mug"), "platforms": ("tiktok", "youtube"),
    }  # fmt: skip
    return sample(**(values | changes))


EVERYTHING_DRAWN = {"render", "cover", "clipcheck"}
PICTURE = {"image", "check", "choose", *EVERYTHING_DRAWN}
SHAPES: list[tuple[str, Any, set[str]]] = [
    ("photos", ("photos/other.jpg",), PICTURE),
    ("ground", Ground("plain"), PICTURE),
    ("ground", Ground(colors=("#112233",)), PICTURE),
    ("ground", Ground(plate="photos/room.jpg"), PICTURE),
    ("recipe", "card", {*PICTURE, "captions"}),
    ("motion", Motion("hold"), {"choose", *EVERYTHING_DRAWN}),
    ("motion", Motion("push-in", 0.4), EVERYTHING_DRAWN),
    ("motion", Motion("push-in", loop=True), EVERYTHING_DRAWN),
    ("seconds", 6.0, {*EVERYTHING_DRAWN, "captions", "post"}),
    ("captions", (Caption("Other"),), {*EVERYTHING_DRAWN, "captions"}),
    ("captions", (Caption("Holds the heat", 0.5), Caption("Fits", 2.0, 1.5)), {*EVERYTHING_DRAWN, "captions"}),
    ("caption_style", "pop", EVERYTHING_DRAWN),
    ("hook", "Other", {*EVERYTHING_DRAWN, "captions"}),
    ("cta", "Other", {*EVERYTHING_DRAWN, "captions"}),
    ("offer", Offer("€15", "€19", "until Sunday"), {*EVERYTHING_DRAWN, "captions"}),
    ("offer", Offer("€14", "€20", "until Sunday"), {*EVERYTHING_DRAWN, "captions"}),
    ("offer", Offer("€14", "€19", "today"), {*EVERYTHING_DRAWN, "captions"}),
    ("language", "de", {*EVERYTHING_DRAWN, "captions", "post"}),
    ("sound", Sound("sound/other.wav"), EVERYTHING_DRAWN),
    ("sound", Sound("sound/bed.wav", -3.0), EVERYTHING_DRAWN),
    ("sound", Sound("sound/bed.wav", own="drop"), EVERYTHING_DRAWN),
    ("end_card", 2.0, {*EVERYTHING_DRAWN, "captions"}),
    ("layers", (Footage("clips/other.mp4", 1.0),), EVERYTHING_DRAWN),
    ("layers", (Footage("clips/talk.mp4", 1.5),), EVERYTHING_DRAWN),
    ("layers", (Footage("clips/talk.mp4", 1.0, shape="circle"),), EVERYTHING_DRAWN),
    ("brand", Brand("Ember", logo="brand/other.png"), EVERYTHING_DRAWN),
    ("brand", Brand("Other", logo="brand/logo.png"), {*EVERYTHING_DRAWN, "captions"}),
    ("brand", Brand("Ember", primary="#000000", logo="brand/logo.png"), PICTURE),
    ("brand", Brand("Ember", text="#000000", logo="brand/logo.png"), EVERYTHING_DRAWN),
    ("brand", Brand("Ember", logo="brand/logo.png", fonts=Font(body="fonts/own.ttf")), EVERYTHING_DRAWN),
    ("brand", Brand("Ember", logo="brand/logo.png", hashtags=("x",)), {"post"}),
    ("post", Post("Other", "Words", ("mug",), "A mug"), {"post"}),
    ("post", Post("Title", "Words", ("cup",), "A mug"), {"post"}),
    ("post", Post("Title", "Words", ("mug",), "A cup"), {"post"}),
]


@pytest.mark.parametrize(("field", "value", "expected"), SHAPES)
def test_what_shapes_a_result_changes_it_and_no_other(field: str, value: Any, expected: set[str]) -> None:
    """Each field of a clip changes the keys of what it shapes, of what comes after that, and of nothing else."""
    before = full()
    assert getattr(before, field) != value
    assert changed(before, replace(before, **{field: value})) == expected


NAMES: list[tuple[str, Any]] = [
    ("id", "other.en"), ("sku", "other"), ("variant", "red"), ("place", Place("catalog/else.yaml", 9, 9)),
    ("lang_suffix", True), ("priority", "hero"), ("review", "required"), ("extra", {"x-a": "b"}), ("takes", 3),
    ("caption_file", "captions/a.srt"), ("script", "said"), ("words", "words.json"), ("auto_captions", True),
    ("prompt", Prompt("another subject")), ("image_provider", ""), ("fallback", ("local",)),
]  # fmt: skip


@pytest.mark.parametrize(("field", "value"), NAMES)
def test_what_only_names_changes_no_key(field: str, value: Any) -> None:
    """SKU, variant, place in the catalog, words for a model that nothing is bought from: every key stays."""
    before = full()
    assert changed(before, replace(before, **{field: value})) == set()


def test_a_platforms_name_is_only_a_folder() -> None:
    """Another platform of the same spec adds files, not actions; the posts of both are one where they say the same."""
    one, two = full(platforms=("tiktok",)), full(platforms=("tiktok", "reels"))
    assert changed(one, two) == set()
    assert changed(one, full(platforms=("reels",))) == set()
    assert len(planned(two)[1]) == 2 * len(planned(one)[1])


def test_files_stand_in_a_folder_a_platform() -> None:
    """Five files each, under platform and SKU, named by the clip."""
    paths = sorted(file.path for file in planned(full(platforms=("tiktok",)))[1])
    assert paths == [f"tiktok/mug-black/mug-black.en.{kind}" for kind in ("jpg", "json", "mp4", "srt", "vtt")]


def test_every_deliverable_waits_for_the_check() -> None:
    """Each file carries the report that must not say no; without limits there is no such check."""
    checks = {action.id for action in planned(full())[0] if action.stage == "clipcheck"}
    assert {file.check.action for file in planned(full())[1] if file.check} == checks
    assert all(file.check is None for file in planned(full(), toolbox(clip_limits=None))[1])


@pytest.mark.parametrize("recipe", ["packshot", "scene", "card"])
def test_the_graph_is_in_run_order(recipe: str) -> None:
    """What an action needs stands before it, and everything it names is an output of that stage."""
    seen = set()
    for action in planned(full(recipe=recipe))[0]:
        for source in action.inputs.values():
            if isinstance(source, Output):
                assert source.action in seen
        seen.add(action.id)
        json.dumps(action.params)


def test_each_tool_is_in_what_it_shapes() -> None:
    """Another version of a tool makes anew what stands on it; ffmpeg leaves pictures and words alone."""
    for tool in TOOLS:
        other = toolbox(tools={**dict.fromkeys(TOOLS, "1"), tool: "2"})
        one, two = stages(full()), stages(full(), other)
        touched = {stage for stage in one if one[stage] != two[stage]}
        users = {name for name in one if tool in registry.stage(name).tools}
        assert users <= touched, tool
        if tool == "ffmpeg":
            assert not touched & {"image", "check", "captions", "post"}


@pytest.mark.parametrize("what", ["limits", "clip_limits"])
def test_a_threshold_checks_again_and_draws_nothing(what: str) -> None:
    """Other limits judge anew; no picture is made and nothing is bought."""
    one, two = stages(full()), stages(full(), toolbox(**{what: {"other": 1}}))
    touched = {stage for stage in one if one[stage] != two[stage]}
    assert "image" not in touched
    assert ("check" if what == "limits" else "clipcheck") in touched


def bought(kinds: set[str]) -> Route:
    """A route that buys these kinds."""

    def route(clip: Clip, kind: str, spec: Spec, _where: str) -> Bought | None:
        if kind not in kinds:
            return None
        params: dict[str, Any] = {"model": "m", "prompt": f"{kind} of {clip.prompt.subject}", "n": 1}
        if kind == "video":
            params |= {"seconds": clip.seconds, "prompt": f"{clip.motion.name} of {clip.prompt.subject}"}
        return Bought("kling", params)

    return route


def test_what_is_bought_is_precious_and_free_of_tools() -> None:
    """Bought actions carry no toolchain, so that no upgrade ever buys again; they wait in their provider's pool."""
    graph, _ = planned(full(), toolbox(bought({"image", "video"})))
    precious = [action for action in graph if action.precious]
    assert {action.stage for action in precious} == {"generate", "animate"}
    assert all(not action.tools and action.pool == "kling" for action in precious)
    assert all(action.tools or action.stage in ("captions", "post", "choose", "check") for action in graph if not action.precious)


CHEAP: list[tuple[str, Any]] = [
    ("captions", (Caption("Other"),)), ("hook", "Other"), ("cta", "x"), ("offer", Offer()), ("caption_style", "pop"),
    ("sound", Sound("sound/other.wav", -2.0)), ("brand", Brand("Other", "#000000", "#111111")), ("post", Post("x")),
    ("end_card", 0.0), ("layers", ()), ("sku", "x"), ("id", "x"), ("takes", 4), ("review", "required"), ("language", "fr"),
]  # fmt: skip


@pytest.mark.parametrize(("field", "value"), CHEAP)
def test_words_and_looks_never_buy_again(field: str, value: Any) -> None:
    """No edit of text, price, sound, colours or names changes the key of anything that costs money."""
    box = toolbox(bought({"image", "video"}))
    touched = changed(full(), replace(full(), **{field: value}), box)
    assert not touched & {"generate", "animate"}


def test_a_take_buys_again_what_is_meant_and_the_hint_is_in_its_prompt() -> None:
    """Another take is another key; a first take has no hint even where words are noted."""
    box = toolbox(bought({"video"}))
    again = toolbox(bought({"video"}), retake=lambda stage, params, base: 2, hint=lambda *_: "a plain background")
    one, two = stages(full(), box), stages(full(), again)
    assert one["animate"].isdisjoint(two["animate"])
    assert one["image"] == two["image"]
    [params] = [a.params for a in planned(full(platforms=("tiktok",)), again)[0] if a.stage == "animate"]
    assert (params["take"], params["hint"]) == (2, "a plain background")
    first = toolbox(bought({"video"}), retake=lambda stage, params, base: 1, hint=lambda *_: "x")
    [params] = [a.params for a in planned(full(platforms=("tiktok",)), first)[0] if a.stage == "animate"]
    assert "hint" not in params


def test_auto_waits_for_its_choice_before_motion_is_bought() -> None:
    """What is not known yet is not asked for: no purchase until the choice is made, then one with its words."""
    clip = full(motion=Motion("auto"), platforms=("tiktok",))
    assert "animate" not in stages(clip, toolbox(bought({"video"})))
    chosen = toolbox(bought({"video"}), chosen=lambda where: "hold")
    [action] = [a for a in planned(clip, chosen)[0] if a.stage == "animate"]
    assert action.params["prompt"].startswith("hold of")


def test_a_bought_clip_needs_no_local_motion() -> None:
    """Its render takes the video, no picture, and has no motion among its params."""
    [render] = [a for a in planned(full(platforms=("tiktok",)), toolbox(bought({"video"})))[0] if a.stage == "render"]
    assert "motion" not in render.params
    assert "video" in render.inputs
    assert "image" not in render.inputs


@pytest.mark.parametrize(
    ("size", "expected"),
    [((1080, 1920), "9:16"), ((540, 960), "9:16"), ((1920, 1080), "16:9"), ((1080, 1350), "4:5"), ((1080, 1080), "1:1"),
     ((1000, 1790), "9:16"), ((2000, 1100), "16:9")],
)  # fmt: skip
def test_the_nearest_aspect(size: tuple[int, int], expected: str) -> None:
    """A size that is not quite one of the named ones is asked for as the nearest."""
    assert aspect(*size) == expected


def test_a_draft_composes_as_the_final_does() -> None:
    """At a quarter of the size the safe box is the same share of the frame, so nothing moves."""
    small = Spec("vertical", 540, 960, 30, Box(54, 134, 445, 624))
    platforms: Mapping[str, Platform] = {"tiktok": replace(PLATFORMS["tiktok"], spec=small)}
    shares = []
    for table in (PLATFORMS, platforms):
        graph = Graph()
        plan_clip(graph, full(platforms=("tiktok",)), table, toolbox())
        shares.append(next(a.params["safe"] for a in graph if a.stage == "image"))
    assert shares[0] == pytest.approx(shares[1], abs=0.001)


@pytest.mark.parametrize("name", ["push-in", "auto"])
def test_when_a_motion_suits_is_asked_by_its_choice_alone(name: str) -> None:
    """New ranges of a motion, or new words for a model, draw no clip again that is drawn here with the same move."""
    clip = full(motion=Motion(name))

    def asked(suits: Any, words: str) -> dict[str, list[Any]]:
        motions = {**MOTIONS, "push-in": {"zoom": [1.0, 1.2], "suits": suits, "words": {"motion": words}}}
        graph, _ = planned(clip, toolbox(motions=lambda: motions, motion=motions.__getitem__))
        return {stage: [a.params for a in graph if a.stage == stage] for stage in ("choose", "render")}

    one, other = asked({"headroom": [1.1, None]}, "slow"), asked({"headroom": [1.2, None]}, "slower")
    assert one["choose"] != other["choose"]
    assert one["render"] == other["render"]


def test_a_bought_motion_is_not_measured_by_layers() -> None:
    """A model makes its own depth: what `parallax` needs of layers counts where it is drawn here and where `auto` ranks,
    not in the advice on a picture that a model is sent."""
    layered = {"needs": "layers", "suits": {"depth": [1, 1], "bg_spread": [7, None], "headroom": [1.2, None]}}
    library = {**MOTIONS, "parallax": layered}

    def asked(clip: Clip, route: Route | None) -> Mapping[str, Any]:
        box = toolbox(route, motions=lambda: library, motion=library.__getitem__, chosen=lambda _where: "parallax")
        (action,) = [action for action in planned(replace(clip, platforms=("tiktok",)), box)[0] if action.stage == "choose"]
        found = action.params["library"]["parallax"]
        assert isinstance(found, Mapping)
        return found

    named, auto = (replace(sample(), motion=Motion(name)) for name in ("parallax", "auto"))
    assert asked(named, bought({"video"})) == {"suits": {"headroom": [1.2, None]}}
    assert asked(named, None) == asked(auto, bought({"video"})) == layered
