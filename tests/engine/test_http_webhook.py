"""Jobs for http.webhook at a real station, against a real server."""

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest

from cnc_station.config import Config
from cnc_station.engine.commands import SubmitJobs
from cnc_station.engine.domain.errors import InvalidInput
from cnc_station.engine.domain.job import JobSpec
from cnc_station.engine.domain.policies import RetryPolicy
from cnc_station.engine.domain.states import JobState
from cnc_station.engine.queries import JobById, ListRuns, RunById
from cnc_station.engine.views import RunDetail
from tests.engine.conftest import Station
from tests.engine.floor import FloorOf
from tests.engine.receiver import answering, raw_server
from tests.until import until


@pytest.fixture
def soon(config: Config) -> Config:
    """Retries come soon."""
    return replace(config, retry=RetryPolicy(initial_s=0.05, jitter=0.0))


async def _submit(floor: FloorOf, payload: dict[str, Any], **values: Any) -> int:
    spec = JobSpec("call", handler="http.webhook", payload=payload, **values)
    (job_id,) = await floor.door.execute(SubmitJobs([spec]))
    return job_id


async def _latest(floor: FloorOf, job_id: int) -> RunDetail:
    latest, *_ = await floor.door.ask(ListRuns(job_id=job_id))
    detail = await floor.door.ask(RunById(latest.id))
    assert detail is not None
    return detail


class Heads:
    """Answers every request, and keeps their heads."""

    def __init__(self, *statuses: str, body: bytes = b"") -> None:
        self.heads: list[str] = []
        self._replies = [answering(status, body) for status in statuses]

    async def __call__(self, head: bytes, writer: asyncio.StreamWriter) -> None:
        self.heads.append(head.decode())
        reply = self._replies[min(len(self.heads), len(self._replies)) - 1]
        await reply(head, writer)

    def header(self, place: int, name: str) -> str:
        lines = self.heads[place].split("\r\n")
        found = [line.split(": ", 1)[1] for line in lines if line.lower().startswith(f"{name}:")]
        (value,) = found
        return value


async def test_it_sends_what_the_job_says_and_keeps_the_answer(
    station: Station, soon: Config
) -> None:
    floor = await station(soon)
    heads = Heads("201 Created", body="fertig ✓".encode())
    async with raw_server(heads) as url:
        payload = {
            "url": f"{url}/jobs?key=secret",
            "method": "put",
            "headers": {"X-Shop": "7"},
            "json": {"größe": [1.5, None]},
        }
        job_id = await _submit(floor, payload)
        await floor.comes_to(job_id, JobState.COMPLETED)
    assert heads.heads[0].startswith("PUT /jobs?key=secret HTTP/1.1\r\n")
    detail = await floor.door.ask(JobById(job_id))
    assert detail is not None
    assert heads.header(0, "x-shop") == "7"
    assert heads.header(0, "content-type") == "application/json"
    sent = json.dumps(payload["json"], separators=(",", ":"))
    assert heads.header(0, "content-length") == str(len(sent))
    assert heads.header(0, "idempotency-key").startswith(f"{detail.trace_id}-{job_id}-")
    assert heads.header(0, "x-trace-id") == detail.trace_id
    run = await _latest(floor, job_id)
    assert run.row.code == 201
    assert (run.row.result or "").startswith("HTTP 201 in ")
    assert run.output.text == "fertig ✓"


async def test_a_failure_is_tried_again_with_a_key_of_its_own(
    station: Station, soon: Config
) -> None:
    floor = await station(soon)
    heads = Heads("503 Busy", "200 OK")
    async with raw_server(heads) as url:
        job_id = await _submit(floor, {"url": f"{url}/jobs?key=secret"})
        row = await floor.comes_to(job_id, JobState.COMPLETED)
        assert row.last_error == f"POST {url}/jobs: HTTP 503"
    first, second = (heads.header(place, "idempotency-key") for place in (0, 1))
    assert first != second
    runs = await floor.door.ask(ListRuns(job_id=job_id))
    assert [run.code for run in runs] == [200, 503]


@pytest.mark.parametrize(
    ("status", "success", "state"),
    [
        ("404 Not Found", [404], JobState.COMPLETED),
        ("404 Not Found", ["2xx", "4xx"], JobState.COMPLETED),
        ("200 OK", [201], JobState.NEEDS_ATTENTION),
        ("302 Found", ["2xx"], JobState.NEEDS_ATTENTION),
    ],
)
async def test_which_status_is_a_success_is_a_setting_of_the_job(
    station: Station, soon: Config, status: str, success: list[Any], state: JobState
) -> None:
    floor = await station(soon)
    async with raw_server(answering(status)) as url:
        job_id = await _submit(floor, {"url": url, "success": success}, retry_limit=0)
        await floor.comes_to(job_id, state)
    assert (await _latest(floor, job_id)).row.code == int(status[:3])


@pytest.mark.parametrize("way", ["abort", "timeout", "its own timeout"])
async def test_the_connection_is_closed_when_it_is_aborted_or_takes_too_long(
    station: Station, soon: Config, way: str
) -> None:
    floor = await station(soon)
    asked, closed = asyncio.Event(), asyncio.Event()

    async def hang(_head: bytes, writer: asyncio.StreamWriter) -> None:
        asked.set()
        try:
            while True:
                writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
                await writer.drain()
                await asyncio.sleep(0.02)
        finally:
            closed.set()

    async with raw_server(hang) as url:
        payload = {"url": url, **({"timeout": 0.3} if "own" in way else {})}
        limit = {"timeout_s": 0.3} if way == "timeout" else {}
        job_id = await _submit(floor, payload, retry_limit=0, **limit)
        async with asyncio.timeout(20):
            await asked.wait()
        if way == "abort":
            assert (await floor.act("abort", job_id)).applied
            assert (await floor.row(job_id)).state is JobState.CANCELLED
        else:
            await floor.comes_to(job_id, JobState.NEEDS_ATTENTION)
        await until(closed.is_set)


@pytest.mark.parametrize(
    ("payload", "field"),
    [
        ({}, "url"),
        ({"url": "ftp://erp/x"}, "url"),
        ({"url": "http://"}, "url"),
        ({"url": "http://erp/a b"}, "url"),
        ({"url": "http://erp/", "method": "TRACE"}, "method"),
        ({"url": "http://erp/", "headers": {"X-A": "1\r\nX-B: 2"}}, r"headers\.X-A"),
        ({"url": "http://erp/", "headers": {"Host": "other"}}, r"headers\.Host"),
        ({"url": "http://erp/", "headers": {"a b": "1"}}, "headers"),
        ({"url": "http://erp/", "json": 1, "body": ""}, "body"),
        ({"url": "http://erp/", "timeout": 0}, "timeout"),
        ({"url": "http://erp/", "success": []}, "success"),
        ({"url": "http://erp/", "success": ["ok"]}, "success"),
        ({"url": "http://erp/", "retries": 3}, "retries"),
    ],
)
async def test_what_it_can_not_send_is_refused_at_intake(
    station: Station, payload: dict[str, Any], field: str
) -> None:
    floor = await station()
    with pytest.raises(InvalidInput, match=rf"^payload\.{field}: "):
        await _submit(floor, payload)
