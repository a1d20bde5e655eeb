"""Importing again: the shop's changes come in, a person's words stay."""

import pathlib

import pytest

from clipbuild.catalog import entries, feeds, importing, roundtrip
from clipbuild.catalog.feeds import Item
from clipbuild.catalog.photos import Album
from clipbuild.errors import CatalogError
from tests.support.catalogs import Memory

MUG = Item("mug", "Ember mug", 2, "Warm\nand round", "14.00", "18.00", ("mug.jpg",), ("Kitchen", "Two words"))


def photo(item: Item) -> list[str]:
    return [f"photos/{name}" for name in item.images]


def merge(text: bytes, memory: bytes, *items: Item) -> importing.Imported:
    return importing.merge("shop.yaml", text, memory, items, photo, "€")


def test_a_first_import_writes_a_catalog() -> None:
    """Text that YAML could take for something else is quoted."""
    done = merge(b"", b"", MUG)
    text = done.text.decode()
    assert done.added == ["mug"]
    for line in ("sku: mug", "name: Ember mug", "photos: photos/mug.jpg", 'price: "€14.00"', "was:", "- twowords"):
        assert line in text


def test_the_same_import_again_changes_nothing() -> None:
    """Not a byte."""
    first = merge(b"", b"", MUG)
    again = merge(first.text, first.memory, MUG)
    assert (again.text, again.memory) == (first.text, first.memory)
    assert not again.changed
    assert not again.added


def test_a_persons_words_and_comments_stay() -> None:
    """A new price comes in; the edited name, captions and comments are kept, and the kept name is said."""
    first = merge(b"", b"", MUG)
    edited = first.text.replace(b"name: Ember mug", b"name: The mug  # our own word\n    captions: [Hello]")
    new = Item("mug", "Ember mug XL", 2, MUG.description, "15.00", "", MUG.images, MUG.tags)
    done = merge(edited, first.memory, new)
    text = done.text.decode()
    assert "name: The mug  # our own word" in text
    assert "captions: [Hello]" in text
    assert "€15.00" in text
    assert "was" not in text
    assert done.changed == {"mug": ["offer.price", "offer.was"]}
    assert done.kept == {"mug": ["name"]}


def test_a_product_that_a_person_removed_stays_removed() -> None:
    """And one that left the shop is only named."""
    first = merge(b"", b"", MUG)
    assert merge(b"products: []\n", first.memory, MUG).added == []
    assert merge(first.text, first.memory).gone == ["mug"]


def test_no_photo_no_product() -> None:
    """A product without a photo here is left out and said."""
    done = merge(b"", b"", Item("bare", "Bare", 2))
    assert done.without_photo == ["bare"]
    assert b"bare" not in done.text


EXPORTS = pathlib.Path(__file__).parent / "exports"
ALBUM = Album([f"photos/{n}" for n in ("ember-mug-1.jpg", "ember-mug-2.png", "vase-red.jpg", "vase-green.jpg", "stool.jpg")])


def brought(name: str, text: bytes = b"", memory: bytes = b"") -> importing.Imported:
    feed = feeds.read(name, (EXPORTS / name).read_bytes())
    return importing.merge("shop.yaml", text, memory, feed.items, ALBUM.of, "€")


@pytest.mark.parametrize("name", ["shopify.csv", "woocommerce.csv", "merchant.xml"])
def test_a_whole_export(name: str) -> None:
    """It becomes a catalog without a fault, the same again on a second import, and in clipbuild's own style."""
    first = brought(name)
    sheet = entries.read("shop.yaml", first.text, Memory())
    assert sheet.faults == ()
    assert sheet.products[0].value["name"] == "Ember mug"
    again = brought(name, first.text, first.memory)
    assert (again.text, again.memory, again.changed) == (first.text, first.memory, {})
    assert roundtrip.tidy("shop.yaml", first.text) == first.text


def test_variants_are_those_that_look_different() -> None:
    """Sizes of one photo are one clip; colours with photos of their own are several, with their own price."""
    [vase] = [p.value for p in entries.read("a", brought("shopify.csv").text, Memory()).products if p.value["sku"] == "vase"]
    assert vase["variants"] == [
        {"id": "red-s", "photos": "photos/vase-red.jpg"},
        {"id": "green-s", "photos": "photos/vase-green.jpg", "offer": {"price": "€52.00"}},
    ]


def test_a_currency_is_not_written_twice() -> None:
    """Only bare prices get one."""
    text = brought("merchant.xml").text.decode()
    assert "price: 14.00 EUR" in text.replace('"', "")


def test_texts_in_several_languages() -> None:
    """Rows of one SKU with a locale are one product that speaks them."""
    rows = "sku,locale,name,description,image\nA,en,Mug,Warm,stool.jpg\nA,zh_CN,杯子,温暖,stool.jpg\nB,en,Bare,,stool.jpg\n"
    feed = feeds.read("t.csv", rows.encode())
    done = importing.merge("shop.yaml", b"", b"", feed.items, ALBUM.of)
    first, second = (product.value for product in entries.read("a", done.text, Memory()).products)
    assert (first["name"], first["post"]) == ({"en": "Mug", "zh-CN": "杯子"}, {"description": {"en": "Warm", "zh-CN": "温暖"}})
    assert second["name"] == {"en": "Bare"}


