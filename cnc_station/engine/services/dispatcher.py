"""Claim jobs whenever one is new or a machine or a worker slot is free."""

import asyncio
import contextlib
from abc import abstractmethod
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass

from cnc_station.engine.domain.errors import CncStationError
from cnc_station.engine.domain.job import NO_MACHINE
from cnc_station.engine.domain.notice import Notice
from cnc_station.engine.services.active_runs import ActiveRuns
from cnc_station.engine.services.context import ServiceContext
from cnc_station.engine.services.lifeline import MARGIN
from cnc_station.engine.services.service import Service
from cnc_station.engine.services.worker_slots import WorkerSlots
from cnc_station.engine.store.claims import Claim, ClaimForHandlers
from cnc_station.engine.store.new_runs import Claimed
from cnc_station.engine.store.transaction import StoreCommand

SLOW_TICK_S = 30.0
SETTLED_S = 0.2  # after a claim, until its starts are written
CLOSING_S = 2.0  # for a claim that is being written when the station is closed


@dataclass(frozen=True, slots=True)
class ClaimContext:
    """What both dispatchers need."""

    services: ServiceContext
    runs: ActiveRuns
    on_taken: Callable[[], None]


class Dispatcher(Service):
    """Claims runs and hands them to the active runs. Woken by hints; a slow tick makes up for lost
    ones. Work at other stations is announced separately (`Signals`), so that one job wakes one
    station.

    `on_idle` is called when there was nothing to claim, at the latest `SETTLED_S` after a claim:
    right after it, it would delay the starts.
    """

    lost_hint_s = 1.0  # after each commit of others it would cost more than their work

    def __init__(self, claims: ClaimContext, on_idle: Callable[[], Awaitable[None]]) -> None:
        super().__init__()
        self._writer = claims.services.writer
        self._config = claims.services.config
        self._incarnation = claims.services.incarnation
        self._runs = claims.runs
        self._on_taken = claims.on_taken
        self._on_idle = on_idle
        self.wakes_on = (self._may_claim,)

    @abstractmethod
    def _may_claim(self, notice: Notice) -> bool: ...

    @abstractmethod
    def _command(self) -> tuple[StoreCommand[tuple[Claimed, ...]] | None, int]:
        """Return the claim to make now, if any, and the most runs that it can bring."""

    async def run_once(self) -> float:
        command, at_most = self._command()
        claimed = await self._claim(command) if command is not None else ()
        if claimed:
            self._on_taken()
            return SETTLED_S if len(claimed) < at_most else 0.0
        await self._on_idle()
        return SLOW_TICK_S

    async def _claim(self, command: StoreCommand[tuple[Claimed, ...]]) -> Sequence[Claimed]:
        ends = asyncio.get_running_loop().time() + self._config.lease_s * (1 - MARGIN)
        writing = asyncio.ensure_future(self._writer.write(command))
        try:
            claimed = await asyncio.shield(writing)
        except asyncio.CancelledError:  # the station is closed
            with contextlib.suppress(CncStationError, TimeoutError):
                async with asyncio.timeout(CLOSING_S):
                    await self._runs.give_back(await writing)
            raise
        for one in claimed:
            self._runs.take(one, ends)
        return claimed


class MachineDispatcher(Dispatcher):
    """Matches the waiting jobs to the station's machines."""

    def __init__(
        self,
        claims: ClaimContext,
        machines: Collection[int],
        on_idle: Callable[[], Awaitable[None]],
    ) -> None:
        super().__init__(claims, on_idle)
        self._machines = machines

    def _may_claim(self, notice: Notice) -> bool:
        new = notice.claimable_by(self._config.station)
        return bool(new - {NO_MACHINE}) or not notice.freed_machines.isdisjoint(self._machines)

    def _command(self) -> tuple[Claim | None, int]:
        at_most = self._config.claim_batch
        if not self._machines:
            return None, at_most
        return Claim(
            self._config.lease_s,
            self._runs.lost_machines(),
            self._incarnation,
            self._runs.begins_with_claim(),
            at_most,
        ), at_most


class HandlerDispatcher(Dispatcher):
    """Fills the free worker slots. Also woken by each slot that becomes free."""

    def __init__(
        self, claims: ClaimContext, slots: WorkerSlots, on_idle: Callable[[], Awaitable[None]]
    ) -> None:
        super().__init__(claims, on_idle)
        self._slots = slots

    def _may_claim(self, notice: Notice) -> bool:
        return NO_MACHINE in notice.claimable_by(self._config.station)

    def _command(self) -> tuple[ClaimForHandlers | None, int]:
        if not (free := self._slots.free):
            return None, 0
        served = self._slots.served()
        return ClaimForHandlers(self._config.lease_s, served, free, self._incarnation), free
