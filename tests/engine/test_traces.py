"""The state database: only a cache. Whatever happens to it, nothing is wrong after, only slower."""

import os
import random
import sqlite3
import time

import pytest

from clipbuild import digest
from clipbuild.engine import traces
from clipbuild.engine.action import Trace
from clipbuild.engine.traces import FORMAT, State


def d(text: str) -> digest.Digest:
    return digest.of_bytes(text.encode())


def trace(n: int, **facts) -> Trace:
    return Trace(f"sku-{n}/image", d(str(n)), {"image.png": d(f"out {n}")}, "0.04", 1.5, facts)


@pytest.fixture
def path(tmp_path) -> str:
    return str(tmp_path / "state.db")


def filled(path: str, count: int = 50) -> State:
    state = State.open(path)
    for n in range(count):
        state.record(trace(n), {"params": {"n": n, "prompt": "ž" * 50}})
        state.put("clip", str(n), f"clip {n}".encode())
    state.commit()
    return state


def test_what_is_recorded_is_found_again(path):
    """Traces with all their fields, documents by name, cache entries by kind and key; also by the next process."""
    filled(path).close()
    state = State.open(path)
    assert state.trace(d("7")) == trace(7)
    assert state.trace(d("x")) is None
    assert state.last("sku-7/image") == (d("7"), {"params": {"n": 7, "prompt": "ž" * 50}})
    assert state.last("sku-x/image") is None
    assert state.get("clip", "7") == b"clip 7"
    assert state.get("other", "7") is None
    assert state.warning == ""


def test_many_traces_at_once(path):
    """A few are looked up, many are read in one go, with the same answer."""
    state = filled(path, 3000)
    few = [d("1"), d("2"), d("x")]
    assert state.traces(few) == {d("1"): trace(1), d("2"): trace(2)}
    many = [d(str(n)) for n in range(2500)] + [d("x")]
    assert state.traces(many) == {d(str(n)): trace(n) for n in range(2500)}
    assert state.keys() == {d(str(n)) for n in range(3000)}
    names = [f"sku-{n}/image" for n in range(3000)]
    assert state.last_keys(names) == {name: d(str(n)) for n, name in enumerate(names)}
    assert state.last_keys(names[:2]) == {names[0]: d("0"), names[1]: d("1")}
    assert state.last_keys(["none"]) == {}


def test_a_name_has_one_last_document_and_all_names_of_an_action_have_it(path):
    """The newest judged wins; going back to an older document works too."""
    state = State.open(path)
    state.record(trace(1), {"n": 1}, names=["also/image"])
    assert state.last("also/image") == state.last("sku-1/image")
    state.judged({"also/image": (d("2"), {"n": 2})})
    assert state.last("also/image") == (d("2"), {"n": 2})
    state.judged({"also/image": (d("1"), {"n": 1})})
    assert state.last("also/image") == (d("1"), {"n": 1})


def test_cache_tables_are_separate_and_can_be_dropped(path):
    """`drop` takes one kind, or some of its keys, and nothing else."""
    state = State.open(path)
    for kind in ("a", "b"):
        state.put_all(kind, {"1": b"x", "2": b"", "3": bytes(range(256))})
    state.drop("a", ["1"])
    assert state.get_all("a") == {"2": b"", "3": bytes(range(256))}
    state.drop("a")
    assert state.get_all("a") == {}
    assert len(state.get_all("b")) == 3


def test_uncommitted_work_of_a_killed_run_is_absent(path):
    """What was not committed is not there for the next one: absent, never half."""
    state = filled(path)
    state.record(trace(99), {"n": 99})
    other = State.open(path)
    assert other.trace(d("99")) is None
    assert other.trace(d("1")) == trace(1)


def test_forgotten_traces_take_their_documents_along(path):
    """Clean-up drops traces of removed blobs and documents that no name points to."""
    state = filled(path, 3)
    state.judged({"sku-1/image": (d("new"), {"n": "new"})})
    state.forget([d("1")])
    assert state.keys() == {d("0"), d("2")}
    assert state.last("sku-1/image") == (d("new"), {"n": "new"})
    assert len(state._rows("select * from document", ())) == 3


