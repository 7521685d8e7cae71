"""Claims: whenever there is a new job or a free machine, match them."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Collection

from cnc_station.engine.domain.errors import CncStationError
from cnc_station.engine.domain.notice import NoticeEvent
from cnc_station.engine.services.active_runs import ActiveRuns
from cnc_station.engine.services.lifeline import MARGIN
from cnc_station.engine.services.retrying_writer import RetryingWriter
from cnc_station.engine.services.service import Service
from cnc_station.engine.store.claims import Claim
from cnc_station.engine.store.new_runs import Claimed

SLOW_TICK_S = 30.0
SETTLED_S = 0.2  # after a claim, until its starts are written
HEARD_S = 2.0  # a claim that is under way when the station is closed


class Dispatcher(Service):
    """Hands every claimed run to the runner. Woken by hints; the slow tick makes up for lost ones.
    Work that another station has announces itself apart (`Signals`): one job wakes one station.

    `on_idle` hears when there was nothing to claim, at the latest `SETTLED_S` after a claim: what
    is idle then waits for a wake-up. To look for that at once would hold up the starts.
    """

    lost_hint_s = 1.0  # at each of the others' commits it would cost more claims than their work

    def __init__(
        self,
        writer: RetryingWriter,
        runs: ActiveRuns,
        incarnation: str,
        station: str,
        lease_s: float,
        batch: int,
        machines: Collection[int],
        on_taken: Callable[[], None],
        on_idle: Callable[[], Awaitable[None]],
    ) -> None:
        super().__init__()
        self._writer = writer
        self._runs = runs
        self._incarnation = incarnation
        self._lease_s = lease_s
        self._batch = batch
        self._station = station
        self._machines = machines
        self.wakes_on = (self._may_claim,)
        self._on_taken = on_taken
        self._on_idle = on_idle

    def _may_claim(self, event: NoticeEvent) -> bool:
        """A job has come in here, or one of this station's machines is free."""
        claimable = event.machine_type is not None and event.station == self._station
        return claimable or (event.frees_machine and event.machine_id in self._machines)

    async def run_once(self) -> float:
        """Claim for every idle machine."""
        claimed = await self._claim() if self._machines else ()
        if claimed:
            self._on_taken()
            return SETTLED_S if len(claimed) < self._batch else 0.0
        await self._on_idle()
        return SLOW_TICK_S

    async def _claim(self) -> tuple[Claimed, ...]:
        ends = asyncio.get_running_loop().time() + self._lease_s * (1 - MARGIN)
        claim = Claim(
            self._lease_s,
            self._runs.lost_machines(),
            self._incarnation,
            self._runs.begins_with_claim(),
            self._batch,
        )
        writing = asyncio.ensure_future(self._writer.write(claim))
        try:
            claimed = await asyncio.shield(writing)
        except asyncio.CancelledError:  # the station is closed
            with contextlib.suppress(CncStationError, TimeoutError):
                async with asyncio.timeout(HEARD_S):
                    await self._runs.give_back(await writing)
            raise
        for one in claimed:
            self._runs.take(one, ends)
        return claimed
