"""The worker process that runs stages: `python -m clipbuild.stages`, one task a line on standard input.

A task is {"stage", "key", "name", "params", "inputs", "folder", "tools"}; its result {"outputs": {name: path},
"facts": {}}. Knows nothing of who asks.
"""

from collections.abc import Callable
from typing import Any

from clipbuild.engine import worker
from clipbuild.stages import registry
from clipbuild.stages.workdir import Workdir


def handle(task: dict[str, Any], progress: Callable[[float, str], None]) -> dict[str, Any]:
    """Run one task. Raises ActionError and what the stage raises."""
    work = Workdir(
        str(task["key"]), str(task["name"]), task["params"], task["inputs"], str(task["folder"]),
        progress, task.get("tools") or {},
    )  # fmt: skip
    facts = registry.run(str(task["stage"]), work)
    return {"outputs": work.made(registry.stage(str(task["stage"])).outputs), "facts": facts}


if __name__ == "__main__":
    worker.serve(handle)
