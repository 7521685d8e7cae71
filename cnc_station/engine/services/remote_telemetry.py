"""What the machines of other stations do at the moment, as Redis tells it."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping

from cnc_station.engine.domain.errors import Unavailable
from cnc_station.engine.views import Telemetry

log = logging.getLogger(__name__)

FRESH_S = 2.0  # telemetry of other stations comes several times a second
READ_S = 5.0  # between two reads of the machines that exist


class RemoteTelemetry:
    """Keeps the telemetry of machines that exist in the database, and of no others.

    `read_ids` returns their ids. It is called when an unknown id is heard, at most every `READ_S`;
    until then that telemetry is dropped.
    """

    def __init__(self, read_ids: Callable[[], Awaitable[frozenset[int]]]) -> None:
        self._read_ids = read_ids
        self._known: frozenset[int] = frozenset()
        self._latest: dict[int, tuple[Telemetry, float]] = {}  # with the time of arrival
        self._reading: asyncio.Task[None] | None = None
        self._read_at = -READ_S

    def hear(self, told: Mapping[int, Telemetry]) -> frozenset[int]:
        """Store the telemetry of known machines. Return their ids."""
        now = time.monotonic()
        news = self._known & told.keys()
        self._latest.update((machine_id, (told[machine_id], now)) for machine_id in news)
        if len(news) < len(told) and self._reading is None and now - self._read_at > READ_S:
            self._read_at = now
            self._reading = asyncio.create_task(self._read(), name="read the known machines")
        return news

    def latest(self, machine_id: int) -> Telemetry | None:
        """The latest telemetry of a machine. Old telemetry is dropped: its station or Redis may be
        gone."""
        told, heard_at = self._latest.get(machine_id, (None, 0.0))
        return told if time.monotonic() - heard_at < FRESH_S else None

    async def stop(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)

    async def _read(self) -> None:
        try:
            self._known = await self._read_ids()
            for gone in self._latest.keys() - self._known:
                del self._latest[gone]
        except Unavailable as error:
            log.info("the known machines can't be read now: %s", error)
        finally:
            self._reading = None
