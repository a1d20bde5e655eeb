"""A repository's life in CI, on real git and the providers' fakes: pull requests priced, forks that can't spend, branches
that bought different things merged without hand work, and every commit rebuilt from its own lock."""

import json
import os
import pathlib
import re
import subprocess
import sys
from collections.abc import Iterator

import pytest
import yaml

from tests.support.repository import Repository
from tests.support.shop import Shop, opened

EXAMPLES = pathlib.Path(__file__).resolve().parents[1] / "examples" / "ci"
PRODUCT = "  - sku: {0}\n    name: {0}\n    photos: photos/{0}.png\n    captions: [Hello {0}]\n"


class Runner:
    """A fresh machine with a checkout: nothing of an earlier run but the shared cache."""

    def __init__(self, shop: Shop, root: pathlib.Path, branch: str, **environ: str) -> None:
        self.root = root / "checkout"
        self.repository = Repository(shop.root, fresh=False).clone(self.root, "-b", branch)
        self.env = {**shop.env, "XDG_STATE_HOME": str(root / "state"), "CLIPBUILD_REMOTE": str(shop.home / "cache"),
                    "CLIPBUILD_REMOTE_KEY": "the secret of the CI", "CI": "true", **environ}  # fmt: skip

    def run(self, *args: str) -> tuple[int, str, str]:
        done = subprocess.run([sys.executable, "-m", "clipbuild", "-C", str(self.root), *args, "--profile", "studio"],
                              env=self.env, capture_output=True, text=True, check=False)  # fmt: skip
        return done.returncode, done.stdout, done.stderr

    def build(self, *args: str) -> tuple[int, dict[str, list[str]]]:
        status, out, err = self.run("build", "--json", *args)
        assert out, err
        return status, json.loads(out)


TRUSTED = {"CLIPBUILD_TRUSTED": "1", "CLIPBUILD_REMOTE_WRITE": "1"}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """A repository whose main branch was built in CI: one product, bought, its lock committed."""
    with opened(tmp_path_factory.mktemp("ci"), "openai", "kling") as made:
        made.stock(1)
        made.write(".gitignore", ".clipbuild/\ndist*/\n")
        made.write(".gitattributes", "clipbuild.lock merge=union\n")
        repository = Repository(made.root)
        repository.commit("one product")
        build(made, "main")
        assert made.submits() == 2
        yield made


def build(shop: Shop, branch: str, *args: str) -> None:
    """What the CI of a trusted branch does: build, commit the lock."""
    runner = Runner(shop, shop.home / f"runner-{branch}-{shop.submits()}", branch, **TRUSTED)
    status, report = runner.build(*args)
    assert status == 0, report
    runner.repository.commit(f"lock of {branch}", who="bot")
    runner.repository.git("push", "-q", "origin", f"HEAD:refs/heads/ci-{branch}", who="bot")
    Repository(shop.root, fresh=False).git("checkout", "-q", branch)
    Repository(shop.root, fresh=False).git("merge", "-q", "--ff-only", f"ci-{branch}")


def add(shop: Shop, branch: str, sku: str, colour: str) -> None:
    """A branch off main with one more product in a file of its own."""
    repository = Repository(shop.root, fresh=False)
    repository.git("checkout", "-q", "-b", branch, "main")
    shop.photo(f"photos/{sku}.png", colour)
    shop.write(f"catalog/{sku}.yaml", "products:\n" + PRODUCT.format(sku))
    repository.commit(f"add {sku}", who=sku)


@pytest.mark.slow
def test_a_pull_request_from_a_fork_is_priced_and_spends_nothing(shop, tmp_path) -> None:
    """Untrusted: the comment says what would be bought for how much; the build makes what it can from pins and leaves
    the rest; not one request reaches a provider, and nothing is written to the cache."""
    add(shop, "fork", "vase", "#226699")
    shop.edit("catalog/all.yaml", "Hello there", "From a fork")
    Repository(shop.root, fresh=False).commit("and a caption")
    before, there = shop.submits(), sorted((shop.home / "cache").rglob("*"))
    runner = Runner(shop, tmp_path, "fork", GITHUB_BASE_REF="main", CLIPBUILD_REMOTE_WRITE="1")
    status, comment, err = runner.run("plan", "--affected", "--markdown")
    assert status == 0, err
    assert "2 clips touched (1 new)" in comment
    assert "2 paid calls" in comment
    told = json.loads(runner.run("plan", "--affected", "--json")[1])
    assert told["counts"]["paid"] == 2
    assert float(told["cost"]["most"]) > 0
    status, report = runner.build("--affected")
    assert status == 3
    assert all(name.startswith("vase/") for name in report["failed"])
    assert any(name == "item-0/vertical/render" for name in report["ran"]), "its picture and motion came by their pins"
    assert shop.submits() == before
    assert sorted((shop.home / "cache").rglob("*")) == there


