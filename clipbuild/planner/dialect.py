"""The dialect of jinja that templates may speak, and the environment that speaks it.

One walk over a template's tree refuses what is not allowed and bounds what is. Imported only when a template is
compiled: jinja2 is not part of start-up. Knows nothing of files: `find` gives a template's text.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from jinja2 import BaseLoader, StrictUndefined, nodes
from jinja2.exceptions import TemplateSyntaxError
from jinja2.runtime import LoopContext, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from clipbuild.planner.shelf import MARK, RefusedError

Find = Callable[[str], tuple[str, str]]

FILTERS = {"upper": 0, "lower": 0, "title": 0, "capitalize": 0, "trim": 1, "replace": 2, "default": 2, "d": 2,
           "join": 1, "sort": 2, "unique": 0, "first": 0, "last": 0, "length": 0, "count": 0, "sentence": 0,
           "listed": 1, "phrase": 0}  # fmt: skip
"""Allowed filters and how many arguments they take."""
TESTS = frozenset(("defined", "undefined", "none", "string", "number", "mapping", "sequence", "boolean", "in", "eq",
                   "equalto", "ne", "true", "false", "lower", "upper"))  # fmt: skip
LOOP = frozenset(("index", "index0", "first", "last", "length", "revindex", "revindex0"))
ALLOWED = (nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.Const, nodes.Getattr, nodes.Getitem,
           nodes.If, nodes.For, nodes.CondExpr, nodes.And, nodes.Or, nodes.Not, nodes.Compare, nodes.Operand,
           nodes.Filter, nodes.Test, nodes.Concat, nodes.Assign, nodes.Block, nodes.Extends, nodes.Include,
           nodes.List, nodes.Tuple, nodes.Call, nodes.Keyword)  # fmt: skip
SAID = {nodes.Macro: "macros", nodes.CallBlock: "macros", nodes.Import: "imports", nodes.FromImport: "imports",
        nodes.FilterBlock: "filter blocks", nodes.AssignBlock: "set blocks", nodes.Slice: "slices",
        nodes.NSRef: "namespaces", nodes.Dict: "maps", nodes.BinExpr: "arithmetic",
        nodes.UnaryExpr: "arithmetic"}  # fmt: skip

NODES, DEPTH, LOOPS, LIST, TEXT = 20_000, 60, 2, 64, 4_096
GROWTH = 64
"""By how much all `replace` filters of a template may lengthen text together."""
FUEL, RANGE, LENGTH = 200_000, 100, 1_000
FAMILY, LINEAGE, SUPERS = 32, 4, 4
"""Files a template is made of, steps of `extends`, uses of `super()` a file."""


class Fuel:
    """The allowance of one render: a loop's every turn costs as much as its body has nodes."""

    left = FUEL

    def refill(self) -> None:
        """Before each render."""
        self.left = FUEL

    def metered(self, items: Any, cost: int) -> Sequence[Any]:
        """`items` as a list that is paid for."""
        if isinstance(items, str | Mapping) or not isinstance(items, Iterable):
            raise RefusedError("a loop goes over a list")
        found = items if isinstance(items, Sequence) else tuple(items)
        if len(found) > LENGTH:
            raise RefusedError(f"a loop goes over at most {LENGTH:,} things, this list has {len(found):,}")
        self.left -= cost * len(found)
        if self.left < 0:
            raise RefusedError("the loops take too long")
        return found


