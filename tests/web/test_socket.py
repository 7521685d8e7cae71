"""What a client of the WebSocket is told, and how its connection ends."""

import asyncio
import json
import socket
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import aiohttp
import pytest
from aiohttp import AddrInfoType, web

from cnc_station.config import Config
from cnc_station.engine.commands import ActOnJobs, SubmitJobs
from cnc_station.engine.domain.actions import JobAction
from cnc_station.engine.domain.job import JobSpec
from cnc_station.engine.domain.states import JobState
from cnc_station.engine.engine import StationEngine
from cnc_station.web.server import WebServer
from cnc_station.web.socket import outbox
from cnc_station.web.socket.access import Access, Identify, TokenRefused
from cnc_station.web.socket.service import WebSockets
from tests.web.api_client import Client
from tests.web.ws_client import Told, listening

LOCALHOST = "127.0.0.1"


class Hall:
    """A station and its clients."""

    def __init__(self, engine: StationEngine, session: aiohttp.ClientSession) -> None:
        self.door, self.engine, self.session = engine.local_door, engine, session

    async def job(self, tenant: str = "acme", name: str = "Bracket") -> int:
        (job_id,) = await self.door.execute(SubmitJobs((JobSpec(name, "mill", tenant=tenant),)))
        return job_id

    async def act(self, action: JobAction, job: int, state: JobState | None = None) -> None:
        act = ActOnJobs(action, (job,), "as tested", state=state)
        (answer,) = await self.door.execute(act)
        assert answer.applied


@pytest.fixture(params=["sqlite", "postgres"])
async def hall(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Hall]:
    url = (
        f"sqlite:///{request.getfixturevalue('station_file')}"
        if request.param == "sqlite"
        else request.getfixturevalue("shop_url")
    )
    engine = StationEngine(Config(tmp_path, url, station="Hall 1"))
    await engine.start()
    server = WebServer(engine.local_door)
    port = await server.start(LOCALHOST, 0)
    async with aiohttp.ClientSession(f"http://{LOCALHOST}:{port}") as session:
        yield Hall(engine, session)
    await server.stop()
    await engine.stop()


async def test_a_client_is_told_each_change_of_a_job_with_its_states(hall: Hall) -> None:
    async with listening(hall.session) as client:
        await client.subscribe()
        job = await hall.job()
        await hall.act(JobAction.PAUSE, job)
        await hall.act(JobAction.OVERRIDE, job, state=JobState.COMPLETED)
        created, paused, updated, completed = await client.events(4)
    assert created["event"] == "job:created"
    assert (created["jobId"], created["tenantId"]) == (job, "acme")
    assert (created["state"], created["oldState"]) == ("queued", None)
    assert (created["status"], created["oldStatus"]) == ("pending", None)
    assert created["job"]["name"] == "Bracket"
    assert created["traceId"]
    assert paused["event"] == updated["event"] == "job:status:updated"
    assert (paused["oldState"], paused["state"]) == ("queued", "paused")
    assert (updated["oldStatus"], updated["status"]) == ("pending", "completed")
    assert completed["event"] == "job:completed"
    assert completed["job"]["state"] == "completed"
    ids = {one["eventId"] for one in (created, paused, updated, completed)}
    assert len(ids) == 4
    assert created["at"].endswith("Z")


async def test_a_job_that_needs_attention_and_one_that_is_deleted_are_told(hall: Hall) -> None:
    async with listening(hall.session, "/api/v1/ws") as client:
        await client.subscribe(tenantId="acme", topics=["jobs"])
        job, other = await hall.job(), await hall.job()
        await hall.act(JobAction.OVERRIDE, job, state=JobState.NEEDS_ATTENTION)
        await hall.act(JobAction.DELETE, other)
        *_, updated, moved, deleted = await client.events(5)
    assert [one["event"] for one in (updated, moved)] == ["job:status:updated", "job:movedToDLQ"]
    assert moved["status"] == "failed"
    assert (deleted["event"], deleted["jobId"], deleted["tenantId"]) == (
        "job:deleted",
        other,
        "acme",
    )
    assert (deleted["state"], deleted["oldState"], deleted["job"]) == (None, "queued", None)


def parts(told: Sequence[Told]) -> list[tuple[object, ...]]:
    return [(one["event"], one["jobId"], one["oldState"], one["state"]) for one in told]


