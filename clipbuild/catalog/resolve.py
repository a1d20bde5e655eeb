"""Products to clips: defaults ← brand ← recipe ← file ← product ← variant, then one clip a language.

Every value has passed the schema by now; what only shows when all is put together is judged here. Reads no file.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from clipbuild.catalog.entries import Product, Sheet
from clipbuild.catalog.faults import Fault
from clipbuild.catalog.model import (
    Asset,
    Caption,
    Clip,
    Footage,
    Ground,
    Motion,
    Offer,
    Place,
    Post,
    Prompt,
    Reference,
    Sound,
)
from clipbuild.catalog.places import Path
from clipbuild.catalog.project import Config

END_CARD = 1.8
FIRST, BATCH = "first", "batch"
"""Words of `reference`; anything else there is a file."""
WHOLE = {"name", "cta", "hook", "script", "captions", "words"}
"""Keys whose maps are one value (a text a language, a file): they replace, they don't add up."""
NO_OFFER, NO_POST = Offer(), Post()
Layer = Mapping[str, Any]


class MissingError(Exception):
    """A text that is not written in a language; `args` are the key's path and the language."""


@dataclass(slots=True)
class Resolver:
    """Turns products of one project into clips; what products share is put together once."""

    config: Config
    _bases: dict[tuple[str, str, int], dict[str, Any]] = field(default_factory=dict)

    def clips(self, sheet: Sheet, entry: Product) -> tuple[list[Clip], list[Fault]]:
        """The clips of one product, and what is wrong with it (paths begin at the product)."""
        product, place = _plain(entry.value), Place(sheet.file, *entry.spot)
        made: list[Clip] = []
        faults: list[Fault] = []
        for variant, layer, where in _variants(product):
            own = _over(product, layer) if layer else product
            merged = _over(self._base(sheet, own), own)
            languages = _wanted_languages(merged, own)
            parts = self._parts(merged, languages[0], where, faults)
            if parts is None:
                continue
            for language in languages:
                words = _words(merged, language, where, faults)
                if words is not None:
                    names = [merged["sku"], variant, language if len(languages) > 1 else ""]
                    made.append(
                        Clip(id=".".join(filter(None, names)), variant=variant, language=language, place=place,
                             lang_suffix=len(languages) > 1, **parts, **words)
                    )  # fmt: skip
        return (_together(made, product) if "reference" in product else made), faults

    def _base(self, sheet: Sheet, own: Layer) -> dict[str, Any]:
        """What the product has before it speaks itself."""
        key = (own.get("brand", ""), own.get("recipe", ""), id(sheet))
        if key not in self._bases:
            brand = key[0] or _stacked([*self.config.layers("", ""), sheet.defaults]).get("brand", "")
            recipe = key[1] or _stacked([*self.config.layers(brand, ""), sheet.defaults])["recipe"]
            base = _stacked([*self.config.layers(brand, recipe), sheet.defaults])
            self._bases[key] = {**base, "brand": brand, "recipe": recipe}
        return self._bases[key]

    def _parts(self, m: Layer, first: str, where: Path, faults: list[Fault]) -> dict[str, Any] | None:
        """What a product's clips have in common, whatever their language."""
        sound, motion, captions = m.get("sound") or {}, m["motion"], m.get("captions")
        photos, assets = _photos(m, sound)
        image, mover = self._makers(m, sound)
        prompt = _prompt(m, first, where, faults)
        if prompt is None:
            return None
        return {
            "sku": m["sku"], "recipe": m["recipe"], "photos": photos, "prompt": prompt,
            "ground": _ground(m.get("ground", {})),
            "motion": Motion(motion.get("name", "push-in"), _number(motion.get("amount")), motion.get("loop", False)),
            "seconds": float(m["duration"]), "caption_style": m["caption_style"],
            "sound": Sound(sound.get("bed", ""), float(sound.get("gain", 0)), sound.get("own", "mix")),
            "brand": self.config.brands.get(m["brand"]) or self.config.brands[""],
            "platforms": tuple(m["platforms"]), "image_provider": image, "motion_provider": mover, "takes": m["takes"],
            "extra": {key: _word(m[key]) for key in m if key[:2] == "x-"}, "auto_captions": captions == "auto",
            "end_card": _end_card(m.get("end_card", False)), "layers": tuple(map(_layer, m.get("layers", ()))),
            "priority": m["priority"], "picture": m.get("picture", ""), "fallback": tuple(m.get("fallback", ())),
            "review": _unless_none(m.get("review", "")), "assets": assets,
        }  # fmt: skip

    def _makers(self, m: Layer, sound: Layer) -> tuple[str, str]:
        """Who makes picture and motion: the product's own word, else the first route that fits, else the profile."""
        profile = self.config.profile
        if not profile.paid:
            return "local", "local"
        fitting = [
            route for route in self.config.project.routes
            if route.recipe in ("", m["recipe"]) and route.priority in ("", m["priority"])
            and route.sound in (None, sound.get("own", "mix") == "keep")
        ]  # fmt: skip
        image = next((route.image for route in fitting if route.image), profile.image)
        motion = next((route.motion for route in fitting if route.motion), profile.motion)
        return m.get("image_provider", image), m.get("motion_provider", motion)


