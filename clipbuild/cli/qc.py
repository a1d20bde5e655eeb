"""`clipbuild qc`: judge pictures and clips, in a project or out of one."""

import os

import click

from clipbuild.cli.common import json_option, settings, show_json

ASPECTS = {"9:16": (1080, 1920), "4:5": (1080, 1350), "1:1": (1080, 1080), "16:9": (1920, 1080)}


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@json_option
@click.option("--annotate", "folder", metavar="DIR", help="Write annotated pictures that explain the verdicts to DIR.")
@click.option("--aspect", type=click.Choice(list(ASPECTS)), default="9:16", show_default=True, help="Frame to fill.")
def qc(files: tuple[str, ...], as_json: bool, folder: str | None, aspect: str) -> int:
    """Judge pictures and clips: fit to be animated, fit to be posted?

    The verdict is ready, risky or not_ready, with the reasons. A file that can't be read is not ready; the others
    go on, and the exit status is 1.
    """
    from clipbuild.cli import judging

    rows = judging.judge(files, ASPECTS[aspect], folder, os.environ, settings().ffmpeg)
    if as_json:
        show_json([row.plain() for row in rows])
    else:
        judging.show(rows)
    return 1 if any(row.failed for row in rows) else 0
