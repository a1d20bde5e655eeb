"""What a file says of itself is read without a decoder; the plain form keeps nothing but pixels."""

import io
import struct
import zlib

import pytest
from PIL import Image, PngImagePlugin

from clipbuild.media import headers
from clipbuild.media.headers import DamagedError


def packed(kind: str, size: tuple[int, int] = (40, 30), **options: object) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, (200, 40, 40)).save(out, kind, **options)
    return out.getvalue()


def exif(orientation: int) -> bytes:
    block = Image.Exif()
    block[0x0112] = orientation
    block[0x010E] = "canary-text"
    return block.tobytes()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF"])
def test_size_and_format_come_from_the_content(kind: str) -> None:
    """Each of the four formats is known by its bytes and gives its size."""
    header = headers.look(packed(kind))
    assert (header.format, header.size) == (kind, (40, 30))


def test_webp_sizes_of_all_three_kinds() -> None:
    """Lossy, lossless and extended WebP keep their sizes in different places."""
    assert headers.look(packed("WEBP", lossless=True)).size == (40, 30)
    assert headers.look(packed("WEBP", exif=exif(1))).size == (40, 30)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize(("turn", "size"), [(1, (40, 30)), (3, (40, 30)), (6, (30, 40)), (8, (30, 40))])
def test_orientation_turns_the_size(kind: str, turn: int, size: tuple[int, int]) -> None:
    """A picture lying on its side is as wide as it is seen."""
    header = headers.look(packed(kind, exif=exif(turn)))
    assert header.orientation == turn
    assert header.size == size


@pytest.mark.parametrize("turn", [0, 9, 65535])
def test_senseless_orientation_is_none(turn: int) -> None:
    """Orientations that do not exist leave the picture as it is."""
    assert headers.look(packed("JPEG", exif=exif(turn))).orientation == 1


def test_the_plain_form_has_no_metadata() -> None:
    """EXIF, XMP, comments, text and what follows the end are gone; the pixels are not."""
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", "canary-text")
    png = packed("PNG", pnginfo=text, exif=exif(1)) + b"canary-text"
    jpeg = packed("JPEG", exif=exif(6), comment=b"canary-text", xmp=b"canary-text")
    for data in (png, jpeg):
        assert b"canary-text" in data
        plain = headers.plain(data, headers.look(data))
        assert b"canary-text" not in plain
        assert Image.open(io.BytesIO(plain)).convert("RGB").getpixel((5, 5)) == pytest.approx((200, 40, 40), abs=4)


def test_the_plain_form_keeps_the_colour_profile() -> None:
    """A profile shapes how pixels look: it stays."""
    from PIL import ImageCms

    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for kind in ("PNG", "JPEG"):
        data = packed(kind, icc_profile=profile)
        assert Image.open(io.BytesIO(headers.plain(data, headers.look(data)))).info["icc_profile"] == profile


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "empty"),
        (b"%!PS-Adobe", "PostScript"),
        (b"%PDF-1.7", "PDF"),
        (b"<svg xmlns", "SVG"),
        (b"\0\0\0\x1cftypheic", "but HEIC"),
        (b"\0\0\0\x1cftypavif", "but AVIF"),
        (b"\0\0\0\x1cftypisom", "but a video"),
        (b"\x89PNG\r\n\x1a\n", "cut short"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF", "cut short"),
        (b"GIF89a", "cut short"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "cut short"),
    ],
)
def test_other_things_are_refused_by_name(data: bytes, said: str) -> None:
    """What is no picture is refused with a word of what it seems to be."""
    with pytest.raises(DamagedError, match=said):
        headers.look(data)


def test_a_wrong_checksum_is_seen() -> None:
    """One flipped bit in the pixel data of a PNG is refused: the decoder itself would not look."""
    data = bytearray(packed("PNG"))
    data[data.index(b"IDAT") + 6] ^= 1
    with pytest.raises(DamagedError, match="checksum"):
        headers.plain(bytes(data), headers.look(bytes(data)))


def test_a_text_bomb_is_refused_and_small_text_is_not() -> None:
    """Packed text counts what it unpacks to, over all its parts."""
    png = packed("PNG")

    def with_text(length: int, parts: int) -> bytes:
        body = b"Comment\0\0" + zlib.compress(b"a" * length, 9)
        chunk = struct.pack(">I", len(body)) + b"zTXt" + body + struct.pack(">I", zlib.crc32(b"zTXt" + body))
        return png[:33] + chunk * parts + png[33:]

    small, large, many = with_text(10_000, 1), with_text(20 << 20, 1), with_text(3 << 20, 6)
    assert headers.plain(small, headers.look(small)) == headers.plain(png, headers.look(png))
    for data in (large, many):
        with pytest.raises(DamagedError, match="unpacks to more"):
            headers.plain(data, headers.look(data))
