"""Which clips a change touches, and which value of which input: told from git, without building anything."""

import json
import pathlib
from typing import Any

import pytest

from clipbuild import planning, since
from clipbuild.engine.action import Verdict
from clipbuild.errors import UsageError
from clipbuild.settings import Settings
from clipbuild.wish import Wish
from tests.support.project import Project
from tests.support.repository import Repository
from tests.support.shop import opened


class Shop(Project):
    """A project of three products under git."""

    def __init__(self, root: pathlib.Path) -> None:
        super().__init__(root)
        self.repository = Repository(root)
        self.sample(3)
        self.write(".gitignore", ".clipbuild/\ndist*/\nraw/\n")
        self.first = self.repository.commit("three products")

    def difference(self, rev: str = "HEAD", *products: str) -> since.Difference:
        session = planning.open_session(Wish(str(self.root), products, (), "draft"), Settings())
        try:
            return since.difference(session, rev)
        finally:
            session.close()

    def causes(self, clip: str, step: str) -> list[since.Cause]:
        session = planning.open_session(Wish(str(self.root), (), (), "draft"), Settings())
        try:
            found = since.difference(session, "HEAD")
            now = since.by_clip(planning.make_plan(session).plan.graph)
            names = since.names(session)
            return since.causes(found.before.get(clip, {}).get(step), now[clip][step], names)
        finally:
            session.close()


@pytest.fixture
def shop(tmp_path: pathlib.Path) -> Shop:
    return Shop(tmp_path / "shop")


def test_nothing_changed_touches_nothing(shop) -> None:
    """A clean work tree, and one whose files were only touched or rewritten with the same bytes."""
    assert shop.difference().touched == frozenset()
    shop.write("catalog/all.yaml", (shop.root / "catalog/all.yaml").read_bytes())
    assert shop.difference().touched == frozenset()


def test_a_caption_touches_its_clip_and_says_which(shop) -> None:
    """Old and new words, and the picture's action is not among what differs."""
    shop.edit("catalog/all.yaml", "item-1\n    name: Item 1\n    photos: photos/p1.png\n    captions: [Hello there]",
              "item-1\n    name: Item 1\n    photos: photos/p1.png\n    captions: [Good morning]")  # fmt: skip
    assert shop.difference().touched == {"item-1"}
    assert shop.causes("item-1", "vertical/image") == []
    assert since.Cause("captions[0].text", "Hello there", "Good morning") in shop.causes("item-1", "vertical/render")


def test_a_brand_colour_touches_all_of_its_clips(shop) -> None:
    """Wherever it is written."""
    shop.edit("clipbuild.yaml", "#24443a", "#123456")
    assert shop.difference().changed == {"item-0", "item-1", "item-2"}
    told = {cause.what: (cause.old, cause.new) for cause in shop.causes("item-0", "vertical/render")}
    assert ("#24443a", "#123456") in told.values()


def test_a_photo_is_named_by_its_file(shop) -> None:
    """And only its product is touched."""
    shop.photo("photos/p2.png", "#00ff00")
    assert shop.difference().touched == {"item-2"}
    assert [cause.what for cause in shop.causes("item-2", "vertical/image")] == ["photos/p2.png"]


def test_remarks_and_other_files_touch_nothing(shop) -> None:
    """A comment in the catalog, an unused photo, a page beside it."""
    shop.edit("catalog/all.yaml", "products:", "# a remark\nproducts:")
    shop.photo("photos/unused.png")
    shop.write("README.md", "x")
    assert shop.difference().touched == frozenset()


def test_a_template_touches_what_it_words(shop) -> None:
    """A remark in a prompt template leaves the text alone; the local pictures don't read it at all."""
    shop.write("templates/prompts/packshot.j2", "{# a remark #}")
    assert shop.difference().touched == frozenset()


def test_new_gone_and_renamed_products(shop) -> None:
    """New ones are touched, gone ones told, and a renamed one is both, with the same actions."""
    text = (shop.root / "catalog/all.yaml").read_text()
    shop.write("catalog/all.yaml", text.replace("sku: item-0", "sku: renamed"))
    found = shop.difference()
    assert (found.new, found.changed, found.gone) == ({"renamed"}, frozenset(), ("item-0",))
    session = planning.open_session(Wish(str(shop.root), ("renamed",), (), "draft"), Settings())
    graph = planning.make_plan(session).plan.graph
    session.close()
    assert {action.id for action in graph if action.stage != "post"} <= found.ids


def test_what_git_ignores_counts_as_unchanged(shop) -> None:
    """Photos that are kept elsewhere are there in both."""
    shop.photo("raw/p.png")
    shop.edit("catalog/all.yaml", "photos/p0.png", "raw/p.png")
    shop.repository.commit("photos from outside git")
    assert shop.difference().touched == frozenset()
    shop.edit("catalog/all.yaml", "name: Item 0", "name: Zero")
    assert shop.difference().touched == {"item-0"}


