"""Machines that share a cache: what one made the other need not make, what was bought is found by its pin, and a cache
that lies or is down changes nothing but time."""

import json
import os
import pathlib
import subprocess
import sys

import pytest

from clipbuild import events, planning, sharing
from clipbuild.engine.action import Verdict
from clipbuild.engine.remote import Remote, Trust
from clipbuild.settings import Settings
from clipbuild.wish import Wish
from tests.support.cache import Cache
from tests.support.project import Project
from tests.support.repository import Repository

SECRET = "a secret of two machines"


class Machine(Project):
    """A checkout on a machine of its own, run through the real command line with an environment of its own."""

    def __init__(self, root: pathlib.Path, remote: str, **environ: str) -> None:
        super().__init__(root)
        self.environ = {**os.environ, "CLIPBUILD_REMOTE": remote, "CLIPBUILD_REMOTE_KEY": SECRET,
                        "XDG_STATE_HOME": str(root.parent / "state"), **environ}  # fmt: skip

    def run(self, *args: str) -> tuple[int, str, str]:
        done = subprocess.run([sys.executable, "-m", "clipbuild", "-C", str(self.root), *args], env=self.environ,
                              capture_output=True, text=True, check=False)  # fmt: skip
        return done.returncode, done.stdout, done.stderr

    def exchange(self, what: str) -> dict[str, int]:
        status, out, err = self.run(what, "--profile", "draft", "--json")
        assert status == 0, err
        found = json.loads(out)
        assert isinstance(found, dict)
        return found


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A repository with two products, built once."""
    project = Project(tmp_path_factory.mktemp("origin"))
    repository = Repository(project.root)
    project.sample(2)
    project.write(".gitignore", ".clipbuild/\ndist*/\n")
    repository.commit("two products")
    assert project.build().status == 0
    return project


def clone(origin: Project, to: pathlib.Path) -> pathlib.Path:
    return Repository(origin.root, fresh=False).clone(to).root


def test_what_one_machine_made_the_other_does_not_make(origin, tmp_path) -> None:
    """Pushed once; a fresh checkout elsewhere builds the same tree and runs nothing."""
    with Cache() as cache:
        one = Machine(origin.root, cache.url)
        told = one.exchange("push")
        assert told["results"] == 13, "two products, whose subtitles are one action"
        assert told["failed"] == 0
        assert one.exchange("push")["blobs"] == 0, "what was given is not given again"
        given = cache.methods().count("PUT")
        two = Machine(clone(origin, tmp_path / "two"), cache.url)
        report = two.build()
        assert report.status == 0, report.text
        assert report.ran == []
        assert two.files() == origin.files()
        assert cache.methods().count("PUT") == given


def test_without_the_secret_nothing_free_is_believed(origin, tmp_path) -> None:
    """Another secret, none, or a run that is not trusted: everything is made here, and it is the same."""
    folder = str(tmp_path / "shared")
    Machine(origin.root, folder).exchange("push")
    for number, environ in enumerate(({"CLIPBUILD_REMOTE_KEY": "another secret of others"}, {"CI": "true"})):
        two = Machine(clone(origin, tmp_path / str(number)), folder, **environ)
        report = two.build("item-0")
        assert report.status == 0
        assert len(report.ran) == 7
    status, _, err = two.run("push", "--profile", "draft")
    assert status == 2
    assert "not trusted" in err


def test_a_build_gives_what_it_made(origin, tmp_path) -> None:
    """With `remote_write` a build in CI fills the cache by itself."""
    folder = tmp_path / "shared"
    one = Machine(clone(origin, tmp_path / "one"), str(folder), CLIPBUILD_REMOTE_WRITE="1")
    assert len(one.build("item-0").ran) == 7
    assert len(list(folder.glob("ac/*/*"))) == 7
    two = Machine(clone(origin, tmp_path / "two"), str(folder))
    assert two.build("item-0").ran == []


def test_a_cache_that_is_down_or_lies_changes_nothing(origin, tmp_path) -> None:
    """One warning, the same tree."""
    with Cache() as cache:
        Machine(origin.root, cache.url).exchange("push")
        cache.fault = "lie"
        two = Machine(clone(origin, tmp_path / "two"), cache.url)
        status, _, err = two.run("build", "--profile", "draft")
        assert status == 0
        assert err.count("warning:") == 1, err
        assert two.files() == origin.files()


def test_what_was_bought_is_found_by_its_pin_without_any_secret(origin, tmp_path) -> None:
    """A pinned blob that is gone comes back from the cache, marked as bought; an unpinned one is never asked for."""
    session = planning.open_session(Wish(str(origin.root), (), (), "draft"), Settings())
    try:
        with Cache() as cache:
            store, plan = session.store, planning.make_plan(session)
            bought = store.add_bytes(b"a bought picture")
            cache.things[f"cas/{bought}"] = b"a bought picture"
            action = next(iter(plan.plan.graph))
            os.unlink(store.path(bought))
            store._forget(bought)
            trace = plan.plan.find(plan.plan.keys[action.id])
            assert trace is not None
            pinned = type(trace)(action.name, trace.key, {"image": bought}, "0.04", facts={"provider": "openai"})
            plan.plan.lost.append((action, pinned))
            bus = events.Bus(lambda: 0.0)
            from clipbuild.engine.doors import Web

            moved = sharing.pull(session, plan, Remote(Web(cache.url), Trust(), lambda _: None))
            assert moved.blobs == 1
            assert store.is_precious(bought)
            assert [path for _, path, _ in cache.asked] == [f"/cache/cas/{bought}"]
            assert plan.plan.of(Verdict.WILL_RUN) == []
            assert bus.listeners == []
    finally:
        session.close()


def test_no_cache_is_an_error_only_for_who_asks_for_one(origin) -> None:
    """`push` and `pull` say where to name one."""
    status, _, err = origin.run("push")
    assert status == 2
    assert "CLIPBUILD_REMOTE" in err
