"""Clean-up: what it must know before it removes anything."""

import json
import pathlib

from clipbuild.engine.store import DAY, HOUR, Store
from clipbuild.settings import Settings
from clipbuild.upkeep import clean_up
from tests.support.project import Project


def test_where_git_refuses_to_tell_nothing_is_removed(tmp_path: pathlib.Path) -> None:
    """What the branches need is not known then; in a folder of no repository there are none."""
    project = Project(tmp_path / "shop")
    project.sample(1)
    store = Store(str(project.root / ".clipbuild/store"))
    lone = store.add_bytes(b"of another branch, perhaps")
    (project.root / ".git").write_text("gitdir: /nonexistent")
    status, _, err = project.run("gc", "--remove")
    assert status == 2
    assert "git" in err
    (project.root / ".git").unlink()
    assert json.loads(project.run("gc", "--json")[1])["would_remove"] == [], "it is young"
    later = store.gc(set(), now=DAY, dry_run=True)
    assert later.kept == 1
    _, sweep = clean_up(str(project.root), Settings(), now=10 * (DAY + HOUR) + 2e9, remove=False)
    assert [name for name, _ in sweep.blobs] == [lone]
