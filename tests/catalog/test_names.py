"""Names of folders and files on any system."""

from clipbuild.catalog.names import collisions, refused


def test_devices() -> None:
    """Names that Windows keeps for devices, also with an ending, in any case."""
    assert all(refused(name) for name in ("con", "NUL", "COM1", "lpt9.txt", "Aux"))
    assert not any(refused(name) for name in ("console", "com", "com10", "a.con", ""))


def test_collisions() -> None:
    """Names that differ only in case, and the same twice."""
    assert list(collisions(["a", "B", "b", "a"])) == [("B", "b"), ("a", "a")]
    assert list(collisions(["a-b", "a_b", "01", "1"])) == []
