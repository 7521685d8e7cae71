"""Accounts over HTTP: signing on, tokens, and what each bearer may do."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aiohttp
import jwt
import pytest
from argon2 import PasswordHasher

from cnc_station.config import Config
from cnc_station.engine import commands as c
from cnc_station.engine.domain.accounts import FREE_ATTEMPTS, Account
from cnc_station.engine.domain.job import JobSpec
from cnc_station.engine.domain.principal import Role
from cnc_station.engine.engine import StationEngine
from cnc_station.engine.services import secret_hashes
from cnc_station.secrets import token_keys
from cnc_station.web.server import WebServer
from tests.tools.station_log import logged, logging_into
from tests.web.api_client import Client

PASSWORD = "correct horse battery"
BOSS = Account("Ada", Role.ADMINISTRATOR, email="ada@shop.example")


class CountingHasher(PasswordHasher):
    """As strong as a shop's, every test would take seconds."""

    verified = 0

    def __init__(self) -> None:
        super().__init__(time_cost=1, memory_cost=8, parallelism=1)

    def verify(self, *given: Any) -> Any:
        CountingHasher.verified += 1
        return super().verify(*given)


@pytest.fixture(autouse=True)
def cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secret_hashes, "HASHER", CountingHasher())
    monkeypatch.setattr(CountingHasher, "verified", 0)


@pytest.fixture
async def boss(alone: StationEngine, api: Client) -> Mapping[str, str]:
    """Accounts are on: the header of the administrator."""
    await alone.local_door.execute(c.TurnOnAccounts(BOSS, PASSWORD))
    return await signed_on(api, "ada")


async def signed_on(api: Client, login: str, password: str = PASSWORD) -> Mapping[str, str]:
    status, found = await api("POST", "/auth/login", {"login": login, "password": password})
    assert status == 200, found
    return {"Authorization": f"Bearer {found['token']}"}


async def added(api: Client, boss: Mapping[str, str], name: str, role: str, **more: object) -> int:
    body = {"name": name, "role": role, "password": PASSWORD, **more}
    status, user = await api("POST", "/users", body, **boss)
    assert status == 201, user
    return int(user["id"])


async def status_of(api: Client, method: str, path: str, **headers: str) -> int:
    status, _ = await api(method, path, **headers)
    return status


async def test_without_accounts_requests_need_no_token(api: Client) -> None:
    assert (await api("GET", "/auth/me"))[1]["accounts"] is False
    assert await status_of(api, "GET", "/jobs") == 200
    login = {"login": "ada", "password": PASSWORD}
    assert (await api("POST", "/auth/login", login))[0] == 409


async def test_with_accounts_each_request_needs_a_token(
    api: Client, boss: Mapping[str, str]
) -> None:
    status, problem = await api("GET", "/jobs")
    assert (status, problem["type"]) == (401, "/problems/unauthorized")
    assert api.headers["WWW-Authenticate"] == "Bearer"
    assert await status_of(api, "GET", "/jobs", **boss) == 200
    for path in ("/openapi.json", "/docs", "/floor", "/health"):
        async with api.session.get(f"/api/v1{path}") as answer:
            assert answer.status == 200, path
    behind_a_proxy = await status_of(api, "GET", "/floor", X_Forwarded_For="192.0.2.9")
    assert behind_a_proxy == 401
    _, me = await api("GET", "/auth/me", **boss)
    assert (me["name"], me["role"], me["tenants"]) == ("Ada", "administrator", None)
    assert (await api("POST", "/auth/logout", **boss))[0] == 204
    assert await status_of(api, "GET", "/jobs", **boss) == 401


@pytest.mark.usefixtures("boss")
async def test_a_station_with_accounts_starts_its_server_again(alone: StationEngine) -> None:
    server = WebServer(alone.local_door)
    port = await server.start("127.0.0.1", 0)
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
        for path, status in (("/health", 200), ("/metrics", 200), ("/api/v1/jobs", 401)):
            async with session.get(path) as answer:
                assert answer.status == status, path
    await server.stop()


