"""Deliveries to a receiver that misbehaves and dies, from a station that is killed at random
moments: none is lost, each is tried again when it must be, and the log says what came of it."""

import asyncio
import random
import socket
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import cycle, pairwise
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row, func, select

from cnc_station.config import Config
from cnc_station.engine.commands import CreateWebhook, ReplayDeliveries, SubmitJobs
from cnc_station.engine.domain.job import JobSpec
from cnc_station.engine.domain.policies import RetryPolicy
from cnc_station.engine.domain.principal import local_principal
from cnc_station.engine.domain.webhook_signature import verify
from cnc_station.engine.domain.webhooks import RETRY_S, WebhookEvent, WebhookSpec
from cnc_station.engine.engine import open_client
from cnc_station.engine.queries import ListDeliveries
from cnc_station.engine.store import schema
from cnc_station.engine.store.database import Database
from cnc_station.engine.store.webhook_tables import delivery, delivery_attempt
from cnc_station.engine.views.webhooks import DeliveryFilter, DeliveryState
from tests.faults.bad_receiver import BadReceiver, Request
from tests.faults.fleet.memory import MemoryWatch
from tests.faults.process import StationProcess

ME = local_principal("office")
JOBS = 500  # each told to both endpoints
KILLS = 40
REBOUND = "rebound.test"  # a name that leads now here, now to a metadata address
ADDRESSES = ("169.254.169.254", "127.0.0.1", "127.0.0.1")
TIMEOUT_S = 2.0
DRAIN_S = 300.0
ROUND = len(RETRY_S) + 1  # tries, before it waits for an hour or a person
MOST_MB = 300  # of a station
_ERRORS = {
    "hangs": "no complete answer",
    "answers too slowly": "no complete answer",
    "closes": "closed the connection",
    "closes half-way": "closed the connection",
}
_STATUS = {"accepts": 200, "floods": 200, "fails": 500, "redirects": 302}
# What may come of any request: the receiver died, or this computer stood still for too long.
_ANY_TIME = ("no complete answer", "No connection to", "closed the connection", "request failed")


@dataclass(slots=True)
class Outcome:
    """What was done, and what was not as it must be."""

    kills: int = 0
    deaths: int = 0
    requests: dict[str, int] = field(default_factory=dict)
    deliveries: int = 0
    attempts: int = 0
    refused_addresses: int = 0
    replayed: int = 0
    most_mb: int = 0
    seconds: float = 0.0
    violations: list[str] = field(default_factory=list)

    def lines(self) -> Iterator[str]:
        yield f"{self.kills} kills of the station, {self.deaths} of the receiver"
        yield "requests: " + ", ".join(f"{what} {n}" for what, n in self.requests.items())
        yield f"{self.deliveries} deliveries, {self.attempts} attempts in the log, of which"
        yield f"  {self.refused_addresses} to an address that is not dialled"
        yield f"{self.replayed} replayed; {self.most_mb} MB at most; {self.seconds:.0f} s in all"
        yield f"{len(self.violations)} violations"
        yield from (f"  {words}" for words in self.violations[:20])


def run(seed: int, scale: float, folder: Path) -> Outcome:
    """All of it. Raises AssertionError only where it can't go on."""
    return _Campaign(seed, scale, folder).run()


