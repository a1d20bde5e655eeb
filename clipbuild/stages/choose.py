"""Stage `choose`: which move a picture gets, and around what. For `auto` the best suited one, else the one that is named.

The record of this project's decisions comes in as data. What depends on its answer is not made again unless the answer
changes. Knows nothing of plans, locks or pixels.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from clipbuild import digest
from clipbuild.errors import ActionError

if TYPE_CHECKING:
    from clipbuild.media.suiting import Suit
    from clipbuild.stages.workdir import Workdir


@dataclass(frozen=True, slots=True)
class Choose:
    """The stage: inputs `report` of the check and, where the picture has layers, `subject`.

    Params: `motion` (a name or auto), `library` {name: {suits}}, `avoid` {kind of picture: [names]}. Outputs: `choice`
    {motion, subject} for the render, `advice` {better, because} for a person.
    """

    name: str = "choose"
    version: int = 2
    outputs: tuple[str, ...] = ("choice", "advice")
    tools: tuple[str, ...] = ()
    inline: bool = True

    def run(self, work: "Workdir") -> None:
        """Choose and say why. Raises ActionError where there is nothing to choose from."""
        from clipbuild.media import suiting

        with open(work.inputs["report"], "rb") as file:
            report = json.load(file)
        named, library = str(work.params["motion"]), _library(work)
        order = suiting.ranked(_measures(work, report), library)
        if not order:
            raise ActionError(f"{work.name}: there are no motions to choose from", hint="name one in `motion:`")
        kind = suiting.composition(report.get("axes") or {})
        avoided = dict(work.params.get("avoid") or {}).get(kind, ())
        order = [suit for suit in order if suit.name not in avoided] or order
        chosen = order[0].name if named == "auto" else named
        best = suiting.better(named, order) if named != "auto" else None
        choice = {"motion": chosen, "subject": (report.get("boxes") or {}).get("subject")}
        _write(work, "choice", choice)
        _write(work, "advice", {"better": best.name if best else "", "because": _because(named, order) if best else ""})


STAGE = Choose()


def _measures(work: "Workdir", report: Mapping[str, Any]) -> dict[str, float]:
    """What the check measured on the flat picture. One in layers has depth, however little of it shows in a still: its
    parts move apart."""
    found = dict(report.get("measures") or {})
    return {**found, "depth": 1.0} if "subject" in work.inputs else found


def _library(work: "Workdir") -> dict[str, Mapping[str, Any]]:
    """What may be chosen: a move of layers only where the picture has some."""
    library = dict(work.params.get("library") or {})
    if "subject" in work.inputs:
        return library
    return {name: one for name, one in library.items() if one.get("needs") != "layers"} or library


def _because(named: str, order: "Sequence[Suit]") -> str:
    own = next((suit for suit in order if suit.name == named), None)
    return ", ".join(own.out[:3]).replace("_", " ") if own else ""


def _write(work: "Workdir", name: str, told: Mapping[str, Any]) -> None:
    with open(work.out(name), "wb") as file:
        file.write(digest.canonical(told))
