"""Reads the stream of events once for all clients of a server, while there are any."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from cnc_station.engine.domain.errors import CncStationError
from cnc_station.engine.domain.event_cursor import EventCursor
from cnc_station.engine.domain.notice import Notice
from cnc_station.engine.door import Door
from cnc_station.engine.queries import EventsSince
from cnc_station.web.socket.messages import Message, messages_of

log = logging.getLogger(__name__)

PACE_S = 0.01  # between two readings
LOOK_S = 1.0  # without a notice: one may have been lost
FAILED_S = 1.0  # after a reading that failed
PAGE = 200  # events
MOST_KEPT = 2_000  # messages
MOST_KEPT_BYTES = 2_000_000


@dataclass(frozen=True, slots=True)
class Position:
    """Where the tail was when it had read everything: `cursor`, after so many pages."""

    page: int
    cursor: EventCursor


class Follower:
    """Hears what the tail reads."""

    def hear(self, messages: Sequence[Message]) -> None:
        """New messages, each once."""

    def miss(self, cursor: EventCursor) -> None:
        """More has happened than the tail can read: it goes on at this cursor."""


class Tail:
    """A notice only wakes it: what it hands on is read from the database.

    It keeps the last messages, so that a client that has read up to one of its positions by itself
    can join in.
    """

    def __init__(self, door: Door) -> None:
        self._door = door
        self._followers: set[Follower] = set()
        self._task: asyncio.Task[None] | None = None
        self._wake = asyncio.Event()
        self._waiting: list[asyncio.Future[Position]] = []
        self._cursor: EventCursor | None = None
        self._page = 0
        self._kept: deque[tuple[int, Sequence[Message]]] = deque()
        self._kept_messages = self._kept_bytes = 0
        self._forgotten = 0  # the last page that is not kept

    def add(self, follower: Follower) -> None:
        """Hand on to one more. The first one starts the reading."""
        self._followers.add(follower)
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._read(), name="event tail")

    async def remove(self, follower: Follower) -> None:
        """The reading ends with the last one."""
        self._followers.discard(follower)
        if self._followers or self._task is None:
            return
        task, self._task = self._task, None
        task.cancel()
        await asyncio.wait({task})

    async def position(self) -> Position:
        """Where a reading ends that begins after this call."""
        waiting: asyncio.Future[Position] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiting)
        self._wake.set()
        return await waiting

    def since(self, position: Position) -> list[Message] | None:
        """All messages after a position; None if they are not kept any more."""
        if position.page < self._forgotten:
            return None
        return [one for page, found in self._kept if page > position.page for one in found]

    async def _read(self) -> None:
        unsubscribe: Callable[[], None] = self._door.subscribe(self._heard)
        self._cursor = None
        try:
            while True:
                self._wake.clear()
                asked, self._waiting = self._waiting, []
                try:
                    cursor = await self._catch_up()
                except CncStationError as error:
                    log.info("the events can't be read now: %s", error)
                except Exception:
                    log.exception("the events can't be read")
                else:
                    self._answer(asked, Position(self._page, cursor))
                    await asyncio.sleep(PACE_S)
                    with suppress(TimeoutError):
                        async with asyncio.timeout(LOOK_S):
                            await self._wake.wait()
                    continue
                self._waiting += asked
                await asyncio.sleep(FAILED_S)
        finally:
            unsubscribe()
            self._forget_all()

    def _heard(self, _notice: Notice) -> None:
        self._wake.set()

    def _answer(self, asked: Sequence[asyncio.Future[Position]], position: Position) -> None:
        for one in asked:
            if not one.done():
                one.set_result(position)

    async def _catch_up(self) -> EventCursor:
        """Hand on all new events. Return where they end."""
        while True:
            feed = await self._door.ask(EventsSince(self._cursor, limit=PAGE))
            messages = await messages_of(self._door, feed)
            if feed.too_old:
                self._forget_all()
                for follower in tuple(self._followers):
                    follower.miss(feed.cursor)
            elif messages:
                self._hand_on(messages)
            self._cursor = feed.cursor  # not before: what fails is read again
            if feed.complete:
                return feed.cursor

    def _hand_on(self, messages: Sequence[Message]) -> None:
        self._page += 1
        self._kept.append((self._page, messages))
        self._kept_messages += len(messages)
        self._kept_bytes += sum(len(one.frame) for one in messages)
        while self._kept_messages > MOST_KEPT or self._kept_bytes > MOST_KEPT_BYTES:
            self._forgotten, oldest = self._kept.popleft()
            self._kept_messages -= len(oldest)
            self._kept_bytes -= sum(len(one.frame) for one in oldest)
        for follower in tuple(self._followers):
            follower.hear(messages)

    def _forget_all(self) -> None:
        self._page += 1
        self._forgotten = self._page
        self._kept.clear()
        self._kept_messages = self._kept_bytes = 0
