"""Labels inside files: readable by others, the same bytes each time, and nothing else in the file moves."""

import io
import subprocess
from xml.etree import ElementTree

import pytest
from PIL import Image

from clipbuild.errors import MediaError
from clipbuild.media import ffmpeg, labels

LABEL = {"DigitalSourceType": "http://cv.iptc.org/newscodes/digitalsourcetype/composite", "CreatorTool": "clip & build"}


@pytest.fixture(scope="module")
def clip(tmp_path_factory) -> bytes:
    """A small MP4 with its index in front."""
    path = tmp_path_factory.mktemp("clip") / "a.mp4"
    source = ["-f", "lavfi", "-i", "testsrc2=size=64x64:rate=10:duration=1"]
    flags = ["-pix_fmt", "yuv420p", "-movflags", "+faststart", "-fflags", "+bitexact", str(path)]
    subprocess.run([ffmpeg.find(), "-v", "error", *source, *flags], check=True)
    return path.read_bytes()


@pytest.fixture
def jpeg() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (32, 32), "#a33").save(out, "JPEG")
    return out.getvalue()


@pytest.fixture(params=["jpeg", "clip"])
def path(request, tmp_path):
    """A JPEG or an MP4 of one's own."""
    target = tmp_path / ("a.jpg" if request.param == "jpeg" else "a.mp4")
    target.write_bytes(request.getfixturevalue(request.param))
    return target


def test_what_is_put_is_read(path):
    """The packet is well-formed XML with the address that IPTC gave the source type."""
    assert labels.read(str(path)) == b""
    labels.put(str(path), LABEL)
    xml = ElementTree.fromstring(labels.read(str(path)))
    said = {element.tag.rsplit("}")[-1]: element.text for element in xml.iter() if element.text}
    assert said == LABEL


def test_the_same_label_gives_the_same_bytes(path):
    """Twice the same is once; another label takes the place of the first."""
    labels.put(str(path), LABEL)
    once = path.read_bytes()
    labels.put(str(path), LABEL)
    assert path.read_bytes() == once
    labels.put(str(path), {"CreatorTool": "another"})
    labels.put(str(path), LABEL)
    assert path.read_bytes() == once


def test_the_picture_is_the_same_picture(tmp_path, jpeg):
    """Pixels are untouched, and Pillow finds the packet."""
    path = tmp_path / "a.jpg"
    path.write_bytes(jpeg)
    labels.put(str(path), LABEL)
    with Image.open(path) as labelled, Image.open(io.BytesIO(jpeg)) as plain:
        assert labelled.tobytes() == plain.tobytes()
        assert b"digitalsourcetype/composite" in labelled.info["xmp"]


def test_the_clip_is_the_same_clip(tmp_path, clip):
    """All bytes of the clip stay where they were, the index in front, and every frame decodes."""
    path = tmp_path / "a.mp4"
    path.write_bytes(clip)
    labels.put(str(path), LABEL)
    labelled = path.read_bytes()
    assert labelled.startswith(clip)
    kinds = [kind for kind, _, _ in labels._boxes(str(path))]
    assert kinds.index(b"moov") < kinds.index(b"mdat") < kinds.index(b"uuid")
    command = [ffmpeg.find(), "-v", "error", "-xerror", "-i", str(path), "-f", "null", "-"]
    done = subprocess.run(command, capture_output=True, check=True)
    assert done.stderr == b""


@pytest.mark.parametrize("data", [b"", b"GIF89a", b"\xff\xd8\xff\xe0\xff\xff", b"\0\0\0\x20ftypisom", b"\0\0\0\x01ftyp"])
def test_what_is_damaged_or_something_else_is_refused(tmp_path, data):
    """A MediaError, and the file stays as it was."""
    path = tmp_path / "a"
    path.write_bytes(data)
    with pytest.raises(MediaError):
        labels.put(str(path), LABEL)
    assert path.read_bytes() == data


def test_a_label_has_only_what_it_has_a_place_for():
    """Unknown names and endless text are refused."""
    with pytest.raises(ValueError, match="place"):
        labels.packet({"Author": "x"})
    with pytest.raises(ValueError, match="long"):
        labels.packet({"CreatorTool": "x" * 70_000})
