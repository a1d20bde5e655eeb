"""What a catalog means once everything is resolved: clips, platforms, brand. Plain frozen data, no behaviour.

A clip is one SKU × variant × language with defaults ← brand ← recipe ← SKU applied. Paths are relative to the
workspace, with forward slashes. Lengths are seconds, sizes pixels, colours "#rrggbb".
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Place:
    """Where something is written: file and 1-based line and column."""

    file: str
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in pixels: x0, y0 inside, x1, y1 outside."""

    x0: int
    y0: int
    x1: int
    y1: int


@dataclass(frozen=True, slots=True)
class Spec:
    """What shapes an encode. Platforms of one spec share it. `safe` is where captions may stand."""

    name: str
    width: int
    height: int
    fps: int
    safe: Box
    crf: int = 20
    preset: str = "veryfast"
    maxrate_kbps: int = 12000
    audio_kbps: int = 128
    audio_rate: int = 48000


@dataclass(frozen=True, slots=True)
class Platform:
    """Where a clip is delivered: a folder name, a spec and the place's limits. `free` is what this app alone leaves
    uncovered of the frame; the spec's `safe` box is what all of its platforms do."""

    name: str
    spec: Spec
    max_seconds: float
    max_bytes: int
    title_limit: int
    description_limit: int
    hashtag_limit: int
    min_seconds: float = 0.0
    free: Box | None = None


@dataclass(frozen=True, slots=True)
class Font:
    """A font file of the brand, or "" for the shipped one."""

    heading: str = ""
    body: str = ""


@dataclass(frozen=True, slots=True)
class Brand:
    """What all clips of a project share to the eye and ear."""

    name: str = ""
    primary: str = "#1f2937"
    accent: str = "#e0a43a"
    background: str = "#f3efe8"
    text: str = "#ffffff"
    fonts: Font = field(default_factory=Font)
    logo: str = ""
    hashtags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Asset:
    """Where a file of the catalog comes from and on what terms it is used. Carried along; shapes no picture."""

    file: str
    licence: str = ""
    source: str = ""
    credit: str = ""


@dataclass(frozen=True, slots=True)
class Prompt:
    """The fields an image prompt is composed of."""

    subject: str = ""
    lighting: str = ""
    background: str = ""
    depth: str = ""
    exclude: tuple[str, ...] = ()
    doing: str = ""


@dataclass(frozen=True, slots=True)
class Ground:
    """What the local image provider composes the product onto: `style` is plain, gradient, blur, studio or plate.

    `colors` are one or two colours (empty: the brand's); `plate` is the background picture of a scene.
    """

    style: str = "studio"
    colors: tuple[str, ...] = ()
    plate: str = ""


@dataclass(frozen=True, slots=True)
class Motion:
    """The move: a name of the motion library or "auto", how much of its range (0–1, None: the library's own)."""

    name: str = "push-in"
    amount: float | None = None
    loop: bool = False


