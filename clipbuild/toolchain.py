"""The tools that shape free results: where they are and their versions. Asked once per binary and remembered by what
the file system says of them; never shapes what is bought."""

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from importlib.util import find_spec
from typing import Protocol

PACKAGES = {"pillow": ("PIL", "pillow"), "numpy": ("numpy", "numpy"), "opencv": ("cv2", "opencv-python-headless"),
            "freetype": ("freetype", "freetype-py"), "harfbuzz": ("uharfbuzz", "uharfbuzz"),
            "bidi": ("bidi", "python-bidi")}  # fmt: skip
"""By the tool's name: the module that is imported, the package that brings it."""


class Memory(Protocol):
    """A small table that outlives the process."""

    def get(self, kind: str, key: str) -> bytes | None: ...

    def put(self, kind: str, key: str, data: bytes) -> None: ...


def program(ffmpeg: str, memory: Memory) -> str:
    """The path of the ffmpeg to use; `ffmpeg` is the one that was chosen. Raises MediaError when there is none."""
    from clipbuild.media import ffmpeg as door

    if ffmpeg:
        return door.find(ffmpeg)
    key = _stamp(_modules(["imageio_ffmpeg"])) + "\0" + os.environ.get("IMAGEIO_FFMPEG_EXE", "")
    if (known := memory.get("program", key)) and os.path.isfile(known):
        return known.decode()
    found = door.find()
    memory.put("program", key, found.encode())
    return found


def versions(ffmpeg: str, memory: Memory) -> Mapping[str, str]:
    """Every tool's version by name; `ffmpeg` as for `program`. Raises MediaError when there is no usable ffmpeg."""
    path = program(ffmpeg, memory)
    stamp = _stamp(files(path))
    known = memory.get("tools", stamp)
    if known is None:
        known = json.dumps(_ask(path)).encode()
        memory.put("tools", stamp, known)
    found: Mapping[str, str] = json.loads(known)
    return found


def files(ffmpeg: str) -> list[str]:
    """The files that another version of a tool would bring anew; `ffmpeg` is the path of the one in use."""
    return [ffmpeg, *_modules(module for module, _ in PACKAGES.values())]


def _ask(ffmpeg: str) -> dict[str, str]:
    from importlib.metadata import PackageNotFoundError, version

    from clipbuild.media import ffmpeg as door

    found = {"ffmpeg": door.version(ffmpeg)}
    for name, (_, package) in PACKAGES.items():
        try:
            found[name] = version(package)
        except PackageNotFoundError:
            found[name] = "absent"
    return found


def _modules(names: Iterable[str]) -> Iterator[str]:
    """The files by which modules are found, without importing them."""
    for name in names:
        spec = find_spec(name)
        if spec is not None and spec.origin:
            yield spec.origin


def _stamp(paths: Iterable[str]) -> str:
    rows = []
    for path in paths:
        facts = os.stat(path)
        rows.append(f"{path}\0{facts.st_size}\0{facts.st_mtime_ns}\0{facts.st_ino}")
    return "\0".join(rows)
