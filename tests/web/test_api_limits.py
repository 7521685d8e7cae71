"""Limits over HTTP: what is refused, and how far each account has used them."""

import hashlib
import json
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, cast

import pytest

from cnc_station.engine.domain.errors import Unavailable
from cnc_station.engine.domain.limits import CREATE
from cnc_station.engine.door import Door
from cnc_station.engine.engine import StationEngine
from cnc_station.engine.queries import LimitsNow, Query
from cnc_station.web.api.rate_limits import limit_headers
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


async def test_the_fields_are_those_of_the_tenants_own_limits(
    api: Client,
    boss: Mapping[str, str],  # noqa: F811 - the fixture
) -> None:
    tenant = {"name": "acme", "limits": {"create": "3/h"}}
    assert (await api("POST", "/tenants", tenant, **boss))[0] == 201
    await added(api, boss, "Ben", "operator", tenants=["acme"])
    ben = await signed_on(api, "ben")
    assert (await api("POST", "/jobs", JOB | {"tenant": "acme"}, **ben))[0] == 201
    assert api.headers["RateLimit-Policy"] == '"create";q=3;w=3600'
    assert api.headers["RateLimit"].startswith('"create";r=2;')


class AwayAfterwards:
    """A door whose database goes away after the job was created."""

    async def ask(self, query: Query[Any]) -> Any:
        assert isinstance(query, LimitsNow)
        raise Unavailable("The database does not answer.")


async def test_a_job_that_was_created_is_answered_though_its_fields_cannot_be_read() -> None:
    away = cast("Door", AwayAfterwards())
    assert await limit_headers(away, CREATE) == {}


async def test_no_fast_hash_of_a_password_is_stored_with_a_key(
    api: Client,
    tmp_path: Path,
    boss: Mapping[str, str],  # noqa: F811 - the fixture
) -> None:
    body = {"name": "Ben", "role": "viewer", "password": "a sentence of ben"}
    first = await api("POST", "/users", body, Idempotency_Key="k1", **boss)
    assert first[0] == 201
    assert await api("POST", "/users", body, Idempotency_Key="k1", **boss) == first
    other = body | {"password": "another sentence of ben"}
    assert (await api("POST", "/users", other, Idempotency_Key="k1", **boss))[0] == 422
    with closing(sqlite3.connect(tmp_path / "station.db")) as opened:
        (stored,) = opened.execute("SELECT request_hash FROM idempotency_key").fetchone()
    said = b"POST /api/v1/users\n" + json.dumps(body).encode()
    assert stored != hashlib.sha256(said).hexdigest()