class _Campaign:
    def __init__(self, seed: int, scale: float, folder: Path) -> None:
        self._chance = random.Random(seed)
        self._jobs = max(50, round(JOBS * scale))
        self._kills = max(6, round(KILLS * scale))
        self._config = Config(
            data_folder=folder,
            database_url=f"sqlite:///{folder / 'station.db'}",
            station="A",
            retry=RetryPolicy(initial_s=0.05, maximum_s=0.2, automation_limit=10**6),
            synchronous="NORMAL",
            webhook_timeout_s=TIMEOUT_S,
        )
        self._secrets: dict[int, str] = {}
        self._pids: list[int] = []
        self._outcome = Outcome()

    def run(self) -> Outcome:
        outcome, begun = self._outcome, time.monotonic()
        with BadReceiver(self._chance) as receiver, MemoryWatch(lambda: self._pids) as memory:
            asyncio.run(self._listen(receiver.port))
            handed_in = 0
            for number in range(1, self._kills + 1):
                with self._station() as process:
                    process.wait_until_at_work()
                    wanted = self._jobs * number // self._kills
                    asyncio.run(self._hand_in(range(handed_in, wanted)))
                    handed_in = wanted
                    if self._chance.random() < 0.25:
                        self._die(receiver)
                    time.sleep(self._chance.uniform(0.0, 0.7))
                outcome.kills += 1
            with self._station() as process:
                process.wait_until_at_work()
                self._drain()
        outcome.most_mb = memory.most_mb
        if memory.most_mb > MOST_MB:
            outcome.violations.append(f"the station had {memory.most_mb} MB")
        outcome.requests = dict(receiver.counts())
        with closing(Database(self._config.database_url)) as database:
            database.read(lambda c: self._check(c, receiver.received))
        outcome.seconds = time.monotonic() - begun
        return outcome

    @contextmanager
    def _station(self) -> Iterator[StationProcess]:
        """A new process; killed at the end, never asked to stop."""
        log = str(self._config.data_folder / "station.log")
        process = StationProcess(self._config, log, rebind)
        self._pids = [process.pid]
        try:
            yield process
        finally:
            process.kill()

    def _die(self, receiver: BadReceiver) -> None:
        receiver.die()
        time.sleep(self._chance.uniform(0.0, 0.5))
        receiver.live()
        self._outcome.deaths += 1

    async def _listen(self, port: int) -> None:
        client = await open_client(self._config)
        for host in ("127.0.0.1", REBOUND):
            spec = WebhookSpec(f"http://{host}:{port}/hook", (WebhookEvent.COMPLETED,))
            made = await client.door(ME).execute(CreateWebhook(spec))
            assert made.secret is not None
            self._secrets[made.id] = made.secret
        await client.stop()

    async def _hand_in(self, numbers: range) -> None:
        specs = [
            JobSpec(f"job {number}", handler="test.delay", payload={"durationMs": 0})
            for number in numbers
        ]
        client = await open_client(self._config)
        await client.door(ME).execute(SubmitJobs(specs))
        await client.stop()

    def _drain(self) -> None:
        """Wait until all is delivered. What is dead is replayed, as a person would."""
        end = time.monotonic() + DRAIN_S
        wanted = self._jobs * len(self._secrets)
        while (counts := self._counts())["delivered"] < wanted:
            if time.monotonic() > end:
                self._outcome.violations.append(f"not delivered after {DRAIN_S} s: {counts}")
                return
            if counts["dead"]:
                self._outcome.replayed += asyncio.run(self._replay())
            time.sleep(0.2)

    def _counts(self) -> Counter[str]:
        query = select(delivery.c.state, func.count()).group_by(delivery.c.state)
        with closing(Database(self._config.database_url)) as database:
            return Counter(dict(database.read(lambda c: c.execute(query).tuples().all())))

    async def _replay(self) -> int:
        dead = DeliveryFilter(states=frozenset({DeliveryState.DEAD}))
        client = await open_client(self._config)
        page = await client.door(ME).ask(ListDeliveries(dead, limit=1_000))
        ids = [row.id for row in page.rows]
        answers = await client.door(ME).execute(ReplayDeliveries(ids))
        await client.stop()
        return sum(answer.applied for answer in answers)

    # What must hold

    def _check(self, connection: Connection, received: Sequence[Request]) -> None:
        jobs = connection.execute(select(schema.job.c.id, schema.job.c.state)).all()
        rows = connection.execute(select(delivery)).all()
        attempts: defaultdict[int, list[Row[Any]]] = defaultdict(list)
        for row in connection.execute(select(delivery_attempt).order_by(delivery_attempt.c.id)):
            attempts[row.delivery_id].append(row)
        requests: defaultdict[str, list[Request]] = defaultdict(list)
        for request in received:
            requests[request.key].append(request)
        self._outcome.deliveries = len(rows)
        self._outcome.attempts = sum(map(len, attempts.values()))
        found = self._outcome.violations
        found += [f"job {job.id} is {job.state}" for job in jobs if job.state != "completed"]
        found += _missing([job.id for job in jobs], [*self._secrets], rows)
        for row in rows:
            found += [
                f"delivery {row.id}: {words}"
                for words in (
                    *_retries(attempts[row.id]),
                    *_log(attempts[row.id], requests[row.key]),
                    *_contents(requests[row.key], self._secrets[row.webhook_id]),
                )
            ]
        refused = [one for many in attempts.values() for one in many if "link-local" in one.error]
        self._outcome.refused_addresses = len(refused)
        if not refused:
            found.append("the name never led to a metadata address")


