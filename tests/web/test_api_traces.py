"""One trace id, from the header of a request to the webhook that tells the end of its job, and
through the logs of all stations that had to do with it."""

import asyncio
import json
import logging
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
from structlog.contextvars import get_contextvars

from cnc_station.config import Config
from cnc_station.engine.domain.trace import TRACE_HEADER
from tests.engine import hooks
from tests.tools.servers import free_port
from tests.until import PATIENCE_S, until
from tests.web.api_client import Client

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = f"00-{TRACE}-00f067aa0ba902b7-01"
LOGS = [sys.executable, "-m", "cnc_station", "logs", "--json", "--trace", TRACE]


@asynccontextmanager
async def served(folder: Path, url: str, name: str, workers: int) -> AsyncIterator[Client]:
    """The API of a station of a fleet, a process of its own. All log into one folder."""
    address = f"http://127.0.0.1:{(port := free_port())}"
    environ = hooks.environment(Config(folder, url, station=name))
    own = {"CNC_API_PORT": str(port), "CNC_AUTOMATION_WORKERS": str(workers)}
    async with hooks.serving(environ | own), aiohttp.ClientSession(address) as session:

        async def ready() -> bool:
            try:
                return (await session.get("/health/ready")).status == 200
            except aiohttp.ClientError:
                return False

        await until(ready, PATIENCE_S)
        yield Client(session, address)


async def logged(folder: Path, url: str) -> list[dict[str, Any]]:
    """What `cnc-station logs` finds of the trace."""
    environ = hooks.environment(Config(folder, url, station="A"))
    process = await asyncio.create_subprocess_exec(
        *LOGS, env=environ, stdout=asyncio.subprocess.PIPE
    )
    told = (await process.communicate())[0].decode()
    return [json.loads(line) for line in told.splitlines()]


async def test_a_trace_goes_through_two_stations_to_a_webhook_and_back(
    tmp_path: Path, shop_url: str
) -> None:
    async with (
        served(tmp_path, shop_url, "A", 0) as a,
        served(tmp_path, shop_url, "B", 2) as b,
        hooks.receiver() as hook,
    ):
        await b("POST", "/webhooks", {"url": hook.url, "events": ["job:completed"]})
        job = {"name": "Report", "handler": "test.echo", "draft": True}
        status, made = await a("POST", "/jobs", job, traceparent=PARENT)
        assert (status, made["trace_id"], a.headers[TRACE_HEADER]) == (201, TRACE, TRACE)
        path = f"/jobs/{made['id']}"
        assert (await a("POST", f"{path}/submit", X_Trace_Id="another-request"))[0] == 200
        assert a.headers[TRACE_HEADER] == "another-request"
        (received,) = await until(lambda: list(hook.received))
        told = {TRACE_HEADER: received.headers[TRACE_HEADER]}
        shown = (await b("GET", path, **told))[1]
        assert b.headers[TRACE_HEADER] == TRACE

        async def found() -> Any:
            lines = await logged(tmp_path, shop_url)
            return lines if lines[-1:] and lines[-1].get("status") == 200 else None

        lines = await until(found)
    assert [run["station"] for run in shown["runs"]] == ["B"]
    assert {event["station"] for event in shown["events"]} == {"A", "B"}
    assert {event["trace_id"] for event in shown["events"]} == {TRACE}
    assert received.headers[TRACE_HEADER] == received.content["traceId"] == TRACE
    assert received.headers["traceparent"].startswith(f"00-{TRACE}-")
    assert {line["trace_id"] for line in lines} == {TRACE}
    assert [(line["station"], line["event"], line.get("route")) for line in lines] == [
        ("A", "draft", None),
        ("A", "http", "/api/v1/jobs"),
        ("A", "submit", None),
        ("B", "start", None),
        ("B", "finish", None),
        ("B", "http", "/api/v1/jobs/{id}"),
    ]
    assert {line.get("job_id", made["id"]) for line in lines} == {made["id"]}
    assert {path.name for path in (tmp_path / "logs").iterdir()} == {"A.jsonl", "B.jsonl"}


async def test_the_trace_of_a_request_is_bound_to_its_log_lines_and_to_no_others(
    api: Client,
) -> None:
    bound: list[object] = []

    class Bound(logging.Handler):
        def emit(self, _record: logging.LogRecord) -> None:
            bound.append(get_contextvars().get("trace_id"))

    log, handler = logging.getLogger("cnc_station.web.request_log"), Bound()
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    try:
        await api("GET", "/machines", X_Trace_Id="first")
        await api("GET", "/nothing", X_Trace_Id="not valid")
        fresh = api.headers["X-Trace-Id"]
    finally:
        log.removeHandler(handler)
        log.setLevel(logging.NOTSET)
    assert bound == ["first", fresh]
    assert len(fresh) == 32
    assert "trace_id" not in get_contextvars()
