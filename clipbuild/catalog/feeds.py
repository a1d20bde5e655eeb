"""What shops export, as items: Shopify, WooCommerce, Google Merchant (XML, TSV), JSON, any CSV by a column map.

Each dialect is one function from a file to items. Values stay as written; descriptions lose their HTML. Knows nothing
of catalog files and fetches nothing.
"""

import html
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from html.parser import HTMLParser
from typing import Any

from clipbuild.catalog import names, tables
from clipbuild.catalog.tables import Row, Table
from clipbuild.errors import CatalogError, Problem, shown

MAX_DESCRIPTION = 5000
_ID = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]|\.(?!\.|\Z))*\Z")
_HIDDEN = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufeff\ufffe\uffff]")
G = "{http://base.google.com/ns/1.0}"


@dataclass(frozen=True, slots=True)
class Item:
    """One product of a shop, or a variant of one. `images` are URLs or paths as the shop names them."""

    sku: str
    name: str
    line: int
    description: str = ""
    price: str = ""
    was: str = ""
    images: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    variants: tuple["Item", ...] = ()
    options: str = ""
    texts: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """Name and description by language, where the shop has several."""


@dataclass(frozen=True, slots=True)
class Feed:
    """What a file held: its dialect, items in file order, and the rows that were no good."""

    dialect: str
    items: tuple[Item, ...]
    problems: tuple[Problem, ...] = field(default=())
    unread: tuple[str, ...] = ()
    """Columns of a plain table that nothing is taken from."""


def read(file: str, data: bytes, columns: Mapping[str, str] | None = None) -> Feed:
    """Read a shop's export. `columns` maps our fields (sku, name, price, …) to a plain table's columns.

    Raises CatalogError when the file is of no known kind.
    """
    start = data[:512].lstrip(b"\xef\xbb\xbf \t\r\n")
    if start.startswith(b"<"):
        return _google_xml(file, data)
    if start[:1] in (b"{", b"["):
        return _json(file, data)
    table = tables.read(file, data)
    have = set(table.columns)
    if columns:
        return _plain(table, {**_guess(table, columns), **columns})
    if {"Handle", "Title"} <= have:
        return _finish("shopify", table, _shopify(table))
    if {"Type", "SKU", "Name"} <= have:
        return _finish("woocommerce", table, _woocommerce(table))
    if {"id", "title"} <= have and {"image_link", "image link", "price"} & have:
        return _finish("google", table, _google_rows(table.rows))
    return _plain(table, _guess(table, {}))


def slug(text: str) -> str:
    """`text` as an id: ASCII lower-case letters, digits, dots and dashes. "" when nothing is left."""
    import unicodedata

    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"\.+", ".", re.sub(r"[^a-z0-9._]+", "-", plain)).strip("-._")[:64].strip("-._")


def sku_of(text: str) -> str:
    """The shop's SKU as written where it can name a folder, else a slug of it."""
    return text if len(text) <= 64 and _ID.match(text) else slug(text)


class _Text(HTMLParser):
    """Text of an HTML description: blocks become line breaks, scripts and styles are dropped."""

    BLOCKS = frozenset({"p", "br", "div", "li", "ul", "ol", "h1", "h2", "h3", "h4", "h5", "h6", "tr"})
    SILENT = frozenset({"script", "style", "template", "noscript"})

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self.silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.silent += tag in self.SILENT
        if tag in self.BLOCKS:
            self.parts.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in self.SILENT and self.silent:
            self.silent -= 1
        elif tag in self.BLOCKS:
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        if not self.silent:
            self.parts.append(data)


def clean(text: str) -> str:
    """A description without HTML, white space folded, cut at 5,000 characters."""
    if "<" in text:
        parser = _Text()
        parser.feed(text)
        parser.close()
        text = "".join(parser.parts)
    text = html.unescape(text).replace("\\n", "\n").replace("\xa0", " ")
    lines = [" ".join(line.split()) for line in text.split("\n")]
    return "\n".join(line for line in lines if line)[:MAX_DESCRIPTION]