class Environment(ImmutableSandboxedEnvironment):
    """Jinja's immutable sandbox, with a smaller language and plain data only."""

    def __init__(self, find: Find, marks: list[tuple[str, int]] | None) -> None:
        super().__init__(loader=Loader(find), undefined=StrictUndefined, autoescape=False, auto_reload=False, cache_size=256,
                         trim_blocks=True, lstrip_blocks=True, optimized=False)  # fmt: skip
        self.find, self.marks, self.fuel = find, marks, Fuel()
        self.filters = {name: f for name, f in self.filters.items() if name in FILTERS}
        self.filters |= {"sentence": sentence, "listed": listed, "phrase": phrase, " metered": self.fuel.metered}
        self.tests = {name: t for name, t in self.tests.items() if name in TESTS}
        self.globals = {"range": bounded}

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        tree = super()._parse(source, name, filename)
        Check(self).template(tree)
        meter(tree)
        if self.marks is not None:
            mark(tree, filename or name or "", self.marks)
        return tree

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Values of maps and the facts of a loop; never a Python attribute."""
        if isinstance(obj, LoopContext) and attribute in LOOP:
            return getattr(obj, attribute)
        return self.getitem(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """Values of maps by name and of lists by place."""
        if isinstance(obj, Undefined):
            return obj[argument]  # raises, and says what is missing
        by_name = isinstance(obj, Mapping) and isinstance(argument, str)
        by_place = isinstance(obj, list | tuple) and isinstance(argument, int)
        if by_name or by_place:
            try:
                return obj[argument]
            except LookupError:
                pass
        return self.undefined(obj=obj, name=argument)


class Loader(BaseLoader):
    """Hands `find`'s texts to jinja."""

    def __init__(self, find: Find) -> None:
        self.find = find

    def get_source(self, environment: Any, template: str) -> tuple[str, str, None]:
        """(text, file, never out of date)."""
        file, text = self.find(template)
        return text, file, None


def environment(find: Find, marks: list[tuple[str, int]] | None) -> Environment:
    """An environment whose templates come from `find`; with `marks`, its output tells which lines it came from."""
    return Environment(find, marks)


def closure(name: str, find: Find, env: Any) -> Iterator[str]:
    """The files that `name` is made of, itself first. Raises RefusedError for a circle or too large a family."""
    seen: dict[str, int] = {}
    yield from dict.fromkeys(_family(name, find, env, (), seen))


def _family(name: str, find: Find, env: Any, above: tuple[str, ...], seen: dict[str, int]) -> Iterator[str]:
    file, text = find(name)
    if file in above:
        raise RefusedError(f"{name!r} includes or extends itself")
    seen[file] = seen.get(file, 0) + 1
    if sum(seen.values()) > FAMILY:
        raise RefusedError(f"it is made of more than {FAMILY} templates")
    yield file
    try:
        tree = env._parse(text, name, file)
    except TemplateSyntaxError as error:
        raise RefusedError(str(error.message), error.lineno, file=file) from None
    except RecursionError:
        raise RefusedError("is nested too deeply", file=file) from None
    except RefusedError as error:
        raise error.at(file) from None
    parents = sum(1 for _ in tree.find_all(nodes.Extends))
    if parents > 1 or (parents and len(above) >= LINEAGE):
        raise RefusedError("extends too many templates", file=file)
    for node in tree.find_all((nodes.Extends, nodes.Include)):
        try:
            yield from _family(node.template.value, find, env, (*above, file), seen)
        except RefusedError as error:
            raise error.at(file, node.lineno) from None


