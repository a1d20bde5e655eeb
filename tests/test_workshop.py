"""One action's run: what goes wrong in a stage is told with the action's name and the project's own file."""

import asyncio
import pathlib
from collections.abc import Mapping
from typing import Any

import pytest

from clipbuild import digest, events
from clipbuild.engine.action import Action
from clipbuild.engine.store import Store
from clipbuild.errors import ActionError, ClipbuildError, MediaError
from clipbuild.workshop import Workshop


class Broken:
    """Workers whose every task ends with this error."""

    def __init__(self, error: ClipbuildError) -> None:
        self.error = error

    async def run(self, *_: Any) -> Mapping[str, Any]:
        raise self.error


def told(tmp_path: pathlib.Path, error: ClipbuildError, *files: tuple[str, str]) -> str:
    """What a person is told of `error` in a stage whose inputs are these (role, path below the project)."""
    origins, inputs = {}, {}
    for role, path in files:
        source = tmp_path / "shop" / path
        source.parent.mkdir(parents=True, exist_ok=True)
        source.write_text(path)
        inputs[role] = digest.of_bytes(path.encode())
        origins[inputs[role]] = str(source)
    (tmp_path / "tmp").mkdir()
    shop = Workshop(
        Store(str(tmp_path / "store")), origins, {}, str(tmp_path / "tmp"), Broken(error), events.Bus(lambda: 0.0),  # type: ignore[arg-type]
        root=str(tmp_path / "shop"),
    )  # fmt: skip
    action = Action(digest.of_bytes(b"id"), "mug/vertical/image", "image", 1, {}, inputs)
    with pytest.raises(type(error)) as caught:
        asyncio.run(shop.run(action, digest.of_bytes(b"key"), inputs))
    return str(caught.value)


@pytest.mark.parametrize("role", ["photo", "photo_0"])
def test_a_role_becomes_the_file_it_is(tmp_path: pathlib.Path, role: str) -> None:
    """A stage says "the photo"; a person reads which one, and of which action."""
    said = told(tmp_path, MediaError("the photo: cut short", hint="copy it again"), (role, "photos/mug.jpg"))
    assert said == "mug/vertical/image: photos/mug.jpg: cut short\n    hint  copy it again"


def test_a_blob_becomes_the_file_it_is(tmp_path: pathlib.Path) -> None:
    """A reader that knows a blob's name only is understood too."""
    name = digest.of_bytes(b"logo.png")
    said = told(tmp_path, MediaError(f"{name}: not a picture"), ("logo", "logo.png"), ("photo", "photos/mug.jpg"))
    assert said == "mug/vertical/image: logo.png: not a picture"


def test_where_no_file_is_named_all_that_went_in_are(tmp_path: pathlib.Path) -> None:
    """A sound that can't be read is one of these files; what clipbuild brings along is not a person's to mend."""
    files = (("bed", "sound/bed.mp3"), ("photo", "photos/mug.jpg"), ("font", "../templates/Inter.ttf"))
    said = told(tmp_path, MediaError("no sound"), *files)
    assert said == "mug/vertical/image: no sound\n    from  photos/mug.jpg, sound/bed.mp3"


def test_an_error_that_has_the_name_keeps_it_once(tmp_path: pathlib.Path) -> None:
    """Nothing is said twice, and what is no picture's fault lists no pictures."""
    said = told(tmp_path, ActionError("mug/vertical/image: risky"), ("photo", "photos/mug.jpg"))
    assert said == "mug/vertical/image: risky"
