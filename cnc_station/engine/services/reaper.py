"""The leader settles what the stations that are gone have left."""

import asyncio

from cnc_station.engine.domain.errors import Fenced
from cnc_station.engine.domain.policies import RetryPolicy
from cnc_station.engine.drivers import registry
from cnc_station.engine.services.leadership import Leadership
from cnc_station.engine.services.lifeline import beat_s
from cnc_station.engine.services.retrying_writer import RetryingWriter
from cnc_station.engine.services.service import Service
from cnc_station.engine.store.reaping import MOST_AT_ONCE, Reap

LONGEST_REST_S = 5.0


BEATS = 2  # until every station that is there must have been heard of


class Reaper(Service):
    """Looks for ended leases a few times in each.

    A new leader first lets everybody be heard of. Leases of stations that are there may all have
    ended at once: the database's clock was set, or its computer slept. So has the leader's own
    then, and a new term begins.
    """

    def __init__(
        self,
        writer: RetryingWriter,
        leadership: Leadership,
        retry: RetryPolicy,
        lease_s: float,
        *,
        alone: bool,
    ) -> None:
        super().__init__()
        self._writer = writer
        self._leadership = leadership
        self._retry = retry
        self._lease_s = lease_s
        self._rest_s = min(lease_s / 5, LONGEST_REST_S)
        self._patience_s = BEATS * beat_s(lease_s, alone=alone)
        self._term: int | None = None
        self._heard_at = 0.0

    async def run_once(self) -> float:
        """Everything that has ended by now."""
        term = self._leadership.term
        if term is None:
            return self._rest_s
        now = asyncio.get_running_loop().time()
        if term != self._term:
            self._term, self._heard_at = term, now + self._patience_s
        if now < self._heard_at:
            return min(self._rest_s, self._heard_at - now)
        leadership = self._leadership
        reap = Reap(leadership.incarnation, term, registry.retried(), self._retry, self._lease_s)
        try:
            while await self._writer.write(reap) == MOST_AT_ONCE:
                pass
        except Fenced:
            self._leadership.wake.hint()
        return self._rest_s