class Check:
    """One walk over a template's tree: raises RefusedError at the first thing that is not allowed."""

    def __init__(self, env: Environment) -> None:
        self.env, self.nodes, self.growth, self.supers = env, 0, 1.0, 0
        self.loops = 0

    def template(self, tree: nodes.Template) -> None:
        """Check it all."""
        self.walk(tree, 0)

    def walk(self, node: nodes.Node, depth: int) -> None:
        """Check a node and what is below it."""
        self.nodes += 1
        if depth > DEPTH or self.nodes > NODES:
            raise RefusedError("is nested too deeply" if depth > DEPTH else "is too large", node.lineno)
        if type(node) not in ALLOWED:
            raise RefusedError(f"{_said(node)} can't be used in a template", node.lineno)
        rule = RULES.get(type(node))
        if rule:
            rule(self, node)
        loop = isinstance(node, nodes.For)
        self.loops += loop
        for child in node.iter_child_nodes():
            self.walk(child, depth + 1)
        self.loops -= loop

    def _name(self, node: nodes.Name) -> None:
        """Names that jinja gives a meaning of its own are not for templates."""
        if node.name.startswith("_") or node.name in ("self", "caller", "varargs", "kwargs"):
            raise RefusedError(f"{node.name!r} can't be used in a template", node.lineno)

    def _const(self, node: nodes.Const) -> None:
        """Written values are short."""
        if isinstance(node.value, str) and MARK in node.value:
            raise RefusedError("a NUL character can't be part of the text", node.lineno)
        if len(str(node.value)) > TEXT:
            raise RefusedError(f"a text longer than {TEXT:,} characters", node.lineno)

    def _getattr(self, node: nodes.Getattr) -> None:
        """No private names."""
        if node.attr.startswith("_"):
            raise RefusedError(f"{node.attr!r} can't be reached from a template", node.lineno)

    def _getitem(self, node: nodes.Getitem) -> None:
        """A written name or place."""
        if not isinstance(node.arg, nodes.Const) or str(node.arg.value).startswith("_"):
            raise RefusedError("an item is named by a plain word or number", node.lineno)

    def _filter(self, node: nodes.Filter) -> None:
        """Known ones, with few and written arguments."""
        if node.name not in FILTERS:
            hint = "there are " + ", ".join(sorted(FILTERS))
            raise RefusedError(f"there is no filter {node.name!r} for templates", node.lineno, hint)
        given = [*node.args, *(pair.value for pair in node.kwargs)]
        keys = {pair.key for pair in node.kwargs}
        if node.dyn_args or node.dyn_kwargs or len(given) > FILTERS[node.name] or keys & {"attribute", "by"}:
            raise RefusedError(f"filter {node.name!r} has arguments it can't have", node.lineno)
        if node.name not in ("default", "d") and not all(isinstance(arg, nodes.Const) for arg in given):
            raise RefusedError(f"filter {node.name!r} takes written values only", node.lineno)
        if node.name == "replace":
            self._replace(node, [arg.value for arg in given if isinstance(arg, nodes.Const)])
        if node.name in ("join", "listed") and any(len(str(a.value)) > LIST for a in given if isinstance(a, nodes.Const)):
            raise RefusedError(f"filter {node.name!r} joins with at most {LIST} characters", node.lineno)

    def _replace(self, node: nodes.Filter, given: list[Any]) -> None:
        if len(given) != 2 or not all(isinstance(value, str) for value in given) or not given[0]:
            raise RefusedError("filter 'replace' takes two written texts", node.lineno)
        self.growth *= max(1.0, len(given[1]) / len(given[0]))
        if self.growth > GROWTH:
            raise RefusedError("the 'replace' filters make the text too long", node.lineno)

    def _test(self, node: nodes.Test) -> None:
        """Known ones."""
        if node.name not in TESTS:
            raise RefusedError(f"there is no test {node.name!r} for templates", node.lineno)

    def _concat(self, node: nodes.Concat) -> None:
        """Text is joined once, not joined and joined again."""
        inner = any(isinstance(below, nodes.Concat) for below in _below(node))
        if inner or len(node.nodes) > LIST:
            raise RefusedError("too many texts joined with ~", node.lineno)

    def _assign(self, node: nodes.Assign) -> None:
        """A set value is picked, never built: building one from another would double text line by line."""
        built = (nodes.Concat, nodes.For)
        grown = any(isinstance(n, built) or (isinstance(n, nodes.Filter) and n.name in ("join", "listed", "replace"))
                    for n in _below(node))  # fmt: skip
        if grown or not isinstance(node.target, nodes.Name):
            raise RefusedError("'set' picks one value; write the text where it is wanted", node.lineno)

    def _list(self, node: nodes.List) -> None:
        """Short lists."""
        if len(node.items) > LIST:
            raise RefusedError(f"a list of more than {LIST} things", node.lineno)

    def _call(self, node: nodes.Call) -> None:
        """`range(n)` and `super()`, nothing else."""
        name = node.node.name if isinstance(node.node, nodes.Name) else ""
        plain = not node.kwargs and not node.dyn_args and not node.dyn_kwargs
        if name == "super" and plain and not node.args:
            self.supers += 1
            if self.supers > SUPERS or self.loops:
                raise RefusedError("'super()' is used too often", node.lineno)
        elif not (name == "range" and plain and len(node.args) == 1):
            raise RefusedError("a call can't be used in a template", node.lineno, "only range(n) and super() can be called")

    def _output(self, node: nodes.Output) -> None:
        """`super()` stands alone: its text is passed on as it is."""
        for part in node.nodes:
            if not _is_super(part) and any(_is_super(below) for below in _below(part)):
                raise RefusedError("'super()' stands alone", node.lineno)

    def _include(self, node: nodes.Include) -> None:
        """A written name, outside loops."""
        self._extends(node)
        if self.loops or node.ignore_missing:
            raise RefusedError("an include stands outside of loops and names a template that is there", node.lineno)

    def _extends(self, node: nodes.Extends | nodes.Include) -> None:
        """A written name that is a template's."""
        name = node.template
        if not (isinstance(name, nodes.Const) and isinstance(name.value, str)):
            raise RefusedError("the name of a template is written out", node.lineno)
        try:
            self.env.find(name.value)
        except RefusedError as error:
            error.line = error.line or node.lineno
            raise

    def _block(self, node: nodes.Block) -> None:
        """Outside loops."""
        if self.loops:
            raise RefusedError("a block stands outside of loops", node.lineno)

    def _loop(self, node: nodes.For) -> None:
        if node.recursive or self.loops >= LOOPS:
            raise RefusedError(f"loops go {LOOPS} deep and don't recurse", node.lineno)


