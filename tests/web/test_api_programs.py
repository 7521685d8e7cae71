"""Programs over HTTP, and jobs that need attention."""

from typing import Any

import aiohttp

from tests.until import until
from tests.web.api_client import Client

PROGRAM = b"G21 G90\nG0 X0 Y0 Z5\nG1 Z-1 F100\nX10\nM30\n"
FAILING = {"durationMs": 0, "shouldFail": True, "failMessage": "no paper"}


async def upload(api: Client, name: str, content: bytes) -> tuple[int, Any]:
    async with api.session.post("/api/v1/programs", params={"name": name}, data=content) as answer:
        return answer.status, await answer.json(content_type=None)


async def test_a_program_is_stored_by_content_and_a_job_is_bound_to_it(api: Client) -> None:
    status, stored = await upload(api, "bracket.ngc", PROGRAM)
    assert (status, stored["revision"], stored["size"]) == (201, 1, len(PROGRAM))
    assert await upload(api, "bracket.ngc", PROGRAM) == (200, stored)
    _, second = await upload(api, "bracket.ngc", PROGRAM + b"(again)\n")
    assert second["revision"] == 2
    job = {"name": "Bracket", "machine_type": "mill", "program": stored["sha256"]}
    assert (await api("POST", "/jobs", job))[1]["program_name"] == "bracket.ngc"
    status, shown = await api("GET", f"/programs/{stored['sha256']}")
    assert (status, [row["revision"] for row in shown["revisions"]]) == (200, [2, 1])
    listed = (await api("GET", f"/programs/{stored['sha256']}/revisions"))[1]["programs"]
    assert listed == shown["revisions"]
    async with api.session.get(f"/api/v1/programs/{stored['sha256']}/content") as answer:
        assert await answer.read() == PROGRAM
    listed = (await api("GET", "/programs?q=brack"))[1]["programs"]
    assert len(listed) == 2
    assert (await api("GET", f"/programs/{'0' * 64}"))[0] == 404
    assert (await api("GET", "/programs/bracket.ngc"))[0] == 404


async def form(api: Client, *files: tuple[str, bytes, str], query: str = "") -> Any:
    data = aiohttp.FormData({"comment": "a field"})
    for field, content, filename in files:
        data.add_field(field, content, filename=filename, content_type="text/plain")
    async with api.session.post(f"/api/v1/programs{query}", data=data) as answer:
        return answer.status, await answer.json(content_type=None)


async def test_a_form_uploads_a_program_byte_by_byte(api: Client) -> None:
    content = PROGRAM + b"(\xff\r\n--not the end)\n"
    status, stored = await form(api, ("file", content, "flange.ngc"))
    assert (status, stored["name"], stored["size"]) == (201, "flange.ngc", len(content))
    async with api.session.get(f"/api/v1/programs/{stored['sha256']}/content") as answer:
        assert await answer.read() == content
    other = ("file", PROGRAM, "upload.tmp")
    assert (await form(api, other, query="?name=plate.ngc"))[1]["name"] == "plate.ngc"


async def test_a_form_without_a_file_or_an_end_is_refused(api: Client) -> None:
    status, problem = await form(api, ("program", PROGRAM, "a.ngc"))
    assert (status, problem["errors"]) == (422, [{"field": "file", "reason": "is missing"}])
    twice = ("file", PROGRAM, "a.ngc")
    assert (await form(api, twice, twice))[0] == 422
    status, problem = await form(api, ("file", PROGRAM, ""))
    assert (status, [error["field"] for error in problem["errors"]]) == (422, ["name"])
    for kind, body in (
        ("multipart/form-data", b"--x\r\n"),
        ("multipart/form-data; boundary=x", b"--y\r\n\r\n\r\n--y--"),
        ("multipart/form-data; boundary=x", b'--x\r\ncontent-disposition: form-data; name="file"'),
        ("multipart/form-data; boundary=x", b"--x\r\na: b\r\n\r\nc\r\n" * 30 + b"--x--"),
    ):
        headers = {"Content-Type": kind}
        async with api.session.post("/api/v1/programs", data=body, headers=headers) as answer:
            assert answer.status == 400, body


async def test_a_program_that_is_wrong_is_refused_in_words(api: Client) -> None:
    status, problem = await upload(api, "empty.ngc", b"")
    assert (status, problem["type"]) == (422, "/problems/invalid-input")
    async with api.session.post("/api/v1/programs", data=PROGRAM) as answer:
        problem = await answer.json(content_type=None)
    assert [error["field"] for error in problem["errors"]] == ["name"]


async def test_jobs_that_need_attention_are_retried_and_discarded(api: Client) -> None:
    failing = {"name": "Report", "handler": "test.delay", "payload": FAILING, "retry_limit": 0}
    _, made = await api("POST", "/jobs", {"jobs": [failing] * 3})

    async def failed() -> Any:
        page = (await api("GET", "/needs-attention"))[1]
        return page["jobs"] if page["total"] == 3 else None

    jobs = await until(failed)
    assert {job["last_error"] for job in jobs} == {"no paper"}
    ids = [job["id"] for job in made["jobs"]]
    status, told = await api("POST", "/needs-attention/discard", {"ids": ids[:1]})
    assert (status, told["done"], told["refused"]) == (200, 1, 0)
    assert (await api("POST", "/needs-attention/retry", {"expected_count": 3}))[0] == 409
    assert (await api("POST", "/needs-attention/retry", {}))[0] == 422
    status, told = await api("POST", "/dead-letter/retry", {"expected_count": 2})
    assert (status, told["done"]) == (200, 2)
    assert (await api("GET", f"/jobs/{ids[0]}"))[1]["status"] == "cancelled"
