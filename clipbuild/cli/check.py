"""`clipbuild check`: read the catalog and say everything that is wrong with it."""

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from clipbuild.cli.common import profile_option, settings, show_json, workspace
from clipbuild.plural import counted

if TYPE_CHECKING:
    from clipbuild.errors import Problem
    from clipbuild.planning import Planned, Session


@click.command()
@profile_option("Check what this profile would make.")
@click.option("--format", "form", type=click.Choice(["text", "json", "github", "sarif"]), default="text", show_default=True,
              help="github: annotations at the lines of a pull request; sarif: for code scanning.")
@click.option("--photos", is_flag=True, help="Look at every product photo, however many there are.")
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@click.pass_obj
def check(folder: str, profile: str, form: str, photos: bool, as_json: bool) -> int:
    """Read the catalog and say everything that is wrong with it, as file:line:column with a hint.

    Also what of it the chosen models can't do: a length, a shape, sound, a model that has ended and its successor. And
    which product photos can't be read, and which no good clip will come from: the latter are warnings. What was seen of
    a photo is remembered; of many new ones only the first 200 are looked at, unless --photos asks for all. Nothing is
    run or made. Exit status 2 when something is wrong. Paths in annotations are as seen from the current folder, which
    in CI is that of the repository.
    """
    from clipbuild import cutouts, planning
    from clipbuild.errors import CatalogError
    from clipbuild.wish import Wish

    root = workspace(folder)
    wrong: Sequence[Problem] = ()
    warnings: Sequence[Problem] = ()
    products = clips = 0
    pictures: dict[str, dict[str, str]] = {}
    try:
        session = planning.open_session(Wish(root, profile=profile), settings())
        try:
            planned = planning.make_plan(session, None)
            wrong, told = _asked_of_models(session, planned)
            pictures = cutouts.told(session, planned)
            unread, seen = _seen_on_photos(session, planned, photos)
            wrong = [*wrong, *unread]
            told += [*_without_place(planned), *_taken_for_comments(session, planned), *seen]
        finally:
            session.close()
        warnings = [*session.catalog.warnings, *told]
        products, clips = len({clip.sku for clip in planned.clips.values()}), len(planned.clips)
    except CatalogError as error:
        wrong = error.problems
    _tell("json" if as_json else form, root, wrong, warnings, (products, clips), pictures)
    return 2 if wrong else 0


def _asked_of_models(session: "Session", planned: "Planned") -> "tuple[list[Problem], list[Problem]]":
    """What the chosen models can't do, and what is worth knowing of them."""
    if not (session.undecided or any(action.precious for action in planned.plan.graph)):
        return [], []
    from clipbuild import pricing
    from clipbuild.adapters import Adapters
    from clipbuild.errors import Problem

    adapters = Adapters(session.settings, os.environ)
    found = pricing.problems(session, planned, adapters)
    return found, [] if found else [Problem("clipbuild.yaml", 0, 0, note) for note in pricing.notes(session, planned, adapters)]


def _without_place(planned: "Planned") -> "list[Problem]":
    """Scenes that have no picture to stand in: what is made of them is no scene."""
    from clipbuild.errors import Problem

    bare = {
        name.partition("/")[0]
        for action in planned.plan.graph
        if action.stage == "image" and action.params["recipe"] == "scene" and "plate" not in action.inputs
        for name in planned.plan.graph.aliases.get(action.id, (action.name,))
    }
    places = {planned.entries[name].place: None for name in planned.entries if name in bare}
    hint = "write `ground: {plate: photos/room.jpg}`; without one it stands on a plain ground, as a packshot"
    what = "a scene without a background picture"
    return [Problem(place.file, place.line, place.column, what, (), hint) for place in places]


def _taken_for_comments(session: "Session", planned: "Planned") -> "list[Problem]":
    """Hashtags behind a text: they are not part of it, and nothing says so."""
    from clipbuild.catalog import load, places
    from clipbuild.errors import Problem

    told = []
    for path in sorted({entry.place.file for entry in planned.entries.values()}):
        if path.endswith((".yaml", ".yml")):
            with open(os.path.join(session.wish.root, path), "rb") as file:
                text = load.decode(path, file.read())
            for at in places.hashtags(text):
                line, begun = text.count("\n", 0, at) + 1, text.rfind("\n", 0, at)
                what = "what begins with # is a comment here, not part of the text"
                told.append(Problem(path, line, at - begun, what, (), "put the whole text in quotes"))
    return told


def _seen_on_photos(
    session: "Session", planned: "Planned", everything: bool
) -> "tuple[list[Problem], list[Problem]]":
    from clipbuild.cli import photos

    return photos.looked_at(session, planned, everything=everything)


def _tell(
    form: str, root: str, wrong: Sequence["Problem"], warnings: Sequence["Problem"], count: tuple[int, int],
    pictures: dict[str, dict[str, str]],
) -> None:  # fmt: skip
    from clipbuild.cli import problems
    from clipbuild.cutouts import lines

    if form == "json":
        rows = [problems.plain(problem) for problem in wrong] + [problems.plain(w, "warning") for w in warnings]
        show_json({"problems": rows} | ({} if wrong else {"products": count[0], "clips": count[1], "pictures": pictures}))
    elif form == "text":
        for problem in (*wrong, *warnings):
            click.echo(str(problem), err=True)
        for line in lines(pictures):
            click.echo(f"picture  {line}")
        left = f"; {counted(len(warnings), 'warning')}" if warnings else ""
        fine = f"{counted(count[0], 'product')}, {counted(count[1], 'clip')}: nothing wrong{left}"
        click.echo(counted(len(wrong), "problem") if wrong else fine, err=bool(wrong))
    else:
        folder = os.path.relpath(root).replace(os.sep, "/")
        sys.stdout.write(problems.FORMS[form](wrong, warnings, folder))
