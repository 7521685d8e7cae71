"""Limits over HTTP: what is refused, and how far each account has used them."""

from collections.abc import Mapping

import pytest

from cnc_station.engine.engine import StationEngine
from cnc_station.web.server import WebServer
from tests.web.api_client import Client
from tests.web.test_api_accounts import added, boss, cheap_hashes, signed_on  # noqa: F401 - fixtures

JOB = {"name": "bracket", "machine_type": "lathe", "estimated_s": 60}


async def test_the_eleventh_job_of_a_minute_is_refused_and_says_when(
    api: Client,
    boss: Mapping[str, str],  # noqa: F811 - the fixture
) -> None:
    await added(api, boss, "Ben", "supervisor")
    ben = await signed_on(api, "ben")
    for made in range(1, 6):
        assert (await api("POST", "/jobs", JOB, **ben))[0] == 201
        assert api.headers["RateLimit-Policy"] == '"create";q=10;w=60'
        assert api.headers["RateLimit"].startswith(f'"create";r={10 - made};t=')
    status, problem = await api("POST", "/jobs", JOB, **ben)
    assert (status, problem["type"]) == (429, "/problems/limit-active")
    assert "Retry-After" not in api.headers
    jobs = (await api("GET", "/jobs", **ben))[1]["jobs"]
    for job in jobs:
        await api("POST", f"/jobs/{job['id']}/cancel", {"reason": "room"}, **ben)
    for _ in range(4):
        assert (await api("POST", "/jobs", JOB, **ben))[0] == 201
    status, problem = await api("POST", "/jobs", JOB, **ben)
    assert (status, problem["type"]) == (429, "/problems/limit-rate")
    assert 0 < problem["retry_after"] <= 60
    assert problem["retry_after"] == int(api.headers["Retry-After"])
    assert (await api("POST", "/jobs", JOB, **boss))[0] == 201  # another account feels nothing


async def test_without_accounts_nothing_is_limited(api: Client) -> None:
    for _ in range(12):
        assert (await api("POST", "/jobs", JOB))[0] == 201
    assert "RateLimit" not in api.headers


@pytest.mark.usefixtures("boss")
async def test_a_station_with_accounts_serves_its_api_after_a_restart(
    alone: StationEngine,
) -> None:
    server = WebServer(alone.local_door)
    await server.start("127.0.0.1", 0)
    await server.stop()
