"""`clipbuild transcribe`: word times of what is spoken, for captions."""

import os

import click

from clipbuild.cli.build import asker
from clipbuild.cli.common import settings, workspace

USUAL = "openai/whisper-1"


@click.command()
@click.argument("sound", metavar="FILE")
@click.option("--out", metavar="FILE", default="", help="Where the words go (default: beside it, as .words.json).")
@click.option("--language", metavar="CODE", default="", help="The language that is spoken, for example en.")
@click.option("--model", "target", default=USUAL, show_default=True, help="Who listens: provider/model.")
@click.option("--max-spend", metavar="USD", default="", help="Buy for so much at most, without asking.")
@click.pass_obj
def transcribe(folder: str, sound: str, out: str, language: str, target: str, max_spend: str) -> int:
    """Buy the times of the words spoken in FILE (a sound or a clip of the project) and write them as JSON.

    `words: FILE` of a product with `captions: auto` then makes its captions from them. Bought once: the same file asked
    for again is written from the store.
    """
    from clipbuild import planning, transcribing
    from clipbuild.engine.files import within
    from clipbuild.media import soundlength
    from clipbuild.wish import Wish

    root = workspace(folder)
    within(root, sound)
    path = os.path.join(root, sound)
    target_file = out or f"{os.path.splitext(sound)[0]}.words.json"
    within(root, target_file)
    session = planning.open_session(Wish(root), settings())
    try:
        session.source(sound)  # it is a regular file of the project
        action = transcribing.wanted(session, sound, soundlength.seconds(session.ffmpeg, path), language, target)
        trace = transcribing.transcribe(session, action, path, target_file, max_spend=max_spend, ask=asker())
    finally:
        session.close()
    click.echo(f"{target_file}: written ({trace.facts.get('provider', '')}, {trace.cost} USD when it was bought)")
    return 0
