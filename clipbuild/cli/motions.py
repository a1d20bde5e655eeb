"""`clipbuild motions`: the library of motions, what each suits, and how it did in this project."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from clipbuild.cli.common import json_option, profile_option, project, settings, show_json

if TYPE_CHECKING:
    from clipbuild.pairs import Record


@click.command()
@profile_option("Count what this profile made.")
@json_option
@click.pass_obj
def motions(folder: str, profile: str, as_json: bool) -> int:
    """Show the library of motions, what they suit, and how they did here.

    The record counts, for each kind of picture, motion and provider, what was made, approved and rejected or retaken,
    with the range in which the true share of approvals lies (Wilson, 95 %). `motion: auto` picks by a picture's
    measures, and by this record once it is clear enough. Outside a project only the library is shown.
    """
    from clipbuild.catalog.load import plain
    from clipbuild.planner.library import Library

    inside = project(folder)
    rows = _records(inside, profile) if inside else []
    library = Library(inside or folder, plain).motions()
    if as_json:
        show_json({"motions": {name: dict(entry) for name, entry in library.items()}, "record": [r.plain() for r in rows]})
        return 0
    _show(library, rows)
    return 0


def _records(root: str, profile: str) -> "list[Record]":
    from clipbuild.gallery.desk import ProjectDesk
    from clipbuild.wish import Wish

    desk = ProjectDesk(Wish(root, profile=profile), settings(), "")
    try:
        return desk.records()
    finally:
        desk.close()


def _show(library: Mapping[str, Any], rows: "Sequence[Record]") -> None:
    width = max(map(len, library), default=0)
    for name, entry in library.items():
        said = dict(entry.get("words") or {}).get("motion", "")
        suits = ", ".join(f"{axis} {_span(span)}" for axis, span in dict(entry.get("suits") or {}).items())
        click.echo(f"{name:<{width}}  {said}\n{'':<{width}}  suits: {suits or 'anything'}")
    if rows:
        click.echo("\nrecord of this project")
        wide = max(len(r.composition) for r in rows)
        for r in rows:
            low, high = r.interval
            click.echo(
                f"  {r.composition:<{wide}}  {r.motion:<{width}}  {r.provider:<10}  {r.made} made, {r.approved} approved, "
                f"{r.retaken} rejected  {low:.0%}–{high:.0%}"
            )


def _span(span: Any) -> str:
    least, most = span if isinstance(span, list | tuple) else (span, span)
    if least is None:
        return f"≤ {most:g}"
    if most is None:
        return f"≥ {least:g}"
    return f"{least:g}" if least == most else f"{least:g}…{most:g}"
