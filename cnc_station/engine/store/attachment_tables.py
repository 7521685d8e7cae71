"""The tables of attachments and set-up sheets.

An attachment belongs to a job, or to a program under all its revisions: then `revision` is the one
that was the newest when it was added. The bytes of a file are stored once, however often it is
attached.
"""

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    text,
)

from cnc_station.engine.store.schema import Id, Time, metadata

attachment_content = Table(
    "attachment_content",
    metadata,
    Column("sha256", String(64), primary_key=True),
    Column("kind", Text, nullable=False),
    Column("width", Integer),
    Column("height", Integer),
    Column("size", Integer, nullable=False),
    Column("content", LargeBinary, nullable=False),  # last: lists do not read it
)

attachment = Table(
    "attachment",
    metadata,
    Column("id", Id, primary_key=True),
    Column("job_id", Id, ForeignKey("job.id")),
    Column("program", Text),  # a name
    Column("revision", Integer),
    Column("sha256", String(64), ForeignKey("attachment_content.sha256"), nullable=False),
    Column("name", Text, nullable=False),
    Column("added_at", Time, nullable=False),
    Column("added_by", Text, nullable=False),
    sqlite_autoincrement=True,
)
for _name, _owner in (("job_id", attachment.c.job_id), ("program", attachment.c.program)):
    _owned = text(f"{_name} IS NOT NULL")
    Index(
        f"attachment_{_name}",
        *(_owner, attachment.c.sha256),
        unique=True,
        sqlite_where=_owned,
        postgresql_where=_owned,
    )
Index("attachment_sha256", attachment.c.sha256)

set_up_sheet = Table(
    "set_up_sheet",
    metadata,
    Column("program", Text, primary_key=True),  # a name
    Column("version", Integer, nullable=False),
    Column("notes", Text, nullable=False),
    Column("tools", Text, nullable=False),
    Column("work_offsets", Text, nullable=False),
    Column("first_part", Boolean, nullable=False),
    Column("edited_at", Time, nullable=False),
    Column("edited_by", Text, nullable=False),
)
