"""Pictures are read behind guards: limits first, then one decoder, then upright sRGB pixels and nothing else."""

import io
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from clipbuild.errors import MediaError
from clipbuild.media import pictures
from clipbuild.media.pictures import Limits


def saved(path: Path, image: Image.Image, **options: object) -> str:
    image.save(path, **options)
    return str(path)


def corner_marked(mode: str = "RGB") -> Image.Image:
    """Red in the upper left quarter, blue elsewhere."""
    image = Image.new("RGB", (48, 32), (20, 20, 220))
    image.paste((220, 20, 20), (0, 0, 24, 16))
    return image.convert(mode)


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.webp", "a.gif"])
def test_reads_each_format(tmp_path: Path, name: str) -> None:
    """The same picture in four formats gives the same pixels, nearly."""
    rgb, alpha = pictures.read(saved(tmp_path / name, corner_marked()))
    assert rgb.shape == (32, 48, 3)
    assert rgb.dtype == np.uint8
    assert alpha is None
    assert np.abs(rgb[4, 4].astype(int) - (220, 20, 20)).max() < 25
    assert np.abs(rgb[28, 40].astype(int) - (20, 20, 220)).max() < 25


def test_names_mean_nothing(tmp_path: Path) -> None:
    """A JPEG called .png is a JPEG."""
    path = tmp_path / "photo.png"
    corner_marked().save(path, "JPEG")
    assert pictures.read(str(path))[0].shape == (32, 48, 3)


@pytest.mark.parametrize("turn", range(1, 9))
def test_orientation_is_applied(tmp_path: Path, turn: int) -> None:
    """However the camera was held, the red quarter ends where a viewer sees it."""
    block = Image.Exif()
    block[0x0112] = turn
    path = saved(tmp_path / "a.jpg", corner_marked(), exif=block, quality=95)
    expected = np.asarray(__import__("PIL.ImageOps").ImageOps.exif_transpose(Image.open(path)))
    rgb, _ = pictures.read(path)
    assert rgb.shape == expected.shape
    assert pictures.size(path) == (rgb.shape[1], rgb.shape[0])
    assert np.abs(rgb.astype(int) - expected).max() <= 2


@pytest.mark.parametrize("mode", ["L", "P", "1", "CMYK"])
def test_every_mode_becomes_rgb(tmp_path: Path, mode: str) -> None:
    """Grey, palette, one-bit and CMYK pictures come as RGB of about the same lightness."""
    name = "a.jpg" if mode == "CMYK" else "a.png"
    rgb, alpha = pictures.read(saved(tmp_path / name, corner_marked(mode)))
    assert rgb.shape == (32, 48, 3)
    assert alpha is None
    expected = np.asarray(corner_marked(mode).convert("RGB")).astype(int)
    assert abs(rgb.astype(int).mean() - expected.mean()) < 6


def test_sixteen_bit_grey_keeps_its_range(tmp_path: Path) -> None:
    """16-bit grey is scaled, not clipped to white."""
    deep = Image.fromarray(np.tile(np.linspace(0, 65535, 256, dtype=np.uint16), (16, 1)))
    rgb, _ = pictures.read(saved(tmp_path / "a.png", deep))
    assert np.array_equal(rgb[0, :, 0], np.arange(256))


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_alpha_is_given_apart(tmp_path: Path, mode: str) -> None:
    """Transparency comes as its own plane; a picture that is opaque all over has none."""
    image = Image.new("RGBA", (20, 10), (200, 200, 200, 0))
    image.paste((60, 60, 60, 255), (5, 2, 15, 8))
    rgb, alpha = pictures.read(saved(tmp_path / "a.png", image.convert(mode)))
    assert alpha is not None
    assert (alpha[4, 10], alpha[0, 0]) == (255, 0)
    assert rgb[4, 10].tolist() == [60, 60, 60]
    assert pictures.read(saved(tmp_path / "b.png", Image.new(mode, (8, 8), (9, 9, 9, 255)[: len(mode)] if mode == "RGBA" else (9, 255))))[1] is None


def test_palette_transparency_is_alpha(tmp_path: Path) -> None:
    """A palette colour marked as clear is clear."""
    image = Image.new("P", (10, 10), 0)
    image.putpalette([255, 0, 0, 0, 255, 0])
    image.paste(1, (0, 0, 5, 10))
    _, alpha = pictures.read(saved(tmp_path / "a.png", image, transparency=1))
    assert alpha is not None
    assert (alpha[5, 2], alpha[5, 8]) == (0, 255)


