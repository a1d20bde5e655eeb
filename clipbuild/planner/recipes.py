"""Clips to actions: one straight function per recipe, no clock, no network, no disk writes.

What a clip becomes: image → check → (bought motion) → render → cover, and the words beside it. Everything that shapes
a result goes into an action's params or inputs here; names never do. Knows nothing of keys, traces or money.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from clipbuild.catalog.model import Caption, Clip, Platform, Spec
from clipbuild.digest import Digest
from clipbuild.engine.action import Action, Graph, Input, Output, Stage
from clipbuild.media import looks, timing
from clipbuild.planner import posts, shots

PICTURE_HEADROOM = 1.2
"""The local picture is this much larger than the frame, so that a move never shows an edge or blurs."""


@dataclass(frozen=True, slots=True)
class Deliverable:
    """A file of the output tree: where it goes, whose bytes it has, and what it must be."""

    path: str
    source: Output
    clip: str
    platform: str
    kind: str
    spec: Spec
    seconds: float
    check: Output | None = None
    """The report on the finished clip that must not say no."""
    degraded: str = ""
    """What was made by a stand-in, and why: "" when all is as wanted."""


@dataclass(frozen=True, slots=True)
class Bought:
    """What a paid route sends instead of composing here: the provider's name and its request params."""

    provider: str
    params: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Toolbox:
    """What planning may ask for, handed in so that it stays pure.

    `source(path)` gives the digest of a workspace file, `shipped(path)` of a file outside it (fonts);
    `prompt(clip, kind, aspect)` the prompt text; `motion(name)` an entry of the motion library;
    `style(name)` a caption style; `overlays()` the looks of hook, price and so on;
    `fonts(texts, language, brand)` the font files that cover the texts;
    `route(clip, kind, spec)` None for local work, else the bought request; `take(document)` which take is meant;
    `mode(clip)` how a model makes its picture (generate, edit, composite); `degraded(where)` what stands in for what there;
    `hint(document)` what its prompt adds because of what was wrong before;
    `avoid(provider)` the motions that this project's decisions speak against, by kind of picture; `clip_limits` the limits
    of the finished clip's check, None for no such check; `chosen(where)` the motion that `auto` came to for a bought clip.
    """

    source: Callable[[str], Digest]
    shipped: Callable[[str], Digest]
    prompt: Callable[[Clip, str, str], str]
    motion: Callable[[str], Mapping[str, Any]]
    motions: Callable[[], Mapping[str, Any]]
    style: Callable[[str], Mapping[str, Any]]
    fonts: Callable[[tuple[str, ...], str, Clip], tuple[str, ...]]
    route: Callable[[Clip, str, Spec, str], Bought | None]
    stage: Callable[[str], Stage]
    tools: Mapping[str, str]
    limits: Mapping[str, Any] = field(default_factory=dict)
    overlays: Callable[[], Mapping[str, Any]] = dict
    retake: Callable[[str, Mapping[str, Any], Mapping[str, Input]], int] = lambda *_: 0
    hint: Callable[[str, Mapping[str, Any], Mapping[str, Input]], str] = lambda *_: ""
    mode: Callable[[Clip], str] = lambda clip: "edit" if clip.photos else "generate"
    degraded: Callable[[str], str] = lambda _where: ""
    avoid: Callable[[str], Mapping[str, Any]] = lambda _provider: {}
    clip_limits: Mapping[str, Any] | None = None
    chosen: Callable[[str], str] = lambda _where: ""


def aspect(width: int, height: int) -> str:
    """The named aspect nearest to width:height."""
    named = {"9:16": 9 / 16, "16:9": 16 / 9, "4:5": 4 / 5, "1:1": 1.0}
    return min(named, key=lambda name: abs(named[name] - width / height))


def plan_clip(graph: Graph, clip: Clip, platforms: Mapping[str, Platform], box: Toolbox) -> list[Deliverable]:
    """Add everything `clip` needs to `graph`; returns its files of the output tree. Raises MediaError for text that
    no font can show."""
    made: list[Deliverable] = []
    for spec, names in _by_spec(clip, platforms):
        generated = _generated(clip, spec, box)
        render, cover, words, check = _clip_of_spec(graph, clip, spec, generated, box)
        for platform in names:
            post = _post(graph, clip, platforms[platform], generated, box)
            shared = _Shared(clip, spec, check, box.degraded(f"{clip.id}/{spec.name}"))
            made += _files(shared, platform, render, cover, words, post)
    return made


def _by_spec(clip: Clip, platforms: Mapping[str, Platform]) -> Iterator[tuple[Spec, list[str]]]:
    groups: dict[Spec, list[str]] = {}
    for name in clip.platforms:
        groups.setdefault(platforms[name].spec, []).append(name)
    yield from groups.items()


