"""What shops export: dialects, variants, prices, descriptions, and rows that are no good."""

import pathlib

import pytest

from clipbuild.catalog import feeds
from clipbuild.errors import CatalogError

SHOPIFY = """\
Handle,Title,Body (HTML),Tags,Option1 Value,Variant SKU,Variant Price,Variant Compare At Price,Image Src
mug,Ember mug,"<p>Warm &amp; round</p>
<ul><li>one</li><li>two</li></ul><script>x()</script>","Kitchen, New",Default Title,,14.00,18.00,https://cdn.test/a/mug.jpg?v=1
gloves,Gloves,<p>Warm</p>,,Green,,9.99,,https://cdn.test/g1.jpg
gloves,,,,Yellow,,15.99,,https://cdn.test/g2.jpg
,No handle,,,,,1,,
"""
WOO = """\
ID,Type,SKU,Name,Short description,Sale price,Regular price,Categories,Images,Parent,Attribute 1 value(s)
1,variable,tee,T-Shirt,Soft,,,"Clothing > Tshirts","https://x.test/a.jpg, https://x.test/b.jpg",,"Blue, Red"
2,variation,tee-blue,T-Shirt - Blue,,20,25,,https://x.test/blue.jpg,tee,Blue
3,variation,tee-red,T-Shirt - Red,,,25,,,id:1,Red
4,"simple, virtual",album,Album,,,15,Music,,,
5,variation,lost,Lost,,,1,,,nobody,X
"""
GOOGLE = """\
<?xml version="1.0"?>
<rss xmlns:g="http://base.google.com/ns/1.0" version="2.0"><channel>
<item><g:id>A-1</g:id><title>Lamp &lt;big&gt;</title><g:price>69.99 EUR</g:price><g:sale_price>59.99 EUR</g:sale_price>
<g:image_link>https://x.test/l.jpg</g:image_link><g:additional_image_link>https://x.test/l2.jpg</g:additional_image_link>
<g:item_group_id>lamp</g:item_group_id><g:color>Black</g:color></item>
<item><g:id>A-2</g:id><title>Lamp</title><g:price>69.99 EUR</g:price><g:item_group_id>lamp</g:item_group_id>
<g:color>White</g:color></item>
<item><g:id>B</g:id></item>
</channel></rss>
"""


def read(text: str, **more: object) -> feeds.Feed:
    return feeds.read("feed", text.encode(), **more)  # type: ignore[arg-type]


def test_shopify() -> None:
    """Rows of one handle are one product; its priced rows are variants; HTML goes, text stays."""
    feed = read(SHOPIFY)
    assert feed.dialect == "shopify"
    mug, gloves = feed.items
    assert (mug.sku, mug.name, mug.price, mug.was) == ("mug", "Ember mug", "14.00", "18.00")
    assert mug.description == "Warm & round\none\ntwo"
    assert mug.tags == ("Kitchen", "New")
    assert mug.variants == ()
    assert [(v.sku, v.price) for v in gloves.variants] == [("green", "9.99"), ("yellow", "15.99")]
    assert gloves.images == ("https://cdn.test/g1.jpg", "https://cdn.test/g2.jpg")
    assert [p.line for p in feed.problems] == [6]


def test_woocommerce() -> None:
    """Variations find their parent by SKU or by id; a parent without a price takes its first variation's."""
    feed = read(WOO)
    assert feed.dialect == "woocommerce"
    tee, album = feed.items
    assert (tee.price, tee.was) == ("20", "25")
    assert [v.sku for v in tee.variants] == ["blue", "red"]
    assert tee.tags == ("Tshirts",)
    assert len(tee.images) == 2
    assert album.price == "15"
    assert "nobody" in feed.problems[0].what


def test_google_merchant() -> None:
    """Items of a group are variants of one product; a sale price is the price."""
    feed = read(GOOGLE)
    assert feed.dialect == "google"
    (lamp,) = feed.items
    assert (lamp.sku, lamp.price, lamp.was) == ("lamp", "59.99 EUR", "69.99 EUR")
    assert [v.sku for v in lamp.variants] == ["black", "white"]
    assert len(lamp.images) == 2
    assert len(feed.problems) == 1


def test_google_tsv() -> None:
    """The tab-separated form is the same feed."""
    feed = read("id\ttitle\tprice\timage link\nL\tLamp\t5 EUR\thttps://x.test/l.jpg\n")
    assert (feed.dialect, feed.items[0].price) == ("google", "5 EUR")