def _finish(dialect: str, table: Table, found: Iterable[Item | Problem]) -> Feed:
    rows = list(found)
    items = [_readable(row) for row in rows if isinstance(row, Item)]
    problems = [*table.problems, *(row for row in rows if isinstance(row, Problem))]
    kept: dict[str, Item] = {}
    for item in items:
        if item.sku in kept:
            what = f"{item.sku}: already in line {kept[item.sku].line}"
            problems.append(Problem(table.file, item.line, 1, what, (), "one of the two is left out"))
        else:
            kept[item.sku] = item
    return Feed(dialect, tuple(kept.values()), tuple(sorted(problems)))


def _readable(item: Item) -> Item:
    """The item without characters that a catalog can't hold; its name and prices on one line."""
    name, price, was = (_HIDDEN.sub("", " ".join(text.split())) for text in (item.name, item.price, item.was))
    texts = {language: (" ".join(said[0].split()), _HIDDEN.sub("", said[1])) for language, said in item.texts.items()}
    return replace(item, name=name, price=price, was=was, description=_HIDDEN.sub("", item.description), texts=texts,
                   variants=tuple(map(_readable, item.variants)))  # fmt: skip


def _named(file: str, row: Row, sku: str, name: str) -> Problem | None:
    if not slug(sku):
        return Problem(file, row.line, 1, "no SKU or handle", (), "give the product an id in the shop")
    if why := names.refused(slug(sku)):
        return Problem(file, row.line, 1, f"the SKU {shown(sku, 60)!r} {why}", (), "give the product another id in the shop")
    if not name:
        return Problem(file, row.line, 1, f"{shown(sku, 60)}: no name", (), "give the product a title in the shop")
    return None


def _tags(text: str, separator: str = ",") -> tuple[str, ...]:
    return tuple(tag.strip() for tag in text.split(separator) if tag.strip())


def _shopify(table: Table) -> Iterator[Item | Problem]:
    groups: dict[str, list[Row]] = {}
    for row in table.rows:
        groups.setdefault(row.get("Handle"), []).append(row)
    for handle, rows in groups.items():
        first = rows[0]
        if problem := _named(table.file, first, handle, first.get("Title")):
            yield problem
            continue
        images = tuple(dict.fromkeys(url for row in rows if (url := row.get("Image Src"))))
        sold = [row for row in rows if row.get("Variant Price")]
        price, was = _price(sold[0] if sold else first)
        text = clean(first.get("Body (HTML)"))
        item = Item(
            slug(handle), first.get("Title"), first.line, text, price, was, images, _tags(first.get("Tags"))
        )
        variants = tuple(_shopify_variant(item, row) for row in sold) if len(sold) > 1 else ()
        yield replace(item, variants=tuple(v for v in variants if v.sku))


def _price(row: Row) -> tuple[str, str]:
    price, was = row.get("Variant Price"), row.get("Variant Compare At Price")
    return price, was if _number(was) > _number(price) else ""


def _shopify_variant(item: Item, row: Row) -> Item:
    words = [row.get(f"Option{n} Value") for n in (1, 2, 3)]
    options = " ".join(word for word in words if word)
    image = row.get("Variant Image", "Image Src")
    sku = slug(options) or slug(row.get("Variant SKU"))
    price, was = _price(row)
    images = (image,) if image else ()
    return Item(sku, f"{item.name} {options}".strip(), row.line, "", price, was, images, options=options)


def _woocommerce(table: Table) -> Iterator[Item | Problem]:
    children: dict[str, list[Row]] = {}
    tops = []
    for row in table.rows:
        if row.get("Type").split(",")[0].strip() == "variation":
            children.setdefault(row.get("Parent"), []).append(row)
        else:
            tops.append(row)
    known = {row.get("SKU") for row in tops} | {f"id:{row.get('ID')}" for row in tops}
    for parent, rows in children.items():
        if parent not in known:
            for row in rows:
                yield Problem(table.file, row.line, 1, f"variation of {shown(parent, 60)!r}, which is not here", (), "")
    for row in tops:
        item = _woo_item(row)
        if problem := _named(table.file, row, item.sku, item.name):
            yield problem
            continue
        below = [*children.get(row.get("SKU"), ()), *children.get(f"id:{row.get('ID')}", ())]
        variants = [_woo_variant(child) for child in below]
        prices = [v for v in variants if v.price]
        if not item.price and prices:
            item = replace(item, price=prices[0].price, was=prices[0].was)
        yield replace(item, variants=tuple(v for v in variants if v.sku))


