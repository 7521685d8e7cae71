"""Jobs over HTTP, as a shop's other software submits, lists, changes and follows them."""

import re
from typing import Any

import pytest

from cnc_station.engine.store.queries.export import PART
from tests.until import until
from tests.web.api_client import Client

BRACKET = {"name": "Bracket", "machine_type": "mill", "priority": "High", "quantity": 2}


async def test_a_job_is_submitted_shown_changed_and_deleted(api: Client) -> None:
    status, job = await api("POST", "/jobs", BRACKET)
    assert (status, api.headers["Location"]) == (201, f"/api/v1/jobs/{job['id']}")
    assert (job["name"], job["priority"], job["status"], job["state"]) == (
        "Bracket",
        90,
        "pending",
        "queued",
    )
    status, shown = await api("GET", f"/jobs/{job['id']}")
    assert (status, shown["job"], shown["events"][0]["type"]) == (200, job, "created")
    assert shown | job == shown
    version = api.headers["ETag"]
    status, changed = await api("PATCH", f"/jobs/{job['id']}", {"quantity": 7}, If_Match=version)
    assert (status, changed["quantity"]) == (200, 7)
    status, problem = await api("PATCH", f"/jobs/{job['id']}", {"quantity": 8}, If_Match=version)
    assert (status, problem["type"]) == (412, "/problems/precondition")
    assert await api("DELETE", f"/jobs/{job['id']}") == (204, None)
    status, problem = await api("GET", f"/jobs/{job['id']}")
    assert (status, problem["type"]) == (404, "/problems/not-found")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            {
                "name": "A",
                "material": "steel",
                "complexity": 3,
                "required_machine_type": "lathe",
                "priority": 20,
                "estimated_runtime": 90,
            },
            {"machine_type": "lathe", "estimated_s": 90.0, "complexity": 3},
        ),
        (
            {"taskName": "B", "type": "test.echo", "payload": {"a": 1}, "priority": "medium"},
            {"name": "B", "priority": 50, "payload": {"a": 1}},
        ),
        (
            {"name": "C", "tenantId": "Ada", "type": "sleep", "payload": {"delayMs": 5}},
            {"handler": "test.delay", "payload": {"durationMs": 5}, "tenant": "Ada"},
        ),
        (
            {
                "name": "D",
                "handler": "test.echo",
                "payload": {},
                "max_retries": 2,
                "timeout_ms": 1500,
            },
            {"retry_limit": 2, "timeout_s": 1.5},
        ),
    ],
    ids=["machining", "task", "sleep", "handler"],
)
async def test_the_names_of_other_systems_are_understood(
    api: Client, body: dict[str, Any], expected: dict[str, Any]
) -> None:
    status, job = await api("POST", "/jobs", body)
    assert status == 201, job
    assert {name: job[name] for name in expected} == expected


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": "A"}, "machine_type"),
        ({"machine_type": "mill"}, "name"),
        ({**BRACKET, "colour": "red"}, "colour"),
        ({**BRACKET, "priority": "urgent"}, "priority"),
        ({**BRACKET, "quantity": "2"}, "quantity"),
        ({**BRACKET, "quantity": True}, "quantity"),
        ({**BRACKET, "due_at": "tomorrow"}, "due_at"),
        ({**BRACKET, "due_at": "2026-11-30T10:00:00"}, "due_at"),
        ({**BRACKET, "required_machine_type": "lathe"}, "machine_type"),
        ({**BRACKET, "complexity": 9}, "complexity"),
        ({"jobs": [BRACKET, {"name": "A"}]}, "machine_type"),
    ],
    ids=lambda value: str(value)[-40:],
)
async def test_what_is_wrong_is_named_by_its_field_and_nothing_is_stored(
    api: Client, body: dict[str, Any], field: str
) -> None:
    status, problem = await api("POST", "/jobs", body)
    assert (status, problem["type"]) == (422, "/problems/invalid-input")
    assert field in [error["field"].rpartition(".")[2] for error in problem["errors"]]
    assert (await api("GET", "/jobs/stats"))[1]["total"] == 0


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"{", "application/json", 400),
        (b'{"name": NaN}', "application/json", 400),
        (b'{"name": "a", "name": "b"}', "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b"\xff", "application/json", 400),
        (b"name=Bracket", "application/x-www-form-urlencoded", 415),
        (b" " * 2_000_000, "application/json", 413),
        (b"[]", "application/json", 422),
    ],
)
async def test_a_body_that_is_not_a_job_is_refused_in_words(
    api: Client, content: bytes, kind: str, status: int
) -> None:
    async with api.session.post(
        "/api/v1/jobs", data=content, headers={"Content-Type": kind}
    ) as answer:
        problem = await answer.json(content_type="application/problem+json")
    assert (answer.status, problem["status"]) == (status, status)
    assert problem["trace_id"] == answer.headers["X-Trace-Id"]


