"""The routes about attachments of jobs and programs."""

from collections.abc import Sequence
from typing import Annotated, Any, Self
from urllib.parse import quote

from pydantic import Field

from cnc_station.engine.commands import AttachFile, RemoveAttachment
from cnc_station.engine.domain.attachments import AttachmentKind
from cnc_station.engine.queries import AttachmentContent, ListAttachments, ProgramByHash
from cnc_station.engine.views.attachments import AttachmentRow
from cnc_station.web.api.job_history import job_of
from cnc_station.web.api.multipart import uploaded
from cnc_station.web.api.problems import not_found
from cnc_station.web.api.route import BINARY, Call, Reply, Route
from cnc_station.web.api.values import PageIn, PageOut, Taken, TimeOut, Told

# Makers of clients know only the first; each answer has its own.
_MEDIA = ", ".join((BINARY, *(kind.media_type for kind in AttachmentKind)))


class AttachmentOut(Told):
    """A drawing, photo or sheet attached to a job, or to a program under all revisions of its name:
    then `job_id` is null, and `revision` was the newest one when it was added."""

    id: int
    job_id: int | None
    program: str | None
    revision: int | None
    sha256: str
    name: str
    media_type: str
    size: int
    width: int | None
    height: int | None
    added_at: TimeOut
    added_by: str

    @classmethod
    def of(cls, row: AttachmentRow) -> Self:
        return cls.model_validate(row)


class AttachmentsOut(PageOut):
    """What is attached, in the order in which it was added."""

    attachments: list[AttachmentOut]

    @classmethod
    def page(cls, rows: Sequence[AttachmentRow], query: PageIn) -> Self:
        found = [AttachmentOut.of(row) for row in query.of(rows)]
        return cls(attachments=found, **query.told(len(rows)))


class FileNameIn(Taken):
    """The name of the file. Without it, it is that of the file which a form uploads."""

    name: Annotated[str, Field(min_length=1, max_length=200)] | None = None


async def _list_of_job(call: Call) -> Reply:
    """The job's own attachments, then those of its program."""
    await job_of(call, call.path["id"])
    rows = await call.door.ask(ListAttachments(job_id=call.path["id"]))
    return Reply(AttachmentsOut.page(rows, call.query))


async def _attach_to_job(call: Call) -> Reply:
    """Attach the bytes of the body, or those of the field `file` of a form: a PDF, PNG or JPEG.
    Bytes that the job has already answer 200 and the attachment that they are."""
    job_id = call.path["id"]
    await job_of(call, job_id)
    return await _attach(call, job_ids=(job_id,))


async def _list_of_program(call: Call) -> Reply:
    await _require_program(call)
    rows = await call.door.ask(ListAttachments(program=call.path["sha256"]))
    return Reply(AttachmentsOut.page(rows, call.query))


async def _attach_to_program(call: Call) -> Reply:
    """Attach a file as to a job, under all revisions of the program's name."""
    await _require_program(call)
    sha256 = call.path["sha256"]
    return await _attach(call, program=sha256)


async def _require_program(call: Call) -> None:
    if await call.door.ask(ProgramByHash(call.path["sha256"])) is None:
        raise not_found(f"program {call.path['sha256']}")


async def _attach(call: Call, **owner: Any) -> Reply:
    upload = await uploaded(call)
    rows = await call.door.execute(AttachFile(upload.name, upload.content, **owner))
    if not rows:
        raise not_found("attachment any more: it was removed")
    location = {"Location": f"/api/v1/attachments/{rows[0].id}/content"}
    return Reply(AttachmentOut.of(rows[0]), 201 if rows[0].created else 200, location)


async def _content(call: Call) -> Reply:
    """The bytes as they were attached."""
    found = await call.door.ask(AttachmentContent(call.path["id"]))
    if found is None:
        raise not_found(f"attachment {call.path['id']}")
    headers = {
        "Content-Disposition": _disposition(found.row.name),
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "X-Content-Type-Options": "nosniff",
    }
    return Reply(found.content, headers=headers, media_type=found.row.media_type)


def _disposition(name: str) -> str:
    """The name of a download (RFC 6266), once in ASCII for old clients."""
    plain = "".join(one if one.isascii() and one.isprintable() else "_" for one in name)
    plain = plain.replace("\\", "_").replace('"', "_")
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


async def _remove(call: Call) -> Reply:
    """Remove an attachment."""
    if await call.door.ask(AttachmentContent(call.path["id"])) is None:
        raise not_found(f"attachment {call.path['id']}")
    await call.door.execute(RemoveAttachment(call.path["id"]))
    return Reply(None, 204)


def _of(owner: str, called: str, attach: Any, show_list: Any) -> tuple[Route, Route]:
    path = f"{owner}/attachments"
    return (
        Route(
            "POST",
            path,
            f"Attach a file to a {called}",
            AttachFile,
            attach,
            {201: AttachmentOut, 200: AttachmentOut},
            query=FileNameIn,
            uploads=True,
            forms=True,
            creates=True,
            refuses=(404, 409),
        ),
        Route(
            "GET",
            path,
            f"List the attachments of a {called}",
            ListAttachments,
            show_list,
            {200: AttachmentsOut},
            query=PageIn,
            refuses=(404,),
        ),
    )


ROUTES: Sequence[Route] = (
    *_of("/jobs/{id}", "job", _attach_to_job, _list_of_job),
    *_of("/programs/{sha256}", "program", _attach_to_program, _list_of_program),
    Route(
        "GET",
        "/attachments/{id}/content",
        "Download an attachment",
        AttachmentContent,
        _content,
        {200: _MEDIA},
        refuses=(404,),
    ),
    Route(
        "DELETE",
        "/attachments/{id}",
        "Remove an attachment",
        RemoveAttachment,
        _remove,
        {204: None},
        refuses=(404, 409),
    ),
)
