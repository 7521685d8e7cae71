"""Send the station's heartbeat, and extend the leases of its runs.

A station may act on a run until its lease ends. It measures that by its own monotonic clock, from
before its request and with a margin. So it stops before the database lets another station take
over, whatever both clocks show.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from cnc_station.engine.domain.errors import CncStationError, Fenced
from cnc_station.engine.services.active_runs import ActiveRuns
from cnc_station.engine.services.retrying_writer import RetryingWriter
from cnc_station.engine.services.service import Service, When
from cnc_station.engine.store.stations import Heartbeat

log = logging.getLogger(__name__)

MARGIN = 0.1  # share of the lease that is not used
LONGEST_BEAT_S = 5.0
SILENCE_S = 3 * LONGEST_BEAT_S  # a station that is silent for so long loses its name
AGAIN_S = 0.5


def beat_s(lease_s: float, *, alone: bool) -> float:
    """Return the seconds between two heartbeats."""
    return lease_s / 3 if alone else min(lease_s / 3, LONGEST_BEAT_S)


class Lifeline(Service):
    """One heartbeat for the station and all its leases, in one transaction.

    `on_replaced` is called with the reason why this station must stop acting.
    """

    when = When.ALWAYS

    def __init__(
        self,
        writer: RetryingWriter,
        runs: ActiveRuns,
        incarnation: str,
        lease_s: float,
        on_replaced: Callable[[str], Awaitable[None]],
        *,
        alone: bool,
    ) -> None:
        super().__init__()
        self._writer = writer
        self._runs = runs
        self._incarnation = incarnation
        self._on_replaced = on_replaced
        self._lease_s = lease_s
        self._beat_s = beat_s(lease_s, alone=alone)
        self._lag_ms = 0.0
        self._logged = ""  # why there was no heartbeat

    async def run_once(self) -> float:
        """Stop the runs whose leases have ended, then extend the others."""
        loop = asyncio.get_running_loop()
        self._runs.let_go(loop.time())
        asked = loop.time()
        runs = self._runs.run_ids()
        change = Heartbeat(self._incarnation, self._lease_s, self._lag_ms, runs)
        patience = min(self._beat_s, self._runs.shortest_lease(asked))
        try:
            async with asyncio.timeout(patience):
                await self._writer.write(change)
        except Fenced as error:
            log.critical("this station stops acting: %s", error)
            await self._on_replaced(str(error))
            self._runs.let_go(float("inf"))
            return self._beat_s
        except (CncStationError, TimeoutError) as error:
            if self._logged != (reason := str(error) or "no answer in time"):
                log.warning("no heartbeat: %s", reason)
            self._logged = reason
            return min(AGAIN_S, self._runs.shortest_lease(loop.time()))
        self._logged = ""
        self._lag_ms = (loop.time() - asked) * 1000
        self._runs.keep_leases(runs, asked + self._lease_s * (1 - MARGIN))
        return self._beat_s