def _missing(
    jobs: Sequence[int], endpoints: Sequence[int], rows: Sequence[Row[Any]]
) -> Iterator[str]:
    """One delivery for each completed job and endpoint."""
    made = Counter((row.job_id, row.webhook_id) for row in rows)
    for pair in ((job, endpoint) for job in jobs for endpoint in endpoints):
        if made[pair] != 1:
            yield f"job {pair[0]} has {made[pair]} deliveries to endpoint {pair[1]}"


def _retries(attempts: Sequence[Row[Any]]) -> Iterator[str]:
    """The pauses of 1, 2 and 4 s; the last attempt is the one that was accepted."""
    for number, (one, later) in enumerate(pairwise(attempts)):
        place = number % ROUND
        pause = (later.at - one.at) / 1000
        if place < len(RETRY_S) and pause < RETRY_S[place]:
            yield f"tried again after {pause:.3f} s, not {RETRY_S[place]:g} s"
        if one.status == 200 and not one.error:
            yield "sent again after it was accepted"
    if not attempts or attempts[-1].status != 200 or attempts[-1].error:
        yield "its last attempt was not accepted"


def _log(attempts: Sequence[Row[Any]], requests: Sequence[Request]) -> Iterator[str]:
    """Each attempt in the log is one of the requests, and was logged as what came of it."""
    open_requests = [request.behaviour for request in requests]
    for one in attempts:
        if "link-local" in one.error:
            continue  # nothing was sent
        behaviour = next((name for name in open_requests if _fits(one, name)), None)
        if behaviour is not None:
            open_requests.remove(behaviour)
        elif not any(words in one.error for words in _ANY_TIME):
            yield f"logged {one.status} {one.error!r} of {[r.behaviour for r in requests]}"


def _fits(attempt: Row[Any], behaviour: str) -> bool:
    if behaviour in _ERRORS:
        return attempt.status is None and _ERRORS[behaviour] in attempt.error
    flooded = behaviour == "floods"
    return bool(attempt.status == _STATUS[behaviour] and attempt.truncated == flooded)


def _contents(requests: Sequence[Request], secret: str) -> Iterator[str]:
    """Every try sends the same, signed; and one of them was accepted."""
    if len({request.body for request in requests}) != 1:
        yield f"{len({request.body for request in requests})} different bodies were sent"
    for request in requests:
        sent_at = float(request.headers["webhook-timestamp"])
        if not verify(secret, request.headers, request.body, sent_at):
            yield "a wrong signature"
    if not {request.behaviour for request in requests} & {"accepts", "floods"}:
        yield "no request was accepted"


def rebind() -> None:
    """In a station: the name leads to another address at each look-up, and none is remembered."""
    import aiohttp  # noqa: PLC0415 - in the station alone

    look_up, addresses = socket.getaddrinfo, cycle(ADDRESSES)

    def rebound(host: Any, *arguments: Any, **options: Any) -> Any:
        found = next(addresses) if host == REBOUND else host
        return look_up(found, *arguments, **options)

    patched: Any = aiohttp
    patched.TCPConnector = partial(aiohttp.TCPConnector, use_dns_cache=False)
    socket.getaddrinfo = rebound