RULES: Mapping[type[nodes.Node], Callable[[Check, Any], None]] = {
    nodes.Name: Check._name, nodes.Const: Check._const, nodes.Getattr: Check._getattr,
    nodes.Getitem: Check._getitem, nodes.Filter: Check._filter, nodes.Test: Check._test,
    nodes.Concat: Check._concat, nodes.Assign: Check._assign, nodes.List: Check._list, nodes.Tuple: Check._list,
    nodes.Call: Check._call, nodes.Output: Check._output, nodes.Include: Check._include,
    nodes.Extends: Check._extends, nodes.Block: Check._block, nodes.For: Check._loop,
}  # fmt: skip


def _said(node: nodes.Node) -> str:
    for kind, words in SAID.items():
        if isinstance(node, kind):
            return words
    return type(node).__name__.lower()


def _below(node: nodes.Node) -> Iterator[nodes.Node]:
    for child in node.iter_child_nodes():
        yield child
        yield from _below(child)


def _is_super(node: nodes.Node) -> bool:
    return isinstance(node, nodes.Call) and isinstance(node.node, nodes.Name) and node.node.name == "super"


def meter(tree: nodes.Template) -> None:
    """Make every loop pay: what it goes over passes through the meter, with the cost of a turn."""
    for loop in list(tree.find_all(nodes.For)):
        cost = 1 + sum(1 for _ in _below(loop))
        price = nodes.Const(cost, lineno=loop.lineno)
        loop.iter = nodes.Filter(loop.iter, " metered", [price], [], None, None, lineno=loop.lineno)


def mark(tree: nodes.Template, file: str, marks: list[tuple[str, int]]) -> None:
    """Put a mark before every piece of output that says which line of which file it came from."""
    for output in list(tree.find_all(nodes.Output)):
        output.nodes = [piece for part in output.nodes for piece in _marked(part, file, marks)]


def _marked(part: nodes.Expr, file: str, marks: list[tuple[str, int]]) -> Iterator[nodes.Expr]:
    if not isinstance(part, nodes.TemplateData):
        yield _mark(file, part.lineno, marks)
        yield part
        return
    for i, line in enumerate(part.data.splitlines(keepends=True)):
        yield _mark(file, part.lineno + i, marks)
        yield nodes.TemplateData(line, lineno=part.lineno + i)


def _mark(file: str, line: int, marks: list[tuple[str, int]]) -> nodes.TemplateData:
    marks.append((file, line))
    return nodes.TemplateData(f"{MARK}{len(marks) - 1}{MARK}", lineno=line)


def bounded(count: Any) -> range:
    """`range(n)` for small n."""
    if not isinstance(count, int) or isinstance(count, bool) or not 0 <= count <= RANGE:
        raise RefusedError(f"range(n) takes a number from 0 to {RANGE}")
    return range(count)


def phrase(value: Any) -> str:
    """Text as part of a sentence: one line, no full stop at its end."""
    return " ".join(str(value).split()).rstrip(" .;,")


def sentence(value: Any) -> str:
    """Text as a sentence: one line, a capital first, a full stop (or ! or ?) at its end; nothing for nothing."""
    text = " ".join(str(value).split()).rstrip(" ;,")
    if not text:
        return ""
    return text[0].upper() + text[1:] + ("" if text[-1] in ".!?…。！？" else ".")


def listed(values: Any, last: str = "and") -> str:
    """A list as words: "a, b and c"."""
    words = [phrase(value) for value in values] if not isinstance(values, str) else [phrase(values)]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {last} {words[-1]}" if words else ""
