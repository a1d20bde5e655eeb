"""What the schema can't say of a layer, a product or a clip: names of the library, files, lengths.

Each is judged where it is written. Knows which files and names there are only through what it is handed.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from clipbuild.catalog import names
from clipbuild.catalog.faults import Fault, near, unknown
from clipbuild.catalog.model import Clip, Project
from clipbuild.catalog.places import Path

Layer = Mapping[str, Any]

_CURLY = "“”„‟‘’‚‛"


@dataclass(frozen=True, slots=True)
class Known:
    """What the library has, so that a name in the catalog can be judged where it is written."""

    motions: Sequence[str]
    styles: Sequence[str]


@dataclass(frozen=True, slots=True)
class Judge:
    """What the schema can't say of a layer or a clip: names of the library, files, lengths."""

    target: Project
    brands: Iterable[str]
    known: Known
    exists: Callable[[str], bool]
    names: Callable[[str], list[str]]

    def project(self, raw: Layer) -> Iterator[Fault]:
        """The project file's own layers and files."""
        brands = [(("brand",), raw.get("brand", {})), *((("brands", n), b) for n, b in raw.get("brands", {}).items())]
        for path, brand in brands:
            yield from self._file(brand.get("logo"), (*path, "logo"))
            for font, file in brand.get("fonts", {}).items():
                yield from self._file(file, (*path, "fonts", font))
            yield from (fault.below((*path, "defaults")) for fault in self.layer(brand.get("defaults", {})))
        yield from (fault.below(("defaults",)) for fault in self.layer(raw.get("defaults", {})))
        for number, entry in enumerate(raw["catalog"] if isinstance(raw.get("catalog"), list) else ()):
            if isinstance(entry, dict):
                path = ("catalog", number, "defaults")
                yield from (fault.below(path) for fault in self.layer(entry.get("defaults", {})))
        for recipe, layer in raw.get("recipes", {}).items():
            yield from (fault.below(("recipes", recipe)) for fault in self.layer(layer))

    def product(self, product: Layer) -> Iterator[Fault]:
        """A product as written, with its variants."""
        if why := names.refused(product.get("sku", "")):
            yield Fault(("sku",), f"{product['sku']!r} {why}", "choose another sku")
        yield from self.layer(product)
        if "shots" in product and "variants" in product:
            yield Fault(("shots",), "a product has shots or variants, not both", "make two products of it")
        if "reference" in product and "shots" not in product:
            yield Fault(("reference",), "a reference is for several shots, and there are none", "write `shots:`, or `photos:`")
        for kind in ("variants", "shots"):
            yield from (fault.below((kind,)) for fault in self._versions(kind, product.get(kind, ())))

    def _versions(self, kind: str, versions: Sequence[Layer]) -> Iterator[Fault]:
        seen: dict[str, str] = {}
        for number, variant in enumerate(versions):
            name = variant["id"]
            if name.lower() in seen:
                yield Fault((number, "id"), f"two {kind} are called {seen[name.lower()]!r}", "rename one")
            seen.setdefault(name.lower(), name)
            if why := names.refused(name):
                yield Fault((number, "id"), f"{name!r} {why}", "choose another id")
            yield from (fault.below((number,)) for fault in self.layer(variant))

    def layer(self, layer: Layer) -> Iterator[Fault]:
        """Names and files of one layer."""
        motion = layer.get("motion")
        path: Path = ("motion",)
        name = motion
        if isinstance(motion, dict):
            name, path = motion.get("name"), ("motion", "name")
        if name is not None and name not in self.known.motions:
            yield unknown(path, "motion", name, list(self.known.motions))
        style = layer.get("caption_style")
        if style is not None and style not in self.known.styles:
            yield unknown(("caption_style",), "caption style", style, list(self.known.styles))
        for number, platform in enumerate(layer.get("platforms", ())):
            if platform not in self.target.platforms:
                yield unknown(("platforms", number), "platform", platform, list(self.target.platforms))
        brand = layer.get("brand")
        if brand is not None and brand not in self.brands:
            yield unknown(("brand",), "brand", brand, [b for b in self.brands if b])
        for path, file in _files(layer):
            yield from self._file(file, path)

    def _file(self, file: str | None, path: Path) -> Iterator[Fault]:
        if not file or self.exists(file):
            return
        if file[0] in _CURLY or file[-1] in _CURLY:
            yield Fault(path, f"{file!r} is not there", "curly quotes are part of a text; write straight ones or none")
            return
        folder, _, name = file.rpartition("/")
        close = near(name, self.names(folder))
        hint = f'did you mean "{folder + "/" if folder else ""}{close}"?' if close else ""
        if not folder and name in self.names("photos"):
            hint = f'did you mean "photos/{name}"?'
        yield Fault(path, f"{file!r} is not there", hint or "paths are relative to clipbuild.yaml")

    def clips(self, clips: Sequence[Clip]) -> list[Fault]:
        """What shows once a product is resolved."""
        every = (fault for clip in clips for fault in (*_named(clip), *self._lengths(clip), *_moments(clip)))
        return list(dict.fromkeys(every))

    def _lengths(self, clip: Clip) -> Iterator[Fault]:
        for name in clip.platforms:
            platform = self.target.platforms.get(name)
            if platform and not platform.min_seconds <= clip.seconds <= platform.max_seconds:
                what = f"{clip.seconds:g} s; {name} takes {platform.min_seconds:g} to {platform.max_seconds:g} s"
                yield Fault(("duration",), what, f"change `duration:`, or leave {name} out of `platforms:`")
        if not clip.photos and clip.recipe != "card":
            what = f"no photo, and a {clip.recipe} is made from one"
            yield Fault(("photos",), what, "write `photos: photos/name.jpg`")


