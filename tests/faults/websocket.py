"""A client of the WebSocket that is cut off and comes back, while jobs change and, on PostgreSQL,
while transactions stay open: it misses nothing, sees nothing twice, and each job's events in order.

It comes back to another station of the fleet with the same cursor. What it was told is compared
with the events in the database.
"""

import asyncio
import random
import tempfile
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import psycopg
from sqlalchemy import Connection, select

from cnc_station.config import Config
from cnc_station.engine.commands import ActOnJobs, SubmitJobs
from cnc_station.engine.domain.actions import JobAction
from cnc_station.engine.domain.errors import Conflict
from cnc_station.engine.domain.job import JobSpec
from cnc_station.engine.domain.states import JobState
from cnc_station.engine.door import Door
from cnc_station.engine.engine import StationEngine, open_client
from cnc_station.engine.store import schema
from cnc_station.engine.store.database import Database
from cnc_station.web.server import WebServer
from tests.tools.servers import Postgres

CUTS = 1_000  # on each database
PER_SECOND = 100  # events, roughly
LONGEST_S = 2.0  # of a connection without a message
OPEN_S = 3.0  # of a long transaction
QUIET_S = 3.0
Told = dict[str, Any]
Facts = dict[object, list[tuple[object, ...]]]

_LATE = (
    "INSERT INTO event (at, type, actor, station, trace_id, reason) "
    "VALUES ((extract(epoch FROM clock_timestamp()) * 1000)::bigint, 'station_joined', '', %s, "
    "'', '')"
)


@dataclass(slots=True)
class Outcome:
    """What was done, and what was not as it must be."""

    cuts: int = 0
    messages: dict[str, int] = field(default_factory=dict)
    long_transactions: int = 0
    resyncs: int = 0
    seconds: float = 0.0
    violations: list[str] = field(default_factory=list)

    def lines(self) -> Iterator[str]:
        yield f"{self.cuts} cuts; " + ", ".join(
            f"{count} messages on {name}" for name, count in self.messages.items()
        )
        yield f"{self.long_transactions} long transactions; {self.seconds:.0f} s in all"
        yield f"{len(self.violations)} violations"
        yield from (f"  {words}" for words in self.violations[:20])


def run(seed: int, scale: float) -> Outcome:
    """Both databases, one after the other."""
    outcome, begun = Outcome(), time.monotonic()
    cuts = max(30, round(CUTS * scale))
    with tempfile.TemporaryDirectory(prefix="cnc-faults-") as folder, Postgres() as server:
        file = f"sqlite:///{Path(folder) / 'station.db'}"
        asyncio.run(_Campaign(seed, cuts, Path(folder), file, outcome).run("SQLite"))
        with server.new_database() as url:
            asyncio.run(_Campaign(seed, cuts, Path(folder), url, outcome).run("PostgreSQL"))
    outcome.seconds = time.monotonic() - begun
    return outcome


