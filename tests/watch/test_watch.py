"""Watching a real project: a save makes its clip again, a broken one is shown, edits in the middle of a build are heeded,
storms settle, and the page shows the new draft without a reload."""

import os
import pathlib
import random
import re
import shutil
import subprocess
import time

import pytest

from clipbuild import events
from clipbuild.engine.workspace import Workspace
from clipbuild.errors import UsageError
from clipbuild.shift import LongShift
from tests.support import browser
from tests.support.project import Project
from tests.support.repository import Repository
from tests.support.watching import Seen, watching

HELLO = "name: Item 0\n    photos: photos/p0.png\n    captions: [Hello there]"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """Two products, built; tests work on copies."""
    project = Project(tmp_path_factory.mktemp("built"))
    project.sample(2)
    assert project.build().status == 0
    return project.root


@pytest.fixture
def built(made: pathlib.Path, tmp_path: pathlib.Path) -> Project:
    """Two products, built."""
    shutil.copytree(made, tmp_path / "p", symlinks=True)
    return Project(tmp_path / "p")


@pytest.fixture
def fresh(tmp_path: pathlib.Path) -> Project:
    """Two products, not built yet."""
    project = Project(tmp_path / "p")
    project.sample(2)
    return project


def test_a_save_makes_its_clip_and_nothing_else(built) -> None:
    """A caption: its clip's words and render; then a photo: its clip. And nothing is left to do after the end."""

    def act(seen: Seen) -> None:
        seen.idle(1)
        assert seen.ran() == []
        built.edit("catalog/all.yaml", HELLO, HELLO.replace("Hello there", "Good morning"))
        seen.idle(2)
        assert sorted(name.split("/")[-1] for name in seen.ran()) == ["captions", "cover", "post", "render"]
        built.photo("photos/p1.png", "#00aa55")
        seen.idle(3)
        assert {name.split("/")[0] for name in seen.ran()[4:]} == {"item-1"}

    watching(built, act)
    assert built.build().ran == []


def test_a_broken_save_is_shown_with_its_line_and_a_mended_one_goes_on(built) -> None:
    """File, line, what is wrong; and the next save is made."""

    def act(seen: Seen) -> None:
        seen.idle(1)
        good = (built.root / "catalog/all.yaml").read_text()
        built.write("catalog/all.yaml", good.replace("name: Item 0", "nmae: Item 0"))
        seen.until(lambda: seen.wrongs)
        assert "catalog/all.yaml:3:5" in seen.wrongs[0]
        assert "name" in seen.wrongs[0]
        built.write("catalog/all.yaml", good.replace("name: Item 0", "name: Zero"))
        seen.until(lambda: seen.mended)
        assert [name.split("/")[-1] for name in seen.ran()] == ["post"]

    watching(built, act)


def test_an_edit_during_a_build_restarts_what_it_touches_and_lets_the_rest_end(fresh) -> None:
    """While both clips are made item-0's caption changes: nothing of item-1 is made twice, and the end is right."""

    def act(seen: Seen) -> None:
        seen.until(lambda: len(seen.of(events.ActionStarted)) >= 3)
        fresh.edit("catalog/all.yaml", HELLO, HELLO.replace("Hello there", "In the middle"))
        seen.until(lambda: "item-1/vertical/cover" in seen.ran() and seen.of(events.BuildFinished)
                   and seen.of(events.BuildFinished)[-1].status == 0)  # fmt: skip
        assert b"In the middle" in fresh.files()["tiktok/item-0/item-0.srt"]

    seen = watching(fresh, act)
    twice = [name for name in seen.ran() if name.startswith("item-1/") and seen.ran().count(name) > 1]
    assert twice == []
    assert seen.ran().count("item-0/vertical/image") == 1, "its picture was wanted by both"
    assert fresh.build().ran == []


def test_edits_at_any_moment_end_where_a_clean_build_ends(built, tmp_path) -> None:
    """Twelve random saves, some during builds, some half written: the tree is that of a clean build."""
    seed = int(os.environ.get("CLIPBUILD_SEED", random.randrange(1 << 30)))
    print("seed", seed)
    chance = random.Random(seed)

    def act(seen: Seen) -> None:
        for number in range(12):
            text = (built.root / "catalog/all.yaml").read_text()
            lines = [f"    captions: [Take {number}]" if "captions" in line and chance.random() < 0.5 else line
                     for line in text.splitlines()]  # fmt: skip
            whole = "\n".join(lines) + "\n"
            if chance.random() < 0.3:
                (built.root / "catalog/all.yaml").write_text(whole[: chance.randrange(len(whole))])
                seen.until(lambda: True)
            built.write("catalog/all.yaml", whole)
            if chance.random() < 0.3:
                built.photo(f"photos/p{chance.randrange(2)}.png", f"#{chance.randrange(1 << 24):06x}")
            chance.random() < 0.5 and seen.until(lambda: not seen.of(events.BuildStarted) or chance.random() < 0.1)
        text = (built.root / "catalog/all.yaml").read_text()
        built.write("catalog/all.yaml", re.sub(r"captions: .*", "captions: [The last word]", text))
        last = [f"tiktok/item-{n}/item-{n}.srt" for n in range(2)]
        seen.until(lambda: all(b"The last word" in built.files().get(path, b"") for path in last), 120)
        seen.until(lambda: _quiet(seen), 60)

    watching(built, act)
    assert built.build().ran == []
    clean = Project(tmp_path / "clean")
    for path in ("clipbuild.yaml", "catalog/all.yaml", "photos/p0.png", "photos/p1.png"):
        clean.write(path, (built.root / path).read_bytes())
    assert clean.build().status == 0
    assert clean.files() == built.files()


