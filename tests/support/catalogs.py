"""A project of texts in memory, read as a catalog: what a test writes is what `open_catalog` sees."""

import fnmatch
from collections.abc import Mapping

from clipbuild.catalog.catalog import Catalog, open_catalog
from clipbuild.catalog.judge import Known
from clipbuild.errors import CatalogError, UsageError

KNOWN = Known(motions=("push-in", "pull-back", "drift", "reveal", "auto"), styles=("boxed", "plain", "pop"))


class Shelf:
    """Files by path; what was read and looked for is noted."""

    def __init__(self, files: Mapping[str, str | bytes]) -> None:
        self.files = {path: text if isinstance(text, bytes) else text.encode() for path, text in files.items()}

    def read(self, relative: str) -> bytes:
        if relative not in self.files:
            raise UsageError(f"{relative}: is not there")
        return self.files[relative]

    def exists(self, relative: str) -> bool:
        return relative in self.files

    def glob(self, pattern: str) -> list[str]:
        return sorted(path for path in self.files if fnmatch.fnmatchcase(path, pattern))

    def names(self, folder: str) -> list[str]:
        prefix = f"{folder}/" if folder else ""
        return sorted({path.removeprefix(prefix).partition("/")[0] for path in self.files if path.startswith(prefix)})


class Memory:
    """A cache in memory."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str], bytes] = {}

    def get(self, kind: str, key: str) -> bytes | None:
        return self.rows.get((kind, key))

    def put(self, kind: str, key: str, data: bytes) -> None:
        self.rows[kind, key] = data


def opened(
    products: str, project: str = "", *, profile: str = "final", cache: Memory | None = None, **files: str | bytes
) -> Catalog:
    """The catalog of a project with these texts; every photo `p.png` is there, `files` are more."""
    texts = {"clipbuild.yaml": project or "catalog: catalog/*.yaml\n", "catalog/a.yaml": products, "p.png": b"", **files}
    return open_catalog(".", profile=profile, files=Shelf(texts), cache=cache or Memory(), known=KNOWN)


def wrong(products: str, project: str = "", **files: str | bytes) -> list[str]:
    """What is wrong with such a project: `file:line:column: what | hint`, in order."""
    try:
        opened(products, project, **files)
    except CatalogError as error:
        return [f"{p.file}:{p.line}:{p.column}: {p.what} | {p.hint}" for p in error.problems]
    return []


SMALLEST = "products:\n  - sku: mug\n    name: Mug\n    photos: p.png\n"