@pytest.mark.slow
def test_branches_that_bought_different_things_merge_by_themselves_and_every_commit_rebuilds(shop, tmp_path) -> None:
    """Ann and Ben each add a product and buy it in their CI; both merges are clean, main buys nothing more, and each
    commit with its lock builds again without buying, as a bisection would."""
    start = shop.submits()
    add(shop, "ann", "lamp", "#aa8822")
    build(shop, "ann")
    add(shop, "ben", "bowl", "#228844")
    build(shop, "ben")
    assert shop.submits() == start + 4
    repository = Repository(shop.root, fresh=False)
    repository.git("checkout", "-q", "main")
    repository.git("merge", "-q", "--no-edit", "ann")
    repository.git("merge", "-q", "--no-edit", "ben")
    assert "<<<<<<<" not in (shop.root / "clipbuild.lock").read_text()
    runner = Runner(shop, tmp_path / "main", "main", **TRUSTED)
    status, report = runner.build("--locked")
    assert (status, report["ran"]) == (0, []), "all of it came from the cache"
    commits = repository.git("rev-list", "main", "--grep=^lock of", "--grep=^Merge").split()
    assert len(commits) == 4
    for number, commit in enumerate(commits):
        runner = Runner(shop, tmp_path / str(number), "main", **TRUSTED)
        runner.repository.git("checkout", "-q", commit)
        status, report = runner.build("--locked")
        assert (status, report["ran"]) == (0, []), commit
    assert shop.submits() == start + 4
    assert shop.doubles() == 0


@pytest.mark.slow
def test_two_machines_share_a_build_and_buy_everything_once(shop, tmp_path) -> None:
    """`--shard 1/2` and `2/2` of four new products; their two locks one after the other are the whole lock."""
    start = shop.submits()
    repository = Repository(shop.root, fresh=False)
    repository.git("checkout", "-q", "-b", "wide", "main")
    for number in range(4):
        shop.photo(f"photos/w{number}.png", f"#{number * 40 + 60:02x}5577")
        shop.write(f"catalog/w{number}.yaml", "products:\n" + PRODUCT.format(f"w{number}"))
    repository.commit("four more")
    locks = ""
    for shard in ("1/2", "2/2"):
        runner = Runner(shop, tmp_path / shard.replace("/", "-"), "wide", **TRUSTED)
        status, report = runner.build("--shard", shard, "--since", "main")
        assert status == 0, report
        locks += (runner.root / "clipbuild.lock").read_text()
    assert shop.submits() == start + 8
    runner = Runner(shop, tmp_path / "whole", "wide", **TRUSTED)
    (runner.root / "clipbuild.lock").write_text(locks)
    status, report = runner.build("--locked", "--since", "main")
    assert (status, report["ran"]) == (0, [])
    assert shop.doubles() == 0


def keeping(forge: str, origin: str) -> str:
    """The lines of the example file that push the lock, with `origin` in the place of the forge's address."""
    document = yaml.safe_load((EXAMPLES / f"{forge}.yml").read_text(encoding="utf-8"))
    if forge == "github":
        return str(next(step["run"] for step in document["jobs"]["build"]["steps"] if "Keep what was bought" in step.get("name", "")))
    lines = [line for line in document["build"]["script"] if not line.startswith("clipbuild build")]
    return re.sub(r"place=.*", f"place='{origin}'", "\n".join(lines))


@pytest.mark.parametrize("forge", ["github", "gitlab"])
def test_the_example_files_keep_the_lock_whatever_others_pushed(forge: str, tmp_path: pathlib.Path) -> None:
    """On a runner where git knows nobody: nothing bought is no failure; a lock that others changed meanwhile is merged; one
    that can't be pushed fails the job."""
    origin = Repository(tmp_path / "origin")
    origin.write(".gitattributes", "clipbuild.lock merge=union\n")
    origin.commit("start")
    origin.git("checkout", "-q", "-b", "aside")
    runner, other = origin.clone(tmp_path / "runner", "-b", "main"), origin.clone(tmp_path / "other", "-b", "main")
    bare = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "GIT_CONFIG_SYSTEM": os.devnull, "GIT_CONFIG_GLOBAL": os.devnull,
            "BRANCH": "main", "CI_COMMIT_BRANCH": "main"}  # fmt: skip
    script = keeping(forge, str(origin.root))

    def kept() -> int:
        return subprocess.run(["bash", "-eo", "pipefail", "-c", script], cwd=runner.root, env=bare, check=False).returncode

    origin.git("config", "receive.advertisePushOptions", "true")
    assert kept() == 0
    runner.write("clipbuild.lock", "ours\n")
    other.write("clipbuild.lock", "theirs\n")
    other.commit("theirs")
    other.git("push", "-q", "origin", "HEAD:main")
    assert kept() == 0
    assert set(origin.git("show", "main:clipbuild.lock").split()) == {"ours", "theirs"}
    runner.write("clipbuild.lock", "ours\ntheirs\nmore\n")
    origin.root.rename(tmp_path / "gone")
    assert kept() != 0
