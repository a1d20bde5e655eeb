"""`python -m tests`: lint, types and tests, as CI runs them. Extra arguments go to pytest."""

import os
import subprocess
import sys

STEPS = [
    ["ruff", "check", "."],
    ["mypy"],
    ["pytest", "-n", str(min(4, os.cpu_count() or 1)), *sys.argv[1:]],
]

for step in STEPS:
    print("+", *step, flush=True)
    status = subprocess.run([sys.executable, "-m", *step], check=False).returncode
    if status:
        sys.exit(status)
