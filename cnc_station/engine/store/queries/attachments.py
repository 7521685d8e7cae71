"""Attachments and set-up sheets, as they are shown."""

from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, false, select

from cnc_station.engine.domain import json_text
from cnc_station.engine.domain.attachments import AttachmentKind
from cnc_station.engine.store.attachment_tables import (
    attachment,
    attachment_content,
    set_up_sheet,
)
from cnc_station.engine.store.schema import job, program
from cnc_station.engine.views.attachments import AttachedFile, AttachmentRow, SetUpSheet

_OWN = tuple(column for column in attachment.c)
_OF_CONTENT = ("kind", "size", "width", "height")
_ROWS = select(*_OWN, *(attachment_content.c[name] for name in _OF_CONTENT)).join_from(
    attachment, attachment_content, attachment_content.c.sha256 == attachment.c.sha256
)


def attachments(
    connection: Connection,
    *,
    job_id: int | None = None,
    sha256: str | None = None,
    ids: tuple[int, ...] = (),
) -> tuple[AttachmentRow, ...]:
    """What is attached to a job and its program, or to a program; or these attachments."""
    chosen: ColumnElement[bool] = attachment.c.id.in_(ids) if ids else false()
    if job_id is not None:
        sha256 = connection.execute(select(job.c.program).where(job.c.id == job_id)).scalar()
        chosen |= attachment.c.job_id == job_id
    if sha256 is not None:
        name = select(program.c.name).where(program.c.sha256 == sha256).scalar_subquery()
        chosen |= attachment.c.program == name
    rows = connection.execute(_ROWS.where(chosen).order_by(attachment.c.id)).all()
    found = [_row_of(row) for row in rows]
    return tuple(sorted(found, key=lambda row: row.job_id is None))


def attached_file(connection: Connection, attachment_id: int) -> AttachedFile | None:
    """An attachment with its bytes."""
    query = _ROWS.add_columns(attachment_content.c.content).where(attachment.c.id == attachment_id)
    row = connection.execute(query).one_or_none()
    return None if row is None else AttachedFile(_row_of(row), row.content)


def sheet_of(connection: Connection, sha256: str) -> SetUpSheet | None:
    """The set-up sheet of a program; an empty one before anybody wrote anything."""
    query = select(program.c.name).where(program.c.sha256 == sha256)
    name: str | None = connection.execute(query).scalar()
    if name is None:
        return None
    row = connection.execute(
        select(set_up_sheet).where(set_up_sheet.c.program == name)
    ).one_or_none()
    if row is None:
        return SetUpSheet(name)
    tools = json_text.stored_object(row.tools)
    return SetUpSheet(
        program=name,
        version=row.version,
        notes=row.notes,
        tools={int(number): text for number, text in tools.items()},
        work_offsets=json_text.stored_object(row.work_offsets),
        first_part=row.first_part,
        edited_at=row.edited_at,
        edited_by=row.edited_by,
    )


def _row_of(row: Row[Any]) -> AttachmentRow:
    names = (*(column.name for column in _OWN), *_OF_CONTENT[1:])
    values = {name: getattr(row, name) for name in names}
    return AttachmentRow(kind=AttachmentKind(row.kind), **values)
