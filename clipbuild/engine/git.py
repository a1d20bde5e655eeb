"""What git knows of a workspace: a commit's files, what differs from it, and who wrote which line.

Asks the `git` program and changes nothing; a repository's own hooks, pagers, filters and external programs are not run.
Paths are relative to the workspace, which may be a folder of a larger repository. Knows nothing of what files mean.
"""

import os
import re
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from clipbuild.digest import Digest
from clipbuild.errors import UsageError, shown

_QUIET = ("-c", "core.fsmonitor=false", "-c", f"core.hooksPath={os.devnull}", "-c", "core.quotePath=false")
_COMMIT = "%x01%H%x00%an%x00%ae%x00%at"
_HEAD = re.compile(rb"(?:\A|\0)\x01(?=[0-9a-f]{40,64}\0)")
_LFS = re.compile(rb"version https://git-lfs\.github\.com/spec/v1\n(?:.*\n)*?oid sha256:([0-9a-f]{64})\n")
DEEPER = "fetch the whole history (`git fetch --unshallow`; in GitHub Actions `fetch-depth: 0`, in GitLab `GIT_DEPTH: 0`)"


@dataclass(frozen=True, slots=True)
class Line:
    """Who last wrote a line of a file, in which commit and when (Unix time)."""

    commit: str
    author: str
    mail: str
    at: int
    text: str