def _quiet(seen: Seen) -> bool:
    """Every build ended, the last one well, and nothing came for a moment."""
    count = len(seen.events)
    time.sleep(0.8)
    finished = seen.of(events.BuildFinished)
    return len(seen.events) == count and bool(finished) and finished[-1].status == 0


def test_a_checkout_is_one_build(built) -> None:
    """Many files at once by git: settled first, then every clip of the new state is made once."""
    repository = Repository(built.root)
    built.write(".gitignore", ".clipbuild/\ndist*/\n")
    repository.commit("first")
    repository.git("checkout", "-q", "-b", "other")
    for number in range(300):
        built.write(f"notes/{number}.txt", "x")
    built.edit("catalog/all.yaml", "Hello there", "On the other branch")
    repository.commit("other")
    repository.git("checkout", "-q", "main")

    def act(seen: Seen) -> None:
        seen.idle(1)
        repository.git("checkout", "-q", "other")
        seen.until(lambda: b"other branch" in built.files()["tiktok/item-1/item-1.srt"])
        seen.until(lambda: _quiet(seen))
        assert seen.ran().count("item-0/vertical/render") == seen.ran().count("item-1/vertical/render") == 1

    watching(built, act)


def test_only_one_watches_and_builds_may_come_between(built) -> None:
    """A second watch is an error; a `build` in the meantime waits its turn and harms nothing."""

    def act(seen: Seen) -> None:
        seen.idle(1)
        with pytest.raises(UsageError, match="watched already"):
            LongShift(Workspace(str(built.root)))
        built.edit("clipbuild.yaml", "#e0a43a", "#aa1133")
        assert built.build().status == 0
        before = len(seen.ran())
        built.edit("clipbuild.yaml", "#aa1133", "#1133aa")
        seen.until(lambda: len(seen.ran()) > before, 120)
        seen.until(lambda: _quiet(seen), 60)

    watching(built, act)
    assert built.build().ran == []


def test_it_ends_with_its_workers(fresh) -> None:
    """Nobody is left behind, and neither is a folder."""
    watching(fresh, lambda seen: seen.until(lambda: seen.of(events.ActionStarted)))
    assert not (fresh.root / ".clipbuild/watch").exists()
    told = subprocess.run(["ps", "-eo", "pid,ppid,args"], capture_output=True, text=True, check=True).stdout
    mine = [row for row in told.splitlines() if "clipbuild.stages" in row and row.split()[1] == str(os.getpid())]
    assert mine == []


@pytest.mark.skipif(not browser.found(), reason="not run: no chromium")
def test_the_page_shows_the_new_draft_without_a_reload(built) -> None:
    """In a real browser: clips play, a caption's draft takes the place of the old one, an error is shown with its line
    and goes again, and the page was loaded once."""

    def act(seen: Seen) -> None:
        with browser.page() as page:
            page.size(1000, 800)
            page.go(seen.address)
            page.until("document.querySelectorAll('video').length === 2", 90)
            page.js("window.mark = 'still the same page'")
            before = page.js("document.querySelector('[data-clip=item-0] video').currentSrc")
            page.until("document.querySelector('[data-clip=item-0] video').currentTime > 0")
            built.edit("catalog/all.yaml", HELLO, HELLO.replace("Hello there", "Fresh from the oven"))
            page.until(f"document.querySelector('[data-clip=item-0] video:not(.next)').currentSrc !== '{before}'", 90)
            page.until("document.querySelector('[data-clip=item-0] video').currentTime > 0")
            good = (built.root / "catalog/all.yaml").read_text()
            built.write("catalog/all.yaml", good + "  - sku: <script>alert(1)</script>\n")
            page.until("!document.getElementById('problems').hidden")
            assert "catalog/all.yaml:12" in page.js("document.getElementById('problems').textContent")
            built.write("catalog/all.yaml", good)
            page.until("document.getElementById('problems').hidden", 90)
            assert page.js("window.mark") == "still the same page"
            assert page.errors == []

    watching(built, act, page=True)


def test_the_page_is_for_this_browser_alone(built) -> None:
    """Without the address that was printed nothing is shown; it works once; other names of this host are refused."""
    import http.client
    from urllib.parse import urlsplit

    def act(seen: Seen) -> None:
        seen.idle(1)
        parts = urlsplit(seen.address)

        def ask(path: str, **headers: str) -> tuple[int, str]:
            connection = http.client.HTTPConnection("127.0.0.1", parts.port, timeout=5)
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.getheader("set-cookie", "") if path.startswith("/enter") else ""

        assert ask("/")[0] == 401
        assert ask("/news")[0] == 401
        assert ask("/", Host="evil.example")[0] == 403
        status, cookie = ask(f"/enter?{parts.query}")
        assert status == 200
        assert "HttpOnly" in cookie
        assert "SameSite=strict" in cookie
        assert ask(f"/enter?{parts.query}")[0] == 403
        mine = cookie.split(";")[0]
        assert ask("/", Cookie=mine)[0] == 200
        assert ask("/media/" + "0" * 64, Cookie=mine)[0] == 404
        assert ask("/media/..%2f..%2fclipbuild.yaml", Cookie=mine)[0] == 404

    watching(built, act, page=True)


def test_an_end_in_the_middle_of_a_build_is_quick(fresh) -> None:
    """Whatever is being made, it is let go within the time that an interrupt may take (5 s; more on a busy machine)."""
    began = []

    def act(seen: Seen) -> None:
        seen.until(lambda: seen.of(events.ActionStarted))
        began.append(time.monotonic())

    watching(fresh, act)
    assert time.monotonic() - began[0] < 15
