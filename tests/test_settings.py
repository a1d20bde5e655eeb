"""What a person's own configuration and the machine's environment decide, and what a repository never does."""

import pathlib

import pytest

from clipbuild import settings
from clipbuild.errors import UsageError
from clipbuild.settings import Settings


def home(tmp_path: pathlib.Path, text: str | None = None, **env: str) -> dict[str, str]:
    """An environment whose home is `tmp_path`, with this configuration file."""
    if text is not None:
        path = tmp_path / ".config" / "clipbuild" / "config.toml"
        path.parent.mkdir(parents=True)
        path.write_text(text, encoding="utf-8")
    return {"HOME": str(tmp_path), **env}


def test_without_a_file_there_are_defaults(tmp_path: pathlib.Path) -> None:
    """Nothing has to be configured; the state of the user lies below the home folder."""
    found = settings.load(home(tmp_path))
    assert found == Settings(state_home=str(tmp_path / ".local" / "state" / "clipbuild"))
    assert (found.trusted, found.confirm_above, found.budget_build) == (True, "5", "")


def test_a_file_is_read(tmp_path: pathlib.Path) -> None:
    """Amounts may be written as numbers; lists are tuples, so that nobody changes them."""
    text = 'jobs = 3\nbudget_build = 12.5\nplugins = ["mine"]\nremote = "/cache"\nremote_write = true\n'
    found = settings.load(home(tmp_path, text))
    assert (found.jobs, found.budget_build, found.plugins) == (3, "12.5", ("mine",))
    assert (found.remote, found.remote_write) == ("/cache", True)


@pytest.mark.parametrize(
    ("env", "expected"),
    [
        ({"HOME": "/h"}, "/h/.config/clipbuild/config.toml"),
        ({"HOME": "/h", "XDG_CONFIG_HOME": "/x"}, "/x/clipbuild/config.toml"),
        ({"HOME": "/h", "XDG_CONFIG_HOME": "/x", "CLIPBUILD_CONFIG": "/own.toml"}, "/own.toml"),
        ({}, "/nonexistent/.config/clipbuild/config.toml"),
    ],
)
def test_where_the_file_is(env: dict[str, str], expected: str) -> None:
    """The named file, else the XDG place, else below the home folder; never the current folder."""
    assert settings.config_path(env) == expected


def test_an_unknown_key_is_refused_with_those_that_are_known(tmp_path: pathlib.Path) -> None:
    """A misspelt cap must not be a cap that is not there."""
    with pytest.raises(UsageError) as caught:
        settings.load(home(tmp_path, "budget_bild = 5\n"))
    assert "unknown key 'budget_bild'" in caught.value.what
    assert "budget_build" in dict(caught.value.facts)["known"]
    assert "budget_build" in caught.value.hint


@pytest.mark.parametrize(
    "text",
    ['jobs = "many"\n', "jobs = -1\n", "remote = 7\n", 'plugins = "mine"\n', 'budget_build = "much"\n', "budget_month = -3\n",
     "remote_write = 'yes'\n", "base_urls = ['a']\n", "confirm_above = true\n", "budget_build = nan\n"],
)  # fmt: skip
def test_a_value_of_the_wrong_kind_is_refused_by_name(tmp_path: pathlib.Path, text: str) -> None:
    """It is said at once, with its key: not as a crash in the middle of a build, or as no cap at all."""
    with pytest.raises(UsageError, match=text.partition(" ")[0]):
        settings.load(home(tmp_path, text))


def test_a_file_that_is_no_toml(tmp_path: pathlib.Path) -> None:
    """It is said with its path and what to do."""
    with pytest.raises(UsageError, match="config.toml: can't be read") as caught:
        settings.load(home(tmp_path, "jobs = = 3\n"))
    assert caught.value.hint == "mend or remove the file"


@pytest.mark.parametrize(
    ("env", "trusted"),
    [
        ({}, True), ({"CI": ""}, True), ({"CI": "false"}, True), ({"CI": "true"}, False), ({"CI": "1"}, False),
        ({"CI": "woodpecker"}, False), ({"CI": "true", "CLIPBUILD_TRUSTED": "1"}, True),
        ({"CI": "true", "CLIPBUILD_TRUSTED": "YES"}, True), ({"CLIPBUILD_TRUSTED": "0"}, False),
        ({"CLIPBUILD_TRUSTED": "maybe"}, False), ({"CI": "true", "CLIPBUILD_TRUSTED": " "}, False),
    ],
)  # fmt: skip
def test_who_is_trusted(env: dict[str, str], trusted: bool) -> None:
    """Unknown in CI is untrusted: it may serve a fork's pull request. A word that is not understood is no trust."""
    assert settings.is_trusted(env) is trusted


def test_the_environment_wins(tmp_path: pathlib.Path) -> None:
    """A machine names its own ffmpeg and cache over the file's."""
    env = home(tmp_path, 'ffmpeg = "/a"\nremote = "/b"\nremote_write = true\n', CLIPBUILD_FFMPEG="/c", CLIPBUILD_REMOTE="/d",
               CLIPBUILD_REMOTE_WRITE="no")  # fmt: skip
    found = settings.load(env)
    assert (found.ffmpeg, found.remote, found.remote_write) == ("/c", "/d", False)


def test_no_secret_is_among_the_settings(tmp_path: pathlib.Path) -> None:
    """Keys are looked up when a submit is due (K1): a key in the environment is in no field, one in the file is refused."""
    found = settings.load(home(tmp_path, OPENAI_API_KEY="sk-canary-123456"))
    assert "canary" not in repr(found)
    with pytest.raises(UsageError, match="openai_api_key"):
        settings.load(home(tmp_path / "other", 'openai_api_key = "x"\n'))
