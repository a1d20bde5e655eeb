"""YAML is read strictly: what is written is what is meant, and every fault has its line and column."""

import json
import time

import pytest

from clipbuild.catalog import load, parsers
from clipbuild.errors import CatalogError


def read(text: str, numbers: tuple[str, ...] = ("duration",)) -> object:
    return load.read("a.yaml", text.encode(), numbers).value


def faults(text: str | bytes) -> list[str]:
    data = text.encode() if isinstance(text, str) else text
    with pytest.raises(CatalogError) as caught:
        load.read("a.yaml", data, ("duration",))
    return [f"{p.line}:{p.column} {p.what}" for p in caught.value.problems]


@pytest.mark.parametrize(
    "written", ["0123", "1e3", "NO", "no", "on", "y", "2024-01-31", "12:30:45", "0x1F", "1_000", "1.10", ".inf", "-0", "9" * 400]
)
def test_text_stays_as_it_is_written(written: str) -> None:
    """Nothing is retyped where text is wanted: a SKU of 0123 keeps its zero."""
    assert read(f"sku: {written}\n") == {"sku": written}


def test_numbers_are_numbers_where_they_are_wanted() -> None:
    """Below a key of numbers, and only there, digits are a number; odd spellings stay text for the schema to refuse."""
    assert read("duration: 5\nprice: 5\nlist: [1.5]\n") == {"duration": 5, "price": "5", "list": ["1.5"]}
    assert read("duration: {a: 1.50, b: [2]}\n") == {"duration": {"a": 1.5, "b": [2]}}
    assert read("duration: .nan\n") == {"duration": ".nan"}
    assert load.plain("a.yaml", b"a: 1\nb: 1.5\n") == {"a": 1, "b": 1.5}


def test_true_false_and_nothing() -> None:
    """The only words that are not text are those of YAML 1.2."""
    assert read("a: true\nb: False\nc: null\nd: ~\ne:\nf: 'true'\n") == {
        "a": True, "b": False, "c": None, "d": None, "e": None, "f": "true",
    }  # fmt: skip


def test_a_key_written_twice_is_said_with_both_places() -> None:
    """Also when the second is quoted, or the same after Unicode normalisation."""
    with pytest.raises(CatalogError) as caught:
        read("a:\n  - x: 1\n    'x': 2\né: 1\ne\u0301: 2\n")
    first, second = caught.value.problems
    assert (first.line, first.column, dict(first.facts)["first"]) == (3, 5, "a.yaml:2:5")
    assert (second.line, dict(second.facts)["first"]) == (5, "a.yaml:4:1")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: !!python/name:os.system\n", "1:4 the tag !!python/name:os.system is not read"),
        ("a:\n\tb: 1\n", "2:1 a tab where YAML wants spaces"),
        ("a: [1, 2\n", "2:1 a [ without its ]"),
        ('a: "x\n', "1:4 a quote that is never closed"),
        ("a:\n  b: 1\n c: 2\n", "3:2 a line that fits no map"),
        ("a: 1\n---\nb: 2\n", "2:1 a second document"),
        ("a: *b\n", "1:4 *b is not defined"),
        ("a: &b [*b]\n", "1:8 *b contains itself"),
        ("a: &b 1\nc: &b 2\n", "2:4 the anchor &b is defined twice"),
        ("a:\n  <<: {b: 1}\n", "2:3 merge keys (<<) are not read"),
        ("? [1]\n: x\n", "1:3 a list or map as a key"),
        ("a: b: c\n", "1:5 a second colon where text is read"),
        ("a: {b: #ffffff}\nc: 1\n", "2:2 a { without its }"),
        ("<<<<<<< ours\na: 1\n", "1:1 a merge conflict that is not settled"),
        ("a: \x01\n", "1:4 a character that text can't hold: \\x01"),
        ('a: "x\\0"\n', "1:4 text with the character \\x00"),
        ("", "0:0 the file is empty"),
    ],
)
def test_faults_have_places(text: str, expected: str) -> None:
    """What a person gets wrong is said in plain words, where it is."""
    assert expected in faults(text)


def test_bytes_that_are_no_text() -> None:
    """Latin-1 and files over the limit are refused before a parser sees them."""
    assert faults("a: caf\u00e9\n".encode("latin-1")) == ["1:7 not UTF-8"]
    assert "8388609 bytes" in faults(b"#" * ((8 << 20) + 1))[0]
    assert load.read("a.yaml", b"\xef\xbb\xbfa: 1\n").value == {"a": 1}


def test_every_fault_of_a_file_is_found_at_once() -> None:
    """One reading says all that a parser can still see after the first."""
    assert len(faults("a: !x 1\nb: !y 2\na: 3\n<<: {}\n")) == 4


def test_a_heap_of_faults_is_cut() -> None:
    """After two hundred the rest is not read."""
    found = faults("".join(f"k{n}: !t 1\n" for n in range(500)))
    assert len(found) == load.MAX_PROBLEMS + 1
    assert "more than 200 faults" in "".join(found)


def test_aliases_count_as_often_as_they_are_used() -> None:
    """A small file can't become a large value; honest reuse works."""
    assert read("base: &b [1]\none: *b\n") == {"base": ["1"], "one": ["1"]}
    bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n"
    bomb += "".join(f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 9))
    began = time.process_time()
    assert "aliases make more than" in faults(bomb)[0]
    assert time.process_time() - began < 2


def test_nesting_is_bounded_before_the_parser_of_c_is_reached() -> None:
    """A hundred thousand brackets neither crash nor hang."""
    began = time.process_time()
    assert any("levels deep" in fault for fault in faults("[" * 100_000))
    assert time.process_time() - began < 2


def test_entries_are_found() -> None:
    """Where each entry of the wanted list begins is known; a list of that name elsewhere does not count."""
    document = load.read("a.yaml", b"x: {products: [1]}\nproducts:\n  - a: 1\n\n  - b\n  - [c]\n", (), "products")
    assert document.items == ((3, 5), (5, 5), (6, 5))


def test_both_parsers_read_alike() -> None:
    """The pure parser, used for suspicious texts, gives what the fast one gives."""
    text = "a: [1, {b: c}]\nd: |\n  text\n  more\ne: 'x'\n"
    builder = load._Builder("a.yaml", (), "")
    assert json.dumps(builder.run(parsers.pure(text).get_event)) == json.dumps(read(text, ()))


def test_a_value_is_not_lost_as_a_comment() -> None:
    """`["#112233",#445566]` would silently be one colour; within text and real comments the same letters are fine."""
    assert faults('c: [a,#b\n  ]\n') == ["1:7 a # that makes the rest of the line a comment"]
    assert read('c: "a,#b"\nd: x,#y\ne: [z] # [a,#b]\nf: |\n  [#c\n') == {"c": "a,#b", "d": "x,#y", "e": ["z"], "f": "[#c\n"}