DAMAGE = {
    "garbage": lambda data: b"garbage" * 1000,
    "empty": lambda data: b"",
    "cut": lambda data: data[: len(data) // 2],
    "head lost": lambda data: b"\0" * 100 + data[100:],
    "zero tail": lambda data: data[:4096] + b"\0" * (len(data) - 4096),
    "one page": lambda data: data[:8192] + os.urandom(4096) + data[12288:],
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE.keys())
def test_a_broken_database_is_set_aside_never_an_error(path, damage):
    """Torn or garbage: every call works, what is found is right or absent, and it can be written again."""
    filled(path, 500).close()
    with open(path, "rb") as file:
        data = file.read()
    with open(path, "wb") as file:
        file.write(damage(data))
    state = State.open(path)
    for n in range(500):
        assert state.trace(d(str(n))) in (None, trace(n))
        found = state.last(f"sku-{n}/image")
        assert found is None or found[1]["params"]["n"] == n
    for key, found in state.traces([d(str(n)) for n in range(500)]).items():
        assert found.key == key
    state.record(trace(1), {"n": 1})
    state.put("clip", "1", b"new")
    state.commit()
    assert state.trace(d("1")) == trace(1)
    state.close()
    assert State.open(path).get("clip", "1") == b"new"


def test_random_flips_never_make_a_wrong_answer(path):
    """200 copies with a few flipped bytes: each answer is the recorded one or none."""
    filled(path, 200).close()
    with open(path, "rb") as file:
        data = file.read()
    seed = int(os.environ.get("CLIPBUILD_SEED", "1"))
    chance, absent = random.Random(seed), 0
    for _ in range(2000 if os.environ.get("CLIPBUILD_SLOW") else 60):
        copy = bytearray(data)
        for _ in range(chance.randint(1, 40)):
            copy[chance.randrange(100, len(copy))] ^= 1 << chance.randrange(8)
        for suffix in ("-wal", "-shm"):
            if os.path.exists(path + suffix):
                os.remove(path + suffix)
        with open(path, "wb") as file:
            file.write(copy)
        state = State.open(path)
        for n in range(200):
            found = state.trace(d(str(n)))
            assert found in (None, trace(n)), f"seed {seed}"
            absent += found is None
            assert state.get("clip", str(n)) in (None, f"clip {n}".encode())
            last = state.last(f"sku-{n}/image")
            assert last is None or last[1] == {"params": {"n": n, "prompt": "ž" * 50}}
        state.close()
    assert absent, "the damage must have hit something"


def test_row_checksums_have_teeth(path):
    """A changed row reads as absent: without its checksum it would be believed."""
    filled(path).close()
    db = sqlite3.connect(path)
    data = db.execute("select data from trace where key = ?", (bytes.fromhex(d("1")),)).fetchone()[0]
    assert d("out 1").encode() in data
    lie = data.replace(d("out 1").encode(), d("out 2").encode())
    db.execute("update trace set data = ? where key = ?", (lie, bytes.fromhex(d("1"))))
    db.execute("update cache set data = ? where kind = 'clip' and key = '1'", (b"\0\0\0\0clip 2",))
    db.commit()
    db.close()
    state = State.open(path)
    assert state.trace(d("1")) is None
    assert state.traces([d("1")]) == {}
    assert state.get("clip", "1") is None
    assert "clip 2" in str(lie) or d("out 2").encode() in lie[4:]


@pytest.mark.parametrize("version", [FORMAT + 1, 999, -1])
def test_a_database_of_another_version_is_set_aside(path, version):
    """Newer or unknown: kept under another name, and a fresh one is begun."""
    filled(path).close()
    db = sqlite3.connect(path)
    db.execute(f"pragma user_version = {version}")
    db.close()
    state = State.open(path)
    assert state.trace(d("1")) is None
    assert f"format {version}" in state.warning
    assert os.path.exists(path + ".damaged")


def test_somebody_elses_database_is_set_aside(path):
    """A database that is not ours is not written into."""
    db = sqlite3.connect(path)
    db.execute("create table treasure (x)")
    db.commit()
    db.close()
    state = State.open(path)
    assert state.trace(d("1")) is None
    state.close()
    assert sqlite3.connect(path + ".damaged").execute("select name from sqlite_master").fetchall() == [("treasure",)]


def test_tables_that_vanish_while_open_are_made_anew(path):
    """A database that breaks during a run costs its contents, not the run."""
    state = filled(path)
    state._db.execute("drop table trace")
    assert state.trace(d("1")) is None
    assert state.warning
    state.record(trace(1), {"n": 1})
    assert state.trace(d("1")) == trace(1)


def test_a_place_that_can_not_hold_a_database_costs_only_memory(tmp_path):
    """No folder, or a folder in the way: the run works and says that it remembers nothing."""
    (tmp_path / "state.db").mkdir()
    for path in (str(tmp_path / "state.db" / "x" / "y"), "/proc/no/state.db"):
        state = State.open(path)
        state.record(trace(1), {"n": 1})
        state.commit()
        assert state.trace(d("1")) == trace(1)
        assert "remembers nothing" in state.warning


def test_a_full_disk_costs_only_memory(path):
    """When the database can grow no more the run goes on, and the next one finds what was written before or nothing."""
    state = filled(path)
    pages = state._db.execute("pragma page_count").fetchone()[0]
    state._db.execute(f"pragma max_page_count = {pages}")
    for n in range(100, 400):
        state.record(trace(n), {"n": "x" * 5000})
        state.put("big", str(n), os.urandom(5000))
    state.commit()
    assert state.warning
    assert State.open(path).trace(d("1")) in (None, trace(1))


def test_a_locked_database_does_not_stop_a_run(path):
    """Another program holds the file whole: after a short wait the run goes on by itself."""
    filled(path).close()
    other = sqlite3.connect(path)
    other.execute("pragma locking_mode = exclusive")
    other.execute("begin exclusive")
    other.execute("delete from last")
    state = State(path, patience=0.1)
    state.record(trace(1), {"n": 1})
    state.commit()
    assert state.trace(d("1")) == trace(1)
    other.close()
    assert State.open(path).trace(d("2")) == trace(2), "nobody's database was set aside"


def test_a_plan_beside_a_build_reads_and_does_not_wait_for_long(path):
    """While another process writes, reading goes on; what can't be written is left out after one short wait."""
    build, plan = filled(path), State(path, patience=0.1)
    build.put("clip", "1", b"building")
    began = time.monotonic()
    for n in range(50):
        plan.put("source", str(n), b"x")
        assert plan.trace(d("1")) == trace(1)
    assert time.monotonic() - began < 1
    build.commit()
    plan.commit()
    plan.put("source", "1", b"y")
    plan.commit()
    assert plan.get("source", "1") == b"y"
    assert plan.warning == build.warning == ""


def test_no_transaction_stays_open_for_long(path, monkeypatch):
    """A run of many writes lets others in between."""
    state, other = filled(path), State(path, patience=0.0)
    monkeypatch.setattr(traces, "_OPEN_SECONDS", -1)
    state.put("clip", "1", b"one")
    state.put("clip", "1", b"two")
    other.put("clip", "1", b"three")
    other.commit()
    assert state.get("clip", "1") == b"three"


def test_two_that_open_a_new_database_at_once(path):
    """Eight processes that make the database at the same moment all get one that works."""
    import subprocess
    import sys

    code = (
        "import sys; from clipbuild.engine.traces import State; s = State.open(sys.argv[1]);"
        "s.put('k', sys.argv[2], b'x'); s.commit(); assert s.get('k', sys.argv[2]) == b'x', s.warning; print(s.warning)"
    )
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    crowd = [
        subprocess.Popen([sys.executable, "-c", code, path, str(n)], env=env, stdout=subprocess.PIPE, text=True)
        for n in range(8)
    ]
    assert [process.communicate()[0].strip() for process in crowd] == [""] * 8
    assert len(State.open(path).get_all("k")) == 8


def test_a_name_that_is_no_text_is_no_damage(path):
    """A file name that is no UTF-8 is never known and never noted; what else is known stays."""
    state = State.open(path)
    state.put("kind", "key", b"data")
    state.put("kind", "caf\udce9", b"x")
    assert state.get("kind", "caf\udce9") is None
    assert state.warning == ""
    state.close()
    again = State.open(path)
    assert again.get("kind", "key") == b"data"
    again.close()
