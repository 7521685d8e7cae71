"""What carries out a run: a machine's driver, or a handler in a worker slot of the station."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from typing import Protocol

from cnc_station.engine.domain.errors import Conflict
from cnc_station.engine.drivers.base import (
    OnLoss,
    Order,
    RunAborted,
    RunFailed,
    RunInspection,
    RunOutcome,
)
from cnc_station.engine.handlers.base import (
    MOST_RESULT,
    Handler,
    HandlerFailed,
    HandlerOrder,
    HandlerResult,
    RestrictedHandler,
)
from cnc_station.engine.handlers.output import Output, storable
from cnc_station.engine.store.claims import ServedJobs
from cnc_station.engine.store.move_statements import RunResult
from cnc_station.engine.views import Abilities, Doing, Identity, Status


class Executor(Protocol):
    """The part of `Driver` that a run needs, with the same promises. Each driver is one."""

    on_loss: OnLoss
    abilities: Abilities

    async def connect(self) -> Identity: ...
    async def load(self, order: Order, part: int) -> tuple[str, ...]: ...
    async def start(self) -> None: ...
    async def ended(self) -> None: ...
    async def hold(self) -> None: ...
    async def resume(self) -> None: ...
    async def abort(self) -> None: ...
    async def inspect_run(self, order: Order) -> RunInspection: ...
    def status(self) -> Status: ...
    def subscribe(self, listener: Callable[[Status], None]) -> Callable[[], None]: ...


class WorkerSlots:
    """At most `workers` handlers work at once. `on_free` is called when one is done."""

    def __init__(
        self, handlers: Mapping[str, Handler], workers: int, on_free: Callable[[], None]
    ) -> None:
        self._handlers = handlers
        self._workers = workers
        self._on_free = on_free
        self._leased = 0

    def served(self) -> frozenset[ServedJobs]:
        """Which jobs this station runs now: an administrator may allow and forbid them."""
        return served_jobs(self._handlers)

    @property
    def free(self) -> int:
        return max(0, self._workers - self._leased)

    def lease(self, handler: str) -> "HandlerExecutor":
        self._leased += 1
        return HandlerExecutor(self._handlers[handler])

    def release(self) -> None:
        self._leased -= 1
        self._on_free()


def served_jobs(handlers: Mapping[str, Handler]) -> frozenset[ServedJobs]:
    """Return which jobs a station with these handlers runs now."""
    return frozenset(served for handler in handlers.values() for served in _served_by(handler))


def _served_by(handler: Handler) -> Iterator[ServedJobs]:
    if not isinstance(handler, RestrictedHandler):
        yield ServedJobs(handler.name)
    elif (narrowed := handler.allowed()) is not None:
        for value in narrowed.values:
            yield ServedJobs(handler.name, narrowed.field, value)


class RunRecord:
    """What remains of a handler's work: its output, and what came of it."""

    def __init__(self) -> None:
        self.output = Output()
        self.text: str | None = None
        self.code: int | None = None

    def result(self) -> RunResult:
        """As it is stored with the end of the run."""
        output = self.output.kept()
        return RunResult(self.code, self.text, output.size or None, output.text or None)


class HandlerExecutor:
    """Implements `Executor`: one run of a handler. It begins with its claim, nothing can prevent
    its start, and nothing is cut."""

    on_loss = OnLoss.RETRY
    abilities = Abilities(holds=False, unlocks=False, outlives=False, begins_with_claim=True)

    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self._order: Order | None = None
        self._work: asyncio.Task[HandlerResult | None] | None = None
        self.record = RunRecord()
        self._aborted = False
        self._fraction = 0.0

    async def connect(self) -> Identity:
        return Identity(self._handler.name)

    async def load(self, order: Order, part: int) -> tuple[str, ...]:  # noqa: ARG002 - the seam's signature
        self._order = order
        return ()

    async def start(self) -> None:
        assert self._order is not None
        asked = self._order
        if errors := tuple(self._handler.check(asked.payload)):  # stored by another version
            raise RunFailed("; ".join(map(str, errors)), final=True)
        order = HandlerOrder(
            asked.run_id,
            asked.job_id,
            asked.attempt,
            asked.payload,
            asked.key,
            asked.trace_id,
            self.record.output,
        )
        self._work = asyncio.create_task(self._handler.run(order, self._set_fraction))

    def _set_fraction(self, fraction: float) -> None:
        self._fraction = min(max(fraction, 0.0), 1.0)

    async def ended(self) -> None:
        """Wait until it is done. If the wait is cancelled, so is the work."""
        assert self._work is not None
        try:
            result = await self._work or HandlerResult()
        except HandlerFailed as error:
            self.record.code = error.code
            raise RunFailed(_shortened(str(error)), final=error.final) from error
        except asyncio.CancelledError:
            if self._aborted:
                raise RunAborted("aborted") from None
            raise
        self.record.text, self.record.code = _shortened(result.text), result.code

    async def hold(self) -> None:
        raise Conflict(f"{self._handler.name} can't be held. It can be aborted.")

    async def resume(self) -> None:
        """Do nothing: it is never held."""

    async def abort(self) -> None:
        if self._work is not None and not self._work.done():
            self._aborted = True
            self._work.cancel()
            await asyncio.wait([self._work])

    async def inspect_run(self, order: Order) -> RunInspection:  # noqa: ARG002 - the seam's signature
        return RunInspection(RunOutcome.STOPPED, "it ended with its station")

    def status(self) -> Status:
        working = self._work is not None and not self._work.done()
        return Status(Doing.RUNNING if working else Doing.READY, fraction=self._fraction)

    def subscribe(
        self,
        listener: Callable[[Status], None],  # noqa: ARG002 - the seam's signature
    ) -> Callable[[], None]:
        return lambda: None  # it is never held, so there is no news


def _shortened(text: str) -> str:
    text = storable(text)
    return text if len(text) <= MOST_RESULT else f"{text[: MOST_RESULT - 1]}…"