class _Campaign:
    def __init__(self, seed: int, cuts: int, folder: Path, url: str, outcome: Outcome) -> None:
        self._chance = random.Random(seed)
        self._cuts, self._outcome = cuts, outcome
        self._config = Config(folder, url, station="A", synchronous="OFF")
        self._told: list[Told] = []
        self._cursor: str | None = None
        self._stopping = False

    async def run(self, name: str) -> None:
        async with AsyncExitStack() as stack:
            engine = StationEngine(self._config)
            await engine.start()
            stack.push_async_callback(engine.stop)
            urls = [await stack.enter_async_context(_served(engine))]
            load = [self._load(engine.local_door)]
            if not self._config.is_embedded:
                other = await open_client(self._config)
                stack.push_async_callback(other.stop)
                urls.append(await stack.enter_async_context(_served(other)))
                load += [self._hold_open(number) for number in range(3)]
            await self._connect(urls[0], until=0)
            tasks = [asyncio.ensure_future(one) for one in load]
            for _ in range(self._cuts):
                await self._connect(self._chance.choice(urls), self._chance.randrange(20))
                self._outcome.cuts += 1
            self._stopping = True
            await asyncio.gather(*tasks)
            await self._connect(self._chance.choice(urls), until=None)
        self._outcome.messages[name] = len(self._told)
        database = Database(self._config.database_url)
        self._check(name, database.read(_stored))
        database.close()

    async def _connect(self, url: str, until: int | None) -> None:
        """Read so many messages, None: all, and leave, or be torn off."""
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(f"{url}/ws", max_msg_size=0) as socket,
        ):
            await self._read(socket, until)
            if self._chance.random() < 0.5:
                await session.close()  # with its connection, without a word

    async def _read(self, socket: aiohttp.ClientWebSocketResponse, until: int | None) -> None:
        asked: dict[str, object] = {"type": "SUBSCRIBE", "topics": ["jobs", "stations"]}
        first = self._cursor is None
        if not first:
            asked["lastEventId"] = self._cursor
        await socket.send_json(asked)
        if until == 0 and not first:
            await asyncio.sleep(self._chance.uniform(0, 0.05))
            return  # what has come meanwhile is thrown away
        limit_s = QUIET_S if until is None else LONGEST_S
        read = 0
        while first or until is None or read < until:
            try:
                told = await socket.receive_json(timeout=limit_s)
            except TimeoutError:
                return
            self._hear(told)
            first = False
            read += 1

    def _hear(self, told: Told) -> None:
        if told["type"] == "SUBSCRIBED":
            if self._cursor is not None and told["lastEventId"] != self._cursor:
                self._outcome.violations.append("it did not go on where it was")
            self._cursor = told["lastEventId"]
        elif told["type"] == "EVENT":
            self._told.append(told)
            self._cursor = told["eventId"]
        else:
            self._outcome.violations.append(f"it was told {told}")

    async def _load(self, door: Door) -> None:
        """Jobs that run, wait, are changed by hand and deleted."""
        ids: list[int] = []
        while not self._stopping:
            count = self._chance.choice((1, 1, 2, 5))
            spec = JobSpec("op", handler="test.delay", payload={"durationMs": 0})
            spec = self._chance.choice((spec, spec, JobSpec("op", "mill", tenant="acme")))
            ids += await door.execute(SubmitJobs((spec,) * count))
            for _ in range(3):
                await self._act(door, self._chance.choice(ids[-50:]))
            await asyncio.sleep(self._chance.expovariate(PER_SECOND / 10))

    async def _act(self, door: Door, job: int) -> None:
        actions = (JobAction.PAUSE, JobAction.RESUME, JobAction.DELETE, JobAction.OVERRIDE)
        action = self._chance.choice(actions)
        settled = (JobState.COMPLETED, JobState.NEEDS_ATTENTION)
        state = self._chance.choice(settled) if action is JobAction.OVERRIDE else None
        with suppress(Conflict):
            await door.execute(ActOnJobs(action, (job,), "as it happens", state=state))

    async def _hold_open(self, number: int) -> None:
        """Transactions that write at their beginning, and are committed much later."""
        url = self._config.database_url
        count = 0
        while not self._stopping:
            connection = await psycopg.AsyncConnection.connect(url)
            async with connection:
                await connection.execute(_LATE, (f"late {number}.{count}",))
                await asyncio.sleep(self._chance.uniform(0, OPEN_S))
                await connection.execute(_LATE, (f"later {number}.{count}",))
            count += 1
            self._outcome.long_transactions += 1

    def _check(self, name: str, stored: Facts) -> None:
        told: Facts = defaultdict(list)
        for one in self._told:
            if "jobId" in one:
                told[one["jobId"]].append((one["event"], one["oldState"], one["state"]))
            else:
                told[one["station"]].append((one["event"],))
        stored.pop("A", None)  # joined before the client came
        for subject in stored.keys() | told.keys():
            if told.get(subject) != stored.get(subject):
                self._outcome.violations.append(
                    f"{name}, {subject}: told {told.get(subject)}, not {stored.get(subject)}"
                )


def _stored(connection: Connection) -> Facts:
    """What must have been told of each job and station, by their events."""
    found: Facts = defaultdict(list)
    states: dict[int, str | None] = {}
    for row in connection.execute(select(schema.event).order_by(schema.event.c.id)):
        if row.type == "station_joined":
            found[row.station].append(("station:joined",))
        elif row.job_id is not None:
            old, new = states.get(row.job_id), row.job_state
            states[row.job_id] = new
            found[row.job_id] += [(name, old, new) for name in _names(row.type, old, new)]
    return found


def _names(kind: str, old: str | None, new: str | None) -> Sequence[str]:
    if kind == "deleted":
        return ("job:deleted",)
    if kind == "created":
        return ("job:created",)
    if old == new:
        return ()
    more = {"completed": "job:completed", "needs_attention": "job:movedToDLQ"}
    return ("job:status:updated", *([more[new]] if new in more else []))


@asynccontextmanager
async def _served(engine: StationEngine) -> AsyncIterator[str]:
    server = WebServer(engine.local_door)
    port = await server.start("127.0.0.1", 0)
    yield f"http://127.0.0.1:{port}"
    await server.stop()
