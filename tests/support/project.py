"""A project in a temporary folder, driven through the real command line in the same process."""

import contextlib
import io
import json
import os
import pathlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from clipbuild.cli.main import main

CONFIG = """\
catalog: catalog/*.yaml
brand:
  name: Test
  colors: {primary: "#24443a", accent: "#e0a43a"}
defaults:
  platforms: [tiktok]
  motion: push-in
  duration: 1
"""


@dataclass
class Built:
    """What a build said."""

    status: int
    ran: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    plain: dict[str, Any] = field(default_factory=dict)
    text: str = ""

    def stages(self) -> list[str]:
        """The last part of every action that ran, sorted."""
        return sorted(name.rsplit("/", 1)[1] for name in self.ran)


class Project:
    """`write` files, `build`, and ask which actions ran. Builds use the free local provider and the draft profile,
    which encodes small and fast, unless told otherwise."""

    env: dict[str, str] | None = None
    """The user's environment; None: that of the tests."""

    def __init__(self, root: pathlib.Path, profile: str = "draft") -> None:
        self.root, self.profile = root, profile

    @property
    def tree(self) -> pathlib.Path:
        """The output folder of the profile."""
        return self.root / ("dist" if self.profile == "final" else f"dist.{self.profile}")

    def write(self, path: str, text: str | bytes) -> pathlib.Path:
        """Write a file of the project."""
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(text.encode() if isinstance(text, str) else text)
        return target

    def edit(self, path: str, old: str, new: str) -> None:
        """Replace text in a file of the project; it must be there."""
        text = (self.root / path).read_text(encoding="utf-8")
        assert old in text, (old, text)
        self.write(path, text.replace(old, new))

    def photo(self, path: str, colour: str = "#a33", size: tuple[int, int] = (400, 500)) -> None:
        """A product photo: a shape on a plain ground."""
        from PIL import Image, ImageDraw

        picture = Image.new("RGB", size, "#eeeeee")
        w, h = size
        ImageDraw.Draw(picture).rounded_rectangle((w * 0.3, h * 0.25, w * 0.7, h * 0.85), 20, fill=colour)
        out = io.BytesIO()
        picture.save(out, "PNG")
        self.write(path, out.getvalue())

    def sample(self, count: int = 1) -> None:
        """A project of `count` small products."""
        self.write("clipbuild.yaml", CONFIG)
        rows = ["products:"]
        for n in range(count):
            self.photo(f"photos/p{n}.png", f"#{(n * 37) % 200 + 40:02x}3344")
            rows += [f"  - sku: item-{n}", f"    name: Item {n}", f"    photos: photos/p{n}.png",
                     "    captions: [Hello there]", "    offer: {price: €5}"]  # fmt: skip
        self.write("catalog/all.yaml", "\n".join(rows) + "\n")

    def run(self, *args: str) -> tuple[int, str, str]:
        """Run a command in the project: status, stdout, stderr."""
        out, err = io.StringIO(), io.StringIO()
        status = 0
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), _environment(self.env):
            try:
                main(["-C", str(self.root), *args])
            except SystemExit as end:
                status = int(end.code or 0)
        return status, out.getvalue(), err.getvalue()

    def build(self, *args: str) -> Built:
        """Build and report which actions ran."""
        status, out, err = self.run("build", "--json", "--profile", self.profile, *args)
        if not out:
            return Built(status, text=err)
        plain = json.loads(out)
        if "error" in plain:
            return Built(status, plain=plain, text=err)
        return Built(status, plain["ran"], plain["failed"], plain, err)

    def plan(self) -> list[dict[str, Any]]:
        """The actions that would or may run."""
        _, out, _ = self.run("plan", "--json", "--profile", self.profile)
        found = json.loads(out)["actions"]
        assert isinstance(found, list)
        return found

    def files(self) -> dict[str, bytes]:
        """Every file of the output tree."""
        return {
            str(path.relative_to(self.tree)): path.read_bytes() for path in sorted(self.tree.rglob("*")) if path.is_file()
        }


@contextlib.contextmanager
def _environment(wanted: dict[str, str] | None) -> Iterator[None]:
    """The process's environment for a while."""
    before = dict(os.environ)
    try:
        if wanted is not None:
            os.environ.clear()
            os.environ.update(wanted)
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