def _woo_item(row: Row) -> Item:
    sale, regular = row.get("Sale price"), row.get("Regular price")
    images = tuple(url.strip() for url in row.get("Images").split(",") if url.strip())
    tags = [*_tags(row.get("Tags")), *(path.split(">")[-1].strip() for path in _tags(row.get("Categories")))]
    return Item(
        sku_of(row.get("SKU")) or slug(row.get("Name")), row.get("Name"), row.line,
        clean(row.get("Short description", "Description")), sale or regular, regular if sale else "",
        images, tuple(dict.fromkeys(tags)),
    )  # fmt: skip


def _woo_variant(row: Row) -> Item:
    words = [row.get(f"Attribute {n} value(s)") for n in (1, 2, 3)]
    options = " ".join(word for word in words if word)
    item = _woo_item(row)
    return replace(item, sku=slug(options) or item.sku, options=options, tags=())


def _google_rows(rows: Iterable[Row], file: str = "") -> Iterator[Item | Problem]:
    groups: dict[str, list[Item]] = {}
    for row in rows:
        sku, name = row.get("id"), row.get("title")
        if problem := _named(file, row, sku, name):
            yield problem
            continue
        price, sale = row.get("price"), row.get("sale_price", "sale price")
        more = _tags(row.get("additional_image_link", "additional image link"))
        images = tuple(dict.fromkeys(url for url in (row.get("image_link", "image link"), *more) if url))
        options = " ".join(word for word in (row.get("color"), row.get("size")) if word)
        item = Item(sku_of(sku), name, row.line, clean(row.get("description")), sale or price,
                    price if sale else "", images, _tags(row.get("product_type", "product type"), ">"),
                    options=options)  # fmt: skip
        groups.setdefault(row.get("item_group_id", "item group id") or f"\0{sku}", []).append(item)
    for group, items in groups.items():
        if group.startswith("\0") or len(items) == 1:
            yield from items
        else:
            variants = tuple(replace(item, sku=slug(item.options) or item.sku) for item in items)
            yield replace(items[0], sku=sku_of(group), variants=variants, options="")


def _google_xml(file: str, data: bytes) -> Feed:
    """A Merchant feed as RSS or Atom. A document type (entities, external references) is refused unread."""
    from xml.etree import ElementTree

    wide = b"\0" in data[:4]  # UTF-16 would hide what is looked for
    if wide or len(data) > tables.MAX_BYTES or b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        raise CatalogError([Problem(file, 1, 1, "not a plain product feed", (), "UTF-8 without a document type, at most 64 MB")])
    try:
        root = ElementTree.fromstring(data)  # noqa: S314 (document types are refused above)
    except ElementTree.ParseError as error:
        line, column = error.position
        raise CatalogError([Problem(file, line, column + 1, f"not XML: {error}", (), "export the feed again")]) from None
    rows = []
    for number, entry in enumerate([*root.iter("item"), *root.iter("{http://www.w3.org/2005/Atom}entry")], 1):
        cells: dict[str, str] = {}
        for child in entry:
            name = child.tag.replace(G, "").replace("{http://www.w3.org/2005/Atom}", "")
            text = (child.text or "").strip()
            cells[name] = f"{cells[name]},{text}" if name == "additional_image_link" and name in cells else text
        rows.append(Row(number, cells))
    return _finish("google", Table(file, (), tuple(rows), ()), _google_rows(rows, file))


def _json(file: str, data: bytes) -> Feed:
    try:
        value = json.loads(data, parse_int=str, parse_float=str, parse_constant=str)  # 1.10 stays 1.10
    except (ValueError, RecursionError) as error:
        raise CatalogError([Problem(file, 1, 1, f"not JSON: {shown(error, 120)}", (), "")]) from None
    rows = value.get("products") if isinstance(value, dict) else value
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise CatalogError([Problem(file, 1, 1, "no list of products", (), "")])
    return _finish("json", Table(file, (), (), ()), _json_items(file, rows))


