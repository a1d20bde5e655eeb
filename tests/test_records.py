"""Records of clips: what the last build of each left, and whether all of it is still remembered."""

import pathlib

from clipbuild.engine.traces import State
from clipbuild.records import Mark, Records


def test_a_record_is_found_again(tmp_path: pathlib.Path) -> None:
    """Marks and rows come back as they went in, one profile apart from another."""
    state = State.open(str(tmp_path / "state.db"))
    records, other = Records(state, "final"), Records(state, "draft")
    mark = Mark("e", "w", 7, (("image", "9:16"),), "said")
    records.put("mug", mark, [{"path": "a/mug.mp4", "bytes": 1}])
    assert records.marks({"mug", "cup"}) == {"mug": mark}
    assert records.files("mug") == [{"path": "a/mug.mp4", "bytes": 1}]
    assert (other.marks({"mug"}), other.files("mug")) == ({}, [])
    records.drop(["mug"])
    assert (records.marks({"mug"}), records.files("mug")) == ({}, [])


def test_many_marks_are_read_at_once(tmp_path: pathlib.Path) -> None:
    """The same answer for few and for many."""
    records = Records(State.open(str(tmp_path / "state.db")), "final")
    names = {f"clip-{n}" for n in range(700)}
    for name in names:
        records.put(name, Mark(name, "", 1), [])
    assert records.marks(names) == {name: records.marks({name})[name] for name in names}


def test_a_lost_or_older_state_is_told_by_its_stamp(tmp_path: pathlib.Path) -> None:
    """A stamp is good as long as everything recorded by then is there: later writes are fine, an older or another state,
    or a cleared one, is not."""
    records = Records(State.open(str(tmp_path / "a.db")), "final")
    assert records.remembered(records.stamp()) is None, "nothing was recorded yet"
    records.put_tree(["mug"], "f")
    early = records.stamp()
    records.put_tree(["mug", "cup"], "g")
    late = records.stamp()
    assert records.remembered(early) == records.remembered(late) == {"mug", "cup"}
    assert records.manifest() == "g"
    older = Records(State.open(str(tmp_path / "b.db")), "final")
    older.put_tree(["mug"], "f")
    assert older.remembered(late) is None
    assert records.remembered("") is None
    records.clear()
    assert records.remembered(late) is None
