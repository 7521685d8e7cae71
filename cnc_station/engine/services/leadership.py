"""One station leads: it stages, reaps and cleans up for all. See `store.stations.Lead`."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from cnc_station.engine.domain import transitions as t
from cnc_station.engine.domain.errors import Conflict, Fenced
from cnc_station.engine.domain.notice import one_of
from cnc_station.engine.services.retrying_writer import RetryingWriter
from cnc_station.engine.services.service import Service
from cnc_station.engine.store.stations import Lead

log = logging.getLogger(__name__)


class Leadership(Service):
    """`term` is the one this station leads in, None while it does not. It may be out of date: each
    write of a leader checks it again in the database. `on_term` hears of each that begins or ends.
    """

    wakes_on = (one_of(t.STATION_JOINED, t.STATION_LEFT, t.LEADER_CHANGED),)

    def __init__(
        self,
        writer: RetryingWriter,
        incarnation: str,
        on_term: Callable[[int | None], Awaitable[None]],
        lease_s: float,
    ) -> None:
        super().__init__()
        self._writer = writer
        self.incarnation = incarnation
        self._on_term = on_term
        self._lease_s = lease_s
        self.term: int | None = None

    async def run_once(self) -> float:
        """Take or keep it; look again long before a lease can end."""
        before = self.term
        try:
            async with asyncio.timeout(self._lease_s / 3):
                self.term = await self._writer.write(Lead(self.incarnation, self._lease_s))
        except (Conflict, TimeoutError):
            self.term = None
        if self.term != before:
            if self.term is not None:
                log.info("this station leads, term %d", self.term)
            await self._on_term(self.term)
        return self._lease_s / 3

    def right(self) -> tuple[str, int]:
        """What proves the right to write as the leader: incarnation and term. Raises Fenced."""
        if self.term is None:
            raise Fenced("this station does not lead")
        return self.incarnation, self.term
