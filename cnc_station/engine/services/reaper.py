"""The leader settles the runs of stations that are gone."""

from cnc_station.engine.domain.errors import Fenced
from cnc_station.engine.domain.retry import RetryPolicy
from cnc_station.engine.drivers import registry
from cnc_station.engine.services.leadership import Leadership
from cnc_station.engine.services.pen import Pen
from cnc_station.engine.services.service import Service
from cnc_station.engine.store.reaping import MOST_AT_ONCE, Reap

LONGEST_REST_S = 5.0


class Reaper(Service):
    """Looks for ended leases a few times in each."""

    def __init__(
        self, pen: Pen, leadership: Leadership, retry: RetryPolicy, lease_s: float
    ) -> None:
        super().__init__()
        self._pen = pen
        self._leadership = leadership
        self._retry = retry
        self._rest_s = min(lease_s / 5, LONGEST_REST_S)

    async def run_once(self) -> float:
        """Everything that has ended by now."""
        term = self._leadership.term
        if term is None:
            return self._rest_s
        reap = Reap(self._leadership.incarnation, term, registry.retried(), self._retry)
        try:
            while await self._pen.write(reap) == MOST_AT_ONCE:
                pass
        except Fenced:
            self._leadership.wake.hint()
        return self._rest_s
