"""What a change costs, shown: as text, as JSON, and as the comment of a pull request."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal

from clipbuild.errors import shown
from clipbuild.impact import CACHED, LOCAL, PAID, Impact, Price, Reach, Step, by_product, span
from clipbuild.plural import counted

MARK = "<!-- clipbuild plan -->"
"""The first line of the comment, by which the next run finds it."""
ROWS, LONGEST = 40, 60_000


def summary(found: Impact) -> str:
    """The whole change in one line."""
    told, counts = found.difference, found.counts()
    touched = len(told.touched)
    if not touched:
        gone = f"; {counted(len(told.gone), 'clip')} gone" if told.gone else ""
        return f"no clip changes{gone}"
    parts = [f"{counted(touched, 'clip')} touched" + (f" ({len(told.new)} new)" if told.new else "")]
    if told.gone:
        parts.append(f"{len(told.gone)} gone")
    calls = f"{counted(counts[PAID], 'paid call')}" + (f", {money(found.price())}" if counts[PAID] else "")
    work = f"{counted(counts[LOCAL], 'local action')}, {counts[CACHED]} cached"
    parts += [calls, work]
    if counts[LOCAL] or found.elsewhere():
        parts.append(f"{span(found.seconds())} on {counted(found.jobs, 'job')}")
    return ", ".join(parts)


def money(price: Price | None) -> str:
    """A price for people."""
    if price is None:
        return "at a price that is not known"
    least, most = (_usd(value) for value in price)
    return most if least == most else f"{least} to {most}"


def text(found: Impact) -> Iterator[str]:
    """The change for a terminal."""
    told = found.difference
    yield f"since {told.base[:12]}: {summary(found)}"
    if told.broken:
        yield f"the catalog of then can't be read, so everything counts as changed: {told.broken}"
    for kind, names in told.pins.items():
        if names:
            yield f"clipbuild.lock: {counted(len(names), 'pin')} {kind}: {_list(names)}"
    reaches = found.reaches()
    if reaches:
        yield ""
    for reach in reaches[:ROWS]:
        yield f"  {_told(reach)}  {counted(len(reach.clips), 'clip')}: {', '.join(reach.stages)}"
    if len(reaches) > ROWS:
        yield f"  … and {len(reaches) - ROWS} more"
    yield from _table(found)
    if found.elsewhere():
        yield f"{counted(found.elsewhere(), 'unchanged action')} would run here, because this store does not have the result"


def _table(found: Impact) -> Iterator[str]:
    rows = [_row(found, sku, steps) for sku, steps in by_product(found)]
    if not rows:
        return
    shown_rows = [("product", "cached", "local", "paid", "price", "time"), *rows[:ROWS]]
    widths = [max(len(row[column]) for row in shown_rows) for column in range(6)]
    yield ""
    for row in shown_rows:
        yield "  " + "  ".join(cell.ljust(widths[0]) if not i else cell.rjust(widths[i]) for i, cell in enumerate(row))
    if len(rows) > ROWS:
        yield f"  … and {len(rows) - ROWS} more"


def _row(found: Impact, sku: str, steps: Sequence[Step]) -> tuple[str, str, str, str, str, str]:
    once = list({step.id: step for step in steps}.values())
    counts = Counter(step.state for step in once)
    price = money(found.price(once)) if counts[PAID] else "-"
    time = span(found.seconds(once)).removeprefix("about ") if counts[LOCAL] else "-"
    return shown(sku, 60), str(counts[CACHED]), str(counts[LOCAL]), str(counts[PAID]), price, time


def markdown(found: Impact) -> str:
    """The change as the comment of a pull request; short enough for any forge."""
    told = found.difference
    lines = [MARK, f"### clipbuild: {_md(summary(found))}", ""]
    if told.broken:
        lines += [f"> The catalog of `{told.base[:12]}` can't be read, so everything counts as changed.", ""]
    for kind, names in told.pins.items():
        if names:
            lines += [f"- **`clipbuild.lock`: {counted(len(names), 'pin')} {kind}**: {_md(_list(names))}"]
    reaches = found.reaches()
    if reaches:
        lines += ["", "| what changed | old | new | clips | steps |", "| --- | --- | --- | ---: | --- |"]
        lines += [_md_reach(reach) for reach in reaches[:ROWS]]
        lines += [f"\n… and {len(reaches) - ROWS} more"] if len(reaches) > ROWS else []
    lines += _md_products(found)
    if told.gone:
        lines += ["", f"Gone: {_md(_list(told.gone))}"]
    if found.elsewhere():
        lines += ["", f"{counted(found.elsewhere(), 'unchanged action')} would run on this machine, which lacks the result."]
    lines += ["", f"Compared with `{told.base[:12]}`. Nothing was run and nothing was bought."]
    return _cut("\n".join(lines) + "\n")


def _md_reach(reach: Reach) -> str:
    cause = reach.cause
    cells = (f"`{_code(cause.what)}`", _md(shown(cause.old, 80)), _md(shown(cause.new, 80)), str(len(reach.clips)))
    return f"| {' | '.join(cells)} | {', '.join(reach.stages)} |"


def _md_products(found: Impact) -> list[str]:
    rows = [_row(found, sku, steps) for sku, steps in by_product(found)]
    if not rows:
        return []
    head = ["", f"<details{' open' if len(rows) <= 10 else ''}><summary>{counted(len(rows), 'product')}</summary>", "",
            "| product | cached | local | paid | price | time |", "| --- | ---: | ---: | ---: | ---: | ---: |"]  # fmt: skip
    body = [f"| {' | '.join(_md(cell) for cell in row)} |" for row in rows[:ROWS]]
    more = [f"\n… and {len(rows) - ROWS} more"] if len(rows) > ROWS else []
    return [*head, *body, *more, "", "</details>"]


def _told(reach: Reach) -> str:
    cause = reach.cause
    return f"{shown(cause.what, 80)}: {shown(cause.old, 60)} -> {shown(cause.new, 60)}"


def _list(names: Iterable[str]) -> str:
    all_names = [shown(name, 80) for name in names]
    return ", ".join(all_names[:10]) + (f" and {len(all_names) - 10} more" if len(all_names) > 10 else "")


def _usd(value: Decimal) -> str:
    return f"${value.quantize(Decimal('0.01'))}"


def _md(value: str) -> str:
    """Outside text that can't be markup: no links, mentions, HTML or table cells of its own."""
    out = value.replace("\n", " ")
    for char in "\\`*_{}[]<>|#@!~$":
        out = out.replace(char, f"&#{ord(char)};")
    return out.replace("://", ":&#47;&#47;")


def _code(value: str) -> str:
    return shown(value, 80).replace("`", "'").replace("|", "\\|").replace("\n", " ")


def _cut(value: str) -> str:
    if len(value) <= LONGEST:
        return value
    return value[:LONGEST].rsplit("\n", 1)[0] + "\n\n… cut\n"
