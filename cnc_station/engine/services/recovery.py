"""Settle runs of this station that nobody watched: ask the machine.

A run that was only assigned returns to the queue. One that cuts nothing is tried again like any
failure. On a real controller, a run that still goes on is reattached, and one that has finished is
completed, marked as unwatched. Otherwise it is interrupted and a person decides: it is never
started again without asking.
"""

import asyncio
import logging
from collections.abc import Collection
from functools import partial

from cnc_station.engine.domain import transitions as t
from cnc_station.engine.domain.errors import CncStationError, Conflict, Fenced
from cnc_station.engine.domain.machine import STATION_GONE
from cnc_station.engine.domain.states import RunState
from cnc_station.engine.drivers.base import Driver, OnLoss, RunInspection, RunOutcome
from cnc_station.engine.services.active_runs import ActiveRuns
from cnc_station.engine.services.driver_pool import DriverPool
from cnc_station.engine.services.library import Library
from cnc_station.engine.services.reader import Reader
from cnc_station.engine.services.retrying_writer import RetryingWriter
from cnc_station.engine.services.run_ending import Judge, RunEnding, move_of
from cnc_station.engine.store.new_runs import Claimed
from cnc_station.engine.store.parts import RecordInspection
from cnc_station.engine.store.recovery import LeftOver, left_over_runs

log = logging.getLogger(__name__)

ACTOR = "recovery"
REASON = "its station was down or cut off while it ran"
ANSWER_S = 10.0  # a controller that does not answer within this time can't be asked
UNWATCHED = "it came to its end while nobody watched"


class Recovery:
    """Settles the runs that have no session."""

    def __init__(
        self,
        writer: RetryingWriter,
        reader: Reader,
        library: Library,
        pool: DriverPool,
        runs: ActiveRuns,
        judge: Judge,
        station: str,
    ) -> None:
        self._writer = writer
        self._reader = reader
        self._library = library
        self._pool = pool
        self._runs = runs
        self._judge = judge
        self._station = station

    async def settle(self, lease_s: float, only: Collection[int] | None = None) -> int:
        """Settle the left-over runs of this station, or `only` these. Return their number.
        Reattached runs have a lease of `lease_s` from now."""
        look = partial(left_over_runs, station=self._station, reaped=STATION_GONE)
        found = await self._reader.read(look)
        left = [run for run in found if only is None or run.claimed.run_id in only]
        await asyncio.gather(*(self._settle(run, lease_s) for run in left))
        return len(left)

    async def _settle(self, run: LeftOver, lease_s: float) -> None:
        claimed = run.claimed
        log.warning("run %s of job %s was left %s", claimed.run_id, claimed.job_id, run.state)
        try:
            if claimed.machine_id is None:
                await self._write(run, self._judge.failed(claimed, REASON))
                return
            async with self._pool.wiring(claimed.machine_id):
                await self._settle_by(self._pool.drivers.get(claimed.machine_id), run, lease_s)
        except (Fenced, Conflict) as error:  # by the leader, or it had ended
            log.info("run %s is settled already: %s", claimed.run_id, error)

    async def _settle_by(self, driver: Driver | None, run: LeftOver, lease_s: float) -> None:
        if run.state is RunState.ASSIGNED:
            await self._write(run, RunEnding(t.RETURNED, REASON, ACTOR))
        elif driver is None or driver.on_loss is OnLoss.INTERRUPT:
            await self._ask(run, driver, lease_s)
        elif run.state is not RunState.INTERRUPTED:
            await self._write(run, self._judge.failed(run.claimed, REASON))

    async def _ask(self, run: LeftOver, driver: Driver | None, lease_s: float) -> None:
        found = await self._look(run, driver)
        log.warning("run %s: %s (%s)", run.claimed.run_id, found.outcome, found.detail)
        if found.outcome is RunOutcome.STOPPED:
            if run.state is RunState.INTERRUPTED:  # a person already decides
                await self._record(run.claimed, found.detail)
            else:
                await self._write(run, RunEnding(t.INTERRUPTED, found.detail, ACTOR))
            return
        ends = asyncio.get_running_loop().time() + lease_s
        await self._write(run, RunEnding(t.REATTACHED, found.detail, ACTOR), lease_s)
        if found.outcome is RunOutcome.FINISHED and found.part >= run.claimed.quantity:
            await self._write(run, RunEnding(t.COMPLETED, UNWATCHED, ACTOR))
        else:
            self._runs.reattach(run.claimed, ends, found)

    async def _look(self, run: LeftOver, driver: Driver | None) -> RunInspection:
        machine_id = run.claimed.machine_id
        if driver is None or machine_id is None:
            return RunInspection(
                RunOutcome.STOPPED, f"{REASON}, and its machine has no driver any more"
            )
        try:
            async with asyncio.timeout(ANSWER_S):
                await self._pool.reach(machine_id)
                return await driver.inspect_run(await self._library.order(run.claimed))
        except TimeoutError:
            why = f"no answer within {ANSWER_S:g} s"
        except CncStationError as error:
            why = str(error)
        return RunInspection(
            RunOutcome.STOPPED, f"{REASON}; its controller could not be asked: {why}"
        )

    async def _write(self, run: LeftOver, ending: RunEnding, lease_s: float = 0.0) -> None:
        await self._writer.write(
            move_of(
                run.claimed,
                ending.transition,
                ACTOR,
                reason=ending.reason,
                backoff_s=ending.backoff_s,
                lease_s=lease_s,
                part_on_it=ending.transition is t.INTERRUPTED,
            )
        )

    async def _record(self, claimed: Claimed, words: str) -> None:
        assert claimed.machine_id is not None
        await self._writer.write(
            RecordInspection(
                claimed.job_id, claimed.run_id, claimed.token, claimed.machine_id, words, ACTOR
            )
        )
