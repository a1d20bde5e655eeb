"""The guarded reader of pictures: header and limits first, then one decoder, then plain sRGB pixels.

Reads PNG, JPEG, WebP and the first frame of GIF, by content. What it gives has no metadata, no profile, no
orientation left to apply. The caller's process is a limited child; this only keeps what is handed to the decoder
small and sane. Knows nothing of products or clips.
"""

import os
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from clipbuild.errors import MediaError, shown
from clipbuild.media import headers
from clipbuild.media.headers import DamagedError, Header

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image

    Bytes = NDArray[np.uint8]

READ = "PNG, JPEG, WebP and GIF"
LARGEST_PROFILE = 4 << 20
HEAD = 256 << 10
"""How much of a file is read to find its size."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one picture may be: bytes of the file, pixels, and pixels of its longer side."""

    bytes: int = 64 << 20
    pixels: int = 64_000_000
    side: int = 16_384


DEFAULT = Limits()


def size(path: str, *, name: str = "", limits: Limits = DEFAULT) -> tuple[int, int]:
    """Width and height as seen, from the header alone. Raises MediaError for what `read` would refuse unseen."""
    try:
        return _checked(path, name, limits, HEAD)[1].size
    except MediaError:  # the size may stand behind a large preview
        return _checked(path, name, limits)[1].size


def read(path: str, *, name: str = "", side: int = 0, limits: Limits = DEFAULT) -> "tuple[Bytes, Bytes | None]":
    """The picture as sRGB pixels HxWx3 and its alpha HxW (None: opaque), 8 bit, upright.

    `side` > 0: a larger picture is read smaller, its longer side at most that. Raises MediaError for a file that is
    over a limit, damaged, cut short or of another kind. `name` is what the error calls it.
    """
    name = name or os.path.basename(path)
    data, header = _checked(path, name, limits)
    try:
        image = _decode(headers.plain(data, header), header, side)
    except DamagedError as error:
        raise _refused(name, str(error), hint=_instead(str(error))) from None
    except MediaError:
        raise
    except Exception as error:  # decoders raise whatever they like
        why = "cut short" if "truncated" in str(error) else f"can't be decoded ({type(error).__name__})"
        raise _refused(name, why, shown(error, 120), _instead(why)) from None
    return _pixels(_upright(image, header.orientation))


def _checked(path: str, name: str, limits: Limits, most: int = 0) -> tuple[bytes, Header]:
    name = name or os.path.basename(path)
    data = _load(path, name, limits, most)
    try:
        header = headers.look(data)
    except DamagedError as error:
        raise _refused(name, str(error), hint=_instead(str(error))) from None
    width, height = header.stored
    if width < 1 or height < 1:
        raise _refused(name, "has no pixels")
    if max(width, height) > limits.side:
        raise _over(name, "longer side", f"{max(width, height):,} px", f"{limits.side:,} px")
    if width * height > limits.pixels:
        raise _over(name, "pixels", f"{width * height / 1e6:,.1f} million", f"{limits.pixels / 1e6:,.0f} million")
    return data, header


def _instead(why: str) -> str:
    if why.endswith("HEIC"):
        return "export it as JPEG; on an iPhone, Settings > Camera > Formats > Most Compatible takes JPEGs from now on"
    if why.startswith("not a picture"):
        return f"export it as PNG or JPEG: {READ} are read"
    return "copy or export it again"


def _load(path: str, name: str, limits: Limits, most: int) -> bytes:
    """The file's bytes: regular files only, without waiting for a pipe or device."""
    try:
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))
    except OSError as error:
        raise _refused(name, f"can't be opened: {error.strerror}") from None
    info = os.fstat(handle)
    if not stat.S_ISREG(info.st_mode):
        os.close(handle)
        raise _refused(name, "is no regular file")
    with os.fdopen(handle, "rb") as file:
        if info.st_size > limits.bytes:
            raise _over(name, "file", f"{info.st_size / 2**20:,.1f} MiB", f"{limits.bytes >> 20} MiB")
        return file.read(most or limits.bytes + 1)