def _variants(product: Layer) -> Iterator[tuple[str, Layer | None, Path]]:
    """(id, what it changes, its path) of every variant or shot; one without a name where there are none."""
    kind = "shots" if "shots" in product else "variants"
    if kind not in product:
        yield "", None, ()
        return
    for number, variant in enumerate(product[kind]):
        yield variant["id"], _plain({key: value for key, value in variant.items() if key != "id"}), (kind, number)


def _together(made: Sequence[Clip], product: Layer) -> list[Clip]:
    """Shots that know of each other, as far as the picture of one is asked for with the words or picture of another."""
    kind = product["reference"] if product["reference"] in (FIRST, BATCH) else "photo"
    order = list(dict.fromkeys(clip.variant for clip in made))
    pictured: dict[str, Clip] = {}  # a picture's words are those of the first language
    for clip in made:
        pictured.setdefault(clip.variant, replace(clip, place=Place("", 0, 0)))
    shots = tuple(pictured.values())[: {FIRST: 1, BATCH: None}.get(kind, 0)]
    return [replace(clip, reference=Reference(kind, order.index(clip.variant), shots)) for clip in made]


def _plain(layer: Layer) -> dict[str, Any]:
    """The short forms written out, so that layers can be put over each other."""
    out = dict(layer)
    if isinstance(out.get("motion"), str):
        out["motion"] = {"name": out["motion"]}
    if isinstance(out.get("ground"), str):
        out["ground"] = {"style": out["ground"]}
    if isinstance(out.get("sound"), str):
        out["sound"] = {"bed": out["sound"]}
    elif out.get("sound") is False:
        out["sound"] = {"bed": ""}
    return out


def _over(below: Layer, above: Layer) -> dict[str, Any]:
    """`above` over `below`: maps key by key, except those that are one value; all else replaces."""
    out = dict(below)
    for key, value in above.items():
        old = out.get(key)
        if isinstance(value, dict) and isinstance(old, dict) and key not in WHOLE:
            out[key] = {**old, **value}
        else:
            out[key] = value
    return out


def _stacked(layers: Sequence[Layer]) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for layer in layers:
        out = _over(out, _plain(layer))
    return out


def _wanted_languages(merged: Layer, own: Layer) -> list[str]:
    """The languages asked for; where nobody says, those that the product's texts are written in."""
    if "languages" in merged:
        return list(merged["languages"])
    written = dict.fromkeys(language for text in _texts(own) if isinstance(text, dict) for language in text)
    return list(written) or ["en"]


def _texts(own: Layer) -> Iterator[Any]:
    for key in ("name", "hook", "cta", "script", "words"):
        yield own.get(key)
    for part in ("offer", "post"):
        yield from own.get(part, {}).values()
    captions = own.get("captions", ())
    if isinstance(captions, dict):
        yield captions["file"]
        return
    for caption in captions if isinstance(captions, list) else ():
        yield caption.get("text", caption) if isinstance(caption, dict) else caption


def _words(m: Layer, language: str, where: Path, faults: list[Fault]) -> dict[str, Any] | None:
    """What a clip says in one language; None, and a fault, where a text is not written in it."""
    say, captions = _Say(language), m.get("captions")
    try:
        return {
            "name": say(m, "name"), "hook": say(m, "hook"), "cta": say(m, "cta"), "script": say(m, "script"),
            "words": say(m, "words"), "captions": _captions(captions, say), "offer": _offer(m.get("offer"), say),
            "post": _post(m.get("post"), say),
            "caption_file": say(captions, "file", ("captions",)) if isinstance(captions, dict) else "",
        }  # fmt: skip
    except MissingError as error:
        faults.append(_missing(error, where))
        return None