def _clip_of_spec(
    graph: Graph, clip: Clip, spec: Spec, generated: Sequence[str], box: Toolbox
) -> tuple[Action, Action, Action, Output | None]:
    where = f"{clip.id}/{spec.name}"
    picture = _picture(graph, clip, spec, box)
    check = _check(graph, clip, spec, picture, box)
    motion = box.route(clip, "video", spec, where)
    choose = _choose(graph, clip, where, picture, check, box, bought=motion is not None)
    if motion and clip.motion.name == "auto":
        name = box.chosen(where)
        if not name:
            return choose, choose, choose, None  # its words are known once that ran: the plan is then made again
        clip = replace(clip, motion=replace(clip.motion, name=name))
        motion = box.route(clip, "video", spec, where)
    inputs: dict[str, Input] = {}
    if motion:
        bought = _buy(graph, f"{where}/animate", "animate", motion, {"image": check.out("image")}, box)
        inputs["video"] = bought.out("video")
    else:
        inputs["image"] = check.out("image")
        inputs |= {name: picture.out(name, optional=True) for name in _layers(picture, box)}
        inputs["choice"] = choose.out("choice")
    label = {"DigitalSourceType": posts.source_type(clip, generated), "CreatorTool": "clipbuild"}
    render = _render(graph, clip, spec, inputs, label, box, bought=motion is not None)
    said = _words(clip)
    by_word = box.style(clip.caption_style).get("by") == "word"
    at = {"at": timing.still(said, by_word=by_word), "label": label}  # what can't be shown is told now, with its place
    cover = _add(graph, f"{where}/cover", "cover", at, {"video": render.out("video")}, box)
    words = _add(graph, f"{clip.id}/captions", "captions", said, {}, box)
    return render, cover, words, _clip_check(graph, clip, spec, render, check if motion else None, box)


def _layers(picture: Action, box: Toolbox) -> tuple[str, ...]:
    """The layers that a picture composed here may have."""
    composed = picture.stage == "image" and "background" in box.stage("image").outputs
    return ("background", "subject", "shadow") if composed else ()


def _choose(
    graph: Graph, clip: Clip, where: str, picture: Action, check: Action, box: Toolbox, *, bought: bool
) -> Action:
    """Which move the picture gets, by its measures; for a move that is named, whether another suits better. A model
    makes its own depth: what a named move needs of layers is not asked of a picture that it is sent."""
    inputs: dict[str, Input] = {"report": check.out("report")}
    if "subject" in _layers(picture, box):
        inputs["subject"] = picture.out("subject", optional=True)
    library = {n: {k: one[k] for k in ("suits", "needs") if k in one} for n, one in box.motions().items()}
    if bought and clip.motion.name != "auto":
        library = {n: {"suits": _without_layers(one)} if one.get("needs") == "layers" else one for n, one in library.items()}
    params: dict[str, Any] = {"motion": clip.motion.name, "library": library}
    if avoid := box.avoid(clip.motion_provider):
        params["avoid"] = avoid
    return _add(graph, f"{where}/choose", "choose", params, inputs, box)


