"""The figures of the fleet for a scrape, from the leader alone."""

import asyncio
import time
from collections.abc import Callable
from functools import partial

from cnc_station.engine.domain.errors import Unavailable
from cnc_station.engine.services.health import Health
from cnc_station.engine.services.reader import Reader
from cnc_station.engine.services.retrying_writer import DATABASE
from cnc_station.engine.store.queries.fleet_figures import FleetFigures, fleet_figures

FRESH_S = 1.0
REST = 20  # times what the last reading took: a queue of a million jobs is counted for a second
LONGEST_REST_S = 30.0
PATIENCE_S = 2.0


class FleetMetrics:
    """Reads them at most once in `FRESH_S`, and less often where that takes long. `leads` returns
    whether this station leads, as far as it knows: the database decides."""

    def __init__(
        self, reader: Reader, health: Health, incarnation: str, leads: Callable[[], bool]
    ) -> None:
        self.leads = leads
        self._reader = reader
        self._health = health
        self._incarnation = incarnation
        self._reading: asyncio.Task[None] | None = None
        self._known: FleetFigures | None = None
        self._fresh_until = float("-inf")

    async def figures(self) -> FleetFigures | None:
        """Return the figures. None if another station leads, while the database is away, and
        without its answer within `PATIENCE_S`: another station may lead by then."""
        if not self.leads() or self._health.is_down(DATABASE):
            self._fresh_until = float("-inf")
            return None
        if time.monotonic() < self._fresh_until:
            return self._known
        if self._reading is None:
            self._reading = asyncio.create_task(self._read())
        done, _ = await asyncio.wait([self._reading], timeout=PATIENCE_S)
        return self._known if done else None

    async def stop(self) -> None:
        """Wait for nothing any more."""
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.wait([self._reading])

    async def _read(self) -> None:
        begun = time.monotonic()
        rest_s = FRESH_S
        try:
            query = partial(fleet_figures, incarnation=self._incarnation)
            self._known = await self._reader.read_now(query)
            rest_s = max(FRESH_S, min(REST * (time.monotonic() - begun), LONGEST_REST_S))
        except Unavailable:
            self._known = None
        finally:
            self._reading, self._fresh_until = None, time.monotonic() + rest_s
