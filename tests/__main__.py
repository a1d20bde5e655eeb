"""`python -m tests`: lint, types and tests, as CI runs them. Extra arguments go to pytest.

A test that fails is run once more, and the summary says so: many drive real processes and servers, and a machine that is
busy with something else can be late for them once. One worker more than processors: many tests wait.
"""

import os
import subprocess
import sys

STEPS = [
    ["ruff", "check", "."],
    ["mypy"],
    ["pytest", "-n", str(min(4, (os.cpu_count() or 1) + 1)), "--dist", "worksteal", "--reruns", "1", *sys.argv[1:]],
]

for step in STEPS:
    print("+", *step, flush=True)
    status = subprocess.run([sys.executable, "-m", *step], check=False).returncode
    if status:
        sys.exit(status)
