"""`python -m tests.bench NAME [ARGUMENT …]` runs `main` of tests/bench/NAME.py; without a name it lists them."""

import pathlib
import sys
from importlib import import_module

HERE = pathlib.Path(__file__).parent
PARTS = {"workspace", "trivial"}
"""What the others are made of."""
NAMES = sorted(path.stem for path in HERE.glob("*.py") if not path.stem.startswith("_") and path.stem not in PARTS)

if len(sys.argv) < 2 or sys.argv[1] not in NAMES:
    sys.exit(f"usage: python -m tests.bench NAME [ARGUMENT …]\nnames: {', '.join(NAMES)}")
import_module(f"tests.bench.{sys.argv[1]}").main(*sys.argv[2:])