async def test_each_message_is_a_place_to_resume_from(hall: Hall) -> None:
    async with listening(hall.session) as client:
        begin = await client.subscribe(topics=["jobs"])
        job = await hall.job()
        await hall.act(JobAction.OVERRIDE, job, state=JobState.COMPLETED)
        first = await client.events(3)
    wanted = parts(first)
    for place, cursor in enumerate([begin, *(one["eventId"] for one in first)]):
        async with listening(hall.session) as client:
            assert await client.subscribe(lastEventId=cursor, topics=["jobs"]) == cursor
            wanted.append(("job:created", await hall.job(), None, "queued"))
            assert parts(await client.events(len(wanted) - place)) == wanted[place:]


async def test_a_client_hears_the_tenants_and_topics_it_asked_for(hall: Hall) -> None:
    async with listening(hall.session) as client:
        await client.subscribe(tenantId="acme")
        await hall.job("other")
        own = await hall.job("acme")
        (told,) = await client.events(1)
        assert told["jobId"] == own
        await client.subscribe(tenantId="other")
        await client.subscribe()  # overlaps with both: nothing is told twice
        ids = [await hall.job("other"), await hall.job("third"), await hall.job("acme")]
        assert [one["jobId"] for one in await client.events(3)] == ids
        await client.send(type="UNSUBSCRIBE")
        assert (await client.told())["type"] == "UNSUBSCRIBED"
        await client.subscribe(tenantId="other")
        await client.send(type="UNSUBSCRIBE", tenantId="acme")
        assert await client.told() == {"type": "UNSUBSCRIBED", "tenantId": "acme"}
        await hall.job("acme")
        own = await hall.job("other")
        (told,) = await client.events(1)
        assert told["jobId"] == own
        await client.send(type="PING")
        assert await client.told() == {"type": "PONG"}


@pytest.mark.parametrize(
    "cursor", ["", "1", "garbage!", "MTswOzA7MDswOzA7Ow", "x" * 9_000, "MTs5OTk7MTs5OTk7MTswOzs"]
)
async def test_a_cursor_that_leads_nowhere_is_answered_with_resync(hall: Hall, cursor: str) -> None:
    async with listening(hall.session) as client:
        now = await client.subscribe(tenantId="acme", lastEventId=cursor)
        assert await client.told() == {"type": "RESYNC", "reason": "too old", "tenantId": "acme"}
        job = await hall.job()
        (told,) = await client.events(1)
        assert told["jobId"] == job
    async with listening(hall.session) as client:
        await client.subscribe(lastEventId=now, topics=["jobs"])
        assert [one["jobId"] for one in await client.events(1)] == [job]


@pytest.mark.parametrize(
    "message",
    [
        *("", "[]", "1", '"PING"', '{"type": 1}', '{"type": "START"}', "{", '{"type": "PING"} x'),
        *('{"type": "PING", "type": "PING"}', '{"type": "PING", "now": NaN}', "[" * 5_000),
        *('{"type": "SUBSCRIBE", "tenantId": 1}', '{"type": "SUBSCRIBE", "topics": ["all"]}'),
        *('{"type": "SUBSCRIBE", "lastEventId": {}}', '{"type": "PING", "id": 1}'),
        json.dumps({"type": "SUBSCRIBE", "tenantId": "x" * 20_000}),
    ],
)
async def test_a_message_that_is_not_understood_ends_the_connection(
    api_socket: aiohttp.ClientSession, message: str
) -> None:
    async with listening(api_socket) as client:
        await client.socket.send_str(message)
        told = await client.told()
        assert (told["type"], told["problem"]["status"]) == ("ERROR", 400)
        assert told["problem"]["errors"]
        assert await client.closed() == 4400


async def test_bytes_and_what_is_not_a_websocket_are_refused(
    api_socket: aiohttp.ClientSession,
) -> None:
    async with listening(api_socket) as client:
        await client.socket.send_bytes(b"{}")
        assert await client.closed() == 4400
    async with api_socket.get("/ws") as answer:
        assert answer.status == 426


@pytest.fixture
async def station(station_file: Path, tmp_path: Path) -> AsyncIterator[StationEngine]:
    engine = StationEngine(Config(tmp_path, f"sqlite:///{station_file}", station="Hall 1"))
    await engine.start()
    yield engine
    await engine.stop()


async def served(
    engine: StationEngine, identify: Identify | None = None
) -> tuple[web.AppRunner, str]:
    app = web.Application()
    WebSockets(engine.local_door, *([identify] if identify else [])).add_to(app)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, LOCALHOST, 0)
    await site.start()
    return runner, f"http://{LOCALHOST}:{runner.addresses[0][1]}"


@pytest.fixture
async def api_socket(station: StationEngine) -> AsyncIterator[aiohttp.ClientSession]:
    runner, url = await served(station)
    async with aiohttp.ClientSession(url) as session:
        yield session
    await runner.cleanup()


