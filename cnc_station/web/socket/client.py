"""One client of the WebSocket: its subscriptions, and where it stands in the stream of events."""

import asyncio
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass

from cnc_station.engine.domain.errors import CncStationError, Unavailable
from cnc_station.engine.domain.event_cursor import EventCursor, InvalidCursor
from cnc_station.engine.door import Door
from cnc_station.engine.queries import EventsSince
from cnc_station.engine.views.event_feed import EventFeed
from cnc_station.web.api.problems import Problem
from cnc_station.web.socket.access import Access
from cnc_station.web.socket.messages import Message, messages_of
from cnc_station.web.socket.outbox import Outbox, frame
from cnc_station.web.socket.protocol import (
    MOST_SUBSCRIPTIONS,
    Close,
    Ending,
    Subscribe,
    Topic,
    error_text,
    text_of,
)
from cnc_station.web.socket.tail import Follower, Position, Tail

log = logging.getLogger(__name__)

PAGE = 100  # events
AGAIN_S = 1.0


@dataclass(frozen=True, slots=True)
class Subscription:
    """What a client follows. `tenants` None: the jobs of all."""

    tenants: frozenset[str] | None
    topics: frozenset[Topic]

    def wants(self, message: Message) -> bool:
        if message.topic not in self.topics:
            return False
        return (
            message.topic is not Topic.JOBS
            or self.tenants is None
            or message.tenant in self.tenants
        )


Subscriptions = dict[str | None, Subscription]
"""By the tenant that the client has named."""