def _named(clip: Clip) -> Iterator[Fault]:
    if not clip.name.strip():
        yield Fault(("name",), "an empty name", "write what the product is called: posts and cards say it")


def _moments(clip: Clip) -> Iterator[Fault]:
    """Times that lie behind the end of the clip."""
    end = f"the clip ends at {clip.seconds:g} s"
    begins = [*(("captions", n, caption.at) for n, caption in enumerate(clip.captions)),
              *(("layers", n, layer.at) for n, layer in enumerate(clip.layers))]  # fmt: skip
    for kind, number, at in begins:
        if at is not None and at >= clip.seconds:
            what = f"begins at {at:g} s; {end}"
            yield Fault((kind, number, "at"), what, "begin earlier, or make `duration:` longer")
    if clip.end_card >= clip.seconds:
        yield Fault(("end_card",), f"{clip.end_card:g} s of end card; {end}", "make one shorter or the other longer")


def _files(layer: Layer) -> Iterator[tuple[Path, str]]:
    """Every file that a layer names, with its path."""
    photos = layer.get("photos", ())
    for number, photo in enumerate(photos if isinstance(photos, list) else [photos] if photos else []):
        path: Path = ("photos", number) if isinstance(photos, list) else ("photos",)
        yield (path, photo) if isinstance(photo, str) else ((*path, "file"), photo["file"])
    sound = layer.get("sound")
    if isinstance(sound, str):
        yield ("sound",), sound
    elif isinstance(sound, dict) and "bed" in sound:
        yield ("sound", "bed"), sound["bed"]
    ground = layer.get("ground")
    if isinstance(ground, dict) and "plate" in ground:
        yield ("ground", "plate"), ground["plate"]
    for number, entry in enumerate(layer.get("layers", ())):
        yield ("layers", number, "file"), entry["file"]
    captions = layer.get("captions")
    if isinstance(captions, dict):
        yield from _by_language(("captions", "file"), captions["file"])
    yield from _by_language(("words",), layer.get("words", {}))
    if layer.get("reference", "first") not in ("first", "batch"):
        yield ("reference",), layer["reference"]


def _by_language(path: Path, value: Any) -> Iterator[tuple[Path, str]]:
    if isinstance(value, str):
        yield path, value
        return
    for language, file in value.items():
        yield (*path, language), file
