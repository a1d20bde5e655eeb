"""The product photos of a catalog, looked at before anything is bought: which of them no good clip will come from.

What was seen of a photo is remembered by its bytes and the limits. Knows nothing of how a photo is judged.
"""

import json
import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from clipbuild import digest
from clipbuild.errors import Problem, shown
from clipbuild.plural import counted

if TYPE_CHECKING:
    from clipbuild.catalog.model import Place
    from clipbuild.planning import Planned, Session

KIND, VERSION = "photo", 1
MANY = 200
"""So many photos that were not seen before are looked at unasked: a fifth of a second each."""
MATTER = ("no_subject", "many_subjects", "too_small", "banner", "subject_cut", "compressed")
"""What spoils a clip whatever is made of the photo; a busy background does not, once the product is cut out."""
HINT = "use another photo of it; `clipbuild qc --annotate DIR {photo}` shows what is meant"


def looked_at(session: "Session", planned: "Planned", *, everything: bool) -> tuple[list[Problem], list[Problem]]:
    """Photos that can't be read, and what speaks against the others, at the places that name them."""
    places = _places(planned)
    limits = dict(session.library.readiness())
    keys = {path: digest.of_document({"photo": session.source(path), "limits": limits, "version": VERSION}) for path in places}
    known = {path: session.state.get(KIND, key) for path, key in keys.items()}
    fresh = [path for path in places if known[path] is None]
    left = [] if everything else fresh[MANY:]
    seen, refused = _look(session, [path for path in fresh if path not in left], limits)
    session.state.put_all(KIND, {keys[path]: json.dumps(found).encode() for path, found in seen.items()})
    found = {**{path: json.loads(data) for path, data in known.items() if data}, **seen}
    told = [_problem(places[path], path, "; ".join(found[path]), HINT) for path in places if found.get(path)]
    if left:
        what = f"{counted(len(left), 'photo')} not looked at"
        told.append(Problem("clipbuild.yaml", 0, 0, what, (), "`clipbuild check --photos`"))
    return [_problem(places[path], path, *why) for path, why in refused.items()], told


def _places(planned: "Planned") -> "dict[str, Place]":
    found: dict[str, Place] = {}
    for clip in planned.clips.values():
        for path in clip.photos:
            found.setdefault(path, clip.place)
    return found


def _look(
    session: "Session", paths: Sequence[str], limits: Mapping[str, Any]
) -> tuple[dict[str, list[str]], dict[str, tuple[str, str]]]:
    """path → what speaks against it; path → why it can't be read, and what to do."""
    if not paths:
        return {}, {}
    from clipbuild.cli import judging

    full = [os.path.join(session.wish.root, path) for path in paths]
    rows = judging.judge(full, (1080, 1920), None, os.environ, limits=limits, still=True)
    seen = dict(zip(paths, rows, strict=True))
    return (
        {path: list(row.matters(MATTER)) for path, row in seen.items() if not row.failed},
        {path: row.refused for path, row in seen.items() if row.refused[0]},
    )


def _problem(place: "Place", path: str, what: str, hint: str) -> Problem:
    return Problem(place.file, place.line, place.column, f"{shown(path)}: {what}", (), hint.replace("{photo}", path))
