"""An opened workspace: which clips are wished for, what finished clips are held to, and reports read from the store."""

import pytest

from clipbuild.errors import UsageError
from clipbuild.session import Session, open_session
from clipbuild.settings import Settings
from clipbuild.wish import Wish
from tests.support.opened import project, session
from tests.support.project import Project

__all__ = ["project", "session"]


def wished(project: Project, *products: str, platforms: tuple[str, ...] = ()) -> list[str]:
    """The ids of the clips that are wished for."""
    session = open_session(Wish(str(project.root), products, platforms, "draft"), Settings())
    try:
        return [clip.id for clip in session.selected()]
    finally:
        session.close()


def test_selection(project: Project) -> None:
    """By SKU, by pattern, by platform; nothing named is everything."""
    assert wished(project) == ["item-0", "item-1", "item-2"]
    assert wished(project, "item-1") == ["item-1"]
    assert wished(project, "item-[02]") == ["item-0", "item-2"]
    assert wished(project, "item-1", "item-1", "*-1") == ["item-1"]
    assert wished(project, "item-2", "item-0", "*-1") == ["item-0", "item-1", "item-2"]
    assert wished(project, platforms=("tiktok",)) == ["item-0", "item-1", "item-2"]


def test_an_unknown_wish(project: Project) -> None:
    """A product, a pattern or a platform that fits nothing is told, with what there is; not passed over."""
    for args in (("nosuch",), ("item-0", "x*")):
        with pytest.raises(UsageError, match="no product") as caught:
            wished(project, *args)
        assert "item-0, item-1, item-2" in dict(caught.value.facts)["known"]
    with pytest.raises(UsageError, match="no platform 'vimeo'"):
        wished(project, platforms=("vimeo",))


def test_a_draft_is_not_checked_as_a_clip(session: Session) -> None:
    """Small, quick drafts have no limits; what is shipped has."""
    assert session.clip_limits() is None
    full = open_session(Wish(session.wish.root, profile="final"), Settings())
    try:
        assert full.clip_limits()
    finally:
        full.close()


def test_reports_are_read_or_empty(session: Session) -> None:
    """What is not there, is no JSON or no object says nothing; it never breaks who asks."""

    def stored(text: str) -> dict[str, object]:
        return session.report(session.store.add_bytes(text.encode()))

    assert session.report(None) == {}
    assert stored('{"verdict": "ready"}') == {"verdict": "ready"}
    assert stored("[1]") == stored("{") == stored("[" * 99_999) == {}