def _without_layers(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {name: span for name, span in entry.get("suits", {}).items() if name not in ("depth", "bg_spread")}


def _clip_check(
    graph: Graph, clip: Clip, spec: Spec, render: Action, sent: Action | None, box: Toolbox
) -> Output | None:
    """Is the finished clip what was asked for? `sent` is the check of the picture that a model was sent."""
    if box.clip_limits is None:
        return None
    inputs: dict[str, Input] = {"video": render.out("video"), "told": render.out("told")}
    params: dict[str, Any] = {
        "limits": box.clip_limits, "safe": _share(spec),
        "spec": {"width": spec.width, "height": spec.height, "seconds": float(clip.seconds)},
    }  # fmt: skip
    if sent:
        inputs["image"] = sent.out("image")
        own = {"name": clip.motion.name, "amount": clip.motion.amount, "loop": clip.motion.loop}
        params |= {"move": {**_drawn(box.motion(clip.motion.name)), **own}, "seconds": clip.seconds}
    return _add(graph, f"{clip.id}/{spec.name}/clipcheck", "clipcheck", params, inputs, box).out("report")


def _picture(graph: Graph, clip: Clip, spec: Spec, box: Toolbox) -> Action:
    where = f"{clip.id}/{spec.name}/image"
    photos: dict[str, Input] = {f"photo_{i}": box.source(path) for i, path in enumerate(clip.photos)}
    style, mode = clip.ground.style, box.mode(clip)
    if mode == "composite" and (scene := box.route(clip, "plate", spec, where)):
        bought = _buy(graph, f"{clip.id}/{spec.name}/plate", "generate", scene, {}, box)
        photos["plate"], style = bought.out("image"), "plate"
    elif mode != "composite" and (route := box.route(clip, "image", spec, where)):
        return _buy(graph, where, "generate", route, _sent(graph, clip, spec, photos if mode == "edit" else {}, box), box)
    elif clip.ground.plate:
        photos["plate"] = box.source(clip.ground.plate)
    params = {
        "recipe": clip.recipe,
        "width": _even(spec.width * PICTURE_HEADROOM),
        "height": _even(spec.height * PICTURE_HEADROOM),
        "safe": _share(spec),
        "ground": {"style": style, "colors": list(clip.ground.colors)},
        "brand": _plain(clip.brand, "primary", "accent", "background"),
        "text_space": bool(clip.captions or clip.hook or any(_offer(clip).values()) or clip.cta),
    }
    return _add(graph, where, "image", params, photos, box)


def _sent(
    graph: Graph, clip: Clip, spec: Spec, photos: Mapping[str, Input], box: Toolbox
) -> Mapping[str, Input]:
    """The pictures that go along with a request: the photos, and the first shot's picture where the others follow it."""
    if photos and shots.is_batch(clip):
        return {f"photo_{i}": box.source(path) for i, path in enumerate(shots.asked(clip, "image").photos)}
    if (first := shots.leader(clip)) is None:
        return photos
    return {**photos, "reference": _check(graph, first, spec, _picture(graph, first, spec, box), box).out("image")}


def _check(graph: Graph, clip: Clip, spec: Spec, picture: Action, box: Toolbox) -> Action:
    inputs: dict[str, Input] = {"image": picture.out("image")}
    if picture.precious and clip.reference and shots.is_batch(clip):
        number = clip.reference.number
        inputs = {"image": picture.out(f"image_{number}" if number else "image")}
    elif picture.precious:
        count = int(picture.params.get("n") or 1)
        inputs |= {f"image_{i}": picture.out(f"image_{i}", optional=True) for i in range(1, count)}
    if picture.precious:
        inputs |= {f"photo_{i}": box.source(path) for i, path in enumerate(clip.photos)}
    params = {"width": spec.width, "height": spec.height, "limits": box.limits, "block": picture.precious}
    return _add(graph, f"{clip.id}/{spec.name}/check", "check", params, inputs, box)


def _render(
    graph: Graph, clip: Clip, spec: Spec, inputs: dict[str, Input], label: Mapping[str, str], box: Toolbox, *,
    bought: bool,
) -> Action:
    texts = posts.texts(clip)
    brand = _plain(clip.brand, "primary", "accent", "background", "text")
    params: dict[str, Any] = {
        "recipe": clip.recipe,
        "width": spec.width, "height": spec.height, "fps": spec.fps, "seconds": clip.seconds,
        "crf": spec.crf, "preset": spec.preset, "maxrate_kbps": spec.maxrate_kbps,
        "audio_kbps": spec.audio_kbps, "audio_rate": spec.audio_rate,
        "safe": [spec.safe.x0, spec.safe.y0, spec.safe.x1, spec.safe.y1],
        "captions": [_caption(caption) for caption in clip.captions],
        "hook": clip.hook, "offer": _offer(clip), "cta": clip.cta, "language": clip.language,
        "sound": {"gain": clip.sound.gain, "own": clip.sound.own}, "brand": brand,
        "label": label,
    }  # fmt: skip
    params |= _end_card(clip)
    if clip.recipe == "card":
        params["card"] = {"headline": clip.name, "photo": bool(clip.photos)}
    if texts:
        params["caption_style"] = dict(box.style(clip.caption_style))
        params["overlays"] = dict(box.overlays())
        looks.look(params["caption_style"], f"caption style {clip.caption_style}")
        for name, entry in params["overlays"].items():
            looks.look(entry, f"overlay {name}")
    if not bought:
        params["motion"] = _motion(clip, box)
    for i, path in enumerate(box.fonts(texts, clip.language, clip) if texts else ()):
        inputs[f"font_{i}"] = box.shipped(path)
    if clip.sound.bed:
        inputs["bed"] = box.source(clip.sound.bed)
    if clip.layers:
        params["layers"] = [{k: v for k, v in asdict(layer).items() if k != "file"} for layer in clip.layers]
        inputs |= {f"layer_{i}": box.source(layer.file) for i, layer in enumerate(clip.layers)}
    if clip.brand.logo:
        inputs["logo"] = box.source(clip.brand.logo)
    return _add(graph, f"{clip.id}/{spec.name}/render", "render", params, inputs, box)


def _motion(clip: Clip, box: Toolbox) -> dict[str, Any]:
    own = {"name": clip.motion.name, "amount": clip.motion.amount, "loop": clip.motion.loop}
    if clip.motion.name == "auto":
        return {**own, "library": {name: _drawn(one) for name, one in box.motions().items()}}
    return {**_drawn(box.motion(clip.motion.name)), **own}


def _drawn(entry: Mapping[str, Any]) -> dict[str, Any]:
    """What of a motion shapes the frames drawn here: not when it suits, nor how a model is asked for it."""
    return {key: value for key, value in entry.items() if key not in ("suits", "needs", "words", "camera")}


def _words(clip: Clip) -> dict[str, Any]:
    card = {"card": {"headline": clip.name}} if clip.recipe == "card" else {}
    return {
        **card,
        "captions": [_caption(caption) for caption in clip.captions],
        "seconds": clip.seconds, "language": clip.language, "hook": clip.hook, "cta": clip.cta,
        "offer": _offer(clip), **_end_card(clip),
    }  # fmt: skip


def _offer(clip: Clip) -> dict[str, Any]:
    return _plain(clip.offer, "price", "was", "text")


def _plain(of: Any, *names: str) -> dict[str, Any]:
    """These fields as data; `asdict` copies all of them, and deeply."""
    return {name: getattr(of, name) for name in names}


def _end_card(clip: Clip) -> dict[str, Any]:
    return {"end_card": {"seconds": clip.end_card, "name": clip.brand.name}} if clip.end_card else {}


def _caption(caption: Caption) -> dict[str, Any]:
    told: dict[str, Any] = {"text": caption.text, "at": caption.at, "seconds": caption.seconds}
    return {**told, "words": [list(word) for word in caption.words]} if caption.words else told


def _post(graph: Graph, clip: Clip, platform: Platform, generated: Sequence[str], box: Toolbox) -> Action:
    params = posts.post(clip, platform, generated)
    return _add(graph, f"{clip.id}/{platform.name}/post", "post", params, {}, box)


def _generated(clip: Clip, spec: Spec, box: Toolbox) -> list[str]:
    """Which parts of the clip a model makes."""
    kinds = {"background": "plate"} if box.mode(clip) == "composite" else {"image": "image"}
    return [part for part, kind in {**kinds, "video": "video"}.items() if box.route(clip, kind, spec, "")]


@dataclass(frozen=True, slots=True)
class _Shared:
    """What the files of a clip in one spec have in common."""

    clip: Clip
    spec: Spec
    check: Output | None
    degraded: str


def _files(of: _Shared, platform: str, render: Action, cover: Action, words: Action, post: Action) -> list[Deliverable]:
    clip = of.clip
    base = f"{platform}/{clip.sku}/{clip.id}"
    sources = {"mp4": render.out("video"), "jpg": cover.out("cover"), "json": post.out("post")}
    sources |= {"srt": words.out("srt"), "vtt": words.out("vtt")}
    return [
        Deliverable(f"{base}.{kind}", source, clip.id, platform, kind, of.spec, clip.seconds, of.check, of.degraded)
        for kind, source in sources.items()
    ]


def _buy(
    graph: Graph, name: str, stage: str, route: Bought, inputs: Mapping[str, Input], box: Toolbox
) -> Action:
    params = {"provider": route.provider, **route.params}
    take = box.retake(stage, params, inputs)
    if take > 1 and (hint := box.hint(stage, params, inputs)):
        params["hint"] = hint
    if take:
        params["take"] = take
    kind = box.stage(stage)
    return graph.add(name, stage, kind.version, params, inputs, pool=route.provider, precious=True)


def _add(
    graph: Graph, name: str, stage: str, params: Mapping[str, Any], inputs: Mapping[str, Input], box: Toolbox
) -> Action:
    kind = box.stage(stage)
    tools = {tool: box.tools[tool] for tool in kind.tools}
    pool = "inline" if kind.inline else "encode" if stage == "render" else "cpu"
    return graph.add(name, stage, kind.version, params, inputs, pool=pool, tools=tools)


def _share(spec: Spec) -> list[float]:
    """The safe box as shares of the frame, so that the picture's composition does not depend on its scale."""
    s = spec.safe
    values = (s.x0 / spec.width, s.y0 / spec.height, s.x1 / spec.width, s.y1 / spec.height)
    return [round(value, 4) for value in values]


def _even(value: float) -> int:
    return int(value / 2 + 0.5) * 2