class Client(Follower):
    """Its subscriptions are live, or read from the database until they have caught up with the
    tail. A client that can't keep up is read to from the database too, at its own pace. One that
    does not read at all is ended."""

    def __init__(self, door: Door, tail: Tail, outbox: Outbox, reading: asyncio.Semaphore) -> None:
        self._door, self._tail, self._outbox = door, tail, outbox
        self._reading = reading
        self._live: Subscriptions = {}
        self._behind: list[Subscriptions] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._in_turn = asyncio.Lock()
        self._cursor: EventCursor | None = None  # behind what the live ones were offered last
        self.access: Access | None = None
        self.token: str | None = None
        self._expiry: asyncio.TimerHandle | None = None
        self.ended: asyncio.Future[Ending] = asyncio.get_running_loop().create_future()

    def admit(self, access: Access, token: str | None) -> None:
        """Act with the rights of a token, until they end."""
        self.access, self.token = access, token
        self._forget_expiry()
        if access.expires_at is not None:
            left = max(0.0, access.expires_at - time.time())
            ending = Ending(Close.TOKEN, "the token has expired")
            self._expiry = asyncio.get_running_loop().call_later(left, self.end, ending)

    def end(self, ending: Ending) -> None:
        """End the connection."""
        if not self.ended.done():
            self.ended.set_result(ending)

    async def close(self) -> None:
        """Stop all reading."""
        self._live = {}
        self._forget_expiry()
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def put(self, text: str) -> None:
        """Answer something; a client that does not read its answers is ended."""
        if not self._outbox.put(frame(text)):
            self._end_as_slow()
        self._outbox.flush()

    def subscribe(self, asked: Subscribe) -> None:
        """Add or replace the subscription of a tenant."""
        allowed = None if self.access is None else self.access.tenants
        if asked.tenant is not None and allowed is not None and asked.tenant not in allowed:
            problem = Problem(403, "This token may not see the jobs of this tenant.")
            self.end(Ending(Close.FORBIDDEN, "not your tenant", (error_text(problem),)))
            return
        tenants = allowed if asked.tenant is None else frozenset({asked.tenant})
        self._remove(asked.tenant)
        if len(self._live) + sum(map(len, self._behind)) >= MOST_SUBSCRIPTIONS:
            problem = Problem(400, f"At most {MOST_SUBSCRIPTIONS} subscriptions at once.")
            self.end(Ending(Close.BAD_MESSAGE, "too many", (error_text(problem),)))
            return
        self._read({asked.tenant: Subscription(tenants, asked.chosen)}, asked.last_event_id, asked)

    def unsubscribe(self, tenant: str | None) -> None:
        """End the subscription of a tenant; None: all."""
        for key in [tenant] if tenant is not None else self._keys():
            self._remove(key)
        self.put(text_of("UNSUBSCRIBED", tenantId=tenant))

    def hear(self, messages: Sequence[Message]) -> None:
        if not self._live:
            return
        done = self._deliver(self._live, messages, {})
        if done:
            self._cursor = messages[done - 1].cursor
        if done < len(messages):
            self._fall_behind()

    def miss(self, cursor: EventCursor) -> None:
        if self._live:
            self._cursor = cursor
            self.put(text_of("RESYNC", reason="too old"))

    def _forget_expiry(self) -> None:
        if self._expiry is not None:
            self._expiry.cancel()

    def _keys(self) -> list[str | None]:
        return [key for some in (self._live, *self._behind) for key in some]

    def _remove(self, key: str | None) -> None:
        for some in (self._live, *self._behind):
            some.pop(key, None)

    def _deliver(
        self,
        to: Subscriptions,
        messages: Sequence[Message],
        told: Subscriptions,
    ) -> int:
        """Send what `to` wants and `told` did not get already. Return how many messages are dealt
        with: less than all if there was no room."""
        done = len(messages)
        for place, message in enumerate(messages):
            wanted = any(one.wants(message) for one in to.values())
            if not wanted or any(one.wants(message) for one in told.values()):
                continue
            if not self._outbox.put(message.frame):
                done = place
                break
        self._outbox.flush()
        return done

    def _fall_behind(self) -> None:
        if self._outbox.is_stalled or self._cursor is None:
            self._end_as_slow()
            return
        subscriptions, self._live = self._live, {}
        self._read(subscriptions, self._cursor)

    def _end_as_slow(self) -> None:
        self.end(Ending(Close.SLOW, "too slow", (text_of("RESYNC", reason="slow"),)))

    def _read(
        self,
        subscriptions: Subscriptions,
        since: EventCursor | str | None,
        asked: Subscribe | None = None,
    ) -> None:
        self._behind.append(subscriptions)
        task = asyncio.get_running_loop().create_task(
            self._catch_up(subscriptions, since, asked), name="catching up"
        )
        self._tasks.add(task)
        task.add_done_callback(self._read_done)

    def _read_done(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("a client could not catch up", exc_info=error)
            self.end(Ending(Close.STOPS, "internal error"))

    async def _catch_up(
        self, subscriptions: Subscriptions, since: EventCursor | str | None, asked: Subscribe | None
    ) -> None:
        """Read from the database up to a position of the tail, and join in there."""
        try:
            async with self._in_turn:
                goal = await self._tail.position()
                cursor = await self._begin(since, goal, asked)
                while subscriptions and not self.ended.done():
                    if not await self._read_up_to(goal, cursor, subscriptions):
                        return
                    left = self._join(subscriptions, goal)
                    if left is None:
                        return
                    cursor, goal = left, await self._tail.position()
        finally:
            self._behind = [one for one in self._behind if one is not subscriptions]

    async def _begin(
        self, since: EventCursor | str | None, goal: Position, asked: Subscribe | None
    ) -> EventCursor:
        """Confirm the subscription. Return where it begins."""
        if asked is None:
            assert isinstance(since, EventCursor)
            return since
        begin, too_old = goal.cursor, False
        if isinstance(since, str):
            try:
                begin = EventCursor.parse(since)
                too_old = (await self._ask(begin, goal, limit=1)).too_old
            except InvalidCursor:
                too_old = True
        if too_old:
            begin = goal.cursor
        self.put(text_of("SUBSCRIBED", tenantId=asked.tenant, lastEventId=str(begin)))
        if too_old:
            self.put(text_of("RESYNC", reason="too old", tenantId=asked.tenant))
        return begin

    async def _read_up_to(self, goal: Position, cursor: EventCursor, to: Subscriptions) -> bool:
        """Send all events up to a position. Return False if the client is ended."""
        while cursor != goal.cursor:
            feed = await self._ask(cursor, goal)
            if feed.too_old:
                self.put(text_of("RESYNC", reason="too old"))
                return True
            if not await self._send(feed, cursor, to):
                return False
            cursor = feed.cursor
            if feed.complete:
                break
        return True

    async def _send(self, feed: EventFeed, cursor: EventCursor, to: Subscriptions) -> bool:
        same = feed.events and feed.events[0].id == cursor.event_id
        messages = await messages_of(self._door, feed, cursor.skip if same else 0)
        while messages:
            if not await self._outbox.room():
                self._end_as_slow()
                return False
            messages = messages[self._deliver(to, messages, {}) :]
        return True

    def _join(self, subscriptions: Subscriptions, position: Position) -> EventCursor | None:
        """Go on with the tail from a position. Return None, or where the client stands if the tail
        is too far ahead of it."""
        messages = self._tail.since(position)
        if messages is None:
            return position.cursor
        done = self._deliver(subscriptions, messages, self._live)
        cursor = messages[done - 1].cursor if done else position.cursor
        if done < len(messages):
            return cursor
        self._live = {**self._live, **subscriptions}
        self._cursor = cursor
        return None

    async def _ask(self, cursor: EventCursor, goal: Position, limit: int = PAGE) -> EventFeed:
        told = False
        while True:
            try:
                async with self._reading:
                    return await self._door.ask(EventsSince(cursor, goal.cursor, limit))
            except CncStationError as error:
                if not told and isinstance(error, Unavailable):
                    self.put(error_text(Problem(503, str(error))))
                told = True
            await asyncio.sleep(AGAIN_S)
