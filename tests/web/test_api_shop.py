"""Machines, runs, events and deliveries over HTTP, and the receiver to try webhooks with."""

import hashlib
import hmac
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from cnc_station.config import Config
from cnc_station.engine.commands import AddMachine
from cnc_station.engine.domain.machine import Capability, MachineSpec
from cnc_station.engine.engine import StationEngine
from cnc_station.web.server import WebServer
from tests.until import until
from tests.web.api_client import Client

LOCALHOST = "127.0.0.1"


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Client]:
    """A station with a simulated mill and lathe, and the receiver."""
    config = Config(
        tmp_path,
        f"sqlite:///{tmp_path / 'station.db'}",
        station="Hall 1",
        webhook_test="on",
    )
    engine = StationEngine(config)
    await engine.start()
    for name, kind in (("Mill 1", "mill"), ("Lathe 1", "lathe")):
        spec = MachineSpec(name, kind, driver="simulator", capability=Capability(kind))
        await engine.local_door.execute(AddMachine(spec))
    server = WebServer(engine.local_door)
    url = f"http://{LOCALHOST}:{await server.start(LOCALHOST, 0)}"
    async with aiohttp.ClientSession(url) as session:
        yield Client(session, url)
    await server.stop()
    await engine.stop()


async def _running(shop: Client, **fields: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """A job with its run, once it runs."""
    _, job = await shop("POST", "/jobs", {"name": "Bracket", "machine_type": "mill", **fields})

    async def begun() -> Any:
        runs = (await shop("GET", f"/runs?job_id={job['id']}&outcome=running"))[1]["runs"]
        return runs and runs[0]

    return job, await until(begun)


async def test_a_machine_is_shown_with_its_job_or_why_it_is_idle(shop: Client) -> None:
    job, run = await _running(shop, estimated_s=600, envelope={"x": 5, "y": 4, "z": 3})
    assert (await shop("GET", f"/jobs/{job['id']}"))[1]["envelope"] == {"x": 5, "y": 4, "z": 3}
    status, mill = await shop("GET", f"/machines/{run['machine_id']}")
    assert (status, mill["name"], mill["active_jobs"]) == (200, "Mill 1", 1)
    assert (mill["job"]["id"], mill["job"]["started_at"]) == (job["id"], run["started_at"])

    async def reports() -> Any:
        listed = (await shop("GET", "/machines?state=running&station=Hall 1"))[1]["machines"]
        return [one["id"] for one in listed] == [mill["id"]] and listed[0]["telemetry"]

    assert (await until(reports))["parts"] == 1
    shown = (await shop("GET", f"/machines/{mill['id']}"))[1]
    listed = (await shop("GET", "/machines"))[1]["machines"]
    assert shown.keys() == listed[0].keys() == listed[1].keys()
    assert shown["telemetry"].keys() == listed[0]["telemetry"].keys()
    (lathe,) = (await shop("GET", "/machines?type=lathe&state=idle,offline"))[1]["machines"]
    assert (lathe["active_jobs"], lathe["job"]) == (0, None)
    assert lathe["why_idle"]
    assert lathe["telemetry"] is None
    assert (await shop("GET", "/machines/99"))[0] == 404


async def test_a_run_is_cancelled_once_and_its_job_retried(shop: Client) -> None:
    job, run = await _running(shop, estimated_s=600)
    assert (await shop("POST", f"/runs/{run['id']}/retry"))[0] == 409
    status, told = await shop("POST", f"/runs/{run['id']}/cancel", {"reason": "wrong stock"})
    assert (status, told["id"]) == (202, run["id"])

    async def over() -> Any:
        found = (await shop("GET", f"/runs/{run['id']}"))[1]
        return found["state"] == "cancelled" and found

    assert "wrong stock" in (await until(over))["error"]
    status, problem = await shop("POST", f"/executions/{run['id']}/cancel")
    assert (status, "cancelled" in problem["detail"]) == (409, True)
    for query, total, shown in (("", 1, 1), ("?offset=1", 1, 0), ("?outcome=failed", 0, 0)):
        page = (await shop("GET", f"/runs{query}"))[1]
        assert (page["total"], len(page["runs"])) == (total, shown), query
    status, retried = await shop("POST", f"/runs/{run['id']}/retry", {"reason": "right stock"})
    assert (status, retried["id"]) == (200, job["id"])
    assert retried["status"] in {"pending", "running"}  # a mill is free
    assert (await shop("POST", "/runs/99/cancel"))[0] == 404


async def test_a_job_shows_its_last_run_its_events_deliveries_and_neighbours(shop: Client) -> None:
    ours = {"url": f"{shop.url}/api/v1/webhook-test", "events": ["job:completed"]}
    await shop("POST", "/webhooks", ours)
    first = {"name": "Echo", "handler": "test.echo", "key": "a", "external_id": "4711"}
    _, made = await shop("POST", "/jobs", {"jobs": [first, {**first, "external_id": "4712"}]})
    assert made["errors"][0]["field"] == "key"
    second = {"name": "Then", "machine_type": "mill", "after_keys": ["a"], "draft": True}
    _, made = await shop("POST", "/jobs", {"jobs": [first, second]})
    path = f"/jobs/{made['jobs'][0]['id']}"

    async def delivered() -> Any:
        found = (await shop("GET", path))[1]
        sent = found["deliveries"]
        return sent and sent[0]["state"] == "delivered" and found

    shown = await until(delivered)
    assert shown["job"]["owner"] == "operator"
    (run,) = shown["runs"]
    assert (shown["job"]["started_at"], run["state"]) == (run["started_at"], "succeeded")
    assert shown["run_duration_ms"] >= 0
    assert [link["title"] for link in shown["before"]] == ["Then"]
    assert (await shop("GET", f"/jobs/{made['jobs'][1]['id']}"))[1]["after"][0]["title"] == "Echo"
    assert shown["events"][0]["type"] == "created"
    (one,) = (await shop("GET", f"{path}/deliveries"))[1]["deliveries"]
    assert one["id"] == shown["deliveries"][0]["id"]
    (received,) = (await shop("GET", "/webhook-test"))[1]["received"]
    assert received["valid"] is True
    created = (await shop("GET", "/events?types=created,drafted"))[1]["events"]
    assert [event["type"] for event in created] == ["created", "drafted"]
    assert (await shop("GET", "/events?types=nonsense"))[0] == 422
    status, problem = await shop("POST", "/jobs", first)
    assert (status, problem["detail"]) == (409, f"4711 is already job {made['jobs'][0]['id']}.")


async def test_the_receiver_answers_as_asked_and_refuses_what_nobody_signed(shop: Client) -> None:
    path, body = "/api/v1/webhook-test?respond=503&delay_ms=1", b'{"jobId":1}'
    endpoint = {"url": "http://127.0.0.1:9/", "events": ["job:failed"]}
    _, made = await shop("POST", "/webhooks", endpoint)
    signed = hmac.new(made["secret"].encode(), body, hashlib.sha256).hexdigest()
    for signature, expected in ((signed, (503, True)), ("0" * 64, (401, False))):
        headers = {"X-Signature": signature, "Authorization": "Bearer x"}
        async with shop.session.post(path, data=body, headers=headers) as answer:
            assert (answer.status, (await answer.json())["valid"]) == expected
    latest = (await shop("GET", "/webhook-test"))[1]["received"]
    assert [one["valid"] for one in latest] == [False, True]
    assert "Authorization" not in latest[0]["headers"]


async def test_several_schedules_are_acted_on_with_an_answer_for_each(shop: Client) -> None:
    nightly = {
        "name": "Nightly",
        "cron": "30 2 * * *",
        "time_zone": "UTC",
        "job": {"taskName": "Report", "type": "echo", "customer": "Krämer", "timeout_ms": 1500},
    }
    status, made = await shop("POST", "/schedules", nightly)
    assert (status, made["job"]["customer"], made["job"]["timeout_s"]) == (201, "Krämer", 1.5)
    asked = {"action": "pause", "ids": [made["id"], 99]}
    status, told = await shop("POST", "/schedules/actions", asked)
    assert (status, [answer["ok"] for answer in told["answers"]]) == (200, [True, False])
    assert (await shop("GET", f"/schedules/{made['id']}"))[1]["paused"] is True
    assert (await shop("POST", "/schedules/actions", asked | {"action": "lose"}))[0] == 422


async def test_health_is_told_beside_the_api(api: Client) -> None:
    status, told = await api("GET", "/health")
    assert (status, told["station"], told["checks"]["database"]["ok"]) == (200, "Hall 1", True)
