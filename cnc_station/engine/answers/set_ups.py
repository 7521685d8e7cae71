"""Answers about attachments and set-up sheets."""

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import fields
from functools import partial

from cnc_station.engine import commands, queries
from cnc_station.engine.answers.context import AnswerContext
from cnc_station.engine.domain.admission import DEFAULT, text_faults
from cnc_station.engine.domain.attachments import file_type, named
from cnc_station.engine.domain.checks import MOST_ID
from cnc_station.engine.domain.errors import Conflict, FieldError, InvalidInput
from cnc_station.engine.store import set_up_sheets
from cnc_station.engine.store.attachments import (
    AttachToJobs,
    AttachToProgram,
    CheckedFile,
    RemoveAttachment,
)
from cnc_station.engine.store.queries import attachments
from cnc_station.engine.views.attachments import (
    AddedAttachment,
    AttachedFile,
    AttachmentRow,
    SetUpSheet,
)

MOST_LINES = 500  # tools or work offsets that a person writes about


def checked_file(name: str, content: bytes) -> CheckedFile:
    """Return a file ready to be attached. Takes up to 0.1 s: call it on a thread. Raises
    InvalidInput."""
    found = file_type(content)
    return CheckedFile(hashlib.sha256(content).hexdigest(), named(name, found.kind), found, content)


async def attach_file(
    context: AnswerContext, command: commands.AttachFile, actor: str
) -> tuple[AddedAttachment, ...]:
    """See `AttachFile`."""
    ids = tuple(dict.fromkeys(command.job_ids))
    if bool(ids) is (command.program is not None):
        raise InvalidInput(FieldError("job_ids", "name either jobs or a program"))
    if len(ids) > commands.MOST_IN_BATCH:
        raise InvalidInput(FieldError("job_ids", f"at most {commands.MOST_IN_BATCH} at once"))
    _refuse_shop_wide(context, command.program)
    file = await context.reader.work(partial(checked_file, command.name, command.content))
    attach: AttachToJobs | AttachToProgram = AttachToJobs(ids, file, actor)
    if command.program is not None:
        attach = AttachToProgram(command.program, file, actor)
    made = await context.writer.write(attach)
    found = partial(attachments.attachments, ids=tuple(one for one, _ in made))
    by_id = {row.id: row for row in await context.reader.read(found)}
    names = [field.name for field in fields(AttachmentRow)]
    return tuple(
        AddedAttachment(**{name: getattr(by_id[one], name) for name in names}, created=created)
        for one, created in made
        if one in by_id
    )


async def remove_attachment(
    context: AnswerContext, command: commands.RemoveAttachment, actor: str
) -> None:
    """See `RemoveAttachment`."""
    ids = (command.attachment_id,) if 0 < command.attachment_id <= MOST_ID else ()
    if not await context.reader.read(partial(attachments.attachments, ids=ids)):
        raise Conflict(f"There is no attachment {command.attachment_id}.")
    await context.writer.write(RemoveAttachment(command.attachment_id, actor))


async def edit_set_up_sheet(
    context: AnswerContext, command: commands.EditSetUpSheet, actor: str
) -> None:
    """See `EditSetUpSheet`."""
    _refuse_shop_wide(context, command.program)
    tools = {number: _line("tools", text) for number, text in command.tools.items()}
    offsets = {
        _line("work_offsets", name): _line("work_offsets", text)
        for name, text in command.work_offsets.items()
    }
    _refuse_many({"tools": tools, "work_offsets": offsets})
    await context.writer.write(
        set_up_sheets.EditSetUpSheet(
            command.program,
            command.notes,
            {number: text for number, text in tools.items() if text},
            {name: text for name, text in offsets.items() if text},
            command.first_part,
            command.version,
            actor,
        )
    )


async def check_first_part(
    context: AnswerContext, command: commands.CheckFirstPart, actor: str
) -> None:
    """See `CheckFirstPart`."""
    await context.writer.write(set_up_sheets.CheckFirstPart(command.job_id, actor, command.reason))


async def list_attachments(
    context: AnswerContext, query: queries.ListAttachments
) -> tuple[AttachmentRow, ...]:
    """See `ListAttachments`."""
    if query.job_id is not None and not 0 < query.job_id <= MOST_ID:
        return ()
    listed = partial(attachments.attachments, job_id=query.job_id, sha256=query.program)
    return await context.reader.read(listed)


async def attachment_content(
    context: AnswerContext, query: queries.AttachmentContent
) -> AttachedFile | None:
    """See `AttachmentContent`."""
    if not 0 < query.attachment_id <= MOST_ID:
        return None
    found = partial(attachments.attached_file, attachment_id=query.attachment_id)
    return await context.reader.read(found)


async def set_up_sheet_of(context: AnswerContext, query: queries.SetUpSheetOf) -> SetUpSheet | None:
    """See `SetUpSheetOf`."""
    return await context.reader.read(partial(attachments.sheet_of, sha256=query.program))


def _refuse_shop_wide(context: AnswerContext, program: str | None) -> None:
    """A program is used for all tenants; what is added to it is not seen by one alone."""
    if program is not None and context.tenants is not None:
        words = "belongs to the whole shop: attach the file to the job"
        raise InvalidInput(FieldError("program", words))


def _line(field: str, text: str) -> str:
    if faults := tuple(text_faults(field, text, DEFAULT)):
        raise InvalidInput(*faults)
    return text.strip()


def _refuse_many(found: Mapping[str, Collection[object]]) -> None:
    for field, lines in found.items():
        if len(lines) > MOST_LINES:
            raise InvalidInput(FieldError(field, f"at most {MOST_LINES}"))
