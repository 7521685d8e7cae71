"""The leader settles what the stations that are gone have left."""

import asyncio

from cnc_station.engine.domain.errors import Fenced
from cnc_station.engine.domain.policies import RetryPolicy
from cnc_station.engine.drivers import registry
from cnc_station.engine.services.leadership import Leadership
from cnc_station.engine.services.lifeline import beat_s
from cnc_station.engine.services.retrying_writer import RetryingWriter
from cnc_station.engine.services.service import Service, When
from cnc_station.engine.store.reaping import MOST_AT_ONCE, Reap

LONGEST_REST_S = 5.0


BEATS = 2  # until every station that is there must have been heard of


class Reaper(Service):
    """Looks for ended leases a few times in each.

    A new leader first lets everybody be heard of. Leases of stations that are there may all have
    ended at once: the database's clock was set, or its computer slept. So has the leader's own
    then, and a new term begins.
    """

    when = When.LEADING

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
        self._heard_at = 0.0

    async def start(self) -> None:
        """Begin with a new term."""
        self._heard_at = asyncio.get_running_loop().time() + self._patience_s
        await super().start()

    async def run_once(self) -> float:
        """Everything that has ended by now."""
        now = asyncio.get_running_loop().time()
        if now < self._heard_at:
            return min(self._rest_s, self._heard_at - now)
        try:
            right = self._leadership.right()
            reap = Reap(*right, registry.retried(), self._retry, self._lease_s)
            while await self._writer.write(reap) == MOST_AT_ONCE:
                pass
        except Fenced:
            self._leadership.wake.hint()
        return self._rest_s