class Git:
    """The repository that the folder `root` is in. Every method raises UsageError when git can't answer."""

    def __init__(self, root: str) -> None:
        self.root = root

    def top(self) -> str:
        """The repository's own folder."""
        return os.fsdecode(self._ask("rev-parse", "--show-toplevel")).rstrip("\n")

    def commit(self, rev: str) -> str:
        """The full name of a commit; a branch may also be one of `origin` that was never checked out here."""
        for name in (rev, f"refs/remotes/origin/{rev}"):
            found = self._try("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
            if found is not None:
                break
        if found is None:
            raise UsageError(f"no commit {shown(rev, 80)!r} here", hint=DEEPER if self.is_shallow() else "`git log`")
        return found.decode().strip()

    def base(self, rev: str) -> str:
        """The commit at which what is checked out parted from `rev`."""
        commit = self.commit(rev)
        found = self._try("merge-base", commit, "HEAD")
        if found is None:
            raise UsageError(f"what is checked out and {shown(rev, 80)!r} have no common commit", hint=DEEPER)
        return found.decode().split()[0]

    def is_shallow(self) -> bool:
        """Only a part of the history is here."""
        return (self._try("rev-parse", "--is-shallow-repository") or b"").strip() == b"true"

    def changed(self, commit: str) -> list[str]:
        """Files that differ from the commit: edited, added, removed, committed since or not yet, sorted."""
        found = self._ask("diff", "--name-only", "-z", "--no-renames", "--relative", "--no-ext-diff", "--no-textconv",
                          commit, "--", ".")  # fmt: skip
        fresh = self._ask("ls-files", "-z", "--others", "--exclude-standard", "--", ".")
        return sorted({*_names(found), *_names(fresh)})

    def unwatched(self) -> list[str]:
        """Files that git is told to ignore, outside of what clipbuild itself makes, sorted."""
        left_out = [f":(exclude,glob){pattern}" for pattern in (".clipbuild/**", "dist/**", "dist.*/**", "**/.venv/**")]
        found = self._ask("ls-files", "-z", "--others", "--ignored", "--exclude-standard", "--", ".", *left_out)
        return sorted(_names(found))

    def tree(self, commit: str) -> dict[str, str]:
        """The regular files of a commit with the ids of their contents."""
        found = {}
        for row in self._ask("ls-tree", "-r", "-z", commit, "--", ".").split(b"\0"):
            if row:
                facts, _, name = row.partition(b"\t")
                mode, kind, object_id = facts.split()[:3]
                if kind == b"blob" and mode in (b"100644", b"100755"):
                    found[os.fsdecode(name)] = object_id.decode()
        return found

    def contents(self, ids: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """The bytes of each id, in order, by one process."""
        wanted = list(ids)
        if not wanted:
            return
        command = ["git", *_QUIET, "cat-file", "--batch"]
        with subprocess.Popen(
            command, cwd=self.root, env=_environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        ) as process:  # fmt: skip
            assert process.stdin is not None
            assert process.stdout is not None
            for start in range(0, len(wanted), 500):
                part = wanted[start : start + 500]  # less than a pipe holds, so that we never wait for each other
                process.stdin.write("".join(f"{name}\n" for name in part).encode())
                process.stdin.flush()
                for name in part:
                    head = process.stdout.readline().split()
                    if len(head) != 3:
                        raise UsageError(f"git has no object {shown(name)}", hint=DEEPER)
                    data = process.stdout.read(int(head[2]))
                    process.stdout.read(1)
                    yield name, data
            process.stdin.close()

    def worktrees(self) -> list[str]:
        """The workspace's folder in every work tree of the repository, its own too; some may be gone from the disk."""
        inside = os.fsdecode(self._ask("rev-parse", "--show-prefix")).rstrip("\n")
        rows = os.fsdecode(self._ask("worktree", "list", "--porcelain")).split("\n")
        return [os.path.join(row.removeprefix("worktree "), inside) for row in rows if row.startswith("worktree ")]

    def everywhere(self, path: str) -> Iterator[tuple[str, bytes]]:
        """The contents that a file has at any branch, tag or other ref, each once, with a commit that has it."""
        inside = os.fsdecode(self._ask("rev-parse", "--show-prefix")).rstrip("\n")
        commits = self._ask("for-each-ref", "--format=%(objectname)").decode().split()
        wanted = "".join(f"{commit}:{inside}{path}\n" for commit in commits)
        rows = self._ask("cat-file", "--batch-check", given=os.fsencode(wanted)).split(b"\n")
        first: dict[str, str] = {}
        for commit, told in zip(commits, rows, strict=False):
            if len(facts := told.split()) == 3 and facts[1] == b"blob":
                first.setdefault(facts[0].decode(), commit)
        for name, data in self.contents(first):
            yield first[name], data

    def blame(self, path: str) -> list[Line]:
        """Each line of a file of the work tree with who wrote it; what is not committed has a commit of zeros."""
        found = self._try("blame", "--line-porcelain", "-w", "--", path)
        return list(_blamed(found.decode("utf-8", "replace"))) if found is not None else []

    def brought(self) -> dict[str, Line]:
        """Who brought each file below `root` into the repository, following renames: the whole history, asked once."""
        asked = ("log", "-z", "--reverse", "--relative", "-M", "--diff-filter=AR", "--name-status", f"--format={_COMMIT}")
        found: dict[str, Line] = {}
        for commit in _HEAD.split(self._try(*asked) or b"")[1:]:
            head, author, mail, at, *rest = commit.split(b"\0")
            by = Line(head.decode(), author.decode("utf-8", "replace"), mail.decode("utf-8", "replace"), int(at), "")
            words = iter(word.lstrip(b"\n") for word in rest)
            for kind in words:
                if kind.startswith(b"R"):
                    old, new = (os.fsdecode(next(words)) for _ in range(2))
                    found[new] = found.get(old, by)
                elif kind == b"A":
                    found.setdefault(os.fsdecode(next(words)), by)
        return found

    def _ask(self, *args: str, given: bytes = b"") -> bytes:
        done = self._run(args, given)
        if done.returncode:
            told = shown(done.stderr.decode("utf-8", "replace").strip(), 300)
            raise UsageError(f"git {args[0]} failed in {shown(self.root)}", [("git", told)], "is this a git repository?")
        return done.stdout

    def _try(self, *args: str) -> bytes | None:
        done = self._run(args)
        return None if done.returncode else done.stdout

    def _run(self, args: Iterable[str], given: bytes = b"") -> "subprocess.CompletedProcess[bytes]":
        try:
            return subprocess.run(
                ["git", *_QUIET, *args], cwd=self.root, env=_environment(), capture_output=True, check=False,
                input=given,
            )  # fmt: skip
        except OSError as error:
            raise UsageError(f"git can't be run: {error.strerror}", hint="install git") from error


def is_repository(root: str) -> bool:
    """A folder of a git repository, whether git likes it or not."""
    above = os.path.abspath(root)
    while not os.path.lexists(os.path.join(above, ".git")):
        if above == (above := os.path.dirname(above)):
            return "GIT_DIR" in os.environ
    return True


def lfs_digest(data: bytes) -> Digest | None:
    """The digest that a Git LFS pointer speaks of: that of the file it stands for. None for anything else."""
    found = _LFS.match(data) if len(data) < 1024 else None
    return Digest(found[1].decode()) if found else None


def branch_point(environ: Mapping[str, str]) -> str:
    """The branch that a change is meant for, as this CI tells it, else the remote's main branch."""
    if base := environ.get("CI_MERGE_REQUEST_DIFF_BASE_SHA"):
        return base
    for name in ("GITHUB_BASE_REF", "CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "BITBUCKET_PR_DESTINATION_BRANCH"):
        if branch := environ.get(name):
            return f"origin/{branch}"
    return "origin/HEAD"


def _names(data: bytes) -> list[str]:
    return [os.fsdecode(name) for name in data.split(b"\0") if name]


def _environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "GIT_DIR", "GIT_WORK_TREE", "GIT_CONFIG_GLOBAL",
                                                "XDG_CONFIG_HOME") if name in os.environ}  # fmt: skip
    return {**kept, "LC_ALL": "C.UTF-8", "GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0", "GIT_PAGER": "cat"}


def _blamed(text: str) -> Iterator[Line]:
    facts: dict[str, str] = {}
    for row in text.split("\n"):
        if row.startswith("\t"):
            yield Line(
                facts["commit"], facts.get("author", ""), facts.get("author-mail", "").strip("<>"),
                int(facts.get("author-time", "0")), row[1:],
            )  # fmt: skip
            facts = {}
        elif "commit" not in facts:
            facts["commit"] = row.split(" ")[0]
        else:
            name, _, value = row.partition(" ")
            facts[name] = value
