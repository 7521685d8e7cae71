"""A request with an `Idempotency-Key` creates once, however often it arrives."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from cnc_station.config import Config
from cnc_station.engine.commands import CreateWebhook, SubmitJobs
from cnc_station.engine.domain.errors import Conflict, NotPermitted
from cnc_station.engine.domain.job import JobSpec
from cnc_station.engine.domain.principal import Principal, Role
from cnc_station.engine.engine import StationEngine
from cnc_station.engine.once import FindReply, Once, RequestKey
from cnc_station.web.api.application import ROUTES, add_api
from cnc_station.web.guards import Guards
from tests.attached_files import PDF
from tests.web.api_client import Client
from tests.web.lossy_door import LossyDoor

JOB = {"name": "Bracket", "machine_type": "mill"}
REPORT = {"name": "Report", "handler": "test.echo", "draft": True}
NIGHTLY = {
    "name": "Nightly",
    "cron": "0 3 * * *",
    "time_zone": "UTC",
    "overlap": "allow",
    "job": {"name": "Report", "machine_type": "mill"},
}
ERP = {"url": "http://127.0.0.1:9/hook", "events": ["job:completed"]}
ADA = {"name": "Ada", "role": "administrator", "password": "correct horse battery"}
KEY = "order-4711/a"


@asynccontextmanager
async def _serving(engine: StationEngine, door: Any) -> AsyncIterator[Client]:
    """The API of a station that answers from `door`."""
    await engine.start()
    app = web.Application()
    add_api(app, door, Guards())
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    async with aiohttp.ClientSession(url) as session:
        yield Client(session, url)
    await runner.cleanup()
    await engine.stop()


@pytest.fixture(params=["stored", "lost"], ids=["the reply is stored", "the reply is lost"])
async def client(
    request: pytest.FixtureRequest, tmp_path: Path, station_file: Path
) -> AsyncIterator[Client]:
    engine = StationEngine(Config(tmp_path, f"sqlite:///{station_file}", synchronous="OFF"))
    lossy = LossyDoor(engine.local_door)
    lost = request.param == "lost"
    async with _serving(engine, lossy if lost else engine.local_door) as served:
        yield served
    assert bool(lossy.lost) is lost


async def test_every_request_that_creates_answers_its_replay_as_the_first(client: Client) -> None:
    job = (await client("POST", "/jobs", JOB))[1]
    nightly = (await client("POST", "/schedules", NIGHTLY))[1]
    requests: dict[str, tuple[str, object, str, int]] = {
        "/jobs": ("/jobs", REPORT, "jobs", 2),
        f"/jobs/{job['id']}/duplicate": ("/jobs", None, "jobs", 3),
        "/schedules": ("/schedules", NIGHTLY | {"name": "Weekly"}, "schedules", 2),
        f"/schedules/{nightly['id']}/trigger": ("/jobs", None, "jobs", 4),
        "/webhooks": ("/webhooks", ERP, "webhooks", 1),
        "/users": ("/users", ADA, "users", 1),
        "/tenants": ("/tenants", {"name": "acme"}, "tenants", 1),
    }
    for path, (listed, body, name, count) in requests.items():
        key = f"key of {path}".replace(" ", "-")
        first = await client("POST", path, body, Idempotency_Key=key)
        told = client.headers
        assert first[0] == 201, first
        assert await client("POST", path, body, Idempotency_Key=key) == first
        for header in ("Location", "ETag"):
            assert client.headers.get(header) == told.get(header)
        assert client.headers["Idempotency-Replayed"] == "true"
        assert "Idempotency-Replayed" not in told
        assert len((await client("GET", listed))[1][name]) == count
    creating = {route.path.replace("{id}", "1") for route in ROUTES if route.creates}
    uploads = {route.path.replace("{id}", "1") for route in ROUTES if route.uploads}
    assert creating == {*requests, *uploads}  # for those see below


async def test_a_program_is_stored_once_for_a_key(client: Client) -> None:
    async def post(content: bytes) -> tuple[int, Any, str | None]:
        answer = await client.session.post(
            "/api/v1/programs?name=a.ngc", data=content, headers={"Idempotency-Key": KEY}
        )
        return answer.status, await answer.json(), answer.headers.get("Idempotency-Replayed")

    program = b"G21 G90\n" + b"G1 X1 F100\n" * 30_000 + b"M30\n"
    status, made, replayed = await post(program)
    assert (status, replayed) == (201, None)
    assert await post(program) == (201, made, "true")
    assert (await post(program + b"\n"))[0] == 422


async def test_a_file_is_attached_once_for_a_key(client: Client) -> None:
    job = (await client("POST", "/jobs", JOB))[1]
    path = f"/api/v1/jobs/{job['id']}/attachments?name=a.pdf"

    async def post(key: str) -> tuple[int, Any, str | None]:
        answer = await client.session.post(path, data=PDF, headers={"Idempotency-Key": key})
        return answer.status, await answer.json(), answer.headers.get("Idempotency-Replayed")

    status, made, replayed = await post("one")
    assert (status, replayed) == (201, None)
    assert await post("one") == (201, made, "true")
    assert (await post("two"))[:2] == (200, made)


async def test_several_jobs_and_a_change_after_them_are_replayed_as_they_were(api: Client) -> None:
    many = {"jobs": [JOB, JOB]}
    first = await api("POST", "/jobs", many, Idempotency_Key=KEY)
    assert first[0] == 201
    job_id = first[1]["jobs"][0]["id"]
    await api("PATCH", f"/jobs/{job_id}", {"quantity": 9})
    assert await api("POST", "/jobs", many, Idempotency_Key=KEY) == first
    assert (await api("DELETE", f"/jobs/{job_id}"))[0] == 204
    assert await api("POST", "/jobs", many, Idempotency_Key=KEY) == first
    assert (await api("GET", "/jobs"))[1]["total"] == 1


async def test_a_key_for_another_request_is_refused_and_creates_nothing(api: Client) -> None:
    assert (await api("POST", "/jobs", JOB, Idempotency_Key=KEY))[0] == 201
    assert (await api("POST", "/jobs/1/duplicate", Idempotency_Key="copy"))[0] == 201
    for key, path, body in (
        (KEY, "/jobs", JOB | {"quantity": 2}),
        (KEY, "/jobs/1/duplicate", None),
        ("copy", "/jobs/2/duplicate", None),
    ):
        status, problem = await api("POST", path, body, Idempotency_Key=key)
        assert (status, problem["errors"][0]["field"]) == (422, "Idempotency-Key")
    assert (await api("GET", "/jobs"))[1]["total"] == 2


async def test_a_request_that_failed_may_be_tried_again_with_its_key(api: Client) -> None:
    for body in ({"name": "Bracket"}, JOB | {"after": [99]}):
        assert (await api("POST", "/jobs", body, Idempotency_Key=KEY))[0] == 422
    status, _ = await api("POST", "/jobs", JOB, Idempotency_Key=KEY)
    assert (status, api.headers.get("Idempotency-Replayed")) == (201, None)


@pytest.mark.parametrize("key", ["", "x" * 201, "two words", "größe"])
async def test_a_key_that_is_not_visible_ascii_is_refused(api: Client, key: str) -> None:
    status, problem = await api("POST", "/jobs", JOB, Idempotency_Key=key)
    assert (status, problem["errors"][0]["field"]) == (422, "Idempotency-Key")
    assert (await api("GET", "/jobs"))[1]["total"] == 0
    assert (await api("GET", "/jobs", Idempotency_Key=key))[0] == 200


async def test_while_the_first_runs_another_with_its_key_is_refused(
    tmp_path: Path, station_file: Path
) -> None:
    engine = StationEngine(Config(tmp_path, f"sqlite:///{station_file}"))
    await engine.start()
    door, submit = engine.local_door, SubmitJobs([JobSpec("Bracket", "mill")])
    once = Once(submit, RequestKey(KEY, "a" * 64))
    answers = await asyncio.gather(*(door.execute(once) for _ in range(2)), return_exceptions=True)
    assert isinstance(answers[1], Conflict)
    assert "still running" in str(answers[1])
    first = answers[0]
    assert not isinstance(first, BaseException)
    assert await door.execute(once) == replace(first, replayed=True)
    door.rename_operator("ben")
    assert (await door.execute(once)).replayed
    operator = frozenset({Role.OPERATOR})
    ann = engine.door(Principal("ann", operator, tenants=None))
    assert not (await ann.execute(once)).replayed
    create = Once(CreateWebhook(None), RequestKey("hook", "a" * 64))  # type: ignore[arg-type]
    for asking in (
        ann.execute(create),
        ann.ask(FindReply(CreateWebhook, RequestKey("hook", "a" * 64))),
    ):
        with pytest.raises(NotPermitted, match="manage webhooks"):
            await asking
    await engine.stop()


async def test_of_the_same_request_at_two_stations_at_once_one_creates(
    tmp_path: Path, shop_url: str
) -> None:
    stations = [StationEngine(Config(tmp_path, shop_url, station=name)) for name in "AB"]
    async with (
        _serving(stations[0], stations[0].local_door) as a,
        _serving(stations[1], stations[1].local_door) as b,
    ):
        asked = [one("POST", "/jobs", JOB, Idempotency_Key=KEY) for one in (a, b) * 10]
        answers = await asyncio.gather(*asked)
        assert (await b("GET", "/jobs"))[1]["total"] == 1
        last = await b("POST", "/jobs", JOB, Idempotency_Key=KEY)
        assert b.headers["Idempotency-Replayed"] == "true"
    assert {status for status, _ in answers} <= {201, 409}
    assert {told["id"] for status, told in answers if status == 201} == {last[1]["id"]}