@dataclass(frozen=True, slots=True)
class Caption:
    """A timed text. `at` or `seconds` None: spread over the clip by reading speed.

    `words` are the times of its words, where a file has them: first and last character, start and end.
    """

    text: str
    at: float | None = None
    seconds: float | None = None
    words: tuple[tuple[int, int, float, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Offer:
    """What is offered: price and earlier price as written, and a line of text."""

    price: str = ""
    was: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Sound:
    """The bed: a sound file ("" for silence), its gain in dB, and a bought clip's own sound: keep, mix or drop."""

    bed: str = ""
    gain: float = 0.0
    own: str = "mix"


@dataclass(frozen=True, slots=True)
class Footage:
    """A picture or clip of the user's own that lies on the clip for a while.

    `place` is a name of the nine places ("top-left" … "bottom-right", "middle") or "full"; `shape` is box, rounded,
    circle or full; `width` the share of the frame's width it takes. `seconds` None: to the end.
    """

    file: str
    at: float = 0.0
    seconds: float | None = None
    place: str = "bottom-right"
    shape: str = "rounded"
    width: float = 0.36


@dataclass(frozen=True, slots=True)
class Post:
    """The words that go with the clip when it is posted."""

    title: str = ""
    description: str = ""
    hashtags: tuple[str, ...] = ()
    alt: str = ""


@dataclass(frozen=True, slots=True)
class Reference:
    """What keeps the subject of a product's shots the same. `kind` is photo (a picture among the clip's photos), first
    (the picture of the first shot) or batch (all pictures in one request).

    `number` is the shot's own place; `shots` are those that are asked for it: none, the first, or all.
    """

    kind: str
    number: int
    shots: tuple["Clip", ...] = ()


@dataclass(frozen=True, slots=True)
class Clip:
    """One resolved clip. `id` is `sku[.variant][.language]` and only names files: it shapes no result."""

    id: str
    sku: str
    variant: str
    language: str
    recipe: str
    name: str
    photos: tuple[str, ...]
    prompt: Prompt
    ground: Ground
    motion: Motion
    seconds: float
    captions: tuple[Caption, ...]
    caption_style: str
    hook: str
    offer: Offer
    cta: str
    sound: Sound
    brand: Brand
    post: Post
    platforms: tuple[str, ...]
    image_provider: str
    motion_provider: str
    takes: int
    place: Place
    lang_suffix: bool = False
    extra: Mapping[str, str] = field(default_factory=dict)
    """Keys of the product that start with `x-`: for templates only."""
    caption_file: str = ""
    """Timed captions from an .srt or .vtt file, instead of `captions`."""
    auto_captions: bool = False
    """Captions are made from what is spoken: from `words`, else from a transcription, guided by `script`."""
    script: str = ""
    """What is spoken, as text."""
    words: str = ""
    """A file with the times of the spoken words."""
    end_card: float = 0.0
    """How long the end card stands at the end of the clip; 0 for none."""
    layers: tuple[Footage, ...] = ()
    priority: str = "normal"
    """hero or normal: for routes."""
    picture: str = ""
    """How a model makes the picture: generate, edit (from the photo) or composite (photo onto a made ground); "" as
    the provider does it best."""
    fallback: tuple[str, ...] = ()
    """Which providers may stand in when the wanted one fails, in order; none unless written."""
    review: str = ""
    """required: a person must approve the clip before it counts."""
    assets: tuple[Asset, ...] = ()
    reference: Reference | None = None
    """For one of several shots of one subject."""


@dataclass(frozen=True, slots=True)
class Profile:
    """How good and how dear: which providers, and how the encode is scaled and paced. `draft` is small and free.

    `preset` "" and `crf` 0 leave the spec's own.
    """

    name: str
    image: str = "local"
    motion: str = "local"
    scale: float = 1.0
    preset: str = ""
    crf: int = 0
    paid: bool = True
    """False: whatever routes and products say, everything is made locally."""


@dataclass(frozen=True, slots=True)
class Route:
    """A rule of who makes what: the first one that fits a clip and names a provider for the part counts.

    `recipe` and `priority` "" and `sound` None fit every clip; `sound` means that the clip keeps a bought clip's sound.
    """

    recipe: str = ""
    priority: str = ""
    sound: bool | None = None
    image: str = ""
    motion: str = ""


@dataclass(frozen=True, slots=True)
class Project:
    """clipbuild.yaml, resolved. `budget` values are decimal USD text, "" for none. `profile` is the one in force, `usual`
    the one that is meant where none is named."""

    root: str
    output: str
    catalog: tuple[str, ...]
    platforms: Mapping[str, Platform]
    profiles: Mapping[str, Profile]
    pools: Mapping[str, int]
    budget_build: str = ""
    budget_month: str = ""
    takes: int = 1
    approve: str = ""
    routes: tuple[Route, ...] = ()
    profile: str = "final"
    usual: str = "final"
