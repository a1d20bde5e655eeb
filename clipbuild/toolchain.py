"""Versions of the tools that shape free results. Asked once per binary and remembered; never shapes what is bought."""

import os
from collections.abc import Mapping
from typing import Protocol

PACKAGES = {"pillow": "pillow", "numpy": "numpy", "opencv": "opencv-python-headless", "freetype": "freetype-py",
            "harfbuzz": "uharfbuzz", "bidi": "python-bidi"}  # fmt: skip


class Memory(Protocol):
    """A small table that outlives the process."""

    def get(self, kind: str, key: str) -> bytes | None: ...

    def put(self, kind: str, key: str, data: bytes) -> None: ...


def versions(ffmpeg: str, memory: Memory) -> Mapping[str, str]:
    """Every tool's version by name. Raises MediaError when there is no usable ffmpeg."""
    from importlib.metadata import PackageNotFoundError, version

    from clipbuild.media import ffmpeg as door

    path = door.find(ffmpeg)
    stat = os.stat(path)
    stamp = f"{path}\0{stat.st_size}\0{stat.st_mtime_ns}"
    known = memory.get("tool", stamp)
    if known is None:
        known = door.version(path).encode()
        memory.put("tool", stamp, known)
    found = {"ffmpeg": known.decode()}
    for name, package in PACKAGES.items():
        try:
            found[name] = version(package)
        except PackageNotFoundError:
            found[name] = "absent"
    return found
