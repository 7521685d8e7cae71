"""Signals between stations through Redis: work, notices and telemetry.

Work is announced in one sorted set for each machine type. A station with an idle machine blocks on
the sets of its types (BZPOPMAX), so that one new job wakes one station and not all. What it pops is
only a hint: the claim in the database decides. Notices and telemetry use publish and subscribe.
Sending, the blocking wait and the subscription each have their own connection.
"""

import asyncio
import logging
import socket
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.connection import parse_url
from redis.exceptions import AuthenticationError, InvalidResponse, RedisError, ResponseError

from cnc_station.engine.domain.errors import Unavailable
from cnc_station.engine.domain.notice import MISSED, NO_EVENTS, Notice
from cnc_station.engine.domain.random_id import random_id
from cnc_station.engine.signals import messages
from cnc_station.engine.signals.base import SignalHandlers
from cnc_station.engine.signals.parser import BoundedParser
from cnc_station.engine.timing import GrowingPause, Wake
from cnc_station.engine.views import Telemetry
from cnc_station.peers.limits import REDIS
from cnc_station.peers.pace import Budget, LoopShare
from cnc_station.peers.probing import MALFORMED

log = logging.getLogger(__name__)

BLOCK_S = 5.0
DRAINED = 100  # more hints taken with one: a claim covers all jobs
MOST_HINTS = 500
GATHER_S = 0.01  # notices and telemetry are sent together
SILENCE_S = REDIS.last_byte_s
MESSAGE_COST = 500  # bytes of the budget that each message costs at least
FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 2.0
PROBE_KEPT_S = 60
_AWAY = "Redis can't be reached."
_INSECURE = (
    "No secure connection to Redis: look at its certificate and at ssl_ca_certs, ssl_certfile and "
    "ssl_keyfile in the address."
)
_LOST = (RedisError, OSError, TimeoutError)
# Detect connections that a firewall has dropped silently. In seconds, TCP_USER_TIMEOUT in ms; a
# system may not know all of them.
_ALIVE_OPTIONS = {
    "TCP_KEEPIDLE": 5,
    "TCP_KEEPINTVL": 2,
    "TCP_KEEPCNT": 3,
    "TCP_USER_TIMEOUT": 10_000,
}
_ALIVE: Mapping[str, Any] = {
    "socket_keepalive": True,
    "socket_keepalive_options": {
        getattr(socket, name): value
        for name, value in _ALIVE_OPTIONS.items()
        if hasattr(socket, name)
    },
}


@contextmanager
def _expecting_redis() -> Iterator[None]:
    """Raise InvalidResponse for answers that break the decoder."""
    try:
        yield
    except MALFORMED as error:
        raise InvalidResponse(f"not the answer of a Redis: {error!r}") from error