async def test_a_viewer_may_look_and_a_bearer_of_one_tenant_sees_its_jobs_only(
    api: Client, boss: Mapping[str, str]
) -> None:
    job = {"name": "lid", "machine_type": "mill"}
    _, theirs = await api("POST", "/jobs", {**job, "tenant": "acme"}, **boss)
    _, other = await api("POST", "/jobs", {**job, "tenant": "zenith"}, **boss)
    await added(api, boss, "Vic", "viewer", tenants=["acme"])
    vic = await signed_on(api, "Vic")
    _, found = await api("GET", "/jobs", **vic)
    assert [one["id"] for one in found["jobs"]] == [theirs["id"]]
    assert await status_of(api, "GET", f"/jobs/{other['id']}", **vic) == 404
    status, problem = await api("POST", "/jobs", job, **vic)
    assert status == 403
    assert "Vic may not change jobs: an operator may" in problem["detail"]
    assert await status_of(api, "GET", "/users", **vic) == 403


async def test_what_a_bearer_may_do_is_what_its_account_may_do_now(
    api: Client, boss: Mapping[str, str]
) -> None:
    ben = await added(api, boss, "Ben", "operator")
    bens = await signed_on(api, "Ben")
    job = {"name": "lid", "machine_type": "mill"}
    assert (await api("POST", "/jobs", job, **bens))[0] == 201
    assert (await api("PATCH", f"/users/{ben}", {"role": "viewer"}, **boss))[0] == 200
    assert (await api("POST", "/jobs", job, **bens))[0] == 403
    assert (await api("PATCH", f"/users/{ben}", {"enabled": False}, **boss))[0] == 200
    assert await status_of(api, "GET", "/jobs", **bens) == 401


async def test_the_last_administrator_stays(api: Client, boss: Mapping[str, str]) -> None:
    (ada,) = (await api("GET", "/users", **boss))[1]["users"]
    assert "password" not in ada
    assert ada["proofs"] == ["password"]
    assert (await api("DELETE", f"/users/{ada['id']}", **boss))[0] == 409
    assert (await api("PATCH", f"/users/{ada['id']}", {"role": "viewer"}, **boss))[0] == 409
    assert await status_of(api, "GET", "/users/99", **boss) == 404


async def test_a_token_of_a_program_acts_until_it_is_revoked(
    api: Client, boss: Mapping[str, str]
) -> None:
    ben = await added(api, boss, "Ben", "operator")
    path = f"/users/{ben}/tokens"
    assert (await api("POST", path, {"label": "ERP", "days": 400}, **boss))[0] == 422
    status, made = await api("POST", path, {"label": "ERP", "days": 365}, **boss)
    assert status == 201
    programs = {"Authorization": f"Bearer {made['token']}"}
    assert (await api("GET", "/auth/me", **programs))[1]["name"] == "Ben"
    _, listed = await api("GET", path, **boss)
    assert [one["label"] for one in listed["tokens"]] == ["ERP"]
    assert made["token"] not in str(listed)
    assert await status_of(api, "DELETE", f"/tokens/{made['jti']}", **boss) == 204
    assert await status_of(api, "GET", "/jobs", **programs) == 401
    assert await status_of(api, "DELETE", f"/tokens/{made['jti']}", **boss) == 404


async def test_forged_tokens_are_refused(
    api: Client, boss: Mapping[str, str], tmp_path: Path
) -> None:
    token = boss["Authorization"].removeprefix("Bearer ")
    (key,) = token_keys(Config(tmp_path, "sqlite://"))
    claims = jwt.decode(token, key.secret, ["HS256"], audience="cnc-station")
    kid = {"kid": key.kid}

    def signed(secret: str = key.secret, algorithm: str = "HS256", **changed: object) -> str:
        told = {name: value for name, value in {**claims, **changed}.items() if value != "-"}
        return jwt.encode(told, secret, algorithm, headers=kid)

    refused = {
        "another key": signed("another key of at least thirty-two bytes"),
        "no algorithm": signed("", "none"),
        "another algorithm": signed(algorithm="HS512"),
        "another audience": signed(aud="another program"),
        "no audience": signed(aud="-"),
        "no id": signed(jti="-"),
        "no end": signed(exp="-"),
        "the past": signed(exp=int(time.time()) - 1),
        "an id that was never issued": signed(jti="0" * 32),
        "another account": signed(sub="2"),
        "no token": "ada",
    }
    assert await status_of(api, "GET", "/jobs", Authorization=f"Bearer {signed()}") == 200
    for why, forged in refused.items():
        headers = {"Authorization": f"Bearer {forged}"}
        assert await status_of(api, "GET", "/jobs", **headers) == 401, why


