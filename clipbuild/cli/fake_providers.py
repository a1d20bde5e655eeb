"""`clipbuild fake-providers`: servers on this machine that speak the paid providers' protocols, for a rehearsal."""

import importlib
import importlib.machinery
import importlib.util
import os
import sys
from types import ModuleType

import click

import clipbuild
from clipbuild.errors import UsageError


@click.command()
@click.option("--port", type=click.IntRange(0, 65000), default=4010, show_default=True,
              help="Port of the first server; the others follow. 0: any.")  # fmt: skip
@click.option("--seconds", default=2.0, show_default=True, help="How long a job takes.")
@click.option("--slots", default=5, show_default=True, help="Jobs at once at each provider.")
@click.option("--small", is_flag=True, help="Tiny results, for speed.")
def fake_providers(port: int, seconds: float, slots: int, small: bool) -> int:
    """Rehearse without spending: a strict server for each paid provider on this machine, with a bill at the end.

    Prints the keys and addresses to set; results are real pictures and clips. Runs until Ctrl-C.
    """
    arguments = ["--port", str(port), "--seconds", str(seconds), "--slots", str(slots)]
    try:
        _fakes().main([*arguments, *(["--small"] if small else [])])
    except OSError as error:
        hint = "is another `clipbuild fake-providers` running? `--port 0` takes any free ones"
        raise UsageError(error.strerror or str(error), hint=hint) from None
    return 0


def _fakes() -> ModuleType:
    """The servers, as they ship in an installed clipbuild, or in a checkout from beside its tests."""
    name = "clipbuild.fakes"
    if importlib.util.find_spec(name) is None:
        folder = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(clipbuild.__file__))), "tests", "fakes")
        spec = importlib.machinery.ModuleSpec(name, None, is_package=True)
        spec.submodule_search_locations = [folder]
        sys.modules[name] = importlib.util.module_from_spec(spec)
    return importlib.import_module(f"{name}.__main__")
