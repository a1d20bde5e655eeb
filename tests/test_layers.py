"""The house: who may import whom, how long a file may be, and that nobody imports in a circle."""

import ast
import pathlib
from collections.abc import Iterator

ROOT = pathlib.Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "clipbuild"

LAYERS = [
    {"digest", "errors", "events", "settings", "resources", "redact", "wish", "plural", "__init__"},
    {"catalog", "engine"},
    {"media", "providers"},
    {"stages"},
    {"planner"},
    {"manifest", "look", "records", "recall", "upkeep",
     "session", "planned", "planning", "workshop", "cutouts", "outputs", "publishing", "toolchain", "build", "buying", "since", "shards", "sharing",
     "adapters", "tooling", "standins", "deadends", "transcribing", "unchosen", "pricing", "consent", "ledger",
     "impact", "shift", "checkpoint", "authorship", "credentials", "decisions", "holds", "retaking", "reviewing", "pairs", "remaking"},
    {"cli", "watch", "gallery", "__main__"},
]
LEVEL = {room: level for level, rooms in enumerate(LAYERS) for room in rooms}
ALONE = {"engine", "catalog", "media"}
"""Rooms that see nothing of ours but the ground."""


def modules() -> dict[str, ast.Module]:
    """Every module of the package by its dotted name."""
    found = {}
    for path in PACKAGE.rglob("*.py"):
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        found[name] = ast.parse(path.read_text(encoding="utf-8"), str(path))
    return found


def imports(name: str, tree: ast.Module, known: set[str]) -> Iterator[tuple[int, str]]:
    """(line, module) of each import of ours, lazy ones and those for type checkers too."""
    for node in ast.walk(tree):
        targets: list[str] = []
        if isinstance(node, ast.Import):
            targets = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            targets = [f"{node.module}.{alias.name}" for alias in node.names] + [node.module]
        for target in targets:
            if target in known and target != name and target != "clipbuild":
                yield node.lineno, target


def room(module: str) -> str:
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else "__init__"


def test_every_import_goes_down() -> None:
    """A room imports rooms below it, never beside it (its own files apart) or above."""
    trees = modules()
    wrong = []
    for name, tree in trees.items():
        here = room(name)
        assert here in LEVEL, f"{name}: which layer is room {here!r} in?"
        for line, target in imports(name, tree, set(trees)):
            there = room(target)
            if here == there:
                continue
            assembly = LEVEL[here] == LEVEL[there] and LEVEL[here] in (0, 5, 6)
            if not assembly and LEVEL[there] >= LEVEL[here]:
                wrong.append(f"{name.replace('.', '/')}.py:{line} imports {target}")
            if here in ALONE and LEVEL[there] > 0:
                wrong.append(f"{name.replace('.', '/')}.py:{line} imports {target}, beyond the ground")
    assert not wrong, "\n".join(sorted(set(wrong)))


def test_an_adapter_sees_the_contract_and_nothing_else() -> None:
    """openai, kling, runway, google: contract, their model tables, a shared http door, and the ground."""
    trees = modules()
    allowed = {"clipbuild.providers.contract", "clipbuild.providers.models", "clipbuild.providers.photos", "clipbuild.providers.http",
               "clipbuild.providers.config", "clipbuild.providers.tabled"}  # fmt: skip
    wrong = []
    for adapter in ("openai", "kling", "runway", "google"):
        name = f"clipbuild.providers.{adapter}"
        if name in trees:
            wrong += [
                f"{adapter}.py:{line} imports {target}"
                for line, target in imports(name, trees[name], set(trees))
                if target not in allowed and room(target) != "__init__" and LEVEL[room(target)] > 0
                and target != "clipbuild.providers"
            ]  # fmt: skip
    assert not wrong, wrong


def test_nobody_imports_in_a_circle() -> None:
    """The biggest import cycle is 1, lazy imports counted."""
    trees = modules()
    graph = {name: {t for _, t in imports(name, tree, set(trees))} for name, tree in trees.items()}
    done: set[str] = set()

    def visit(name: str, path: tuple[str, ...]) -> None:
        assert name not in path, " -> ".join([*path[path.index(name) :], name])
        if name in done:
            return
        for target in sorted(graph[name]):
            visit(target, (*path, name))
        done.add(name)

    for name in sorted(graph):
        visit(name, ())


def test_files_and_functions_stay_small() -> None:
    """No file over 400 lines; nine functions of ten at most 30 lines."""
    long = []
    lengths = []
    for path in sorted(PACKAGE.rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        if (count := len(text.splitlines())) > 400:
            long.append(f"{path.relative_to(ROOT)}: {count} lines")
        lengths += [
            node.end_lineno - node.lineno + 1
            for node in ast.walk(ast.parse(text))
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno
        ]
    assert not long, long
    assert sorted(lengths)[int(0.9 * len(lengths))] <= 30


def test_every_file_says_what_it_is_for() -> None:
    """Each module opens with a docstring (a package's bare `__init__` may be empty)."""
    silent = [name for name, tree in modules().items() if tree.body and not ast.get_docstring(tree)]
    assert not silent, silent


def test_every_package_ships() -> None:
    """pyproject names every package, so that a wheel has what a checkout has."""
    import tomllib

    table = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    there = {".".join(p.parent.relative_to(ROOT).parts) for p in PACKAGE.rglob("__init__.py")}
    assert there <= set(table["packages"])
