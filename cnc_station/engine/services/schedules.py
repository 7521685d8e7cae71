"""Fire the schedules that are due, by the database's clock."""

from cnc_station.engine.domain.errors import Fenced
from cnc_station.engine.domain.notice import ABOUT_SCHEDULES, Notice
from cnc_station.engine.domain.schedule import OVER
from cnc_station.engine.services.context import ServiceContext
from cnc_station.engine.services.leadership import JUST_AFTER_S, Leadership
from cnc_station.engine.services.service import Service, When
from cnc_station.engine.store.firing_statements import schedule_needs
from cnc_station.engine.store.firings import FireDue

LONGEST_REST_S = 60.0  # the wall clock may be set while it rests
WAITING_REST_S = 5.0  # for the end of a job whose notice was lost


def about_schedules(notice: Notice) -> bool:
    """Whether a schedule may be due sooner."""
    return notice.tells_of(ABOUT_SCHEDULES)


class Schedules(Service):
    """Makes the jobs of schedules when they are due, and those that waited for an open job."""

    when = When.LEADING
    wakes_on = (about_schedules,)
    lost_hint_s = 1.0

    def __init__(self, context: ServiceContext, leadership: Leadership) -> None:
        super().__init__()
        self._writer = context.writer
        self._reader = context.reader
        self._leadership = leadership
        self._waiting = False

    def hear(self, notice: Notice) -> None:
        """Wake also at the end of a job, if due times wait for one."""
        super().hear(notice)
        if self._waiting and not OVER.isdisjoint(notice.columns.job_state):
            self.wake.hint()

    async def run_once(self) -> float:
        """Fire all that is due. Return the time until the next schedule fires."""
        self._waiting = True  # a job that ends while this reads wakes it again
        needs = await self._reader.read_now(schedule_needs)
        self._waiting = needs.waiting
        longest = WAITING_REST_S if needs.waiting else LONGEST_REST_S
        due_s = longest if needs.due_s is None else needs.due_s
        if due_s > 0.0 and not needs.released:
            return min(due_s + JUST_AFTER_S, longest)
        try:
            fire = FireDue(*self._leadership.right())
            while await self._writer.write(fire):
                pass
        except Fenced:
            self._leadership.wake.hint()
            return longest
        return JUST_AFTER_S
