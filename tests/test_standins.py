"""What another provider made instead, and how real a picture is: bought through the fakes, seen in plan and manifest."""

import io
import json
import pathlib
from decimal import Decimal

import pytest

from tests.support.shop import Shop, opened


def fallback(shop: Shop, *targets: str) -> None:
    """Allow these stand-ins."""
    shop.edit("catalog/all.yaml", "    offer: {price: €5}", f"    fallback: [{', '.join(targets)}]")


def told(shop: Shop) -> dict[str, str]:
    """What `plan` says is degraded."""
    _, out, _ = shop.run("plan", "--json", "--profile", "studio")
    found = json.loads(out)["degraded"]
    assert isinstance(found, dict)
    return found


def test_a_fallback_is_never_silent(tmp_path: pathlib.Path) -> None:
    """Kling refuses: Runway makes the clip, and report, exit status, manifest and plan say so, in the next build too."""
    with opened(tmp_path, "openai", "kling", "runway") as shop:
        shop.stock(1)
        fallback(shop, "runway/gen4.5")
        shop.fakes["kling"].script(poll=["failed:SAFETY"])
        shop.fakes["runway"].script(poll=["done"])
        built = shop.build()
        assert built.status == 1
        assert "runway/gen4.5 instead of kling/kling-3.0: kling refused the request" in built.plain["degraded"]["item-0"]
        rows = json.loads(shop.files()["manifest.json"])["deliverables"]
        assert all("instead of kling" in row["degraded"] for row in rows)
        assert "runway" in told(shop)["item-0"]
        submits = shop.submits()
        again = shop.build()
        assert (again.status, again.ran, shop.submits()) == (1, [], submits)
        _, out, _ = shop.run("jobs", "--all", "--json")
        refused = next(job for job in json.loads(out)["jobs"] if job["state"] == "refused")
        assert shop.run("jobs", "resubmit", refused["id"][:8])[0] == 0
        shop.fakes["kling"].script(poll=["done"])
        assert shop.build().status == 0
        assert told(shop) == {}


def cost(shop: Shop) -> dict[str, Decimal]:
    """What `plan` says may be spent."""
    found = json.loads(shop.run("plan", "--json", "--profile", "studio")[1])["cost"]
    return {name: Decimal(found[name]) for name in ("least", "most", "standins")}


def test_what_may_stand_in_is_in_the_highest_price(tmp_path: pathlib.Path) -> None:
    """Kling or Runway, then here: the plan's most has both, before and while the first is open; what is then spent lies
    within. What a model can't make, what comes behind `local`, and pictures for a clip are not in it."""
    with opened(tmp_path, "openai", "kling", "runway") as shop:
        shop.stock(1)
        before = cost(shop)
        fallback(shop, "openai/gpt-image-2.5-flare:low", "runway/gen4_turbo", "local", "runway/gen4.5")
        found = cost(shop)
        assert found["standins"] == Decimal("0.05") * 3
        assert found["most"] == before["most"] + found["standins"]
        assert found["least"] == before["least"]
        shop.fakes["kling"].script(poll=["running*9999"])
        assert shop.interrupted(2) == 130
        assert cost(shop)["standins"] == found["standins"], "it may still fail"
        for job in shop.fakes["kling"].jobs.values():
            job.polls = iter(["failed:SAFETY"])
        shop.fakes["runway"].script(poll=["done"])
        assert shop.build().status == 1
        assert shop.charges() == {"openai": 1, "kling": 1, "runway": 1}
        assert sum(fake.ledger.total for fake in shop.fakes.values()) <= found["most"]
        assert cost(shop) == {"least": 0, "most": 0, "standins": 0}


def test_check_says_who_could_never_stand_in(tmp_path: pathlib.Path) -> None:
    """A stand-in that makes no clip of this length: a note, for nothing is wrong unless the wanted one fails."""
    with opened(tmp_path, "openai", "kling", "runway") as shop:
        shop.stock(1)
        fallback(shop, "vertex/veo-3.1-generate-001", "runway/gen4.5", "runway/gen9")
        status, out, err = shop.run("check", "--profile", "studio")
        told = out + err
        assert status == 0, told
        assert "item-0: runway/gen9 can't stand in, as `fallback` has it: there is no model 'gen9'" in told
        assert "runway/gen4.5 can't" not in told


def test_without_leave_nothing_stands_in(tmp_path: pathlib.Path) -> None:
    """The same refusal, no `fallback`: the product fails, nobody else is asked."""
    with opened(tmp_path, "openai", "kling", "runway") as shop:
        shop.stock(1)
        shop.fakes["kling"].script(poll=["failed:SAFETY"])
        built = shop.build()
        assert (built.status, built.plain["degraded"]) == (1, {})
        assert shop.fakes["runway"].submits == 0