async def test_a_station_that_stops_says_so(station: StationEngine) -> None:
    runner, url = await served(station)
    async with aiohttp.ClientSession(url) as session, listening(session) as client:
        await client.subscribe()
        stopping = asyncio.create_task(runner.cleanup())
        assert await client.closed() == 1001
        await stopping


def of_token(token: str | None) -> Access | None:
    """As accounts would say."""
    if token is None:
        return None
    if token == "short":
        return Access(frozenset({"acme"}), time.time() + 0.2)
    if token != "acme":
        raise TokenRefused("This token is not valid.")
    return Access(frozenset({"acme"}))


async def test_a_client_with_a_token_sees_its_own_tenants(station: StationEngine) -> None:
    runner, url = await served(station, of_token)
    hall = Hall(station, aiohttp.ClientSession(url))
    async with hall.session as session:
        async with listening(session, Authorization="Bearer acme") as client:
            await client.subscribe()
            await hall.job("other")
            own = await hall.job("acme")
            assert [one["jobId"] for one in await client.events(1)] == [own]
            await client.send(type="SUBSCRIBE", tenantId="other")
            assert (await client.told())["problem"]["status"] == 403
            assert await client.closed() == 4403
        async with listening(session) as client:
            await client.send(type="AUTH", token="acme")
            await client.subscribe(tenantId="acme")
        for first in ({"type": "AUTH", "token": "wrong"}, {"type": "SUBSCRIBE"}):
            async with listening(session) as client:
                await client.socket.send_json(first)
                assert (await client.told())["problem"]["status"] == 401
                assert await client.closed() == 4401
        async with listening(session, Authorization="Bearer short") as client:
            await client.subscribe()
            assert await client.closed() == 4401
    await runner.cleanup()


async def test_without_accounts_a_token_is_refused(api_socket: aiohttp.ClientSession) -> None:
    async with listening(api_socket) as client:
        await client.send(type="AUTH", token="any")
        assert await client.closed() == 4401
    async with listening(api_socket, Authorization="Bearer any") as client:
        assert await client.closed() == 4401


def small_socket(info: AddrInfoType) -> socket.socket:
    """Of a client that takes in little before it stands still."""
    family, kind, proto, *_ = info
    made = socket.socket(family, kind, proto)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32_768)
    return made


async def test_a_client_that_does_not_read_is_ended_and_delays_nobody(
    station: StationEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "STALLED_S", 0.2)
    runner, url = await served(station)
    connector = aiohttp.TCPConnector(socket_factory=small_socket)
    stuck = aiohttp.ClientSession(url, connector=connector)
    waits: list[float] = []
    async with stuck, aiohttp.ClientSession(url) as session:
        hall = Hall(station, session)
        async with listening(stuck) as slow, listening(session) as other:
            await slow.subscribe(topics=["jobs"])
            await other.subscribe(topics=["jobs"])
            for _ in range(30):
                begun = time.perf_counter()
                await hall.door.execute(SubmitJobs((JobSpec("Bracket", "mill"),) * 100))
                assert len(await other.events(100)) == 100
                waits.append(time.perf_counter() - begun)
            told = [await slow.told()]
            while told[-1]["type"] == "EVENT":
                told.append(await slow.told())
            assert 0 < len(told) < 2_000
            assert told[-1] == {"type": "RESYNC", "reason": "slow"}
            assert await slow.closed() == 4408
            last = await hall.job()
            assert [one["jobId"] for one in await other.events(1)] == [last]
    assert max(waits) < 5.0
    await runner.cleanup()


async def test_a_burst_is_read_at_the_pace_of_a_client_that_reads(
    station: StationEngine,
) -> None:
    """More than fits in its outbox: it is read on from the database, and nothing is lost."""
    runner, url = await served(station)
    async with aiohttp.ClientSession(url) as session, listening(session) as client:
        await client.subscribe(topics=["jobs"])
        ids: list[int] = []
        for _ in range(5):
            specs = (JobSpec("Bracket", "mill"),) * 500
            ids += await station.local_door.execute(SubmitJobs(specs))
        assert [one["jobId"] for one in await client.events(len(ids))] == ids
        last = await Hall(station, session).job()
        assert [one["jobId"] for one in await client.events(1)] == [last]
    await runner.cleanup()


@pytest.mark.parametrize("path", ["/ws", "/api/v1/ws"])
@pytest.mark.parametrize(
    ("header", "value", "status"),
    [("Host", "evil.example", 421), ("Origin", "http://evil.example", 403)],
)
async def test_pages_of_others_are_refused(
    api: Client, path: str, header: str, value: str, status: int
) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await api.session.ws_connect(path, headers={header: value})
    assert refused.value.status == status
