"""Delayed jobs become claimable when their time has come."""

from cnc_station.engine.domain.errors import Fenced
from cnc_station.engine.domain.notice import is_due
from cnc_station.engine.services.leadership import Leadership
from cnc_station.engine.services.reader import Reader
from cnc_station.engine.services.retrying_writer import RetryingWriter
from cnc_station.engine.services.service import Service, When
from cnc_station.engine.store.jobs import MOST_RELEASED_AT_ONCE, ReleaseDue
from cnc_station.engine.store.recovery import next_due_s

JUST_AFTER_S = 0.001
LONGEST_REST_S = 60.0  # the wall clock may be set while it rests


class Stager(Service):
    """Sleeps until the next job is due, by the database's clock; woken when one is due earlier."""

    when = When.LEADING
    wakes_on = (is_due,)
    lost_hint_s = 1.0

    def __init__(self, writer: RetryingWriter, reader: Reader, leadership: Leadership) -> None:
        super().__init__()
        self._writer = writer
        self._reader = reader
        self._leadership = leadership

    async def run_once(self) -> float:
        """Release all that is due."""
        due_s = await self._reader.read_now(next_due_s)
        if due_s is None:
            return LONGEST_REST_S
        if due_s > 0.0:  # others' news wake it all the time: nothing is written for them
            return min(due_s + JUST_AFTER_S, LONGEST_REST_S)
        try:
            release = ReleaseDue(*self._leadership.right())
            while await self._writer.write(release) == MOST_RELEASED_AT_ONCE:
                pass
        except Fenced:
            self._leadership.wake.hint()
            return LONGEST_REST_S
        return JUST_AFTER_S
