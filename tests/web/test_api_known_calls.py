"""Each call that programs of other systems make works as they write it."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.web.api_client import Client

Answer = Callable[[Any], Any]
MADE = {"name": "Bracket", "required_machine_type": "mill"}
# Method, path, body, status, and a part of the answer. Job 1 waits, job 2 needs attention.
CALLS: tuple[tuple[str, str, object, int, object, Answer], ...] = (
    (
        "POST",
        "/jobs",
        {
            "name": "Flange",
            "material": "steel",
            "complexity": 3,
            "required_machine_type": "lathe",
            "priority": 5,
            "estimated_runtime": 90,
        },
        201,
        ("lathe", 5, 90.0, "pending"),
        lambda job: (job["machine_type"], job["priority"], job["estimated_s"], job["status"]),
    ),
    (
        "POST",
        "/jobs",
        {"taskName": "Report", "type": "test.echo", "payload": {"a": 1}, "priority": "High"},
        201,
        ("Report", {"a": 1}, 90),
        lambda job: (job["name"], job["payload"], job["priority"]),
    ),
    (
        "POST",
        "/jobs",
        {"name": "Nap", "tenantId": "t1", "type": "sleep", "payload": {"delayMs": 1}},
        201,
        ("t1", "test.delay", {"durationMs": 1}),
        lambda job: (job["tenant"], job["handler"], job["payload"]),
    ),
    (
        "POST",
        "/jobs",
        {
            "name": "Ping",
            "handler": "test.echo",
            "payload": {},
            "max_retries": 2,
            "timeout_ms": 500,
        },
        201,
        (2, 0.5),
        lambda job: (job["retry_limit"], job["timeout_s"]),
    ),
    (
        "GET",
        "/jobs?status=pending&priority=High&limit=20&offset=0&sort=createdAt:desc",
        None,
        200,
        (["Bracket"], 1),
        lambda page: ([job["name"] for job in page["jobs"]], page["total"]),
    ),
    (
        "GET",
        "/jobs?status=failed",
        None,
        200,
        [2],
        lambda page: [job["id"] for job in page["jobs"]],
    ),
    ("GET", "/jobs/1", None, 200, "Bracket", lambda job: job["name"]),
    ("PUT", "/jobs/1", {"priority": "low"}, 200, 10, lambda job: job["priority"]),
    ("POST", "/jobs/1/run", None, 200, "queued", lambda job: job["state"]),
    ("POST", "/jobs/1/trigger", {}, 200, "queued", lambda job: job["state"]),
    ("POST", "/jobs/1/pause", {}, 200, "paused", lambda job: job["state"]),
    ("POST", "/jobs/3/resume", None, 200, "queued", lambda job: job["state"]),
    (
        "PATCH",
        "/jobs/3/status",
        {"status": "completed", "reason": "made by hand"},
        200,
        "completed",
        lambda job: job["status"],
    ),
    ("GET", "/executions?job_id=1", None, 200, [], lambda page: page["runs"]),
    ("GET", "/executions?status=failed", None, 200, [], lambda page: page["runs"]),
    ("GET", "/dead-letter", None, 200, [2], lambda page: [job["id"] for job in page["jobs"]]),
    (
        "GET",
        "/workers",
        None,
        200,
        ["Hall 1"],
        lambda told: [station["name"] for station in told["stations"]],
    ),
    ("GET", "/stats?machine_type=mill", None, 200, (1, 1), lambda t: (t["pending"], t["failed"])),
    ("GET", "/jobs/stats?status=failed", None, 200, (0, 1), lambda t: (t["pending"], t["failed"])),
    ("POST", "/dead-letter/retry", {"ids": [2]}, 200, 1, lambda told: told["done"]),
    ("POST", "/dead-letter/discard", {"expected_count": 0}, 200, 0, lambda told: told["done"]),
    ("DELETE", "/jobs/1", None, 204, None, lambda nothing: nothing),
)


@pytest.fixture
async def shop(api: Client) -> Client:
    made = await api("POST", "/jobs", {"jobs": [{**MADE, "priority": "HIGH"}, MADE, MADE]})
    assert made[0] == 201, made
    await api("PATCH", "/jobs/2/status", {"state": "needs_attention", "reason": "broken"})
    await api("POST", "/jobs/3/pause", {})
    return api


@pytest.mark.parametrize("prefix", ["/api/v1", "/api"])
async def test_known_calls_work_under_both_prefixes(shop: Client, prefix: str) -> None:
    for method, path, body, wanted, expected, part in CALLS:
        async with shop.session.request(method, prefix + path, json=body) as answer:
            told = await answer.json() if answer.status != 204 else None
        assert answer.status == wanted, (method, path, told)
        assert part(told) == expected, (method, path, told)


async def test_other_names_are_described_as_deprecated(api: Client) -> None:
    _, described = await api("GET", "/openapi.json")
    paths = described["paths"]
    for path, name in (
        ("/executions/{id}", "/runs/{id}"),
        ("/dead-letter/retry", "/needs-attention/retry"),
        ("/workers", "/stations"),
        ("/stats", "/jobs/stats"),
    ):
        assert all(operation["deprecated"] for operation in paths[path].values())
        assert paths[path].keys() == paths[name].keys()
        assert not any("deprecated" in operation for operation in paths[name].values())


async def test_the_time_of_the_server_is_told(api: Client) -> None:
    async with api.session.get("/sync") as answer:
        assert (await answer.json())["ms"] > 1_790_000_000_000
