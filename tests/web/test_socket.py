"""What a client of the WebSocket is told."""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import aiohttp
import pytest

from cnc_station.config import Config
from cnc_station.engine.commands import AddMachine, SubmitJobs
from cnc_station.engine.domain.actions import JobAction
from cnc_station.engine.domain.job import JobSpec
from cnc_station.engine.domain.machine import Capability, MachineSpec
from cnc_station.engine.domain.states import JobState
from cnc_station.engine.engine import StationEngine
from cnc_station.engine.store.queries import event_feed
from cnc_station.web.server import WebServer
from tests.web.socket_hall import LOCALHOST, Hall, of_token, served
from tests.web.ws_client import Told, listening


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


async def test_a_burst_is_read_at_the_pace_of_a_client_that_reads(
    alone: StationEngine,
) -> None:
    """More than fits in its outbox: it is read on from the database, and nothing is lost."""
    runner, url = await served(alone)
    async with aiohttp.ClientSession(url) as session, listening(session) as client:
        await client.subscribe(topics=["jobs"])
        ids: list[int] = []
        for _ in range(5):
            specs = (JobSpec("Bracket", "mill"),) * 500
            ids += await alone.local_door.execute(SubmitJobs(specs))
        assert [one["jobId"] for one in await client.events(len(ids))] == ids
        last = await Hall(alone, session).job()
        assert [one["jobId"] for one in await client.events(1)] == [last]
    await runner.cleanup()


async def test_states_of_machines_are_told_to_everybody(alone: StationEngine) -> None:
    runner, url = await served(alone, of_token)
    async with (
        aiohttp.ClientSession(url) as session,
        listening(session, Authorization="Bearer acme") as client,
    ):
        await client.subscribe(topics=["machines"])
        spec = MachineSpec("Mill 1", "mill", capability=Capability("mill"))
        machine = await alone.local_door.execute(AddMachine(spec))
        added, connected = await client.events(2)
    assert {one["event"] for one in (added, connected)} == {"machine:state:updated"}
    assert (added["machineId"], added["machine"]) == (machine, "Mill 1")
    assert [(one["oldState"], one["state"]) for one in (added, connected)] == [
        (None, "offline"),
        ("offline", "idle"),
    ]
    await runner.cleanup()


async def test_more_than_can_be_read_on_is_answered_with_resync(
    alone: StationEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_feed, "MOST_BEHIND", 50)
    runner, url = await served(alone)
    async with aiohttp.ClientSession(url) as session, listening(session) as client:
        hall = Hall(alone, session)
        begin = await client.subscribe(topics=["jobs"])
        await alone.local_door.execute(SubmitJobs((JobSpec("Bracket", "mill"),) * 60))
        assert await client.told() == {"type": "RESYNC", "reason": "too old"}
        last = await hall.job()
        assert [one["jobId"] for one in await client.events(1)] == [last]
        async with listening(session) as late:
            await late.subscribe(topics=["jobs"], lastEventId=begin)
            assert (await late.told())["type"] == "RESYNC"
            last = await hall.job()
            for each in (client, late):
                assert [one["jobId"] for one in await each.events(1)] == [last]
    await runner.cleanup()
