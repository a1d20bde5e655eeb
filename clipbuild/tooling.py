"""What planning may ask of one workspace: the doors that recipes are handed, so that they stay pure.

Opens nothing of its own; all that it answers comes from the session. Plans nothing.
"""

import os
from collections.abc import Mapping, Sequence
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from clipbuild import cutouts, digest
from clipbuild.catalog.model import Clip
from clipbuild.engine.action import Output, Stage
from clipbuild.engine.lock import Take
from clipbuild.errors import CatalogError, MediaError, Problem, shown
from clipbuild.planner import hints, routing, shots
from clipbuild.planner.prompts import Rendered
from clipbuild.planner.recipes import Bought, Toolbox, aspect
from clipbuild.stages import registry

if TYPE_CHECKING:
    from clipbuild.session import Session


def rendered(session: "Session", clip: Clip, kind: str, ratio: str) -> Rendered:
    """The prompt of a clip for one aspect, with the template lines it came from. `kind` reference is the picture of
    the shot that this one is made like."""
    if kind == "reference" and (first := shots.leader(clip)):
        return rendered(session, first, "image", ratio)
    clip = shots.asked(clip, kind)
    motion = session.library.motions().get(clip.motion.name, {})
    words = motion.get("words", {})
    said = words.get("image" if kind == "image" else "motion", "") if isinstance(words, Mapping) else ""
    said = said or clip.motion.name.replace("-", " ")
    return session.prompts.render(clip, kind, aspect=ratio, motion_words=str(said), seconds=clip.seconds)


def toolbox(session: "Session") -> Toolbox:
    """What planning may ask of this workspace."""
    from clipbuild.media import alpha

    library, root, avoided = session.library, session.wish.root, session.avoided()

    def prompt(clip: Clip, kind: str, ratio: str) -> str:
        text = rendered(session, clip, kind, ratio).text
        session.said.setdefault(clip.id, {})[kind, ratio] = text
        return text

    @cache
    def stage(name: str) -> Stage:
        return registry.kind(name, session.state)

    def usable(clip: Clip) -> bool:
        if clip.reference is not None:  # its photos are sent along, unless they are cut out already
            return alpha.is_declared(os.path.join(root, clip.photos[0]))
        return cutouts.usable(session, clip)

    def routed(clip: Clip, kind: str, spec: Any, _where: str) -> Bought | None:
        ratio = aspect(spec.width, spec.height)
        if kind == "image" and shots.leader(clip):
            prompt(clip, "reference", ratio)
        found, instead = routing.route(clip, kind, spec, ratio, prompt, session.failed)
        session.instead.setdefault(f"{clip.id}/{spec.name}", {})[routing.PARTS[kind]] = instead
        return found

    def degraded(where: str) -> str:
        return "; ".join(f"{part} by {words}" for part, words in session.instead.get(where, {}).items() if words)

    def chosen(where: str) -> str:
        if where not in session.chosen:
            session.undecided.add(where)
        return session.chosen.get(where, "")

    take = _Takes(session)
    return Toolbox(
        source=session.source, shipped=session.shipped, prompt=prompt, motion=library.motion,
        motions=library.motions, style=library.style, fonts=partial(_fonts, root), route=routed, stage=stage,
        tools=session.tools, limits=library.readiness(), overlays=library.overlays, retake=take.number, hint=take.hint,
        avoid=lambda provider: avoided.get(provider or "local", {}), clip_limits=session.clip_limits(),
        chosen=chosen, degraded=degraded,
        mode=lambda clip: routing.mode(clip, usable),
    )  # fmt: skip


def _fonts(root: str, texts: Sequence[str], language: str, clip: Clip) -> tuple[str, ...]:
    """The font files that texts need, the brand's first. Raises CatalogError for one of those that is none: it says so
    once for all clips."""
    from clipbuild.media import fonts

    named = [path for path in (clip.brand.fonts.heading, clip.brand.fonts.body) if path]
    own = [os.path.join(root, path) for path in named]
    for path, full in zip(named, own, strict=True):
        try:
            fonts.coverage(full)
        except MediaError as error:
            what = error.what.replace(shown(full), path)
            raise CatalogError([Problem("clipbuild.yaml", 0, 0, what, tuple(error.facts), error.hint)]) from error
    return tuple(fonts.needed("\n".join(texts), language, own))


class _Takes:
    """What the lock says of attempts."""

    def __init__(self, session: "Session") -> None:
        self._session = session

    def _noted(self, stage: str, params: Mapping[str, Any], base: Mapping[str, Any]) -> Take | None:
        shape = {n: [i.action, i.name] if isinstance(i, Output) else i for n, i in base.items()}
        return self._session.lock.takes.get(digest.of_document({"stage": stage, "params": params, "inputs": shape}))

    def number(self, stage: str, params: Mapping[str, Any], base: Mapping[str, Any]) -> int:
        """Which attempt is meant."""
        take = self._noted(stage, params, base)
        return take.take if take else 1

    def hint(self, stage: str, params: Mapping[str, Any], base: Mapping[str, Any]) -> str:
        """What the prompt of this attempt adds."""
        take = self._noted(stage, params, base)
        return hints.of(take.because) if take else ""
