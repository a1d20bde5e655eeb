"""Names that can't be forged, and documents with one byte form."""

import hashlib
import pathlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clipbuild import digest

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


def test_a_digest_is_sha256(tmp_path: pathlib.Path) -> None:
    """As any other tool computes it, for bytes and for files, also empty ones and large ones."""
    for data in (b"", b"clip", b"x" * ((1 << 20) + 1)):
        (tmp_path / "f").write_bytes(data)
        expected = hashlib.sha256(data).hexdigest()
        assert digest.of_bytes(data) == digest.of_file(str(tmp_path / "f")) == expected


def test_a_fingerprint_names_nothing() -> None:
    """It tells equal bytes from others, and is never of a digest's form, so it can't name a blob (S1)."""
    found = digest.fingerprint(b"clip")
    assert found == digest.fingerprint(b"clip") != digest.fingerprint(b"clap")
    with pytest.raises(ValueError, match="not a SHA-256 digest"):
        digest.parse(found)


def test_the_canonical_form() -> None:
    """Sorted keys, no spaces, UTF-8: written out once here, because keys in locks depend on it for ever."""
    document = {"b": [1, 2.5, True, None], "a": {"é": "日", "z": "\n"}}
    assert digest.canonical(document) == '{"a":{"z":"\\n","é":"日"},"b":[1,2.5,true,null]}'.encode()
    assert digest.of_document(document) == "ac0d969d0b2b4768f83210cc6010c34ed1a2fd070ea898ffe9720d2136ab9b0e"


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(st.text(max_size=6), PLAIN, max_size=6))
def test_order_does_not_matter(document: dict[str, object]) -> None:
    """The same fields written in another order are the same document."""
    assert digest.canonical(dict(reversed(document.items()))) == digest.canonical(document)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(PLAIN, PLAIN)
def test_other_values_are_other_documents(one: object, other: object) -> None:
    """Two documents have one form only where they are equal and of equal kind: 1, 1.0, true and "1" all differ (S2)."""
    same = digest.canonical({"v": one}) == digest.canonical({"v": other})
    assert same == (repr(sort(one)) == repr(sort(other)))


def sort(value: object) -> object:
    """With every map in one order, so that `repr` compares values and kinds."""
    if isinstance(value, dict):
        return {name: sort(value[name]) for name in sorted(value)}
    return [sort(item) for item in value] if isinstance(value, list) else value


def test_moving_bytes_between_fields_changes_the_document() -> None:
    """"ab" + "c" is not "a" + "bc", and a list is not its text (S2)."""
    forms = [{"x": "ab", "y": "c"}, {"x": "a", "y": "bc"}, {"x": ["a", "bc"]}, {"x": ["ab", "c"]}, {"x": '["ab","c"]'}]
    assert len({digest.of_document(form) for form in forms}) == len(forms)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_what_equals_nothing_has_no_form(value: float) -> None:
    """NaN and infinities are refused: they have no JSON, and NaN would be another document each time."""
    with pytest.raises(ValueError):
        digest.canonical({"x": value})


@pytest.mark.parametrize("value", [b"x", {1, 2}, object()])
def test_what_is_no_plain_data_has_no_form(value: object) -> None:
    """Bytes, sets and objects are refused: their text may differ from run to run."""
    with pytest.raises(TypeError):
        digest.canonical({"x": value})


@pytest.mark.parametrize(
    "text", ["", "0" * 63, "0" * 65, "G" * 64, "A" * 64, "0" * 64 + "\n", "../" + "0" * 61, 7, None, b"0" * 64]
)
def test_what_is_no_digest(text: object) -> None:
    """Read from a file or a peer, only 64 lower-case hex digits are one: nothing else may become a path."""
    with pytest.raises(ValueError, match="not a SHA-256 digest"):
        digest.parse(text)


def test_a_digest_is_read_back() -> None:
    """What we wrote, we read."""
    assert digest.parse(digest.of_bytes(b"x")) == digest.of_bytes(b"x")
