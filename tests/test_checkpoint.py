"""A plan that was put aside before its first action ran is taken up again after a kill, and only where it still holds."""

import os
import pathlib
import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from clipbuild import checkpoint, digest, planning
from clipbuild.engine.action import Output
from clipbuild.planning import Planned, Session
from clipbuild.settings import Settings
from clipbuild.wish import Wish
from tests.bench import engine, trivial, workspace

ROOT = pathlib.Path(__file__).resolve().parent.parent
COUNT = checkpoint.MANY + 20


@contextmanager
def planned(root: pathlib.Path, aside: bool = False) -> Iterator[tuple[Session, Planned]]:
    """The plan of everything; put aside if told so."""
    session = planning.open_session(Wish(str(root), profile="final"), Settings())
    try:
        found = planning.make_plan(session)
        if aside:
            checkpoint.put_aside(session, found)
        yield session, found
    finally:
        session.close()


def told(found: Planned) -> dict[str, Any]:
    """Everything that a plan says, as plain data. Each action's identity is found anew from what it holds."""
    graph = found.plan.graph
    for action in graph:
        shape = {n: [i.action, i.name] if isinstance(i, Output) else i for n, i in action.inputs.items()}
        assert digest.of_document(action.document(shape)) == action.id
    rows = {a.id: (a.name, a.stage, a.version, dict(a.params), dict(a.inputs), a.pool, a.precious, a.tools) for a in graph}
    order = [action.name for action in graph]
    return {"rows": rows, "order": order, "aliases": graph.aliases, "files": found.deliverables, "keys": found.plan.keys,
            "verdicts": found.plan.verdicts,
            "marks": {clip: (mark.entry, mark.whole, mark.asked) for clip, mark in found.marks.items()}}  # fmt: skip


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """Just enough products for a plan to be put aside."""
    root = tmp_path_factory.mktemp("many") / "shop"
    workspace.make(str(root), COUNT, 3)
    with planned(root, aside=True) as (_, found):
        assert found.planned == COUNT
    return root


def test_it_is_the_plan_that_was_put_aside(shop: pathlib.Path) -> None:
    """Nothing is planned again, and every action, file, key and verdict is the same."""
    with planned(shop) as (session, again):
        assert again.planned == 0
        os.rename(aside := checkpoint.place(str(shop), "final"), f"{aside}.kept")
        with planned(shop) as (other, anew):
            assert anew.planned == COUNT
            assert told(again) == told(anew)
            assert session.origins.keys() == other.origins.keys(), "where the bytes of sources are is known too"
            assert session.sources.seen().keys() == other.sources.seen().keys(), "and what a snapshot must speak of"
        os.rename(f"{aside}.kept", aside)


def test_only_what_changed_is_planned(shop: pathlib.Path) -> None:
    """A product's words and another one's photo: those two. The project file: everything."""
    path, config = shop / "catalog/part-0000.yaml", shop / "clipbuild.yaml"
    before, photo = path.read_text(), (shop / "photos/000/000007.png").read_bytes()
    path.write_text(before.replace("Look at number 3\n", "Look here\n"))
    (shop / "photos/000/000007.png").write_bytes(workspace.photo(70_000))
    with planned(shop) as (_, found):
        assert found.planned == 2
        assert len(found.deliverables) == COUNT
    path.write_text(before)
    (shop / "photos/000/000007.png").write_bytes(photo)
    text = config.read_text()
    config.write_text(text.replace("duration: 5", "duration: 6"))
    with planned(shop) as (_, found):
        assert found.planned == COUNT
    config.write_text(text)


def test_damage_is_absence(shop: pathlib.Path) -> None:
    """Bytes flipped, cut or emptied anywhere: planned anew where it is hit, the same in the end."""
    seed = int(os.environ.get("CLIPBUILD_SEED") or random.randrange(1 << 32))
    print("seed", seed)
    chance = random.Random(seed)
    aside = pathlib.Path(checkpoint.place(str(shop), "final"))
    good = aside.read_bytes()
    with planned(shop) as (_, whole):
        expected = told(whole)
    try:
        for bad in (b"", good[: chance.randrange(len(good))], _flipped(good, chance), _flipped(good[-3000:], chance)):
            aside.write_bytes(bad)
            with planned(shop) as (_, found):
                assert found.planned > 0, f"seed {seed}"
                assert told(found) == expected, f"seed {seed}"
    finally:
        aside.write_bytes(good)


def _flipped(data: bytes, chance: random.Random) -> bytes:
    copy = bytearray(data)
    for _ in range(5):
        copy[chance.randrange(len(copy))] ^= 1 << chance.randrange(8)
    return bytes(copy)


def test_a_part_and_few_products_are_not_put_aside(tmp_path: pathlib.Path) -> None:
    """Where planning takes a moment there is nothing to keep, and a part is not taken for the whole."""
    workspace.make(str(tmp_path), 5, 1)
    with planned(tmp_path, aside=True) as (session, found):
        assert found.planned == 5
        assert not os.path.exists(checkpoint.place(str(tmp_path), "final"))
        found.planned = checkpoint.MANY
        session.wish = Wish(str(tmp_path), ("item-000001",), profile="final")
        checkpoint.put_aside(session, found)
        assert not os.path.exists(checkpoint.place(str(tmp_path), "final"))


COUNTED = """
import sys
from clipbuild.stages import registry
from tests.bench import trivial
registry.replace(trivial.stages(), [sys.executable, "-m", trivial.HERE, "worker"])
import pathlib
from tests.test_checkpoint import planned
with planned(pathlib.Path(sys.argv[1])) as (_, found):
    print(found.planned)
"""


def test_a_build_that_was_killed_goes_on_from_its_plan(tmp_path: pathlib.Path) -> None:
    """Killed when its first actions run; the next build plans no product, makes everything, and puts the plan away."""
    root = tmp_path / "shop"
    workspace.make(str(root), COUNT, 3)
    engine.to_first_action(str(root), kill=True)
    counted = subprocess.run([sys.executable, "-c", COUNTED, str(root)], cwd=ROOT, capture_output=True, text=True, check=True)
    assert counted.stdout == "0\n"
    done = engine.run([sys.executable, "-m", trivial.HERE, "build", "--json"], str(root)).report()
    assert (done["status"], done["deliverables"]) == (0, 15 * COUNT)
    assert not os.path.exists(checkpoint.place(str(root), "final"))
