"""Schedules, webhooks and deliveries over HTTP."""

from typing import Any

from tests.until import until
from tests.web.api_client import Client

NIGHTLY = {
    "name": "Nightly report",
    "cron": "30 2 * * *",
    "time_zone": "Europe/Berlin",
    "job": {"name": "Report", "handler": "test.echo", "payload": {"a": 1}},
}
ERP = {"url": "http://127.0.0.1:9/hook", "events": ["job:completed"]}


async def test_a_schedule_is_made_changed_paused_triggered_and_deleted(api: Client) -> None:
    status, made = await api("POST", "/schedules", NIGHTLY)
    assert (status, api.headers["Location"]) == (201, f"/api/v1/schedules/{made['id']}")
    path, version = f"/schedules/{made['id']}", api.headers["ETag"]
    assert (await api("GET", path)) == (200, made)
    status, changed = await api("PATCH", path, {"cron": "0 3 * * *"}, If_Match=version)
    assert (status, changed["cron"], changed["job"]) == (200, "0 3 * * *", made["job"])
    assert (await api("PATCH", path, {"cron": "0 4 * * *"}, If_Match=version))[0] == 412
    status, paused = await api("POST", f"{path}/pause", {"reason": "holiday"})
    assert (status, paused["paused"], paused["next_due"]) == (200, True, None)
    assert (await api("POST", f"{path}/resume"))[1]["paused"] is False
    status, job = await api("POST", f"{path}/trigger")
    assert (status, job["name"]) == (201, "Report")
    (run,) = (await api("GET", f"{path}/runs"))[1]["runs"]
    assert (run["job_id"], run["state"]) == (job["id"], "fired")
    assert await api("DELETE", path) == (204, None)
    assert (await api("GET", path))[0] == 404


async def test_a_schedule_is_previewed_with_the_change_of_the_clocks(api: Client) -> None:
    status, preview = await api("POST", "/schedules/preview", NIGHTLY)
    assert (status, len(preview["times"])) == (200, 5)
    assert preview["warnings"]
    status, problem = await api("POST", "/schedules", NIGHTLY | {"cron": "0 0 31 2 *"})
    assert (status, [error["field"] for error in problem["errors"]]) == (422, ["cron"])


async def test_a_webhook_shows_its_secret_once_and_its_deliveries_with_every_attempt(
    api: Client,
) -> None:
    status, made = await api("POST", "/webhooks", ERP)
    assert (status, len(made["secret"]) >= 32) == (201, True)
    path = f"/webhooks/{made['id']}"
    assert "secret" not in (await api("GET", path))[1]
    status, delivery = await api("POST", f"{path}/test")
    assert (status, delivery["state"], len(delivery["attempts"])) == (200, "dead", 1)
    assert delivery["attempts"][0]["error"]
    listed = (await api("GET", f"/deliveries?state=dead&webhook_id={made['id']}"))[1]
    assert [row["id"] for row in listed["deliveries"]] == [delivery["id"]]
    assert (await api("POST", f"/deliveries/{delivery['id']}/replay"))[0] in {200, 409}
    status, rotated = await api("POST", f"{path}/rotate-secret", {"overlap_s": 60})
    assert (status, rotated["secret"] != made["secret"]) == (200, True)
    status, changed = await api("PATCH", path, {"enabled": False})
    assert (status, changed["enabled"]) == (200, False)
    assert await api("DELETE", path) == (204, None)
    assert (await api("GET", path))[0] == 404


async def test_what_is_not_there_is_not_found_in_a_bulk_action_on_schedules(api: Client) -> None:
    _, made = await api("POST", "/schedules", NIGHTLY)
    asked = {"action": "resume", "ids": [made["id"], 77]}
    answers = (await api("POST", "/schedules/actions", asked))[1]["answers"]
    assert [answer["problem"]["status"] for answer in answers] == [409, 404]


async def test_a_delivery_to_a_disabled_endpoint_is_not_sent_again(api: Client) -> None:
    _, made = await api("POST", "/webhooks", ERP)
    _, delivery = await api("POST", f"/webhooks/{made['id']}/test")
    path = f"/deliveries/{delivery['id']}/replay"
    assert await api("POST", path) == (200, {"replayed": 1})
    await api("PATCH", f"/webhooks/{made['id']}", {"enabled": False})
    status, problem = await api("POST", path)
    assert (status, problem["type"]) == (409, "/problems/conflict")


async def test_several_deliveries_are_sent_again_by_ids_or_by_a_filter_with_their_number(
    api: Client,
) -> None:
    _, made = await api("POST", "/webhooks", ERP)
    tests = [(await api("POST", f"/webhooks/{made['id']}/test"))[1]["id"] for _ in range(2)]
    status, told = await api("POST", "/deliveries/replay", {"ids": [tests[0], 77]})
    assert (status, told["done"], [one["ok"] for one in told["answers"]]) == (200, 1, [True, False])
    assert told["answers"][1]["problem"]["status"] == 409
    ours = {"filter": {"webhook_id": made["id"], "event": "webhook:test"}}

    async def are_told(count: int) -> Any:
        return await api("POST", "/deliveries/replay", {**ours, "expected_count": count})

    async def are_replayed() -> bool:  # one that is being sent can't be
        return bool((await are_told(2))[0] == 200)

    await until(are_replayed)
    assert (await are_told(3))[0] == 409
    assert (await api("POST", "/deliveries/replay", ours))[0] == 422
    everything = {"filter": {}, "expected_count": 2}
    assert (await api("POST", "/deliveries/replay", everything))[0] == 422
    paged = {"filter": {"limit": 1}, "expected_count": 2}
    errors = (await api("POST", "/deliveries/replay", paged))[1]["errors"]
    assert [one["field"] for one in errors] == ["filter.limit"]


async def test_every_list_has_pages(api: Client) -> None:
    for number in range(3):
        program = b"G21 G90\nG0 X%d\nM30\n" % (number + 1)
        path = f"/api/v1/programs?name={number}.ngc"
        async with api.session.post(path, data=program) as answer:
            assert answer.status == 201
        await api("POST", "/schedules", NIGHTLY | {"name": f"Nightly {number}"})
        await api("POST", "/webhooks", ERP)
        await api("POST", "/jobs", NIGHTLY["job"])
    for path, count in (
        *(("jobs", 3), ("programs", 3), ("schedules", 3), ("webhooks", 3), ("stations", 1)),
        *(("machines", 0), ("runs", None), ("deliveries", None)),
    ):
        _, whole = await api("GET", f"/{path}")
        status, page = await api("GET", f"/{path}?limit=1&offset=1")
        assert (status, page["limit"], page["offset"]) == (200, 1, 1), path
        if count is not None:
            assert (page["total"], page[path]) == (count, whole[path][1:2]), path