def _missing(error: MissingError, where: Path) -> Fault:
    path, language = error.args
    hint = f"write `{language}: …` beside the others, or leave {language} out of `languages:`"
    return Fault((*where, *path), f"no text for the language {language!r}", hint)


@dataclass(frozen=True, slots=True)
class _Say:
    """Texts in one language; a regional one (de-AT) falls back to the language itself (de)."""

    language: str

    def __call__(self, holder: Layer, key: str, path: Path = ()) -> str:
        value = holder.get(key, "")
        return value if type(value) is str else self.text(value, (*path, key))

    def text(self, value: Any, path: Path) -> str:
        """One text. Raises MissingError."""
        if type(value) is str:
            return value
        for language in (self.language, self.language.partition("-")[0]):
            if language in value:
                return str(value[language])
        raise MissingError(path, self.language)


def _photos(m: Layer, sound: Layer) -> tuple[tuple[str, ...], tuple[Asset, ...]]:
    """The photos, and what is noted of where they and the sound come from."""
    listed = m.get("photos", [])
    listed = listed if isinstance(listed, list) else [listed]
    if m.get("reference", FIRST) not in (FIRST, BATCH, *listed):
        listed = [*listed, m["reference"]]
    photos = tuple(entry if type(entry) is str else entry["file"] for entry in listed)
    shared = {"licence": m.get("licence", ""), "source": m.get("source", "")}
    noted = [{**shared, **entry} if isinstance(entry, dict) else {"file": entry, **shared} for entry in listed]
    if sound.get("bed"):
        noted.append({"file": sound["bed"], **{key: sound.get(key, "") for key in ("licence", "source", "credit")}})
    return photos, tuple(Asset(**entry) for entry in noted if any(entry.get(key) for key in ("licence", "source", "credit")))


def _prompt(m: Layer, first: str, where: Path, faults: list[Fault]) -> Prompt | None:
    """The picture's words are those of the first language, so that a picture is made once for all."""
    exclude = m.get("exclude", ())
    try:
        subject = m.get("subject") or _Say(first)(m, "name")
    except MissingError as error:
        faults.append(_missing(error, where))
        return None
    return Prompt(
        subject, m.get("lighting", ""), m.get("background", ""), m.get("depth", ""),
        (exclude,) if isinstance(exclude, str) else tuple(exclude), m.get("doing", ""),
    )  # fmt: skip


def _ground(entry: Layer) -> Ground:
    style = entry.get("style") or ("plate" if entry.get("plate") else "studio")
    plate = entry.get("plate", "") if style == "plate" else ""
    return Ground(style, tuple(color.lower() for color in entry.get("colors", ())), plate)


def _captions(value: Any, say: _Say) -> tuple[Caption, ...]:
    if not isinstance(value, list):
        return ()
    made = []
    for number, entry in enumerate(value):
        path = ("captions", number)
        if isinstance(entry, dict) and "text" in entry:
            text = say.text(entry["text"], (*path, "text"))
            made.append(Caption(text, _number(entry.get("at")), _number(entry.get("for"))))
        else:
            made.append(Caption(say.text(entry, path)))
    return tuple(caption for caption in made if caption.text)


def _offer(entry: Layer | None, say: _Say) -> Offer:
    if entry is None:
        return NO_OFFER
    return Offer(*(say(entry, key, ("offer",)) for key in ("price", "was", "text")))


def _post(entry: Layer | None, say: _Say) -> Post:
    if entry is None:
        return NO_POST
    title, description, alt = (say(entry, key, ("post",)) for key in ("title", "description", "alt"))
    tags = entry.get("hashtags", ())
    if isinstance(tags, dict):
        language = say.language if say.language in tags else say.language.partition("-")[0]
        tags = tags.get(language, ())
    return Post(title, description, tuple(tags), alt)


def _end_card(value: Any) -> float:
    if isinstance(value, dict):
        return float(value.get("for", END_CARD))
    return END_CARD if value else 0.0


def _layer(entry: Layer) -> Footage:
    shape = entry.get("shape", "full" if entry.get("place") == "full" else "rounded")
    return Footage(
        entry["file"], float(entry.get("at", 0)), _number(entry.get("for")), entry.get("place", "bottom-right"), shape,
        float(entry.get("width", 0.36)),
    )  # fmt: skip


def _word(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _number(value: Any) -> float | None:
    return None if value is None else float(value)


def _unless_none(word: str) -> str:
    return "" if word == "none" else word