def test_large_files_are_known_by_their_pointers(shop) -> None:
    """A photo that git keeps as a pointer differs from its own bytes only if they do."""
    from clipbuild import digest

    photo = (shop.root / "photos/p0.png").read_bytes()
    name = digest.of_bytes(photo)
    shop.write("photos/p0.png", f"version https://git-lfs.github.com/spec/v1\noid sha256:{name}\nsize {len(photo)}\n")
    shop.repository.commit("pointers")
    shop.write("photos/p0.png", photo)
    assert shop.difference().touched == frozenset()


def test_a_catalog_that_was_broken_makes_everything_count(shop) -> None:
    """And says so."""
    text = (shop.root / "catalog/all.yaml").read_text()
    shop.write("catalog/all.yaml", "products: [")
    shop.repository.commit("broken")
    shop.write("catalog/all.yaml", text)
    found = shop.difference()
    assert found.touched == {"item-0", "item-1", "item-2"}
    assert "catalog/all.yaml" in found.broken


def test_a_profile_that_was_not_there_makes_everything_count(shop) -> None:
    """The pull request that brings the paid profile is priced as a whole."""
    text = (shop.root / "clipbuild.yaml").read_text()
    shop.write("clipbuild.yaml", text + "profiles: {small: {scale: 0.25}}\n")
    session = planning.open_session(Wish(str(shop.root), (), (), "small"), Settings())
    found = since.difference(session, "HEAD")
    session.close()
    assert found.touched == {"item-0", "item-1", "item-2"}
    assert "small" in found.broken


def test_only_what_is_wished_for_is_looked_at(shop) -> None:
    """`plan item-0 --since` says nothing of the others."""
    shop.edit("clipbuild.yaml", "#24443a", "#123456")
    assert shop.difference("HEAD", "item-0").touched == {"item-0"}
    with pytest.raises(UsageError, match="no commit"):
        shop.difference("nowhere")


def test_only_the_platforms_that_are_wished_for_are_compared(shop) -> None:
    """`plan --platform reels --since`: what another platform takes says nothing of reels."""
    shop.edit("clipbuild.yaml", "platforms: [tiktok]", "platforms: [tiktok, reels]")
    shop.edit("clipbuild.yaml", "duration: 1", "duration: 4")
    shop.repository.commit("two platforms")
    shop.edit("clipbuild.yaml", "brand:\n", "platforms:\n  tiktok: {title_limit: 11}\nbrand:\n")
    session = planning.open_session(Wish(str(shop.root), (), ("reels",), "draft"), Settings())
    found = since.difference(session, "HEAD")
    session.close()
    assert found.touched == frozenset()


def test_what_follows_a_choice_that_is_not_made_is_compared(tmp_path: pathlib.Path) -> None:
    """With motion that is bought and `auto` a plan ends at the choice until the picture is there: another look of the
    captions touches the clip all the same, and only that one; so does it once the choice is known."""
    with opened(tmp_path, "openai", "kling") as store:
        store.stock(2)
        store.edit("clipbuild.yaml", "motion: push-in", "motion: auto")
        store.write(".gitignore", ".clipbuild/\ndist*/\n")
        Repository(store.root).commit("two products")
        store.edit("catalog/all.yaml", "photos/p0.png\n", "photos/p0.png\n    caption_style: plain\n")

        def touched() -> dict[str, Any]:
            out = store.run("plan", "--since", "HEAD", "--json", "--profile", store.profile)[1]
            return dict(json.loads(out))

        assert touched()["changed"] == ["item-0"]
        assert store.build().status == 0
        store.edit("catalog/all.yaml", "caption_style: plain", "caption_style: pop")
        told = touched()
        assert told["changed"] == ["item-0"]
        assert {a["stage"]: a["state"] for a in told["actions"] if a["changed"]}["render"] == "local"
        assert not any(a["changed"] for a in told["actions"] if a["stage"] == "animate"), "known of then too"


def test_the_plan_of_now_is_made_once(shop) -> None:
    """What was planned to compare is handed on, judged: with everything touched, planning is most of the work."""
    shop.edit("clipbuild.yaml", "#24443a", "#123456")
    found = shop.difference()
    assert found.planned is not None
    assert found.planned.planned == 3
    assert len(found.planned.plan.of(Verdict.WILL_RUN)) > 0


def test_no_trace_is_left(shop) -> None:
    """The workspace of then is gone afterwards, and neither output nor lock was touched."""
    shop.edit("clipbuild.yaml", "#24443a", "#123456")
    shop.difference()
    assert list((shop.root / ".clipbuild/tmp").iterdir()) == []
    assert shop.repository.git("status", "--short").split() == ["M", "clipbuild.yaml"]