class RedisSignals:
    """Implements `Signals`. The prefix separates fleets in different databases of one server, whose
    channels are shared."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._prefix = f"cnc:{parse_url(url).get('db', 0)}:"
        self._sender = random_id()
        self._probe = self._client()
        self._outbox: dict[str, int] = {}
        self._notice = NO_EVENTS
        self._telemetry: Mapping[int, Telemetry] | None = None
        self._filled = asyncio.Event()
        self._hurry = Wake()
        self._wanted: frozenset[str] = frozenset()
        self._waited_for: frozenset[str] = frozenset()
        self._wants = asyncio.Event()
        self._waiting: asyncio.Task[None] | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._turns: set[asyncio.Future[None]] = set()
        self.connected = False

    def _client(self) -> Redis:
        # No timeouts of the client: each command would leave a timer behind. Not RESP3: redis-py
        # formats each of its push messages for a log that nobody reads.
        alive = {} if self._url.startswith("unix:") else _ALIVE
        return Redis.from_url(
            self._url,
            socket_timeout=None,
            socket_connect_timeout=REDIS.first_byte_s,
            protocol=2,
            parser_class=BoundedParser,
            **alive,
        )

    async def start(self, handlers: SignalHandlers) -> None:
        await asyncio.to_thread(messages.prepare)
        self._handlers = handlers
        for work in (self._send, self._listen, self._wait):
            self._tasks.append(asyncio.create_task(self._for_ever(work), name=work.__name__))

    async def stop(self) -> None:
        for task in (*self._tasks, *self._turns):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []
        await self._probe.aclose()

    async def ping(self) -> None:
        """Write, because a full server or a replica answers but accepts no hints. Without an answer
        the connections may be lost: all loops begin again with new ones."""
        try:
            async with asyncio.timeout(SILENCE_S):
                with _expecting_redis():
                    await self._probe.set(self._prefix + "probe", "", ex=PROBE_KEPT_S)
        except AuthenticationError as error:
            raise Unavailable(
                "Redis refuses the password: set it with `cnc-station secret set redis`."
            ) from error
        except ResponseError as error:
            raise Unavailable(f"Redis accepts no data: {error}") from error
        except _LOST as error:
            self.connected = False
            for turn in self._turns:
                turn.cancel()
            raise Unavailable(_INSECURE if "certificate" in str(error) else _AWAY) from error

    def announce_work(self, claimable: Mapping[str, int]) -> None:
        for machine_type, count in claimable.items():
            self._outbox[machine_type] = self._outbox.get(machine_type, 0) + count
        self._hurry.hint()
        self._filled.set()

    def wait_for(self, machine_types: frozenset[str]) -> None:
        """A wait for the same types goes on, because cancelling it costs a connection."""
        self._wanted = machine_types
        self._wants.set()
        if self._waiting is not None and not machine_types <= self._waited_for:
            self._waiting.cancel()

    def publish_notice(self, notice: Notice) -> None:
        """Notices within `GATHER_S` are sent as one."""
        self._notice |= notice
        self._filled.set()

    def publish_telemetry(self, telemetry: Mapping[int, Telemetry]) -> None:
        self._telemetry = telemetry
        self._filled.set()

    async def _for_ever(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Begin again after each loss, after a growing pause with jitter."""
        pause = GrowingPause(FIRST_PAUSE_S, LONGEST_PAUSE_S, jitter=0.5)
        while True:
            begun = asyncio.get_running_loop().time()
            turn = asyncio.ensure_future(work())
            self._turns.add(turn)
            try:
                await asyncio.wait([turn])
            finally:
                turn.cancel()
                self._turns.discard(turn)
            (end,) = await asyncio.gather(turn, return_exceptions=True)
            if isinstance(end, _LOST) and pause.is_first:  # once, not during a whole weekend
                log.info("Redis: %s", end)
            elif isinstance(end, Exception) and not isinstance(end, _LOST):
                log.error("Redis: restarted after a bug", exc_info=end)
            if asyncio.get_running_loop().time() - begun > LONGEST_PAUSE_S:
                pause.reset()
            await asyncio.sleep(pause.next_s())

    async def _send(self) -> None:
        client = self._client()
        try:
            while True:
                await self._filled.wait()
                await self._hurry.wait(GATHER_S)
                self._filled.clear()
                outbox, self._outbox = self._outbox, {}
                notice, self._notice = self._notice, NO_EVENTS
                telemetry, self._telemetry = self._telemetry, None
                try:
                    await self._deliver(client, outbox, notice, telemetry)
                except BaseException:  # sent again later: listeners may have missed it
                    self._notice = notice | self._notice
                    self.announce_work(outbox)
                    raise
        finally:
            await client.aclose()

    async def _deliver(
        self,
        client: Redis,
        outbox: Mapping[str, int],
        notice: Notice,
        telemetry: Mapping[int, Telemetry] | None,
    ) -> None:
        async with client.pipeline(transaction=False) as pipe:
            for machine_type, count in outbox.items():
                key = self._key(machine_type)
                pipe.zadd(key, {random_id(): 0.0 for _ in range(min(count, MOST_HINTS))})
                pipe.zremrangebyrank(key, 0, -MOST_HINTS - 1)  # for a type without stations
            if notice:
                pipe.publish(self._prefix + "changes", messages.of_notice(self._sender, notice))
            if telemetry is not None:
                told = messages.of_telemetry(self._sender, telemetry)
                pipe.publish(self._prefix + "telemetry", told)
            with _expecting_redis():
                await pipe.execute(raise_on_error=False)  # what is refused is lost: see `ping`

    async def _listen(self) -> None:
        """Pass on what is published. A flood is read slowly: Redis then ends the subscription, and
        the next one begins with MISSED."""
        client = self._client()
        budget, share = Budget(REDIS), LoopShare()
        try:
            async with client.pubsub(ignore_subscribe_messages=True) as channel:
                await channel.subscribe(self._prefix + "changes", self._prefix + "telemetry")
                self.connected = True
                self._handlers.notice(MISSED)
                heard = channel.listen()
                while True:
                    with _expecting_redis():
                        message = await anext(heard)
                        of_telemetry = bytes(message["channel"]).endswith(b"telemetry")
                        data = bytes(message["data"])
                    self._hear(data, of_telemetry=of_telemetry)
                    await budget.spend_slowly(max(len(data), MESSAGE_COST))
                    await share.offer()
        finally:
            self.connected = False
            await client.aclose()

    def _hear(self, data: bytes, *, of_telemetry: bool) -> None:
        if data.startswith(messages.beginning(self._sender)):
            return
        if of_telemetry:
            self._handlers.telemetry(messages.telemetry(data))
        else:
            self._handlers.notice(messages.notice(data))

    async def _wait(self) -> None:
        client = self._client()
        try:
            while True:
                while not self._wanted:
                    self._wants.clear()
                    await self._wants.wait()
                self._waiting = asyncio.create_task(self._pop(client))
                try:
                    await self._waiting
                except asyncio.CancelledError:
                    task = asyncio.current_task()
                    if task is None or task.cancelling():
                        raise  # the loop itself is to end
                finally:
                    self._waiting.cancel()
        finally:
            await client.aclose()

    async def _pop(self, client: Redis) -> None:
        """Block on the sets of the wanted types until one has a hint."""
        self._waited_for = self._wanted
        keys = [self._key(name) for name in sorted(self._waited_for)]
        try:
            with _expecting_redis():
                popped: Any = await client.bzpopmax(keys, BLOCK_S)
        except ResponseError as error:
            if "WRONGTYPE" in str(error):  # not written by a station
                await client.delete(*keys)
            raise
        if popped is None:
            return
        if not (isinstance(popped, list | tuple) and popped and isinstance(popped[0], bytes)):
            raise InvalidResponse("not an answer to BZPOPMAX")
        machine_type = popped[0].decode(errors="replace").removeprefix(self._prefix + "wake:")
        if machine_type not in self._wanted:
            self.announce_work({machine_type: 1})  # for another station
            return
        self._handlers.work(machine_type)
        with _expecting_redis():
            more = await client.zpopmax(popped[0], DRAINED)
        if more:
            self._handlers.work(machine_type)  # these jobs may be newer than the claim

    def _key(self, machine_type: str) -> str:
        return f"{self._prefix}wake:{machine_type}"
