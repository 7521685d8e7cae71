"""One trace id, from the header of a request to the webhook that tells the end of its job."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
from structlog.contextvars import get_contextvars

from cnc_station.config import Config
from cnc_station.engine.engine import StationEngine
from cnc_station.web.server import WebServer
from tests.engine.hooks import receiver
from tests.until import until
from tests.web.api_client import Client

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = f"00-{TRACE}-00f067aa0ba902b7-01"


@asynccontextmanager
async def serving(folder: Path, url: str, name: str, workers: int) -> AsyncIterator[Client]:
    """A station of a fleet and its API."""
    engine = StationEngine(Config(folder, url, station=name, automation_workers=workers))
    await engine.start()
    server = WebServer(engine.local_door)
    port = await server.start("127.0.0.1", 0)
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
        yield Client(session, f"http://127.0.0.1:{port}")
    await server.stop()
    await engine.stop()


async def test_a_trace_goes_through_two_stations_to_a_webhook_and_back(
    tmp_path: Path, shop_url: str
) -> None:
    async with (
        serving(tmp_path, shop_url, "A", 0) as a,
        serving(tmp_path, shop_url, "B", 2) as b,
        receiver() as hook,
    ):
        await b("POST", "/webhooks", {"url": hook.url, "events": ["job:completed"]})
        job = {"name": "Report", "handler": "test.echo", "draft": True}
        status, made = await a("POST", "/jobs", job, traceparent=PARENT)
        assert (status, made["trace_id"], a.headers["X-Trace-Id"]) == (201, TRACE, TRACE)
        path = f"/jobs/{made['id']}"
        assert (await a("POST", f"{path}/submit", X_Trace_Id="another-request"))[0] == 200
        assert a.headers["X-Trace-Id"] == "another-request"
        (received,) = await until(lambda: list(hook.received))
        (run,) = (await a("GET", f"/runs?job_id={made['id']}"))[1]["runs"]
        events = (await a("GET", f"{path}/events"))[1]["events"]
    assert run["station"] == "B"
    assert {event["station"] for event in events} == {"A", "B"}
    assert {event["trace_id"] for event in events} == {TRACE}
    assert received.headers["X-Trace-Id"] == received.content["traceId"] == TRACE
    assert received.headers["traceparent"].startswith(f"00-{TRACE}-")


async def test_the_trace_of_a_request_is_bound_to_its_log_lines_and_to_no_others(
    api: Client,
) -> None:
    bound: list[object] = []

    class Bound(logging.Handler):
        def emit(self, _record: logging.LogRecord) -> None:
            bound.append(get_contextvars().get("trace_id"))

    log, handler = logging.getLogger("cnc_station.web.api.application"), Bound()
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