SECTIONS = """\
products:
  - sku: mug
    name: Ember mug
    photos: photos/mug.jpg
    post:
      description: Warm
      hashtags:
        - cup  # ours
        - gift

  # --- glass ---
  - sku: jar
    name: Jar
    photos: photos/jar.jpg
# the end
"""


def shop(sku: str, name: str = "", price: str = "", tags: tuple[str, ...] = (), description: str = "") -> Item:
    return Item(sku, name or sku.title(), 2, description, price, "", (f"{sku}.jpg",), tags)


@pytest.mark.parametrize("tags", [("new",), ()])
@pytest.mark.parametrize("price", ["5", ""])
def test_no_comment_is_lost(tags: tuple[str, ...], price: str) -> None:
    """Neither in a list that is replaced or goes, nor behind it, where the next product's heading stands."""
    mug = shop("mug", "Ember mug", price, tags, "Warm")
    remembered = merge(b"", b"", shop("mug", "Ember mug", "", ("cup", "gift"), "Warm"), shop("jar")).memory
    done = merge(SECTIONS.encode(), remembered, mug, shop("jar"))
    text = done.text.decode()
    assert done.changed["mug"]
    assert roundtrip.comments(text) == ["# --- glass ---", "# ours", "# the end"]
    assert text.index("price" if price else "post") < text.index("# --- glass ---") < text.index("sku: jar")


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_a_comment_between_a_key_and_its_text_moves_above_the_key(end: bytes) -> None:
    """A round trip would lose it; nothing else moves, and a long text that looks alike is left alone."""
    first = merge(b"", b"", shop("a", "A", price="9"))
    long = b"    hook: |\n      like:\n        # this\n        one\n"
    edited = first.text.replace(b"name: A\n", b"name:\n      # why this name\n      A\n" + long).replace(b"\n", end)
    made = merge(edited, first.memory, shop("a", "A2", price="9")).text
    assert made == first.text.replace(b"name: A\n", b"# why this name\n    name: A2\n" + long).replace(b"\n", end)


def test_a_value_that_products_share_changes_for_one() -> None:
    """An anchored offer: the product whose price is new gets one of its own, the other keeps the old."""
    first = merge(b"", b"", shop("a", price="1"), shop("b", price="1"))
    text = b"products:\n- {sku: a, name: A, photos: photos/a.jpg, offer: &o {price: \xe2\x82\xac1}}\n"
    text += b"- {sku: b, name: B, photos: photos/b.jpg, offer: *o}\n"
    done = merge(text, first.memory, shop("a", price="7"), shop("b", price="1"))
    assert [product.value["offer"]["price"] for product in entries.read("a", done.text, Memory()).products] == ["€7", "€1"]


def test_a_file_keeps_its_line_breaks_and_its_mark() -> None:
    """Windows' line breaks and a byte order mark stay; where the shop has nothing new, so does every byte."""
    first = merge(b"", b"", MUG)
    text = b"\xef\xbb\xbf" + first.text.replace(b"\n", b"\r\n").replace(b"name: ", b"name:   ")
    assert merge(text, first.memory, MUG).text == text
    changed = merge(text, first.memory, shop("mug", price="3")).text
    assert changed.startswith(b"\xef\xbb\xbfproducts:\r\n")
    assert changed.count(b"\n") == changed.count(b"\r\n")


def test_tags_that_yaml_takes_for_other_things_stay_text() -> None:
    """`true` and `null` as hashtags."""
    done = merge(b"", b"", shop("a", tags=("true", "null", "0012")))
    [product] = entries.read("a", done.text, Memory()).products
    assert product.value["post"]["hashtags"] == ["true", "null", "0012"]


@pytest.mark.parametrize("text", ["products: " + "[" * 5000 + "]" * 5000, "products: &a [*a]", "products: [!!python/none {}]"])
def test_a_catalog_that_no_build_would_read_is_refused(text: str) -> None:
    """With the words of `check`; nothing is written."""
    with pytest.raises(CatalogError, match=r"shop\.yaml:1:\d+"):
        merge(text.encode(), b"", MUG)


def test_a_variant_without_an_earlier_price_has_none() -> None:
    """It would inherit the product's, and promise a saving that there is not. Ids that are equal get a number."""
    red, rose = shop("red", price="25"), Item("red", "Rose", 1, price="20", was="30", images=("rose.jpg",))
    done = merge(b"", b"", Item("a", "A", 1, price="20", was="30", images=("a.jpg",), variants=(red, rose)))
    [product] = entries.read("a", done.text, Memory()).products
    assert product.value["variants"] == [
        {"id": "red", "photos": "photos/red.jpg", "offer": {"price": "€25", "was": ""}},
        {"id": "red-2", "photos": "photos/rose.jpg"},
    ]
