"""Open, tell and end alerts, by the database's clock."""

import asyncio

from cnc_station.engine.domain import transitions as t
from cnc_station.engine.domain.errors import Fenced
from cnc_station.engine.domain.notice import Notice, NoticeEvent, Topic
from cnc_station.engine.domain.states import UNDECIDED_JOBS
from cnc_station.engine.drivers import registry
from cnc_station.engine.services.context import ServiceContext
from cnc_station.engine.services.leadership import BEATS, JUST_AFTER_S, Leadership
from cnc_station.engine.services.lifeline import beat_s
from cnc_station.engine.services.service import Service, When
from cnc_station.engine.store.alert_causes import CauseContext
from cnc_station.engine.store.alerts import UpdateAlerts, look

SETTLE_S = 0.5  # what is over by then is not told
LONGEST_REST_S = 5.0  # a station becomes silent without a notice
_ABOUT = frozenset(
    {
        t.ALERT_RULES_CHANGED.name,
        t.STATION_JOINED.name,
        t.STATION_LEFT.name,
        t.SCHEDULE_EDITED.name,
        t.SCHEDULE_PAUSED.name,
        t.SCHEDULE_DELETED.name,
        t.SCHEDULE_FIRED.name,
        t.SCHEDULE_WAITED.name,
        t.SCHEDULE_SKIPPED.name,
        t.SCHEDULE_MISSED.name,
        t.SCHEDULE_FAILED.name,
        t.WEBHOOKS_CHANGED.name,
        Topic.DELIVERIES_TRIED,
        Topic.JOB_EXPIRED,
        Topic.REACH_CHANGED,
    }
)


def may_concern_alerts(notice: Notice) -> bool:
    """Whether a cause may have begun, or ended."""
    return any(_may_concern(event) for event in notice.events)


def _may_concern(event: NoticeEvent) -> bool:
    return event.machine_id is not None or event.job_state in UNDECIDED_JOBS or event.type in _ABOUT


class Alerts(Service):
    """Compares the open alerts with the state of the shop: a lost hint only delays one."""

    when = When.LEADING
    wakes_on = (may_concern_alerts,)
    lost_hint_s = 1.0

    def __init__(self, context: ServiceContext, leadership: Leadership) -> None:
        super().__init__()
        self._writer = context.writer
        self._reader = context.reader
        self._leadership = leadership
        by_hand = (name for name, can in registry.abilities().items() if not can.starts)
        self._causes = CauseContext(context.config.station, frozenset(by_hand))
        self._asked = False  # to look, and has not looked yet
        beat = beat_s(context.config.lease_s, alone=context.alone)
        self._patience_s = 0.0 if context.alone else BEATS * beat
        self._heard_at = 0.0

    async def start(self) -> None:
        """Start, and wait for the heartbeats of the other stations first, as the reaper does."""
        self._heard_at = asyncio.get_running_loop().time() + self._patience_s
        await super().start()

    def hear(self, notice: Notice) -> None:
        """Look a little later: a busy shop changes many times a second."""
        if not self._asked and (notice.missed or may_concern_alerts(notice)):
            self._asked = True
            self.look_within(SETTLE_S)

    async def run_once(self) -> float:
        """Write what has changed and what is due. Return the time until the next is due."""
        self._asked = False
        early_s = self._heard_at - asyncio.get_running_loop().time()
        if early_s > 0:
            return early_s
        due_s = await self._reader.read_now(
            lambda connection, now: look(connection, now, self._causes)
        )
        if due_s is None:
            return LONGEST_REST_S
        if due_s > 0.0:
            return min(due_s + JUST_AFTER_S, LONGEST_REST_S)
        try:
            await self._writer.write(UpdateAlerts(*self._leadership.right(), self._causes))
        except Fenced:
            self._leadership.wake.hint()
            return LONGEST_REST_S
        return JUST_AFTER_S
