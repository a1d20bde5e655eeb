"""Runs what is out of date: each pool as wide as allowed, the earliest clips first, judging again what waited.

An action ends: its blobs are in the store, they are flushed, then its trace is written, in batches. A crash
in between loses work, never truth. Knows nothing of clips, nor of how anything is made.
"""

import asyncio
import heapq
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from clipbuild.digest import Digest
from clipbuild.engine.action import Action, Output, Trace, Verdict
from clipbuild.engine.rebuilder import Plan
from clipbuild.engine.store import Store
from clipbuild.engine.traces import State
from clipbuild.errors import ActionError, ClipbuildError, LostError, shown
from clipbuild.events import ActionFailed, ActionFinished, ActionSkipped, ActionStarted

Runner = Callable[[Action, Digest, Mapping[str, Digest]], Awaitable[Trace]]
BATCH, BATCH_SECONDS = 256, 0.5
"""Traces are written when this many wait, or this long after the first of them."""
GRACE_SECONDS = 1.0


@dataclass(slots=True)
class Outcome:
    """What a run came to, by action name, in the order it happened.

    `blocked` depended on a failed one; `left` were not started, because of a stop or the first failure. `lost` are
    inputs whose blobs turned out damaged or gone: plan again and they are made again. `traces` go by action id.
    """

    ran: list[str] = field(default_factory=list)
    failed: dict[str, Exception] = field(default_factory=dict)
    blocked: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    lost: list[Digest] = field(default_factory=list)
    traces: dict[Digest, Trace] = field(default_factory=dict)


async def run(
    plan: Plan,
    runner: Runner,
    *,
    pools: Mapping[str, int],
    emit: Callable[..., None],
    state: State,
    store: Store,
    fail_fast: bool = False,
    stop: asyncio.Event | None = None,
    hurry: asyncio.Event | None = None,
) -> Outcome:
    """Run what will run, and what may run once it is known that it must. Never raises for a failed action.

    `pools` gives the width of each pool (1 where it says nothing). Once `stop` is set nothing new starts, and what costs
    nothing has a moment to finish, none once `hurry` is set;
    cancelling this call ends running work too, and still records what was finished.
    """
    _note_judged(plan, state)
    state.commit()
    work = _Run(plan, runner, pools, emit, state, store, fail_fast, stop or asyncio.Event(), hurry or asyncio.Event())
    return await work.run()


def _note_judged(plan: Plan, state: State) -> None:
    """An edit that was taken back is up to date again: what the next one is compared with is that older document."""
    aliases = plan.graph.aliases
    keys = {name: plan.keys[action.id] for action in plan.of(Verdict.UP_TO_DATE) for name in aliases[action.id]}
    last = state.last_keys(keys)
    state.point({name: keys[name] for name, key in last.items() if key != keys[name]})


@dataclass(slots=True)
class _Pool:
    """`ready` holds places in run order. Clips are planned one after another, so taking the smallest first
    finishes whole clips early."""

    width: int
    running: int = 0
    ready: list[int] = field(default_factory=list)


