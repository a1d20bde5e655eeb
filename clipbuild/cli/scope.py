"""Which part of a project a command works on, beyond names: what differs from a commit, or one machine's share."""

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

import click

from clipbuild.errors import UsageError
from clipbuild.settings import Settings
from clipbuild.wish import Wish

if TYPE_CHECKING:
    from clipbuild.session import Session
    from clipbuild.since import Difference

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Scope:
    """What was asked: a commit to compare with, a share of the work; both empty: everything."""

    since: str = ""
    shard: str = ""

    def __bool__(self) -> bool:
        return bool(self.since or self.shard)


def scope_options(command: F) -> F:
    """--since, --affected and --shard, handed on as one `scope`."""

    def asked(ctx: click.Context, param: click.Parameter, value: Any) -> None:
        chosen: dict[str, Any] = ctx.meta.setdefault("clipbuild.scope", {})
        chosen[str(param.name)] = value

    options = [
        click.option("--since", metavar="REV", default="", expose_value=False, callback=asked,
                     help="Only products whose inputs differ from where this branch left REV, as git sees it."),
        click.option("--affected", is_flag=True, expose_value=False, callback=asked,
                     help="Like --since with the branch this change is meant for: the CI's, else origin/HEAD."),
        click.option("--shard", metavar="K/N", default="", expose_value=False, callback=asked,
                     help="Only the K-th of N equal parts: the same split on every machine."),
    ]  # fmt: skip
    for option in options:
        command = option(command)
    return command


def scope_of(ctx: click.Context) -> Scope:
    """What the options of this command line say."""
    chosen = ctx.meta.get("clipbuild.scope", {})
    since = str(chosen.get("since") or "")
    if chosen.get("affected"):
        from clipbuild.engine.git import branch_point

        if since:
            raise UsageError("--since and --affected both say what to compare with", hint="leave one of them away")
        since = branch_point(os.environ)
    return Scope(since, str(chosen.get("shard") or ""))


def narrowed(wish: Wish, scope: Scope, settings: Settings) -> "tuple[Wish, Difference | None]":
    """The wish within this scope, and what differs from the commit if one was named. Raises ClipbuildError."""
    if not scope:
        return wish, None
    from clipbuild import planning

    session = planning.open_session(wish, settings)
    try:
        clips, told = touched(session, scope)
    finally:
        session.close()
    return replace(wish, clips=clips), told


def touched(session: "Session", scope: Scope) -> "tuple[frozenset[str] | None, Difference | None]":
    """The clips within this scope (None: all), and what differs. Raises ClipbuildError."""
    from clipbuild import shards, since

    told = since.difference(session, scope.since) if scope.since else None
    clips = told.touched if told is not None else None
    if scope.shard:
        clips = shards.clips(session, shards.parse(scope.shard), clips)
    return clips, told
