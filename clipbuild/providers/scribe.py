"""Many coroutines write the journal, one thread flushes it: what waits is written together.

A write that returned is durable. Knows nothing of what is written.
"""

import asyncio
from collections.abc import Sequence

from clipbuild.errors import ClipbuildError
from clipbuild.providers.journal import Journal, Operation, Write
from clipbuild.providers.records import Record


class Scribe:
    """The door to `journal` for one event loop."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self._waiting: list[tuple[Write, asyncio.Future[ClipbuildError | None]]] = []
        self._at_work: asyncio.Task[None] | None = None

    async def run(self, operation: Operation, *, permits: bool = False, shared: bool = False) -> None:
        """Run an operation under the journal's lock; its records are durable when this returns. Raises its error.
        `permits` and `shared` as for `Write`."""
        answer: asyncio.Future[ClipbuildError | None] = asyncio.get_running_loop().create_future()
        self._waiting.append((Write(operation, permits, shared), answer))
        if self._at_work is None or self._at_work.done():
            self._at_work = asyncio.create_task(self._work())
        error = await asyncio.shield(answer)
        if error is not None:
            raise error

    async def note(self, *records: Record) -> None:
        """Write facts."""

        def operation(journal: Journal) -> Sequence[Record]:  # noqa: ARG001 - an operation may look, this one need not
            return records

        await self.run(operation)

    async def _work(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting, []
            try:
                errors = await asyncio.to_thread(self.journal.transact, [write for write, _ in batch])
            except Exception as error:
                for _, answer in batch:
                    answer.set_exception(error)
                continue
            for (_, answer), found in zip(batch, errors, strict=True):
                answer.set_result(found)
