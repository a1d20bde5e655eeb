"""Importing again: the shop's changes come in, a person's words stay."""

from clipbuild.catalog import importing
from clipbuild.catalog.feeds import Item

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
