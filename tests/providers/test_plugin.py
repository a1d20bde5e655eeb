"""A provider in somebody's own package: the page's example, installed, named in the user's configuration, and used."""

import os
import pathlib
import re
from collections.abc import Iterator

import pytest

from tests.providers.test_page import PAGE, Acme
from tests.support.shop import FAKES, Shop

METADATA = "Metadata-Version: 2.1\nName: acme-clips\nVersion: 1.0\n"


@pytest.fixture
def shop(tmp_path: pathlib.Path) -> Iterator[Shop]:
    """One product whose motion Acme makes; the package lies on the path and notes when it is imported."""
    site = tmp_path / "site"
    (site / "acme_clips-1.0.dist-info").mkdir(parents=True)
    code = next(b for b in re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL) if "class Acme" in b)
    entry = next(b for b in re.findall(r"```toml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL) if "clipbuild.providers" in b)
    target = re.search(r'acme = "(.*?)"', entry)
    assert target is not None
    (site / "acme_clips.py").write_text(f"{code}\nopen({str(tmp_path / 'imported')!r}, 'a').write('x')\n")
    (site / "acme_clips-1.0.dist-info" / "METADATA").write_text(METADATA)
    (site / "acme_clips-1.0.dist-info" / "entry_points.txt").write_text(f"[clipbuild.providers]\nacme = {target[1]}\n")
    with FAKES["openai"]() as pictures, Acme(small=True) as acme:
        found = Shop(tmp_path, {"openai": pictures, "acme": acme})
        found.stock(1, motion="acme/one")
        env = found.env or {}
        found.env = {**env, "PYTHONPATH": os.pathsep.join([str(site), env["PYTHONPATH"]]), "ACME_API_KEY": "test-key"}
        yield found


def test_named_in_the_users_configuration_it_buys(shop: Shop) -> None:
    """As any other provider: priced, checked, bought once."""
    shop.configure(plugins='["acme"]')
    planned = shop.command("plan", "--profile", "studio")
    assert "acme" in planned.stdout, planned.stderr
    assert "$0.15" in planned.stdout
    built = shop.command("build", "--profile", "studio")
    assert built.returncode == 0, built.stderr
    assert shop.charges() == {"openai": 1, "acme": 1}
    assert shop.command("build", "--profile", "studio", "--locked").returncode == 0


def test_without_its_key_nothing_is_sent_and_nothing_is_unsure(shop: Shop) -> None:
    """The variable is named; an adapter that knows nothing of keys can't send an empty one."""
    shop.configure(plugins='["acme"]')
    del shop.env["ACME_API_KEY"]
    built = shop.command("build", "--profile", "studio")
    assert (built.returncode, shop.fakes["acme"].log) == (2, [])
    assert "set ACME_API_KEY" in built.stderr
    assert shop.command("jobs").stdout == "no open jobs\n"
    assert "set ACME_API_KEY" in shop.command("doctor").stdout


def test_an_adapter_that_fails_is_told_not_shown_as_a_crash(shop: Shop) -> None:
    """It is asked for a picture without being made for one: `check` says so, `plan` prices nothing, nothing is bought."""
    shop.configure(plugins='["acme"]')
    site = pathlib.Path(shop.env["PYTHONPATH"].split(os.pathsep)[0])
    code = (site / "acme_clips.py").read_text()
    (site / "acme_clips.py").write_text(code.replace('request.kind != "video"', "False"))
    shop.edit("clipbuild.yaml", "image: \"openai/gpt-image-2.5-flare:low\"", "image: acme/one")
    for command, status in (("check", 2), ("plan", 0), ("build", 1)):
        told = shop.command(command, "--profile", "studio")
        assert (told.returncode, "Traceback" in told.stderr) == (status, False), told.stderr
        assert command == "build" or "the adapter of acme fails: KeyError" in told.stderr + told.stdout
    assert shop.submits() == 0


def test_what_its_model_cannot_do_is_told_by_check(shop: Shop) -> None:
    """The package's own words, at the product's place."""
    shop.configure(plugins='["acme"]')
    shop.edit("clipbuild.yaml", "duration: 3", "duration: 12")
    told = shop.command("check", "--profile", "studio")
    assert told.returncode == 2
    assert "acme makes clips of 10 s at most" in told.stderr


STATUSES = {"1": {"check": 2, "plan": 0, "build": 2}, "0": {"check": 0, "plan": 0, "build": 3}}
"""By whether the run is trusted: a stranger's pull request is checked all the same."""


@pytest.mark.parametrize("trusted", ["1", "0"])
def test_unnamed_or_untrusted_it_is_not_even_imported(shop: Shop, trusted: str) -> None:
    """Not named: not imported. Named, but the run may serve a stranger: not imported either, and nothing is asked."""
    if trusted == "0":
        shop.configure(plugins='["acme"]')
    shop.env = {**(shop.env or {}), "CLIPBUILD_TRUSTED": trusted}
    for command in ("check", "plan", "build"):
        done = shop.command(command, "--profile", "studio")
        assert "Traceback" not in done.stderr
        assert done.returncode == STATUSES[trusted][command], done.stderr
        assert trusted == "0" or "there is no provider 'acme'" in done.stdout + done.stderr
        assert trusted == "1" or command != "check" or "acme: not asked what it can't make" in done.stderr
    assert not (shop.home / "imported").exists()
    assert not shop.fakes["acme"].log
    if trusted == "0":
        assert not shop.fakes["openai"].log