def test_nothing_stands_in_for_a_job_that_may_still_come(tmp_path: pathlib.Path) -> None:
    """Kling took the job, and no longer lets this key ask for it: it is paid and open, so Runway is not paid as well."""
    with opened(tmp_path, "openai", "kling", "runway") as shop:
        shop.stock(1)
        fallback(shop, "runway/gen4.5")
        shop.fakes["kling"].script(poll=["401*3", "done"])
        built = shop.build()
        assert built.plain["degraded"] == {}
        assert shop.fakes["runway"].submits == 0
        assert shop.build().status == 0
        assert shop.charges() == {"openai": 1, "kling": 1}


def test_nothing_stands_in_for_a_journal_that_cannot_be_written(tmp_path: pathlib.Path) -> None:
    """No purchase can be noted: that is nobody's fault, so none is sent to anyone, and no clip is made here instead."""
    with opened(tmp_path, "openai", "kling", "runway") as shop:
        shop.stock(1)
        fallback(shop, "runway/gen4.5", "local")
        lock = shop.root / ".clipbuild/journal.lock"
        lock.mkdir(parents=True)
        built = shop.build()
        assert (built.status, built.plain["degraded"], shop.submits()) == (3, {}, 0)
        assert "can't be written" in "".join(built.plain["errors"].values())
        lock.rmdir()
        assert shop.build().status == 0


def test_quota_gone_closes_only_that_providers_lane(tmp_path: pathlib.Path) -> None:
    """Kling's pack is used up: with `local` allowed the clip is moved here; pictures go on being bought."""
    with opened(tmp_path, "openai", "kling") as shop:
        shop.stock(3)
        text = (shop.root / "catalog/all.yaml").read_text()
        shop.write("catalog/all.yaml", text.replace("    offer: {price: €5}", "    fallback: [local]", 1))
        shop.fakes["kling"].script(submit=["402_quota"])
        built = shop.build()
        assert built.status == 3
        assert shop.charges() == {"openai": 3}
        assert shop.fakes["kling"].submits <= 3
        assert "tiktok/item-0/item-0.mp4" in shop.files()
        assert list(built.plain["degraded"]) == ["item-0"]


@pytest.mark.parametrize("picture", ["", "generate"])
def test_composite_buys_the_place_and_keeps_the_real_product(picture: str, tmp_path: pathlib.Path) -> None:
    """A cut-out packshot: only the empty place is bought, the photo is not sent, its own pixels are in the picture.
    `picture: generate` sends no photo either and lets the model draw the product."""
    from PIL import Image

    with opened(tmp_path, "openai") as shop:
        shop.stock(1, motion="local", picture="")
        data = io.BytesIO()
        product = Image.new("RGBA", (600, 800), (0, 0, 0, 0))
        product.paste((201, 33, 44, 255), (150, 200, 450, 700))
        product.save(data, "PNG")
        shop.write("photos/p0.png", data.getvalue())
        if picture:
            shop.edit("catalog/all.yaml", "    offer: {price: €5}", f"    picture: {picture}")
        built = shop.build()
        assert built.status == 0, built.plain
        asked = [exchange.asked for exchange in shop.fakes["openai"].log if exchange.asked.method == "POST"]
        assert [one.path for one in asked] == ["/v1/images/generations"]
        words = json.loads(asked[0].body)["prompt"]
        assert ("nothing stands in it yet" in words) == (picture == "")
        assert sorted(built.stages()).count("image") == 1
        cover = Image.open(io.BytesIO(shop.files()["tiktok/item-0/item-0.jpg"])).convert("RGB")
        small = cover.resize((60, 106))
        pixels = [small.getpixel((x, y)) for x in range(60) for y in range(106)]
        has_product = any(r > 150 and g < 80 and b < 90 for r, g, b in pixels)  # type: ignore[misc]
        assert has_product == (picture == "")


def test_edit_sends_the_photos(tmp_path: pathlib.Path) -> None:
    """A photo that is no cut-out: it is the reference of an edit; candidates are asked for in one call."""
    with opened(tmp_path, "openai") as shop:
        shop.stock(1, motion="local")
        shop.edit("clipbuild.yaml", "gpt-image-2.5-flare:low", "gpt-image-2.5-flare:low*3")
        assert shop.build().status == 0
        asked = [exchange.asked for exchange in shop.fakes["openai"].log]
        assert [one.path for one in asked] == ["/v1/images/edits"]
        lock = (shop.root / "clipbuild.lock").read_text()
        assert '"image_2":' in lock
