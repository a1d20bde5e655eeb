"""Runs one action for the scheduler: inputs out of the store, the stage in a worker, outputs into the store.

A stage sees its params and its input files and nothing else. Paid actions go to the buyer. Knows nothing of plans.
"""

import asyncio
import os
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from clipbuild import events
from clipbuild.digest import Digest
from clipbuild.engine.action import Action, Trace
from clipbuild.engine.executor import Workers, environment
from clipbuild.engine.store import Store
from clipbuild.errors import ActionError, ClipbuildError, IntegrityError, MediaError, shown
from clipbuild.stages import registry
from clipbuild.stages.workdir import Workdir

WALL_SECONDS = 20 * 60.0
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")

_ROLE = re.compile(r"the (\w+): ")

Buy = Callable[[Action, Digest, Mapping[str, str], str], Any]
Gate = Callable[[Action, Digest, Mapping[str, Digest]], None]
"""Raises where a person must speak before something is bought."""


@dataclass(slots=True)
class Workshop:
    """Where actions are run. `origins` says where the bytes of a source digest can be read; sources are named as seen
    from `root`."""

    store: Store
    origins: Mapping[Digest, str]
    tools: Mapping[str, str]
    temporary: str
    workers: Workers
    bus: events.Bus
    buy: Buy | None = None
    gate: Gate | None = None
    root: str = ""

    async def run(self, action: Action, key: Digest, inputs: Mapping[str, Digest]) -> Trace:
        """Make the action's outputs and return its trace. Raises ClipbuildError."""
        began = time.monotonic()
        folder = tempfile.mkdtemp(prefix=f"{action.stage}-", dir=self.temporary)
        try:
            paths = {name: await asyncio.to_thread(self._bring, d) for name, d in inputs.items()}
            if action.precious:
                if self.gate is not None:
                    self.gate(action, key, inputs)
                trace = await self._bought(action, key, paths, folder)
                return replace(trace, seconds=round(time.monotonic() - began, 3))
            made = await self._make(action, key, paths, folder)
            outputs = {name: await self._keep(action, name, path) for name, path in made.items()}
            return Trace(action.name, key, outputs, seconds=round(time.monotonic() - began, 3))
        except ClipbuildError as error:
            if not action.precious:  # what is bought is told by who buys it
                self._name(error, action, inputs)
            raise
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _name(self, error: ClipbuildError, action: Action, inputs: Mapping[str, Digest]) -> None:
        """Say which action it was and which files of the project went in: a stage knows them by their roles, as "the
        photo", or as blobs."""
        files = {role: self._file(self.origins[given]) for role, given in inputs.items() if given in self.origins}
        what = error.what
        if role := _ROLE.match(what):
            file = files.get(role[1]) or files.get(f"{role[1]}_0", role[0].removesuffix(": "))
            what = f"{file}: {what[role.end():]}"
        for name, file in files.items():
            what = what.replace(inputs[name], file)
        own = sorted({file for file in files.values() if not file.startswith("../")})
        if what == error.what and own and isinstance(error, MediaError):
            error.facts = (*error.facts, ("from", ", ".join(own[:8])))
        error.what = what if what.startswith(action.name) else f"{action.name}: {what}"

    def _file(self, origin: str) -> str:
        """A source as seen from the project."""
        return shown(os.path.relpath(origin, self.root).replace(os.sep, "/") if self.root else origin)

    def _bring(self, digest: Digest) -> str:
        """The path of a blob, taken into the store from its source first where needed."""
        if not self.store.has(digest):
            origin = self.origins.get(digest)
            if origin is None:
                raise IntegrityError(f"blob {digest[:12]} is gone", hint="`clipbuild build` once more")
            self.store.add_file(origin, expect=digest)
        return self.store.path(digest)

    async def _bought(self, action: Action, key: Digest, paths: Mapping[str, str], folder: str) -> Trace:
        if self.buy is None:
            raise ActionError(f"{action.name}: buying is not possible in this run")
        trace = await self.buy(action, key, paths, folder)
        assert isinstance(trace, Trace)
        return trace

    async def _make(
        self, action: Action, key: Digest, paths: Mapping[str, str], folder: str
    ) -> Mapping[str, str]:
        stage = registry.stage(action.stage)
        if stage.inline:
            work = Workdir(key, action.name, dict(action.params), dict(paths), folder, tools=dict(self.tools))
            try:
                registry.run(stage.name, work)
            except ClipbuildError:
                raise
            except Exception as error:
                raise ActionError(f"{action.name}: {type(error).__name__}: {error}") from error
            return work.made(stage.outputs)
        task = {
            "stage": action.stage, "key": key, "name": action.name, "params": dict(action.params),
            "inputs": dict(paths), "folder": folder, "tools": dict(self.tools),
        }  # fmt: skip

        def progress(done: float, note: str) -> None:
            self.bus.emit(events.ActionProgressed, name=action.name, done=done, note=note)

        answer = await self.workers.run(task, progress, WALL_SECONDS)
        return dict(answer["outputs"])

    async def _keep(self, action: Action, name: str, path: str) -> Digest:
        stage = registry.stage(action.stage)
        if name not in stage.outputs:
            raise ActionError(f"{action.name}: stage {stage.name} left an unknown output {name!r}")
        if stage.inline:
            return self.store.add_file(path)
        return await asyncio.to_thread(self.store.add_file, path)


def workers(count: int, folder: str) -> Workers:
    """Child processes that run stages, each limited, with no key in its environment and one thread a library."""
    return Workers(registry.WORKER, count=count, env=environment(os.environ, **ONE_THREAD), folder=folder)