def _json_items(file: str, rows: list[dict[str, Any]]) -> Iterator[Item | Problem]:
    for number, row in enumerate(rows, 1):
        name = str(row.get("name") or row.get("title") or "")
        sku = slug(name) if not row.get("sku") else sku_of(str(row["sku"]))
        if problem := _named(file, Row(number, {}), sku, name):
            yield problem
            continue
        image = str(row.get("picture") or row.get("image") or "")
        tags = row.get("categories") or row.get("tags") or []
        tags = _tags(tags) if isinstance(tags, str) else tags if isinstance(tags, list) else []
        yield Item(sku, name, number, clean(str(row.get("description") or "")), _money(row),
                   images=(image,) if image else (), tags=tuple(str(tag) for tag in tags))  # fmt: skip


def _money(row: Mapping[str, Any]) -> str:
    usd = row.get("priceUsd")
    if not isinstance(usd, dict):
        return str(row.get("price") or "")
    units, nanos = (str(usd.get(name) or "0") for name in ("units", "nanos"))
    whole = units.isdecimal() and nanos.isdecimal() and len(nanos) <= 9
    return f"${units}.{nanos.zfill(9)[:2]}" if whole else ""


PLAIN: Mapping[str, tuple[str, ...]] = {
    "sku": ("sku", "id", "handle"), "name": ("name", "title", "product"), "price": ("price",), "was": ("was",),
    "description": ("description", "short_description", "body"), "images": ("image", "images", "photo", "photos"),
    "tags": ("tags", "keywords"), "language": ("language", "locale", "lang"),
}  # fmt: skip


def _guess(table: Table, given: Mapping[str, str]) -> dict[str, str]:
    """Which columns are what, by their names, where it is not given."""
    lower = {column.lower(): column for column in table.columns if column not in given.values()}
    found = {ours: lower[n] for ours, names in PLAIN.items() for n in reversed(names) if n in lower}
    if "sku" not in {*found, *given}:
        known = ", ".join(shown(column, 30) for column in table.columns[:12])
        hint = "name the columns: `clipbuild import FILE --column sku=ID --column name=Title`"
        raise CatalogError([Problem(table.file, 1, 1, "no column that could be the SKU", (("columns", known),), hint)])
    return found


def _plain(table: Table, columns: Mapping[str, str]) -> Feed:
    for ours, theirs in columns.items():
        if ours not in PLAIN or theirs not in table.columns:
            known = ", ".join(PLAIN if ours not in PLAIN else table.columns)
            raise CatalogError([Problem(table.file, 1, 1, f"column map {ours}={shown(theirs, 60)}", (("known", known),), "")])

    items = _plain_items(table, columns)
    found = _finish("table", table, _by_language(items) if "language" in columns else (item for item, _ in items))
    return replace(found, unread=tuple(name for name in table.columns if name not in columns.values()))


def _plain_items(table: Table, columns: Mapping[str, str]) -> Iterator[tuple[Item | Problem, str]]:
    """Each row's item and its language."""
    for row in table.rows:
        cells = {ours: row.get(theirs) for ours, theirs in columns.items()}
        sku, name = sku_of(cells.get("sku", "")), cells.get("name") or cells.get("sku", "")
        if problem := _named(table.file, row, sku, name):
            yield problem, ""
            continue
        item = Item(
            sku, name, row.line, clean(cells.get("description", "")), cells.get("price", ""), cells.get("was", ""),
            _tags(cells.get("images", "")), _tags(cells.get("tags", "")),
        )  # fmt: skip
        yield item, cells.get("language", "").replace("_", "-")


def _by_language(items: Iterable[tuple[Item | Problem, str]]) -> Iterator[Item | Problem]:
    """Rows of one SKU in several languages are one item."""
    found: dict[str, Item] = {}
    for item, language in items:
        if isinstance(item, Problem):
            yield item
            continue
        first = found.setdefault(item.sku, item)
        if not language or language in first.texts:
            yield from [item] if first is not item else []
            continue
        found[item.sku] = replace(first, texts={**first.texts, language: (item.name, item.description)})
    yield from found.values()


def _number(text: str) -> float:
    """A price as a number, to compare with another: the last mark with one or two digits behind it parts the cents."""
    found = re.search(r"\d[\d.,'’\s]*", text)
    if not found:
        return 0.0
    whole, _, cents = re.sub(r"[.,](?=\d{1,2}\Z)", "|", found[0].rstrip(" .,'’\xa0\u202f")).partition("|")
    return float(f"{re.sub('[^0-9]', '', whole) or 0}.{cents or 0}")
