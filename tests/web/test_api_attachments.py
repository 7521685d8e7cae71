"""Attachments and set-up sheets over HTTP."""

from typing import Any

import aiohttp

from tests.attached_files import PDF, png
from tests.web.api_client import Client

PROGRAM = b"G21 G90\nT3 M6\nG1 Z-1 F100\nM30\n"


async def send(api: Client, path: str, content: bytes, **headers: str) -> tuple[int, Any, Any]:
    async with api.session.post(f"/api/v1{path}", data=content, headers=headers) as answer:
        return answer.status, await answer.json(content_type=None), answer.headers


async def test_a_file_is_attached_listed_downloaded_and_removed(api: Client) -> None:
    _, job = await api("POST", "/jobs", {"name": "Flange", "machine_type": "mill"})
    path = f"/jobs/{job['id']}/attachments"
    status, made, headers = await send(api, f"{path}?name=Zeichnung%20Ü%22.pdf", PDF)
    assert (status, made["media_type"], made["size"]) == (201, "application/pdf", len(PDF))
    assert (await send(api, f"{path}?name=again.pdf", PDF))[:2] == (200, made)
    form = aiohttp.FormData()
    form.add_field("file", png(40, 30), filename="vice.png", content_type="text/html")
    async with api.session.post(f"/api/v1{path}", data=form) as answer:
        photo = await answer.json()
    assert (photo["media_type"], photo["width"], photo["height"]) == ("image/png", 40, 30)
    listed = (await api("GET", path))[1]
    assert (listed["total"], listed["attachments"]) == (2, [made, photo])
    async with api.session.get(headers["Location"]) as answer:
        assert await answer.read() == PDF
        assert answer.headers["Content-Type"] == "application/pdf"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        told = answer.headers["Content-Disposition"]
    assert told.startswith('attachment; filename="Zeichnung __.pdf"')
    assert told.endswith("filename*=UTF-8''Zeichnung%20%C3%9C%22.pdf")
    assert (await api("DELETE", f"/attachments/{made['id']}"))[0] == 204
    assert (await api("DELETE", f"/attachments/{made['id']}"))[0] == 404
    assert (await api("GET", f"/attachments/{made['id']}/content"))[0] == 404
    assert (await api("GET", path))[1]["total"] == 1
    assert (await api("GET", "/jobs/999/attachments"))[0] == 404


async def test_what_is_not_a_drawing_is_refused_and_a_key_attaches_once(api: Client) -> None:
    _, job = await api("POST", "/jobs", {"name": "Flange", "machine_type": "mill"})
    path = f"/jobs/{job['id']}/attachments"
    status, problem, _ = await send(api, f"{path}?name=a.pdf", b"<script>")
    assert (status, problem["errors"][0]["field"]) == (422, "file")
    assert (await send(api, path, PDF))[1]["errors"][0]["field"] == "name"
    first = await send(api, f"{path}?name=a.pdf", PDF, **{"Idempotency-Key": "one"})
    again = await send(api, f"{path}?name=a.pdf", PDF, **{"Idempotency-Key": "one"})
    assert (first[0], again[0], again[1]) == (201, 201, first[1])
    assert again[2]["Idempotency-Replayed"] == "true"


async def test_the_set_up_sheet_of_a_program_is_written_for_all_its_revisions(api: Client) -> None:
    shas = []
    for content in (PROGRAM, PROGRAM + b"(again)\n"):
        async with api.session.post("/api/v1/programs?name=flange.ngc", data=content) as answer:
            shas.append((await answer.json())["sha256"])
    path = f"/programs/{shas[0]}/set-up-sheet"
    status, sheet = await api("GET", path)
    assert (status, sheet["version"], sheet["notes"], sheet["tools"]) == (200, 0, "", {})
    fields = {"notes": "Soft jaws.\nStop left.", "tools": {"3": "6 mm"}, "first_part": True}
    status, sheet = await api("PUT", path, fields)
    assert (status, sheet["version"], sheet["tools"]) == (200, 1, {"3": "6 mm"})
    assert (await api("GET", f"/programs/{shas[1]}/set-up-sheet"))[1] == sheet
    async with api.session.put(f"/api/v1{path}", json={}, headers={"If-Match": '"v0"'}) as answer:
        assert answer.status == 412
    assert (await api("PUT", path, {"tools": {"x": "6 mm"}}))[0] == 422
    attached = f"/programs/{shas[0]}/attachments"
    _, made, _ = await send(api, f"{attached}?name=sheet.pdf", PDF)
    assert (made["program"], made["revision"], made["job_id"]) == ("flange.ngc", 2, None)
    assert (await api("GET", f"/programs/{shas[1]}/attachments"))[1]["attachments"] == [made]
    job = {"name": "Flange", "machine_type": "mill", "program": shas[1]}
    _, job = await api("POST", "/jobs", job)
    assert (await api("GET", f"/jobs/{job['id']}/attachments"))[1]["attachments"] == [made]
    assert (await api("GET", f"/programs/{'0' * 64}/attachments"))[0] == 404
