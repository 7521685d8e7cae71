"""Drives claimed runs: one task each, from the first write to the last.

What the machine did is written until it is written; who lost the right to write it is told so
and stops acting.
"""

import asyncio
import contextlib
import logging
import random
from collections.abc import Callable, Coroutine, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from cnc_station.engine.domain import transitions as t
from cnc_station.engine.domain.errors import CncStationError, Conflict, Fenced, Unavailable
from cnc_station.engine.domain.retry import RetryPolicy
from cnc_station.engine.drivers.base import Driver, OnLoss, Order, RunAborted, RunFailed
from cnc_station.engine.services.library import Library
from cnc_station.engine.services.pen import Pen
from cnc_station.engine.store.claims import Claimed
from cnc_station.engine.store.machines import MoveMachine
from cnc_station.engine.store.moves import MoveRun
from cnc_station.engine.views import Telemetry

log = logging.getLogger(__name__)

RUNNER = "runner"
PATIENCE_S = 5.0


@dataclass(slots=True)
class _Live:
    """A run in hand. `stopped_by` is set before its driver is told to abort."""

    claimed: Claimed
    driver: Driver
    task: asyncio.Task[t.Transition | None] | None = None
    stopped_by: str = ""
    stop_reason: str = ""
    closing: bool = False
    lost: bool = False
    lease_ends: float = float("inf")
    changing: asyncio.Lock = field(default_factory=asyncio.Lock)


@dataclass(frozen=True, slots=True)
class _Outcome:
    transition: t.Transition
    reason: str = ""
    actor: str = RUNNER
    backoff_s: float = 0.0
    alarm: bool = False


