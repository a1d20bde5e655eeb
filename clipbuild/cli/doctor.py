"""`clipbuild doctor`: what this machine has, and what a build would miss."""

import os
import sys
from collections.abc import Iterable

import click

from clipbuild.cli.common import json_option, settings, show_json

FILTERS = ("ebur128", "loudnorm", "alimiter", "scale", "afade")
ENCODERS = ("libx264", "aac")


@click.command()
@json_option
def doctor(as_json: bool) -> int:
    """Look at this machine: ffmpeg with its encoders and filters, fonts, packages.

    Exit status 1 when something a build needs is missing.
    """
    from clipbuild import __version__, toolchain
    from clipbuild.media import ffmpeg, fonts

    chosen = settings()
    path = ffmpeg.find(chosen.ffmpeg)
    tools = toolchain.versions(chosen.ffmpeg, _Nothing())
    encoders, filters = ffmpeg.encoders(path), ffmpeg.filters(path)
    missing = [name for name in ENCODERS if name not in encoders] + [n for n in FILTERS if n not in filters]
    facts = {
        "clipbuild": __version__, "python": sys.version.split()[0], "cores": os.cpu_count(), "ffmpeg": path, **{
            f"version of {name}": version for name, version in tools.items()},
        "encoders": {name: name in encoders for name in ENCODERS},
        "filters": {name: name in filters for name in FILTERS},
        "fonts": [fonts.BODY, *fonts.FALLBACKS], "missing": missing,
        "trusted run": chosen.trusted, **_money(chosen.plugins),
    }  # fmt: skip
    if as_json:
        show_json(facts)
    else:
        for name, value in facts.items():
            if isinstance(value, dict):
                value = ", ".join(f"{key} {'yes' if there else 'MISSING'}" for key, there in value.items())
            elif isinstance(value, list):
                value = ", ".join(value) or "none"
            click.echo(f"{name:24} {value}")
    return 1 if missing else 0


def _money(plugins: Iterable[str]) -> dict[str, str]:
    """Where the configuration is, and where each provider's key would be read from; the keys themselves are not told."""
    from clipbuild.providers import keys, registry
    from clipbuild.settings import config_path

    config = config_path(os.environ)
    path = keys.keys_path(os.environ, config)
    places = {
        f"key of {name}": keys.place(registry.variable(name), os.environ, path) or f"none: set {registry.variable(name)}"
        for name in (*registry.PROVIDERS, *plugins)
    }
    return {"configuration": config if os.path.isfile(config) else f"none: {config}", **places}


class _Nothing:
    """A memory that keeps nothing: the doctor looks for itself."""

    def get(self, kind: str, key: str) -> bytes | None:
        return None

    def put(self, kind: str, key: str, data: bytes) -> None:
        """Forget it."""
