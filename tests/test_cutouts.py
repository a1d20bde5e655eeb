"""How a bought picture is made where nobody said: the real product into a bought place where its photo allows it."""

import io
import json
import pathlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from PIL import Image

from clipbuild.engine.lock import Lock
from tests.support.shop import Shop, opened


@pytest.fixture
def shop(tmp_path: pathlib.Path) -> Iterator[Shop]:
    """One product before a plain backdrop; its picture is bought as usual."""
    with opened(tmp_path, "openai") as found:
        found.stock(1, motion="local", picture="")
        yield found


def plan(shop: Shop) -> tuple[dict[str, Any], str]:
    """What `plan` says, as data and in words."""
    status, out, err = shop.run("plan", "--json", "--profile", "studio")
    assert status == 0, err
    return json.loads(out), shop.run("plan", "--profile", "studio")[1]


def bought(shop: Shop) -> list[str]:
    """What the lock says was bought, in short."""
    return sorted(pin.name.rpartition("/")[2] for pin in Lock.load(str(shop.root / "clipbuild.lock")).pins.values())


def noise(shop: Shop) -> None:
    """The photo becomes one that nothing can be cut out of."""
    pixels = np.random.default_rng(7).integers(0, 255, (500, 400, 3), np.uint8)
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    shop.write("photos/p0.png", out.getvalue())


def test_a_photo_before_a_plain_backdrop_goes_into_a_bought_place(shop: Shop) -> None:
    """No alpha, but a sure cut-out: only the place is bought, no photo is sent, and plan and check say why."""
    told, text = plan(shop)
    assert told["pictures"]["item-0"]["way"] == "composite"
    assert "picture    item-0: composite: its photo can be cut out (" in text
    assert "item-0: composite: its photo can be cut out" in shop.run("check", "--profile", "studio")[1]
    assert shop.build().status == 0
    assert bought(shop) == ["plate"]
    assert shop.fakes["openai"].log[-1].asked.path.endswith("/images/generations"), "no photo is sent along"
    assert plan(shop)[0]["pictures"] == {}


def test_a_photo_that_can_not_be_cut_out_is_sent_along(shop: Shop) -> None:
    """Noise: the picture is made from the photo, with the reason."""
    noise(shop)
    told, text = plan(shop)
    assert told["pictures"]["item-0"]["way"] == "edit"
    assert "can't be cut out surely" in text
    assert [row["action"] for row in told["actions"] if row["precious"]] == ["item-0/vertical/image"]


def test_what_was_bought_keeps_its_way(shop: Shop) -> None:
    """Bought as an edit, then left to the photo, which could be cut out: nothing is bought again, also
    by somebody who has only lock and store."""
    shop.edit("clipbuild.yaml", "duration: 3", "duration: 3\n  picture: edit")
    assert shop.build().status == 0
    shop.edit("clipbuild.yaml", "\n  picture: edit", "")
    built = shop.build()
    assert (built.status, shop.submits()) == (0, 1)
    (shop.root / ".clipbuild" / "state.db").unlink()
    assert (shop.build().status, shop.submits()) == (0, 1)
    assert bought(shop) == ["image"]


def test_each_photo_is_looked_at_once(shop: Shop) -> None:
    """The second plan remembers; a photo that is no picture is for the build to say."""
    from clipbuild import cutouts, planning
    from clipbuild.settings import Settings
    from clipbuild.wish import Wish

    plan(shop)
    session = planning.open_session(Wish(str(shop.root), profile="studio"), Settings(trusted=True))
    planned = planning.make_plan(session)
    assert session.cutouts.ways["item-0"][0] == "composite"
    assert not cutouts.measure(session)
    assert len(planned.plan.graph) > 0
    session.close()
    shop.write("photos/p0.png", b"\x89PNG no picture")
    told = plan(shop)[0]
    assert told["pictures"]["item-0"] == {"way": "edit", "why": "its photo can't be looked at"}


def test_local_pictures_ask_nothing(tmp_path: pathlib.Path) -> None:
    """In a profile that makes pictures here no photo is looked at."""
    with opened(tmp_path, "openai") as shop:
        shop.stock(1, motion="local", picture="")
        status, out, _ = shop.run("plan", "--json", "--profile", "draft")
        assert (status, json.loads(out)["pictures"]) == (0, {})