async def test_several_jobs_are_stored_together_and_wait_for_each_other(api: Client) -> None:
    first, second = {**BRACKET, "key": "op10"}, {**BRACKET, "after_keys": ["op10"]}
    status, made = await api("POST", "/jobs", {"jobs": [first, second]})
    assert (status, len(made["jobs"])) == (201, 2)
    status, page = await api("GET", f"/jobs?include=next&ids={made['jobs'][1]['id']}")
    assert (status, page["total"]) == (200, 1)
    assert "waits for" in page["jobs"][0]["next"]


async def test_jobs_are_found_by_status_priority_and_text(api: Client) -> None:
    await api("POST", "/jobs", {"jobs": [BRACKET, {**BRACKET, "name": "Flange", "priority": 10}]})
    for query, names in (
        ("status=pending&priority=High&limit=20&offset=0&sort=createdAt:desc", ["Bracket"]),
        ("status=completed", []),
        ("q=flan", ["Flange"]),
        ("sort=-priority", ["Bracket", "Flange"]),
        ("sort=priority", ["Flange", "Bracket"]),
        ("state=queued,held&max_priority=20", ["Flange"]),
        ("status=pending&state=queued,completed&owner=operator&priority=high", ["Bracket"]),
        ("owner=anna", []),
        ("handler=sleep", []),
        ("created_since=2026-01-01T00:00:00Z&created_until=2026-01-02T00:00:00Z", []),
    ):
        status, page = await api("GET", f"/jobs?{query}")
        assert (status, [job["name"] for job in page["jobs"]]) == (200, names), query
    for query in (
        "status=lost",
        "status=completed&state=queued",
        "include=everything",
        "limit=0",
        "limit=201",
        "sort=colour",
        "colour=red",
        "limit=1&limit=2",
    ):
        assert (await api("GET", f"/jobs?{query}"))[0] == 422, query


async def test_actions_answer_the_job_or_say_which_state_forbids_them(api: Client) -> None:
    _, job = await api("POST", "/jobs", BRACKET)
    status, paused = await api("POST", f"/jobs/{job['id']}/pause", {"reason": "no stock"})
    assert (status, paused["state"]) == (200, "paused")
    status, problem = await api("POST", f"/jobs/{job['id']}/pause")
    assert (status, problem["type"]) == (409, "/problems/conflict")
    assert "paused" in problem["detail"]
    assert (await api("POST", f"/jobs/{job['id']}/resume"))[1]["state"] == "queued"
    status, done = await api(
        "PATCH", f"/jobs/{job['id']}/status", {"status": "completed", "reason": "made by hand"}
    )
    assert (status, done["status"]) == (200, "completed")
    events = (await api("GET", f"/jobs/{job['id']}/events"))[1]["events"]
    assert [event["type"] for event in events][:3] == ["created", "paused", "resumed"]
    assert events[-1]["reason"] == "made by hand"


