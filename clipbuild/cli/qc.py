"""`clipbuild qc`: judge pictures and clips, in a project or out of one."""

import os
from collections.abc import Mapping
from typing import Any

import click

from clipbuild.cli.common import json_option, project, settings, show_json

ASPECTS = {"9:16": (1080, 1920), "4:5": (1080, 1350), "1:1": (1080, 1080), "16:9": (1920, 1080)}


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@json_option
@click.option("--annotate", "folder", metavar="DIR", help="Write annotated pictures that explain the verdicts to DIR.")
@click.option("--aspect", type=click.Choice(list(ASPECTS)), default="9:16", show_default=True, help="Frame to fill.")
@click.pass_context
def qc(ctx: click.Context, files: tuple[str, ...], as_json: bool, folder: str | None, aspect: str) -> int:
    """Judge pictures and clips: fit to be animated, fit to be posted?

    The verdict is ready, risky or not_ready, with the reasons. A file that can't be read is not ready; the others
    go on, and the exit status is 1. In a project its own limits count (templates/readiness.yaml, clipcheck.yaml).
    """
    from clipbuild.cli import judging

    limits, clip_limits = _limits(ctx.obj)
    rows = judging.judge(files, ASPECTS[aspect], folder, os.environ, settings().ffmpeg, limits, clip_limits)
    if as_json:
        show_json([row.plain() for row in rows])
    else:
        judging.show(rows)
    return 1 if any(row.failed for row in rows) else 0


def _limits(folder: str) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """The limits of pictures and of clips of the project that the folder is in; empty for the shipped ones."""
    from clipbuild.catalog.load import plain
    from clipbuild.planner.library import Library

    root = project(folder)
    return (Library(root, plain).readiness(), Library(root, plain).clip_limits()) if root else ({}, {})
