"""Decisions in the lock: of bytes, carried over while those stay, and never at the cost of somebody else's line."""

import hashlib
import pathlib
import threading

import pytest

from clipbuild import decisions
from clipbuild.decisions import APPROVED, REJECTED, Subject
from clipbuild.digest import Digest
from clipbuild.engine.lock import Lock
from clipbuild.errors import UsageError
from tests.support.repository import Repository


def d(text: str) -> Digest:
    return Digest(hashlib.sha256(text.encode()).hexdigest())


def test_a_decision_stands_for_bytes(tmp_path: pathlib.Path) -> None:
    """The same bytes under another key stay decided; other bytes do not."""
    subject = Subject("mug/9x16/render", d("key"), d("bytes"))
    decisions.decide(str(tmp_path), [subject], APPROVED, by="kim")
    said = Lock.load(str(tmp_path / "clipbuild.lock")).decisions()
    assert decisions.standing(said, d("bytes")) == APPROVED
    assert decisions.standing(said, d("other")) == ""
    assert decisions.standing(said, None) == ""


def test_the_last_word_counts(tmp_path: pathlib.Path) -> None:
    """Who rejects after an approval has rejected, whichever key either was given under."""
    root = str(tmp_path)
    decisions.decide(root, [Subject("a", d("one"), d("bytes"))], APPROVED, by="kim", at="2026-01-01T00:00:00Z")
    lock = decisions.decide(root, [Subject("a", d("two"), d("bytes"))], REJECTED, by="lee", reason="no", at="2026-01-02T00:00:00Z")
    assert decisions.standing(lock.decisions(), d("bytes")) == REJECTED


def test_decisions_at_once_are_all_kept(tmp_path: pathlib.Path) -> None:
    """Twelve at the same time, none lost."""
    threads = [
        threading.Thread(target=decisions.decide, args=(str(tmp_path), [Subject(f"n{n}", d(f"k{n}"), d(f"b{n}"))], APPROVED),
                         kwargs={"by": "kim"}) for n in range(12)
    ]  # fmt: skip
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(Lock.load(str(tmp_path / "clipbuild.lock")).approvals) == 12


def test_takes_count_up(tmp_path: pathlib.Path) -> None:
    """Each retake means the next attempt, with its reason in the lock."""
    assert decisions.retake(str(tmp_path), d("base"), "blurred\nlabel") == 2
    assert decisions.retake(str(tmp_path), d("base"), "") == 3
    assert Lock.load(str(tmp_path / "clipbuild.lock")).takes[d("base")].because == "asked for"


def test_a_reason_is_a_line(tmp_path: pathlib.Path) -> None:
    """Control characters are shown, a whole essay is refused."""
    root = str(tmp_path)
    lock = decisions.decide(root, [Subject("a", d("k"), d("b"))], REJECTED, by="kim", reason="\x1b[31mred\nhot")
    assert next(iter(lock.approvals.values())).reason == "\\x1b[31mred hot"
    with pytest.raises(UsageError, match="too long"):
        decisions.decide(root, [Subject("a", d("k"), d("b"))], REJECTED, by="kim", reason="x" * 600)


def test_who_decides_is_known_without_git_and_in_any_encoding(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No git on this machine, or a name in Latin-1."""
    Repository(tmp_path)
    with (tmp_path / ".git/config").open("ab") as file:
        file.write(b"[user]\n name = J\xfcrgen\n")
    assert decisions.person(str(tmp_path), {"USER": "kim"}) == "J\N{REPLACEMENT CHARACTER}rgen"
    monkeypatch.setenv("PATH", str(tmp_path))
    assert decisions.person(str(tmp_path), {"USER": "kim"}) == "kim"