def _refused(name: str, why: str, detail: str = "", hint: str = "") -> MediaError:
    facts = [("decoder", detail)] if detail else []
    return MediaError(f"{shown(name, 200)}: {why}", facts, hint)


def _over(name: str, what: str, found: str, limit: str) -> MediaError:
    facts = [(what, found), ("limit", limit)]
    return MediaError(f"{shown(name, 200)}: the picture is too large", facts, "export it smaller; 4,096 px is plenty")


def _decode(data: bytes, header: Header, side: int) -> "Image":
    import io

    from PIL import Image, ImageFile

    ImageFile.LOAD_TRUNCATED_IMAGES = False
    image = Image.open(io.BytesIO(data), formats=[header.format])
    if image.size != header.stored:
        raise DamagedError("its size is not what its header says")
    if len(image.info.get("icc_profile") or b"") > LARGEST_PROFILE:
        raise DamagedError("its colour profile is too large")
    longer = max(image.size)
    if side and longer > side and header.format == "JPEG":
        image.draft(None, (image.width * side // longer, image.height * side // longer))
    image.load()
    return _shrunk(_srgb(image), side)


def _srgb(image: "Image") -> "Image":
    """RGB or RGBA, in sRGB."""
    from PIL import Image, ImageCms

    profile = image.info.get("icc_profile")
    mode = "RGBA" if image.has_transparency_data else "RGB"
    if image.mode.startswith("I") or image.mode == "F":
        image = _deep_grey(image)
    elif image.mode not in ("RGB", "RGBA", "CMYK", "L") or (mode == "RGBA" and image.mode != "RGBA"):
        image = image.convert(mode)
    if profile:
        import io

        try:
            target = ImageCms.createProfile("sRGB")
            given = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            wanted = "RGBA" if image.mode == "RGBA" else "RGB"
            changed = ImageCms.profileToProfile(image, given, target, outputMode=wanted)
            image = changed if isinstance(changed, Image.Image) else image
        except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
            pass  # a profile that fits neither the pixels nor the format says nothing about them
    return image if image.mode == mode else image.convert(mode)


def _deep_grey(image: "Image") -> "Image":
    """16-bit grey as 8-bit grey: the decoder's own conversion would clip it to white."""
    import numpy as np
    from PIL import Image

    deep = np.asarray(image).astype(np.int64)
    return Image.fromarray((np.clip(deep, 0, 65535) * 255 // 65535).astype(np.uint8))


def _shrunk(image: "Image", side: int) -> "Image":
    longer = max(image.size)
    if not side or longer <= side:
        return image
    from PIL.Image import Resampling

    fit = (max(1, round(image.width * side / longer)), max(1, round(image.height * side / longer)))
    if image.mode == "RGBA":  # by weight of alpha, so that hidden colours don't bleed in
        return image.convert("RGBa").resize(fit, Resampling.LANCZOS, reducing_gap=3.0).convert("RGBA")
    return image.resize(fit, Resampling.LANCZOS, reducing_gap=3.0)


def _upright(image: "Image", orientation: int) -> "Image":
    from PIL.Image import Transpose

    turns = {2: Transpose.FLIP_LEFT_RIGHT, 3: Transpose.ROTATE_180, 4: Transpose.FLIP_TOP_BOTTOM,
             5: Transpose.TRANSPOSE, 6: Transpose.ROTATE_270, 7: Transpose.TRANSVERSE, 8: Transpose.ROTATE_90}  # fmt: skip
    return image.transpose(turns[orientation]) if orientation in turns else image


def _pixels(image: "Image") -> "tuple[Bytes, Bytes | None]":
    """Band by band: a picture at the limit must not be in memory three times."""
    import numpy as np

    if image.mode != "RGBA":
        return np.array(image), None
    rgb = np.empty((image.height, image.width, 3), np.uint8)
    for i in range(3):
        rgb[:, :, i] = np.asarray(image.getchannel(i))
    alpha: Any = np.array(image.getchannel(3))
    return rgb, None if alpha.min(initial=255) == 255 else alpha
