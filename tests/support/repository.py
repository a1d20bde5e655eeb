"""A real git repository in a temporary folder, with people, branches and merges."""

import os
import pathlib
import subprocess

ENVIRONMENT = {
    "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull, "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C.UTF-8",
    "GIT_AUTHOR_DATE": "2025-01-31T12:00:00Z", "GIT_COMMITTER_DATE": "2025-01-31T12:00:00Z",
}  # fmt: skip


class Repository:
    """`git(...)` runs git there; `commit(message)` takes everything."""

    def __init__(self, root: pathlib.Path, *, fresh: bool = True) -> None:
        self.root = root
        root.mkdir(parents=True, exist_ok=True)
        if fresh:
            self.git("init", "-q", "-b", "main")

    def git(self, *args: str, who: str = "ann", check: bool = True) -> str:
        """Run git as a person; its output."""
        person = {f"GIT_{role}_{what}": value for role in ("AUTHOR", "COMMITTER")
                  for what, value in (("NAME", who), ("EMAIL", f"{who}@example.com"))}  # fmt: skip
        done = subprocess.run(
            ["git", *args], cwd=self.root, env={**os.environ, **ENVIRONMENT, **person}, capture_output=True, text=True,
            check=False,
        )
        assert not check or done.returncode == 0, done.stderr + done.stdout
        return done.stdout.strip()

    def commit(self, message: str, who: str = "ann") -> str:
        """Commit everything; the commit's name."""
        self.git("add", "-A", who=who)
        self.git("commit", "-q", "--allow-empty", "-m", message, who=who)
        return self.git("rev-parse", "HEAD")

    def write(self, path: str, text: str) -> pathlib.Path:
        """Write a file."""
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
        return target

    def clone(self, to: pathlib.Path, *flags: str) -> "Repository":
        """A clone of it."""
        subprocess.run(["git", "clone", "-q", *flags, f"file://{self.root}", str(to)], check=True,
                       env={**os.environ, **ENVIRONMENT})  # fmt: skip
        return Repository(to, fresh=False)
