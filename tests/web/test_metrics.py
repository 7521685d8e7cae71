"""`/metrics` as Prometheus asks for it."""

import aiohttp
from aiohttp import web
from aiohttp.typedefs import Handler
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as open_metrics_families,
)
from prometheus_client.parser import text_string_to_metric_families

from cnc_station.engine.engine import StationEngine
from cnc_station.web.metrics import Metrics
from tests.until import until
from tests.web.api_client import Client
from tests.web.conftest import LOCALHOST

ACCEPT = "application/openmetrics-text; version=1.0.0; charset=utf-8, text/plain;q=0.5"
STRANGERS = ("10.2.2.3", "2001:db8::1", "")


@web.middleware
async def _moved(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Make each request one of the address that it names."""
    return await handler(request.clone(remote=request.headers["X-Remote"]))


async def test_requests_are_measured_by_the_template_of_their_route(api: Client) -> None:
    for path in ("/jobs/1", "/jobs/2", "/jobs/2/runs", "/no/such/path"):
        await api("GET", path)
    async with api.session.get("/metrics") as answer:
        assert answer.content_type == "text/plain"
        families = text_string_to_metric_families(await answer.text())
    counts = {
        tuple(sample.labels.values()): sample.value
        for family in families
        for sample in family.samples
        if sample.name == "cnc_http_request_seconds_count"
    }
    assert counts == {
        ("GET", "/api/v1/jobs/{id}", "404"): 2,
        ("GET", "/api/v1/jobs/{id}/runs", "404"): 1,
        ("GET", "", "404"): 1,
    }


async def test_open_metrics_is_answered_to_who_accepts_it(api: Client) -> None:
    async with api.session.get("/metrics", headers={"Accept": ACCEPT}) as answer:
        assert answer.content_type == "application/openmetrics-text"
        families = open_metrics_families(await answer.text())  # type: ignore[no-untyped-call]
        names = {family.name for family in families}
    assert {"cnc_runs", "cnc_build_info", "cnc_http_request_seconds"} <= names


async def test_only_this_computer_and_the_named_networks_may_read_them(
    alone: StationEngine,
) -> None:
    app = web.Application(middlewares=[_moved])
    Metrics(alone.local_door, ["10.1.0.0/16"]).add_to(app)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, LOCALHOST, 0).start()
    url = f"http://{LOCALHOST}:{runner.addresses[0][1]}/metrics"
    found = {}
    async with aiohttp.ClientSession() as client:
        for remote in (LOCALHOST, "::1", "10.1.2.3", "::ffff:10.1.2.3", *STRANGERS):
            async with client.get(url, headers={"X-Remote": remote}) as answer:
                found[remote] = answer.status
    assert [remote for remote, status in found.items() if status != 200] == [*STRANGERS]
    assert {found[remote] for remote in STRANGERS} == {403}
    await runner.cleanup()


async def test_the_json_twins_tell_of_jobs_and_runs(api: Client) -> None:
    echo = {"name": "Report", "handler": "test.echo"}
    _, job = await api("POST", "/jobs", echo)
    await api("POST", "/jobs", {"name": "Bracket", "machine_type": "mill"})

    async def is_done() -> bool:
        return bool((await api("GET", f"/jobs/{job['id']}"))[1]["status"] == "completed")

    await until(is_done)
    status, found = await api("GET", "/metrics")
    assert status == 200
    assert found["jobs"] == {
        "total": 2,
        "pending": 1,
        "running": 0,
        "completed": 1,
        "failed": 0,
        "retries": 0,
        "dlq": 0,
        "success_rate": 100.0,
        "failure_rate": 0.0,
    }
    assert found["rate_limit"] == {"hits": 0}
    _, stats = await api("GET", "/metrics/executions?group_by=handler")
    (group,) = stats["groups"]
    assert (group["name"], group["runs"], group["success_rate"]) == ("test.echo", 1, 100.0)
    assert 0 <= group["p50_s"] == group["p95_s"] < 60
    _, earlier = await api("GET", "/metrics/executions?until=2026-01-02T00:00:00Z")
    assert (earlier["all"]["runs"], earlier["groups"]) == (0, [])
    assert earlier["since"] == "2026-01-01T00:00:00.000Z"
    for span in (
        "since=2020-01-01T00:00:00Z",
        "since=2026-01-02T00:00:00Z&until=2026-01-01T00:00:00Z",
    ):
        assert (await api("GET", f"/metrics/executions?{span}"))[0] == 422