@pytest.mark.parametrize("text", ['<!DOCTYPE x [<!ENTITY a "b">]><rss/>', "<rss><item></rss>", '{"a": 1}', "[1]", "[" * 9999])
def test_what_is_no_feed_is_refused(text: str) -> None:
    """With an error of ours."""
    with pytest.raises(CatalogError):
        read(text)


@pytest.mark.parametrize("file", sorted((pathlib.Path(__file__).parents[1] / "hostile" / "data" / "svg").glob("*.xml")), ids=lambda f: f.stem)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be"])
def test_document_types_are_refused_in_any_encoding(file: pathlib.Path, encoding: str) -> None:
    """Entities that swell, call each other or name files: refused before they are expanded."""
    data = file.read_text(encoding="utf-8").encode(encoding)
    with pytest.raises(CatalogError):
        feeds.read("feed.xml", data)


def test_a_plain_table_by_its_columns() -> None:
    """Known names are found; others are mapped."""
    assert read("id,name\n0001,Mug\n").items[0].sku == "0001"
    feed = read("Artikel,Titel\nA 1,Tasse\n", columns={"sku": "Artikel", "name": "Titel"})
    assert (feed.items[0].sku, feed.items[0].name) == ("a-1", "Tasse")
    with pytest.raises(CatalogError, match="column map"):
        read("Artikel\nA\n", columns={"sku": "Nr"})
    with pytest.raises(CatalogError, match="could be the SKU"):
        read("Artikel\nA\n")


def test_a_sku_that_comes_twice_is_reported() -> None:
    """The first stays."""
    feed = read("id,name\nA,one\nA,two\n")
    assert [item.name for item in feed.items] == ["one"]
    assert "already in line 2" in feed.problems[0].what


@pytest.mark.parametrize(
    ("text", "slug"), [("Café Crème", "cafe-creme"), ("../../x", "x"), ("日本", ""), ("A" * 99, "a" * 64), ("CON", "con")]
)
def test_slugs_are_safe_names(text: str, slug: str) -> None:
    """Only lower-case ASCII, digits, dots and dashes."""
    assert feeds.slug(text) == slug


@pytest.mark.parametrize(("price", "was", "struck"), [
    ("999.00", "1,299.00", True), ("1,299.00", "999.00", False), ("1.299,00", "999,00", False), ("1 299,00", "999,00", False),
    ("1'299", "1.300", True), ("12,50", "9,99", False), ("", "", False),
])  # fmt: skip
def test_an_earlier_price_is_a_higher_one(price: str, was: str, struck: bool) -> None:
    """However thousands and cents are parted."""
    [item] = read(f'Handle,Title,Variant Price,Variant Compare At Price\na,A,"{price}","{was}"\n').items
    assert item.was == (was if struck else "")


def test_numbers_of_json_stay_as_written() -> None:
    """Prices, SKUs; tags in one text are parted; a price that is none is left out."""
    text = (
        '[{"sku": 1e3, "name": "A", "price": 1.10, "tags": "red, blue"}, {"sku": "b", "name": "B", "tags": 5,'
        ' "priceUsd": {"units": 3, "nanos": 50000000}}, {"sku": "c", "name": "C", "priceUsd": {"units": "x", "nanos": null}}]'
    )
    assert [(item.sku, item.price, item.tags) for item in read(text).items] == [
        ("1e3", "1.10", ("red", "blue")), ("b", "$3.05", ("5",)), ("c", "", ()),
    ]  # fmt: skip


def test_what_no_catalog_can_hold_is_left_out_of_texts() -> None:
    """Control characters, and line breaks in a name: one such row would stop the whole import."""
    [item] = read('sku,name,description,price\na,"A\x1b[31m\nmug","one\x07\ntwo","1\n4"\n').items
    assert (item.name, item.description, item.price) == ("A[31m mug", "one\ntwo", "1 4")


def test_columns_that_are_not_given_are_found_by_their_names() -> None:
    """One column in another language need not have all others named; what nothing is taken from is said."""
    feed = feeds.read("x.csv", b"SKU;Name;Preis;Bild\nA;Tasse;9,50;a.jpg\n", {"images": "Bild"})
    (item,) = feed.items
    assert (item.sku, item.name, item.images, item.price) == ("A", "Tasse", ("a.jpg",), "")
    assert feed.unread == ("Preis",)
    (item,) = feeds.read("x.csv", b"id,name,title\nA,old,new\n", {"name": "title"}).items
    assert item.name == "new"