async def test_many_jobs_are_acted_on_by_ids_or_by_a_filter_with_their_number(api: Client) -> None:
    _, made = await api("POST", "/jobs", {"jobs": [BRACKET] * 3})
    ids = [job["id"] for job in made["jobs"]]
    status, told = await api("POST", "/jobs/actions", {"action": "pause", "ids": [ids[0], 999]})
    assert (status, [answer["ok"] for answer in told["answers"]]) == (200, [True, False])
    assert "There is no job 999" in told["answers"][1]["problem"]["detail"]
    by_filter = {"action": "cancel", "filter": {"state": ["queued"], "machine_type": "mill"}}
    assert (await api("POST", "/jobs/actions", by_filter))[0] == 422
    assert (await api("POST", "/jobs/actions", by_filter | {"expected_count": 3}))[0] == 409
    status, told = await api("POST", "/jobs/actions", by_filter | {"expected_count": 2})
    assert (status, told["done"], told["refused"]) == (200, 2, 0)
    assert (await api("GET", "/jobs/stats"))[1]["cancelled"] == 2


async def test_a_run_of_an_automation_is_followed_to_its_output(api: Client) -> None:
    _, job = await api(
        "POST", "/jobs", {"name": "Echo", "handler": "test.echo", "payload": {"a": 1}}
    )

    async def completed() -> Any:
        found = (await api("GET", f"/jobs/{job['id']}"))[1]
        return found if found["status"] == "completed" else None

    await until(completed)
    (run,) = (await api("GET", f"/jobs/{job['id']}/runs"))[1]["runs"]
    status, detail = await api("GET", f"/runs/{run['id']}")
    assert (status, detail["handler"], detail["payload"]) == (200, "test.echo", {"a": 1})


async def test_paths_methods_and_names_that_are_not_there_are_problems(api: Client) -> None:
    for method, path, status in (
        ("GET", "/nothing", 404),
        ("GET", "/jobs/0", 404),
        ("GET", "/jobs/-1", 404),
        ("GET", "/jobs/99999999999999999999999", 404),
        ("GET", "/jobs/x", 404),
        ("GET", "/runs/77", 404),
        ("POST", "/machines", 405),
        ("PATCH", "/jobs", 405),
    ):
        found, problem = await api(method, path, None if method == "GET" else {})
        assert (found, problem["status"]) == (status, status), path
    status, problem = await api("GET", "/jobs", Host="evil.example:80")
    assert (status, problem["type"]) == (421, "/problems/wrong-host")


async def test_a_trace_is_taken_from_the_client_or_made(api: Client) -> None:
    await api("GET", "/jobs", X_Trace_Id="abc-1")
    assert api.headers["X-Trace-Id"] == "abc-1"
    parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    await api("GET", "/jobs", traceparent=parent)
    assert api.headers["X-Trace-Id"] == "4bf92f3577b34da6a3ce929d0e0e4736"
    await api("GET", "/jobs", X_Trace_Id="<b>")
    assert len(api.headers["X-Trace-Id"]) == 32


async def test_every_operation_is_described(api: Client) -> None:
    status, described = await api("GET", "/openapi.json")
    assert (status, described["openapi"]) == (200, "3.1.0")
    assert described["paths"]["/jobs"]["post"]["operationId"] == "post_jobs"
    used = set(re.findall(r"#/components/schemas/(\w+)", str(described)))
    assert used <= described["components"]["schemas"].keys()


async def test_machines_and_stations_are_listed(api: Client) -> None:
    assert await api("GET", "/machines") == (
        200,
        {"machines": [], "total": 0, "limit": 50, "offset": 0},
    )
    status, told = await api("GET", "/stations")
    assert (status, [station["name"] for station in told["stations"]]) == (200, ["Hall 1"])


@pytest.mark.parametrize("count", [0, 1, PART - 1, PART, PART + 1])
async def test_an_export_of_any_length_is_one_file(api: Client, count: int) -> None:
    for start in range(0, count, 500):
        jobs = [{"name": f"Part {n}", "machine_type": "mill"} for n in range(start, count)][:500]
        assert (await api("POST", "/jobs", {"jobs": jobs}))[0] == 201
    await api("POST", "/jobs", {"name": "Other", "machine_type": "lathe"})
    status, rows = await api("GET", "/jobs/export?form=json&machine_type=mill")
    assert status == 200
    assert [row["name"] for row in rows] == [f"Part {n}" for n in range(count)]
    if rows:
        assert rows[0] == (await api("GET", "/jobs?ids=1"))[1]["jobs"][0]
    async with api.session.get("/api/v1/jobs/export?form=csv&machine_type=mill") as answer:
        lines = (await answer.text("utf-8-sig")).splitlines()
    assert len(lines) == count + 1
    assert lines[0].startswith("id,")
    assert lines.count(lines[0]) == 1