class Runner:
    """All live runs of this station."""

    def __init__(
        self,
        pen: Pen,
        library: Library,
        drivers: Mapping[int, Driver],
        retry: RetryPolicy,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._pen = pen
        self._library = library
        self._drivers = drivers
        self._retry = retry
        self._chance = chance
        self._live: dict[int, _Live] = {}
        self._giving_back: set[asyncio.Task[object]] = set()

    def take(self, claimed: Claimed, lease_ends: float = float("inf")) -> None:
        """Begin to drive a claimed run; it may be acted on until `lease_ends` (the loop's clock),
        unless the lifeline asks for more."""
        driver = self._drivers.get(claimed.machine_id)
        if driver is None:
            self._keep(self._give_back(claimed))
            return
        live = _Live(claimed, driver, lease_ends=lease_ends)
        self._live[claimed.run_id] = live
        live.task = asyncio.create_task(self._see_through(live), name=f"run {claimed.run_id}")
        live.task.add_done_callback(lambda _: self._forget(live))

    def _forget(self, live: _Live) -> None:
        del self._live[live.claimed.run_id]

    def _keep(self, work: Coroutine[Any, Any, object]) -> None:
        task = asyncio.create_task(work)
        self._giving_back.add(task)
        task.add_done_callback(self._giving_back.discard)

    async def _give_back(self, claimed: Claimed) -> None:
        """The machine has no driver: asked for at once, so that no claim comes in between."""
        reason = "its driver is not there"
        await asyncio.gather(
            self._write(claimed, _Outcome(t.RETURNED, reason)),
            self._pen.keep(MoveMachine((t.DISCONNECTED,), claimed.machine_id, RUNNER, reason)),
            return_exceptions=True,
        )

    async def _see_through(self, live: _Live) -> t.Transition | None:
        """Drive a run to its end; returns how it ended, None if others have decided that."""
        try:
            return await self._drive(live)
        except Exception:
            log.exception("run %s of job %s", live.claimed.run_id, live.claimed.job_id)
            return None

    async def _drive(self, live: _Live) -> t.Transition | None:
        claimed = live.claimed
        begun = asyncio.get_running_loop().time()
        try:
            order = await self._order(claimed)
            await self._after_former(claimed)
            self._still_ours(live)
            await self._pen.keep(
                self._move(claimed, t.STARTED, program=claimed.program, material=claimed.material)
            )
            self._still_ours(live)
            begun = asyncio.get_running_loop().time()
            outcome = await self._run(live, order)
        except (Fenced, Conflict) as error:
            log.warning("run %s of job %s: %s", claimed.run_id, claimed.job_id, error)
            return None
        except RunAborted:
            if live.lost:
                return None
            outcome = self._aborted(live)
        except (RunFailed, Unavailable) as error:
            outcome = self._failed(claimed, str(error), alarm=getattr(error, "alarm", False))
        except Exception as error:
            log.exception("run %s of job %s", claimed.run_id, claimed.job_id)
            outcome = self._failed(claimed, f"error in the program: {error}")
        return await self._write(claimed, outcome, asyncio.get_running_loop().time() - begun)

    async def _after_former(self, claimed: Claimed) -> None:
        """The same job may be here again while the run that lost its lease is still stopping."""
        former = [
            live.task
            for live in self._live.values()
            if live.lost and live.claimed.job_id == claimed.job_id and live.task is not None
        ]
        if former:
            await asyncio.wait(former)

    @staticmethod
    def _still_ours(live: _Live) -> None:
        """A process that stood still wakes wherever it was, perhaps just before it starts a
        machine; others may have taken over. Raises RunAborted."""
        if live.lease_ends <= asyncio.get_running_loop().time():
            live.lost = True
        if live.lost:
            log.warning("lost the lease of run %s before it began", live.claimed.run_id)
            raise RunAborted("its lease has ended")

    async def _order(self, claimed: Claimed) -> Order:
        program = await self._library.program(claimed.program) if claimed.program else None
        if claimed.program and program is None:
            raise RunFailed("its program is no longer kept")
        return Order(
            run_id=claimed.run_id,
            job_id=claimed.job_id,
            attempt=claimed.attempt,
            complexity=claimed.complexity,
            parts=claimed.quantity,
            estimated_s=claimed.estimated_s,
            program=program,
        )

    async def _run(self, live: _Live, order: Order) -> _Outcome:
        if live.stopped_by:
            raise RunAborted("stopped before it began")
        limit = live.claimed.timeout_s
        if limit is None:
            await live.driver.run(order)
            return _Outcome(t.COMPLETED)
        try:
            async with asyncio.timeout(limit) as timer:
                await live.driver.run(order)
        except TimeoutError:
            if not timer.expired():  # the driver's own: a socket's, say
                raise
            await live.driver.abort()
            return self._failed(live.claimed, f"took longer than its limit of {limit:g} s")
        return _Outcome(t.COMPLETED)

    def _aborted(self, live: _Live) -> _Outcome:
        if live.closing:
            return _Outcome(t.FAILED_RETRY, "the station was closed while it ran")
        return _Outcome(t.ABORTED, live.stop_reason, live.stopped_by or RUNNER)

    def _failed(self, claimed: Claimed, reason: str, *, alarm: bool = False) -> _Outcome:
        """Another attempt after a pause, or a person has to look."""
        failures = claimed.failures + 1
        if failures > self._retry.limit(claimed.retry_limit, automation=False):
            return _Outcome(t.FAILED_FINAL, reason, alarm=alarm)
        backoff = self._retry.backoff_s(failures, self._chance())
        return _Outcome(t.FAILED_RETRY, reason, backoff_s=backoff, alarm=alarm)

    async def _write(
        self, claimed: Claimed, outcome: _Outcome, seconds: float = 0.0
    ) -> t.Transition | None:
        try:
            if outcome.alarm:
                with contextlib.suppress(Conflict):  # somebody was quicker, or an answer was lost
                    await self._pen.keep(
                        MoveMachine((t.ALARMED,), claimed.machine_id, RUNNER, outcome.reason)
                    )
            await self._pen.keep(
                self._move(
                    claimed,
                    outcome.transition,
                    actor=outcome.actor,
                    reason=outcome.reason,
                    backoff_s=outcome.backoff_s,
                    seconds=seconds,
                )
            )
        except (Fenced, Conflict) as error:
            log.warning("run %s of job %s: %s", claimed.run_id, claimed.job_id, error)
            return None
        return outcome.transition

    @staticmethod
    def _move(
        claimed: Claimed, transition: t.Transition, *, actor: str = RUNNER, **more: Any
    ) -> MoveRun:
        return MoveRun(
            transition,
            claimed.run_id,
            claimed.token,
            claimed.job_id,
            claimed.machine_id,
            actor,
            **more,
        )

    async def hold(self, job_id: int, actor: str, reason: str = "") -> None:
        """Stop the feed, and say so when the controller has. Raises Conflict."""
        live = self._of(job_id)
        async with live.changing:
            await live.driver.hold()
            await self._pen.keep(self._move(live.claimed, t.HELD, actor=actor, reason=reason))

    async def resume(self, job_id: int, actor: str) -> None:
        """Go on after a hold. Raises Conflict, Unavailable.

        Written first, since that proves the right to set the machine going; and written back if
        the controller does not go on.
        """
        live = self._of(job_id)
        async with live.changing:
            await self._pen.write(self._move(live.claimed, t.CONTINUED, actor=actor))
            try:
                await live.driver.resume()
            except CncStationError as error:
                await self._pen.keep(self._move(live.claimed, t.HELD, reason=str(error)))
                raise

    async def abort(self, job_id: int, actor: str, reason: str = "") -> None:
        """End the run for good; returns when that is written. Raises Conflict, Unavailable."""
        live = self._of(job_id)
        live.stopped_by, live.stop_reason = actor, reason
        await live.driver.abort()
        assert live.task is not None
        await asyncio.wait([live.task])
        if live.task.cancelled() or live.task.result() is not t.ABORTED:
            raise Conflict(f"Job {job_id} had ended before it could be aborted.")

    def _of(self, job_id: int) -> _Live:
        for live in self._live.values():
            if live.claimed.job_id == job_id and not live.lost:
                return live
        raise Conflict(f"Job {job_id} is not at a machine of this station.")

    @property
    def busy(self) -> bool:
        """Whether any run is in hand."""
        return bool(self._live)

    def drives(self, job_id: int) -> bool:
        """Whether a job is at a machine of this station."""
        return any(live.claimed.job_id == job_id and not live.lost for live in self._live.values())

    def run_ids(self) -> tuple[int, ...]:
        """The runs it drives and may drive."""
        return tuple(live.claimed.run_id for live in self._live.values() if not live.lost)

    def in_hand(self) -> frozenset[int]:
        """The runs it drives, those whose lease was lost included."""
        return frozenset(self._live)

    def machines(self) -> frozenset[int]:
        """The machines it still drives, those whose lease was lost included."""
        return frozenset(live.claimed.machine_id for live in self._live.values())

    def lost_machines(self) -> frozenset[int]:
        """Those that may still move for a run that is no longer this station's."""
        return frozenset(live.claimed.machine_id for live in self._live.values() if live.lost)

    def keep_leases(self, run_ids: Iterable[int], lease_ends: float) -> None:
        """These may be acted on until `lease_ends`."""
        kept = frozenset(run_ids)
        for live in self._live.values():
            if live.claimed.run_id in kept:
                live.lease_ends = max(lease_ends, live.lease_ends)

    def shortest_lease(self, now: float) -> float:
        """Seconds until the first of them ends."""
        ends = (live.lease_ends for live in self._live.values() if not live.lost)
        return max(0.0, min(ends, default=float("inf")) - now)

    async def let_go(self, now: float) -> None:
        """Stop acting on the runs whose lease has ended: others may have taken over. Nothing is
        written about them, and what may be half made goes on: nobody else will begin it blindly.
        """
        lost = [live for live in self._live.values() if live.lease_ends <= now and not live.lost]
        for live in lost:
            log.warning("lost the lease of run %s", live.claimed.run_id)
            live.lost = True
        stopping = [live.driver.abort() for live in lost if live.driver.on_loss is OnLoss.RETRY]
        for answer in await asyncio.gather(*stopping, return_exceptions=True):
            if isinstance(answer, Exception):
                log.warning("a run that was lost could not be stopped: %s", answer)

    def telemetry(self) -> dict[int, Telemetry]:
        """The latest of every machine at work."""
        found = {live.claimed.machine_id: live.driver.telemetry() for live in self._live.values()}
        return {machine_id: told for machine_id, told in found.items() if told is not None}

    async def stop(self) -> None:
        """Stop all runs and write what became of them; what can't be written in `PATIENCE_S` is
        left to the recovery at the next start."""
        for live in list(self._live.values()):
            live.closing = True
            live.stopped_by = RUNNER
            try:
                await live.driver.abort()
            except CncStationError as error:  # the others are stopped all the same
                log.warning("run %s could not be stopped: %s", live.claimed.run_id, error)
        tasks = [live.task for live in self._live.values() if live.task is not None]
        if tasks:
            _, unwritten = await asyncio.wait(tasks, timeout=PATIENCE_S)
            for task in unwritten:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
