"""One station leads: it stages and reaps for all. See `store.stations.Lead`."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from cnc_station.engine.domain import transitions as t
from cnc_station.engine.domain.errors import Conflict, Fenced
from cnc_station.engine.domain.notice import Notice, is_due, one_of
from cnc_station.engine.drivers import registry
from cnc_station.engine.services.context import ServiceContext
from cnc_station.engine.services.lifeline import beat_s
from cnc_station.engine.services.service import Service, When
from cnc_station.engine.store.jobs import MOST_RELEASED_AT_ONCE, ReleaseDue
from cnc_station.engine.store.reaping import MOST_AT_ONCE, Reap
from cnc_station.engine.store.recovery import next_due_s
from cnc_station.engine.store.stations import Lead

log = logging.getLogger(__name__)

JUST_AFTER_S = 0.001
LONGEST_STAGER_REST_S = 60.0  # the wall clock may be set while it rests
LONGEST_REAPER_REST_S = 5.0
BEATS = 2  # within which every station that is at work sends a heartbeat


class Leadership(Service):
    """`term` is the term in which this station leads, None while it does not. It may be outdated:
    the database checks it with each write of a leader. `on_term` is called when it changes.
    """

    wakes_on = (one_of(t.STATION_JOINED, t.STATION_LEFT, t.LEADER_CHANGED),)

    def __init__(
        self,
        context: ServiceContext,
        on_term: Callable[[int | None], Awaitable[None]],
    ) -> None:
        super().__init__()
        self._writer = context.writer
        self._incarnation = context.incarnation
        self._on_term = on_term
        self._lease_s = context.config.leader_lease_s
        self.term: int | None = None

    def hear(self, notice: Notice) -> None:
        """Ignore missed notices: each check is a write, and the rest is short."""
        if not notice.missed:
            super().hear(notice)

    async def run_once(self) -> float:
        """Take or keep the leadership. Return long before the lease can end."""
        before = self.term
        try:
            async with asyncio.timeout(self._lease_s / 3):
                self.term = await self._writer.write(Lead(self._incarnation, self._lease_s))
        except (Conflict, TimeoutError):
            self.term = None
        if self.term != before:
            if self.term is not None:
                log.info("this station leads, term %d", self.term)
            else:
                log.warning("this station does not lead any more")
            await self._on_term(self.term)
        return self._lease_s / 3

    def right(self) -> tuple[str, int]:
        """Return the incarnation and term that prove the right to lead. Raises Fenced."""
        if self.term is None:
            raise Fenced("this station does not lead")
        return self._incarnation, self.term


class Stager(Service):
    """Makes delayed jobs claimable when their time has come, by the database's clock."""

    when = When.LEADING
    wakes_on = (is_due,)
    lost_hint_s = 1.0

    def __init__(self, context: ServiceContext, leadership: Leadership) -> None:
        super().__init__()
        self._writer = context.writer
        self._reader = context.reader
        self._leadership = leadership

    async def run_once(self) -> float:
        """Release all jobs that are due. Return the time until the next one."""
        due_s = await self._reader.read_now(next_due_s)
        if due_s is None:
            return LONGEST_STAGER_REST_S
        if due_s > 0.0:  # notices wake it often: write only if a job is due
            return min(due_s + JUST_AFTER_S, LONGEST_STAGER_REST_S)
        try:
            release = ReleaseDue(*self._leadership.right())
            while await self._writer.write(release) == MOST_RELEASED_AT_ONCE:
                pass
        except Fenced:
            self._leadership.wake.hint()
            return LONGEST_STAGER_REST_S
        return JUST_AFTER_S


class Reaper(Service):
    """Settles what stations that are gone have left, some time after their leases have ended.

    A new leader first waits for the heartbeats of all stations. Their leases may all have ended at
    once, if the database's clock was set or its computer slept. Then the leader's lease has ended
    too, and a new term begins.
    """

    when = When.LEADING

    def __init__(self, context: ServiceContext, leadership: Leadership) -> None:
        super().__init__()
        lease_s = context.config.lease_s
        self._writer = context.writer
        self._leadership = leadership
        self._retry = context.config.retry
        self._lease_s = lease_s
        self._rest_s = min(lease_s / 5, LONGEST_REAPER_REST_S)
        self._patience_s = BEATS * beat_s(lease_s, alone=context.alone)
        self._heard_at = 0.0

    async def start(self) -> None:
        """Start, and wait for heartbeats first."""
        self._heard_at = asyncio.get_running_loop().time() + self._patience_s
        await super().start()

    async def run_once(self) -> float:
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
