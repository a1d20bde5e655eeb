"""What git is asked: real repositories, odd names, folders inside larger repositories, shallow clones."""

import os

import pytest

from clipbuild.digest import Digest
from clipbuild.engine.git import Git, branch_point, is_repository, lfs_digest
from clipbuild.errors import UsageError
from tests.support.repository import Repository


@pytest.fixture
def repository(tmp_path) -> Repository:
    """A workspace in a folder of a larger repository."""
    made = Repository(tmp_path / "r")
    made.write("shop/clipbuild.yaml", "a: 1\n")
    made.write("shop/photos/käse \"1\".png", "photo")
    made.write("shop/.gitignore", "raw/\n")
    made.write("elsewhere.txt", "x")
    made.commit("first")
    return made


def shop(repository: Repository) -> Git:
    return Git(str(repository.root / "shop"))


def test_what_differs_is_found_whatever_state_it_is_in(repository) -> None:
    """Committed, staged, edited, untracked, removed; nothing outside the workspace, nothing ignored."""
    first = repository.git("rev-parse", "HEAD")
    repository.write("shop/committed.txt", "x")
    repository.commit("second")
    repository.write("shop/staged.txt", "x")
    repository.git("add", "-A")
    repository.write("shop/fresh.txt", "x")
    repository.write("shop/clipbuild.yaml", "a: 2\n")
    repository.write("elsewhere.txt", "y")
    repository.write("shop/raw/big.png", "x")
    os.remove(repository.root / 'shop/photos/käse "1".png')
    wanted = ["clipbuild.yaml", "committed.txt", "fresh.txt", 'photos/käse "1".png', "staged.txt"]
    assert shop(repository).changed(first) == wanted
    assert shop(repository).unwatched() == ["raw/big.png"]


def test_the_files_of_a_commit_and_their_bytes(repository) -> None:
    """By one process, in order, whatever their names; links are left out."""
    os.symlink("/etc/passwd", repository.root / "shop/link.txt")
    repository.commit("a link")
    git = shop(repository)
    tree = git.tree("HEAD")
    assert set(tree) == {"clipbuild.yaml", 'photos/käse "1".png', ".gitignore"}
    names = [tree["clipbuild.yaml"], tree['photos/käse "1".png']] * 700
    assert [data for _, data in git.contents(names)] == [b"a: 1\n", b"photo"] * 700


def test_a_branch_is_compared_with_where_it_parted(repository) -> None:
    """What happened on main meanwhile is not this branch's change."""
    parted = repository.git("rev-parse", "HEAD")
    repository.git("checkout", "-q", "-b", "feature")
    repository.write("shop/feature.txt", "x")
    repository.commit("feature")
    repository.git("checkout", "-q", "main")
    repository.write("shop/main.txt", "x")
    repository.commit("main goes on")
    repository.git("checkout", "-q", "feature")
    assert shop(repository).base("main") == parted
    assert shop(repository).changed(shop(repository).base("main")) == ["feature.txt"]


@pytest.mark.parametrize("rev", ["nowhere", "--output=/tmp/x", "-q", "", "HEAD:shop"])
def test_what_is_no_commit_is_an_error(repository, rev) -> None:
    """Options and paths are not taken for commits."""
    with pytest.raises(UsageError, match="no commit"):
        shop(repository).commit(rev)


def test_a_shallow_clone_says_how_to_get_the_rest(repository, tmp_path) -> None:
    """The usual trap in CI."""
    first = repository.git("rev-parse", "HEAD")
    repository.write("shop/x.txt", "x")
    repository.commit("second")
    clone = repository.clone(tmp_path / "clone", "--depth", "1")
    with pytest.raises(UsageError, match="fetch-depth"):
        shop(clone).commit(first)


def test_a_branch_of_the_origin_need_not_be_checked_out(repository, tmp_path) -> None:
    """`main` in a clone that only ever checked out another branch."""
    main = repository.git("rev-parse", "HEAD")
    repository.git("checkout", "-q", "-b", "feature")
    clone = repository.clone(tmp_path / "clone", "-b", "feature")
    assert shop(clone).commit("main") == main


