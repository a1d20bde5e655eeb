"""Where keys come from, and where they must not."""

import os
import pathlib

import pytest

from clipbuild.errors import UsageError
from clipbuild.providers import keys


def test_the_environment_comes_first_then_the_users_file(tmp_path: pathlib.Path) -> None:
    """And the place is told without the key."""
    path = tmp_path / "keys.toml"
    path.write_text('KLING_API_KEY = "from-the-file-1"\n')
    path.chmod(0o600)
    assert keys.look_up("KLING_API_KEY", {"KLING_API_KEY": "from-environment"}, str(path)) == "from-environment"
    assert keys.look_up("KLING_API_KEY", {}, str(path)) == "from-the-file-1"
    assert keys.look_up("OPENAI_API_KEY", {}, str(path)) == ""
    assert keys.place("KLING_API_KEY", {}, str(path)) == str(path)
    assert keys.place("KLING_API_KEY", {"KLING_API_KEY": "x"}, str(path)) == "environment"
    assert keys.place("OPENAI_API_KEY", {}, str(tmp_path / "none")) == ""


@pytest.mark.parametrize("mode", [0o644, 0o660, 0o604, 0o640])
def test_a_file_that_others_may_read_is_refused(mode: int, tmp_path: pathlib.Path) -> None:
    """With the command that mends it."""
    path = tmp_path / "keys.toml"
    path.write_text('KLING_API_KEY = "abcdefgh"\n')
    path.chmod(mode)
    with pytest.raises(UsageError) as raised:
        keys.look_up("KLING_API_KEY", {}, str(path))
    assert "chmod 600" in raised.value.hint


def test_links_and_nonsense_are_refused_without_showing_what_is_in_them(tmp_path: pathlib.Path) -> None:
    """A link may lead into a repository; a broken file may hold a key."""
    path = tmp_path / "keys.toml"
    path.write_text("KLING_API_KEY = secret-without-quotes\n")
    path.chmod(0o600)
    with pytest.raises(UsageError) as raised:
        keys.look_up("KLING_API_KEY", {}, str(path))
    assert "secret-without-quotes" not in str(raised.value)
    os.symlink(path, tmp_path / "link")
    with pytest.raises(UsageError):
        keys.look_up("KLING_API_KEY", {}, str(tmp_path / "link"))


def test_the_file_lies_beside_the_configuration() -> None:
    """Unless the user says where."""
    assert keys.keys_path({}, "/home/u/.config/clipbuild/config.toml") == "/home/u/.config/clipbuild/keys.toml"
    assert keys.keys_path({"CLIPBUILD_KEYS": "/x/k"}, "/y/config.toml") == "/x/k"