async def test_a_wrong_job_among_several_is_named_by_its_place(api: Client) -> None:
    mill = {"name": "Bracket", "machine_type": "mill"}
    status, problem = await api("POST", "/jobs", {"jobs": [mill, {"name": "Plate"}, mill]})
    assert (status, [error["field"] for error in problem["errors"]]) == (
        422,
        ["jobs.1.machine_type"],
    )
    bell = {"jobs": [mill, mill, {**mill, "name": "\a"}]}
    errors = (await api("POST", "/jobs", bell))[1]["errors"]
    assert [error["field"] for error in errors] == ["jobs.2.name"]
    assert (await api("GET", "/jobs"))[1]["total"] == 0


async def test_each_refusal_of_a_bulk_action_is_that_of_the_job_alone(api: Client) -> None:
    await api("POST", "/jobs", {"jobs": [{"name": "Bracket", "machine_type": "mill"}] * 2})
    await api("POST", "/jobs/2/pause")
    status, told = await api("POST", "/jobs/actions", {"action": "pause", "ids": [1, 2, 77]})
    assert (status, told["done"], told["refused"]) == (200, 1, 2)
    for answer in told["answers"][1:]:
        alone, problem = await api("POST", f"/jobs/{answer['id']}/pause")
        assert answer["problem"] == {name: problem[name] for name in answer["problem"]}
        assert answer["problem"]["status"] == alone
    everything = {"action": "cancel", "filter": {}, "expected_count": 2}
    status, problem = await api("POST", "/jobs/actions", everything)
    assert (status, [error["field"] for error in problem["errors"]]) == (422, ["filter"])


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("limit=201", "must be at most 200"),
        ("limit=0", "must be at least 1"),
        ("offset=100001", "must be at most 100000"),
        ("min_priority=101", "must be at most 100"),
    ],
)
async def test_a_number_out_of_bounds_is_refused_with_its_bound(
    api: Client, query: str, reason: str
) -> None:
    status, problem = await api("GET", f"/jobs?{query}")
    errors = [{"field": query.partition("=")[0], "reason": reason}]
    assert (status, problem["errors"]) == (422, errors)


async def test_what_a_client_has_already_is_not_sent_again_until_it_changes(api: Client) -> None:
    await api("POST", "/jobs", {"name": "Bracket", "machine_type": "mill"})
    for path in ("/jobs/1", "/jobs", "/jobs/1/events", "/machines"):
        assert (await api("GET", path))[0] == 200
        tag = api.headers["ETag"]
        for seen in (tag, f'"other", {tag}', tag.removeprefix("W/"), "*"):
            assert await api("GET", path, If_None_Match=seen) == (304, None)
            assert api.headers["ETag"] == tag
        assert (await api("GET", path, If_None_Match='"other"'))[0] == 200
        await api("PATCH", "/jobs/1", {"quantity": len(path)})
        if path != "/machines":
            assert (await api("GET", path, If_None_Match=tag))[0] == 200
    assert (await api("GET", "/jobs/77", If_None_Match="*"))[0] == 404
    assert (await api("PATCH", "/jobs/1", {"quantity": 1}, If_None_Match="*"))[0] == 200


async def test_head_answers_as_get_does_without_a_body(api: Client) -> None:
    await api("POST", "/jobs", {"name": "Bracket", "machine_type": "mill"})
    day = "since=2026-01-01T00:00:00Z&until=2026-01-02T00:00:00Z"
    for path in ("/jobs", "/jobs/1", "/jobs/export", f"/metrics?{day}", "/jobs/77"):
        async with api.session.get(f"/api/v1{path}") as answer:
            wanted = (answer.status, answer.headers.get("ETag"), answer.content_type)
        async with api.session.head(f"/api/v1{path}") as answer:
            assert (answer.status, answer.headers.get("ETag"), answer.content_type) == wanted
            assert await answer.read() == b""