def test_colours_are_brought_to_srgb(tmp_path: Path) -> None:
    """A profile with other primaries changes the numbers; a broken one is ignored."""
    image = Image.new("RGB", (8, 8), (100, 160, 200))
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    swapped = lab.replace(lab[lab.index(b"rXYZ") + 4 : lab.index(b"rXYZ") + 8], b"\0\0\0\0")
    same, _ = pictures.read(saved(tmp_path / "a.png", image, icc_profile=lab))
    assert np.abs(same[0, 0].astype(int) - (100, 160, 200)).max() <= 1
    for name, profile in (("b.png", b"not a profile" * 20), ("c.png", swapped)):
        assert pictures.read(saved(tmp_path / name, image, icc_profile=profile))[0].shape == (8, 8, 3)


def test_only_the_first_frame_of_a_gif(tmp_path: Path) -> None:
    """An animation is its first frame."""
    frames = [Image.new("RGB", (10, 10), colour) for colour in ("red", "blue", "green")]
    path = tmp_path / "a.gif"
    frames[0].save(path, save_all=True, append_images=frames[1:])
    assert pictures.read(str(path))[0][5, 5].tolist() == [255, 0, 0]


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        (Limits(bytes=100), "MiB"),
        (Limits(pixels=1000), "million"),
        (Limits(side=40), "px"),
    ],
)
def test_limits_are_named_with_what_was_found(tmp_path: Path, limits: Limits, said: str) -> None:
    """Each limit stops the picture before it is decoded, and says the limit and the value."""
    path = saved(tmp_path / "a.png", Image.effect_noise((48, 32), 60))
    with pytest.raises(MediaError, match="too large") as caught:
        pictures.read(path, limits=limits)
    assert [name for name, _ in caught.value.facts][1] == "limit"
    assert all(said in value for _, value in caught.value.facts)
    assert caught.value.hint


def test_cut_files_are_refused(tmp_path: Path) -> None:
    """A picture that ends early is refused in every format, at any cut; none is padded with grey."""
    for name in ("a.png", "a.jpg", "a.webp", "a.gif"):
        data = Path(saved(tmp_path / name, Image.effect_noise((64, 64), 80).convert("RGB"))).read_bytes()
        for share in (0.2, 0.5, 0.9):
            (tmp_path / "cut").write_bytes(data[: int(share * len(data))])
            with pytest.raises(MediaError):
                pictures.read(str(tmp_path / "cut"), name=name)


def test_only_regular_files(tmp_path: Path) -> None:
    """A pipe does not hang, a folder and a missing file are told apart."""
    os.mkfifo(tmp_path / "pipe")
    for path, said in ((tmp_path / "pipe", "regular"), (tmp_path, "regular"), (tmp_path / "gone", "opened")):
        with pytest.raises(MediaError, match=said):
            pictures.read(str(path))


def test_names_are_shown_escaped(tmp_path: Path) -> None:
    """A file's name can't write to the terminal."""
    with pytest.raises(MediaError) as caught:
        pictures.read(str(tmp_path / "gone"), name="a\x1b[31mb\u202e.png")
    assert "\x1b" not in str(caught.value)
    assert "\u202e" not in str(caught.value)


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_large_pictures_are_read_smaller(tmp_path: Path, mode: str) -> None:
    """With a side given, the longer side is exactly that and the proportions stay; smaller pictures are as they are."""
    path = saved(tmp_path / ("a.jpg" if mode == "RGB" else "a.png"), Image.new(mode, (900, 300), "red"))
    assert pictures.read(path, side=300)[0].shape == (100, 300, 3)
    assert pictures.read(path, side=2000)[0].shape == (300, 900, 3)


def test_hidden_colours_do_not_bleed_when_shrunk(tmp_path: Path) -> None:
    """The colour under clear pixels never shows at a smaller size."""
    image = Image.new("RGBA", (400, 400), (255, 0, 0, 0))
    image.paste((0, 0, 255, 255), (100, 100, 301, 301))
    rgb, alpha = pictures.read(saved(tmp_path / "a.png", image), side=133)
    assert alpha is not None
    assert rgb[alpha > 8][:, 0].max() < 12


def test_size_reads_little(tmp_path: Path) -> None:
    """The size of a large file is known from its first part, and also when it stands behind a large preview."""
    out = io.BytesIO()
    corner_marked().save(out, "JPEG")
    data = out.getvalue()
    filler = b"\xff\xe5\xff\xff" + b"x" * 65533
    (tmp_path / "a.jpg").write_bytes(data[:2] + filler * 8 + data[2:])
    assert pictures.size(str(tmp_path / "a.jpg")) == (48, 32)