@pytest.mark.usefixtures("boss")
async def test_unknown_and_known_people_cost_the_same_work_and_both_wait_after_wrong_attempts(
    api: Client,
) -> None:
    begun = CountingHasher.verified
    for login in ("ada", "nobody"):
        for attempt in range(1, FREE_ATTEMPTS + 1):
            status, problem = await api(
                "POST", "/auth/login", {"login": login, "password": "wrong wrong"}
            )
            assert (status, problem["type"]) == (401, "/problems/unauthorized"), attempt
        status, problem = await api("POST", "/auth/login", {"login": login, "password": PASSWORD})
        assert status == 429
        assert int(api.headers["Retry-After"]) == problem["retry_after"] > 0
    assert CountingHasher.verified - begun == 2 * FREE_ATTEMPTS


async def test_tokens_of_a_former_key_are_accepted_until_the_overlap_ends(
    alone: StationEngine, api: Client, boss: Mapping[str, str]
) -> None:
    door, _ = await alone.local_door.of_token(boss["Authorization"].split()[1], "http")
    await door.execute(c.RotateTokenKey(60.0))
    newer = await signed_on(api, "ada")
    for headers in (boss, newer):
        assert await status_of(api, "GET", "/jobs", **headers) == 200
    await door.execute(c.RotateTokenKey(0.0))
    assert await status_of(api, "GET", "/jobs", **newer) == 401


async def test_the_log_names_the_account_and_no_secret(
    api: Client, boss: Mapping[str, str], tmp_path: Path
) -> None:
    await added(api, boss, "Vic", "viewer", tenants=["acme"])
    with logging_into(tmp_path / "log", aloud=False):
        vic = await signed_on(api, "Vic")
        await api("GET", "/jobs", **vic)
        await api("POST", "/auth/login", {"login": "Vic", "password": "canary wrong one"})
    *_, looked, _ = [line for line in logged(tmp_path / "log") if line.get("event") == "http"]
    assert (looked["user_id"], looked["tenant"]) == ("Vic", "acme")
    written = "".join(file.read_text() for file in (tmp_path / "log").rglob("*") if file.is_file())
    for secret in (PASSWORD, "canary", vic["Authorization"].split()[1]):
        assert secret not in written


async def test_a_websocket_needs_a_token_elsewhere_and_ends_when_it_is_revoked(
    alone: StationEngine, api: Client, boss: Mapping[str, str]
) -> None:
    async with api.session.ws_connect("/ws", headers=boss) as socket:
        await socket.send_json({"type": "SUBSCRIBE"})
        assert (await socket.receive_json())["type"] == "SUBSCRIBED"
        door, _ = await alone.local_door.of_token(boss["Authorization"].split()[1], "http")
        await door.execute(c.SubmitJobs([JobSpec("lid", "mill", tenant="acme")]))
        assert (await socket.receive_json())["event"] == "job:created"
        await api("POST", "/auth/logout", **boss)
        assert (await socket.receive_json())["type"] == "ERROR"
        await socket.receive()
        assert socket.close_code == 4401
    elsewhere = {"X-Forwarded-For": "192.0.2.9"}
    async with api.session.ws_connect("/ws", headers=elsewhere) as socket:
        await socket.send_json({"type": "AUTH", "token": "forged"})
        assert (await socket.receive_json())["type"] == "ERROR"
        await socket.receive()
        assert socket.close_code == 4401


async def test_a_tenant_has_limits_of_its_own(api: Client, boss: Mapping[str, str]) -> None:
    status, made = await api(
        "POST", "/tenants", {"name": "acme", "limits": {"active": "1"}}, **boss
    )
    assert status == 201, made
    assert (await api("POST", "/tenants", {"name": "acme"}, **boss))[0] == 422
    path = f"/tenants/{made['id']}"
    assert (await api("PATCH", path, {"limits": {"speed": "1"}}, **boss))[0] == 422
    assert (await api("PATCH", path, {"limits": {"create": "3/min"}}, **boss))[0] == 200
    _, listed = await api("GET", "/tenants", **boss)
    assert [(one["name"], one["limits"]) for one in listed["tenants"]] == [
        ("acme", {"create": "3/min"})
    ]