def test_no_repository_is_an_error(tmp_path) -> None:
    """With git's own words."""
    with pytest.raises(UsageError, match="failed"):
        Git(str(tmp_path)).changed("HEAD")


def test_lines_have_their_authors(repository) -> None:
    """Who wrote a line last; a line that is not committed belongs to nobody yet."""
    repository.write("shop/clipbuild.yaml", "a: 1\nb: two\n")
    repository.commit("more", who="ben")
    repository.write("shop/clipbuild.yaml", "a: 1\nb: two\nc: 3\n")
    lines = shop(repository).blame("clipbuild.yaml")
    assert [line.author for line in lines[:2]] == ["ann", "ben"]
    assert lines[2].commit == "0" * 40
    assert lines[1].text == "b: two"
    assert "nothing" not in shop(repository).brought()


def test_who_brought_a_file_is_asked_once_for_all(repository) -> None:
    """Also of one that was renamed, touched again, removed and brought back; in a folder of the repository, and of odd names."""
    odd = "photos/a b\n\x01ü.png"
    repository.write("shop/photos/old.png", "a picture of some length, so that git knows it again\n" * 9)
    repository.write(f"shop/{odd}", "x")
    repository.commit("photos", who="ben")
    os.rename(repository.root / "shop/photos/old.png", repository.root / "shop/photos/new.png")
    repository.write("shop/clipbuild.yaml", "a: 2\n")
    repository.commit("renamed", who="cleo")
    (repository.root / "shop" / odd).unlink()
    repository.commit("removed", who="cleo")
    repository.write(f"shop/{odd}", "x")
    repository.commit("back", who="dan")
    brought = shop(repository).brought()
    wanted = {"clipbuild.yaml": "ann", "photos/new.png": "ben", odd: "ben", 'photos/käse "1".png': "ann"}
    assert {path: brought[path].author for path in wanted} == wanted
    assert brought["clipbuild.yaml"].mail == "ann@example.com"


def test_a_large_file_pointer_speaks_of_its_file() -> None:
    """The digest of the real file is in it."""
    name = "4d" * 32
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{name}\nsize 12345\n".encode()
    assert lfs_digest(pointer) == Digest(name)
    assert lfs_digest(b"oid sha256:" + name.encode()) is None


def test_the_branch_a_change_is_meant_for() -> None:
    """As the CI tells it."""
    assert branch_point({"GITHUB_BASE_REF": "main"}) == "origin/main"
    assert branch_point({"CI_MERGE_REQUEST_DIFF_BASE_SHA": "abc"}) == "abc"
    assert branch_point({}) == "origin/HEAD"


def test_a_file_at_every_branch_and_in_every_work_tree(repository) -> None:
    """Each content once, of branches and tags; work trees that are gone from the disk are named all the same."""
    git = shop(repository)
    for number, branch in enumerate(("one", "two", "three")):
        repository.git("checkout", "-q", "-b", branch, "main")
        repository.write("shop/clipbuild.lock", f"{number % 2}\n")
        repository.commit(branch)
    repository.git("tag", "-a", "-m", "x", "v1")
    repository.git("checkout", "-q", "main")
    assert sorted(data for _, data in git.everywhere("clipbuild.lock")) == [b"0\n", b"1\n"]
    assert list(git.everywhere("nothing")) == []
    repository.git("worktree", "add", "-q", "../other", "one")
    found = git.worktrees()
    assert [os.path.realpath(path) for path in found] == [
        os.path.realpath(repository.root / "shop"), os.path.realpath(repository.root.parent / "other" / "shop"),
    ]  # fmt: skip


def test_a_repository_is_one_whether_git_likes_it_or_not(repository, tmp_path) -> None:
    """What git refuses to read is told apart from what is no repository."""
    assert is_repository(str(repository.root / "shop"))
    (tmp_path / "plain").mkdir()
    assert not is_repository(str(tmp_path / "plain"))
    (tmp_path / "plain" / ".git").write_text("gitdir: /nonexistent")
    assert is_repository(str(tmp_path / "plain"))
    with pytest.raises(UsageError, match="git"):
        Git(str(tmp_path / "plain")).worktrees()
