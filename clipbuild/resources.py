"""Where `templates/` and `schema/` are: the same answer from a checkout, an editable install and a wheel."""

import os
from functools import cache

HERE = os.path.dirname(os.path.abspath(__file__))


@cache
def folder(name: str) -> str:
    """Absolute path of the shipped folder `name` ("templates" or "schema"). Raises FileNotFoundError."""
    for base in (HERE, os.path.dirname(HERE)):
        path = os.path.join(base, name)
        if os.path.isdir(path):
            return path
    raise FileNotFoundError(f"the installation is incomplete: no folder {name!r} beside clipbuild")