@dataclass(slots=True)
class _Run:
    plan: Plan
    runner: Runner
    widths: Mapping[str, int]
    emit: Callable[..., None]
    state: State
    store: Store
    fail_fast: bool
    stop: asyncio.Event
    hurry: asyncio.Event
    outcome: Outcome = field(default_factory=Outcome)
    order: list[Action] = field(default_factory=list)
    place: dict[Digest, int] = field(default_factory=dict)
    waiters: dict[Digest, list[Action]] = field(default_factory=dict)
    pools: dict[str, _Pool] = field(default_factory=dict)
    closed: set[Digest] = field(default_factory=set)
    twins: dict[Digest, list[Action]] = field(default_factory=dict)
    """By key: the actions that wait for another one with the same key, so that nothing is made twice."""
    fresh: dict[Digest, Trace] = field(default_factory=dict)
    spoilt: dict[Digest, Exception] = field(default_factory=dict)
    """By key: what was made, and why what was not could not be; what comes to the same key later is told the same."""
    tasks: "dict[asyncio.Task[Trace], Action]" = field(default_factory=dict)
    ended: "asyncio.Queue[asyncio.Task[Trace]]" = field(default_factory=asyncio.Queue)
    finished: list[tuple[Action, Trace]] = field(default_factory=list)
    flushing: "asyncio.Task[None] | None" = None
    timer: asyncio.TimerHandle | None = None

    async def run(self) -> Outcome:
        self._prepare()
        ending = asyncio.create_task(self._end_soon())
        try:
            self._start_ready()
            while self.tasks:
                self._take(await self.ended.get())
                while not self.ended.empty():
                    self._take(self.ended.get_nowait())
                self._start_ready()
            self._fail_stuck()
        finally:
            ending.cancel()
            await self._wind_up()
            self.outcome.left = [a.name for a in self.order if a.id not in self.closed]
        return self.outcome

    async def _end_soon(self) -> None:
        """After a stop, what runs has a moment to finish; what costs nothing is then ended, what costs money is not."""
        await self.stop.wait()
        with suppress(TimeoutError):
            await asyncio.wait_for(self.hurry.wait(), GRACE_SECONDS)
        for task, action in self.tasks.items():
            if not action.precious:
                task.cancel()

    def _fail_stuck(self) -> None:
        """What still waits, though nothing runs and nothing holds it back, waits for an output that was never left."""
        if self.stop.is_set() or (self.fail_fast and self.outcome.failed):
            return
        for action in self.order:
            if action.id not in self.closed and self.plan.inputs(action) is None:
                missing = [name for name, s in action.inputs.items() if isinstance(s, Output) and self._is_missing(s)]
                what = f"{action.name}: what it is made from was not left: {', '.join(missing)}"
                self._note_failed(action, ActionError(what))

    def _is_missing(self, source: Output) -> bool:
        return not source.optional and self.plan.resolve(source) is None

    def _prepare(self) -> None:
        verdicts = self.plan.verdicts
        self.order = [a for a in self.plan.graph if verdicts[a.id] is not Verdict.UP_TO_DATE]
        self.place = {action.id: number for number, action in enumerate(self.order)}
        for action in self.order:
            for source in action.inputs.values():
                if isinstance(source, Output) and source.action in self.place:
                    self.waiters.setdefault(source.action, []).append(action)
        for action in self.order:
            if verdicts[action.id] is Verdict.WILL_RUN:
                self._make_ready(action)

    def _make_ready(self, action: Action) -> None:
        key = self.plan.keys[action.id]
        if key in self.spoilt:
            self._fail(action, self.spoilt[key])
            return
        if key in self.twins:
            self.twins[key].append(action)
            return
        self.twins[key] = []
        pool = self.pools.get(action.pool)
        if pool is None:
            pool = self.pools[action.pool] = _Pool(max(1, self.widths.get(action.pool, 1)))
        heapq.heappush(pool.ready, self.place[action.id])

    def _start_ready(self) -> None:
        for pool in self.pools.values():
            while pool.ready and pool.running < pool.width and not self._halted():
                pool.running += 1
                action = self.order[heapq.heappop(pool.ready)]
                task = asyncio.create_task(self._one(action))
                self.tasks[task] = action
                task.add_done_callback(self.ended.put_nowait)

    def _halted(self) -> bool:
        return self.stop.is_set() or (self.fail_fast and bool(self.outcome.failed))

    async def _one(self, action: Action) -> Trace:
        inputs = self.plan.inputs(action)
        assert inputs is not None
        reason = self.plan.reason(action.id).kind
        self.emit(ActionStarted, name=action.name, stage=action.stage, pool=action.pool, reason=reason)
        for name, blob in inputs.items():
            if not self.store.checked(blob) and (isinstance(action.inputs[name], Output) or self.store.has(blob)):
                await self._examine(action, name, blob)
        key = self.plan.keys[action.id]
        trace = await self.runner(action, key, inputs)
        if trace.key != key or not trace.outputs or not all(self.store.has(b) for b in trace.outputs.values()):
            raise ActionError(f"{action.name}: its result is not in the store")
        return trace

    async def _examine(self, action: Action, name: str, blob: Digest) -> None:
        """Bytes of an earlier run are looked at once before anything is made from them."""
        if await asyncio.to_thread(self.store.sound, blob):
            return
        if isinstance(action.inputs[name], Output):  # a source's blob is made again from the source
            self.outcome.lost.append(blob)
            raise LostError(
                f"{action.name}: its input {name} was damaged or is gone", [("blob", blob)], "build again"
            )

    def _take(self, task: "asyncio.Task[Trace]") -> None:
        """An action ended: note how, and see what that sets free."""
        action = self.tasks.pop(task)
        self.pools[action.pool].running -= 1
        if task.cancelled():
            return
        error = task.exception()
        if error is None:
            self._succeed(action, task.result())
        elif isinstance(error, Exception):
            self._fail(action, error)
        else:
            raise error

    def _succeed(self, action: Action, trace: Trace) -> None:
        self.outcome.ran.append(action.name)
        self.outcome.traces[action.id] = trace
        self.finished.append((action, trace))
        self.fresh[trace.key] = trace
        self.emit(ActionFinished, name=action.name, stage=action.stage, seconds=trace.seconds, cost=trace.cost)
        self._settle(action, trace)
        for twin in self.twins[trace.key]:
            self._skip(twin, trace)
        self._flush_soon()

    def _settle(self, action: Action, trace: Trace) -> None:
        self.closed.add(action.id)
        self.plan.settle(action, trace)
        freed = [action.id]
        while freed:
            for waiter in self.waiters.get(freed.pop(), ()):
                if self.plan.verdicts[waiter.id] is Verdict.MAY_RUN and waiter.id not in self.closed:
                    verdict = self.plan.judge(waiter)
                    known = self.fresh.get(self.plan.keys[waiter.id]) if waiter.id in self.plan.keys else None
                    if verdict is Verdict.UP_TO_DATE or known is not None:
                        self._note_skipped(waiter, known)
                        freed.append(waiter.id)
                    elif verdict is Verdict.WILL_RUN:
                        self._make_ready(waiter)

    def _note_skipped(self, action: Action, trace: Trace | None) -> None:
        if trace is not None:
            self.plan.settle(action, trace)
        self.closed.add(action.id)
        self.outcome.skipped.append(action.name)
        self.emit(ActionSkipped, name=action.name, stage=action.stage)

    def _skip(self, action: Action, trace: Trace) -> None:
        self._note_skipped(action, trace)
        self._settle(action, trace)

    def _fail(self, action: Action, error: Exception) -> None:
        key = self.plan.keys[action.id]
        self.spoilt[key] = error
        for one in (action, *self.twins.get(key, ())):
            if one.id not in self.closed:
                self._note_failed(one, error)
                self._block(one)

    def _block(self, action: Action) -> None:
        stranded = [action.id]
        while stranded:
            for waiter in self.waiters.get(stranded.pop(), ()):
                if waiter.id not in self.closed:
                    self.closed.add(waiter.id)
                    self.outcome.blocked.append(waiter.name)
                    stranded.append(waiter.id)

    def _note_failed(self, action: Action, error: Exception) -> None:
        self.closed.add(action.id)
        self.outcome.failed[action.name] = error
        told = str(error) if isinstance(error, ClipbuildError) else shown(f"{type(error).__name__}: {error}")
        status = 0 if isinstance(error, LostError) else getattr(error, "exit_status", 1)
        self.emit(ActionFailed, name=action.name, stage=action.stage, error=told, status=status)

    def _flush_soon(self) -> None:
        if len(self.finished) >= BATCH:
            self._begin_flush()
        elif self.timer is None:
            self.timer = asyncio.get_running_loop().call_later(BATCH_SECONDS, self._begin_flush)

    def _begin_flush(self) -> None:
        if self.flushing is None and self.finished:
            batch, self.finished = self.finished, []
            self.flushing = asyncio.create_task(self._flush(batch))
        self._stop_timer()

    async def _flush(self, batch: list[tuple[Action, Trace]]) -> None:
        try:
            await asyncio.to_thread(self.store.flush)
            self._record(batch)
        except OSError as error:
            self._unsay(batch, error)
        finally:
            self.flushing = None
            if self.finished:
                self._flush_soon()

    def _record(self, batch: list[tuple[Action, Trace]]) -> None:
        for action, trace in batch:
            inputs = self.plan.inputs(action)
            assert inputs is not None
            names = self.plan.graph.aliases.get(action.id, ())
            self.state.record(trace, action.document(inputs), names)
        self.state.commit()

    def _unsay(self, batch: list[tuple[Action, Trace]], error: OSError) -> None:
        """The blobs of these actions could not be flushed: they count as failed and are made again next time."""
        for action, _ in batch:
            self.outcome.ran.remove(action.name)
            self.outcome.traces.pop(action.id, None)
            self._note_failed(action, ActionError(f"{action.name}: its result can't be kept: {shown(error)}"))

    async def _wind_up(self) -> None:
        """End what still runs (only when this call was cancelled), then record all that was finished."""
        if self.tasks:
            for task in self.tasks:
                task.cancel()
            await asyncio.wait(self.tasks)
            for task in list(self.tasks):
                self._take(task)
        self._stop_timer()
        if self.flushing is not None:
            await self.flushing
        self._stop_timer()
        batch, self.finished = self.finished, []
        if batch:
            await self._flush(batch)

    def _stop_timer(self) -> None:
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None
