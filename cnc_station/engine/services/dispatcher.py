"""Claim jobs: match them with machines whenever a job is new or a machine is free."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Collection, Iterator, Sequence
from itertools import chain

from cnc_station.engine.domain.errors import CncStationError
from cnc_station.engine.domain.notice import NoticeEvent
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


class Dispatcher(Service):
    """Claims runs and hands them to the active runs. Woken by hints; a slow tick makes up for lost
    ones. Work at other stations is announced separately (`Signals`), so that one job wakes one
    station.

    `on_idle` is called when there was nothing to claim, at the latest `SETTLED_S` after a claim.
    Calling it right after a claim would delay the starts.
    """

    lost_hint_s = 1.0  # after each commit of others it would cost more than their work

    def __init__(
        self,
        context: ServiceContext,
        runs: ActiveRuns,
        slots: WorkerSlots,
        machines: Collection[int],
        on_taken: Callable[[], None],
        on_idle: Callable[[], Awaitable[None]],
    ) -> None:
        super().__init__()
        self._writer = context.writer
        self._config = context.config
        self._incarnation = context.incarnation
        self._runs = runs
        self._slots = slots
        self._machines = machines
        self.wakes_on = (self._may_claim,)
        self._on_taken = on_taken
        self._on_idle = on_idle

    def _may_claim(self, event: NoticeEvent) -> bool:
        claimable = event.machine_type is not None and event.station == self._config.station
        return claimable or (event.frees_machine and event.machine_id in self._machines)

    async def run_once(self) -> float:
        commands = [*self._commands()]
        claimed = await self._claim(commands) if commands else ()
        if claimed:
            self._on_taken()
            return SETTLED_S if len(claimed) < self._config.claim_batch else 0.0
        await self._on_idle()
        return SLOW_TICK_S

    def _commands(self) -> Iterator[StoreCommand[tuple[Claimed, ...]]]:
        if self._machines:
            yield Claim(
                self._config.lease_s,
                self._runs.lost_machines(),
                self._incarnation,
                self._runs.begins_with_claim(),
                self._config.claim_batch,
            )
        if free := self._slots.free:
            yield ClaimForHandlers(self._config.lease_s, self._slots.known, free, self._incarnation)

    async def _claim(
        self, commands: Sequence[StoreCommand[tuple[Claimed, ...]]]
    ) -> Sequence[Claimed]:
        ends = asyncio.get_running_loop().time() + self._config.lease_s * (1 - MARGIN)
        writing = asyncio.gather(*map(self._writer.write, commands))
        try:
            claimed = [*chain(*await asyncio.shield(writing))]
        except asyncio.CancelledError:  # the station is closed
            with contextlib.suppress(CncStationError, TimeoutError):
                async with asyncio.timeout(CLOSING_S):
                    await self._runs.give_back(chain(*await writing))
            raise
        for one in claimed:
            self._runs.take(one, ends)
        return claimed
