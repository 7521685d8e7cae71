"""Attach files to jobs and programs, and remove them. The same bytes are stored once."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Row, delete, exists, func, insert, select

from cnc_station.engine.domain import transitions as t
from cnc_station.engine.domain.attachments import MOST_FILES, FileType
from cnc_station.engine.domain.errors import Conflict
from cnc_station.engine.domain.states import JobState
from cnc_station.engine.store.attachment_tables import (
    attachment,
    attachment_content,
    set_up_sheet,
)
from cnc_station.engine.store.jobs import CreateJobs
from cnc_station.engine.store.schema import job, program
from cnc_station.engine.store.transaction import OneByOne, Tx

Attached = tuple[tuple[int, bool], ...]
"""The ids of the attachments in order, each with whether it is new."""


@dataclass(frozen=True, slots=True)
class CheckedFile:
    """A file that may be attached, ready to be stored."""

    sha256: str
    name: str
    type: FileType
    content: bytes


@dataclass(frozen=True, slots=True)
class AttachToJobs(OneByOne[Attached]):
    """Attach a file to jobs, to all or none. A job that has the same bytes already keeps its
    attachment. Raises Conflict."""

    job_ids: tuple[int, ...]
    file: CheckedFile
    actor: str

    @property
    def touches(self) -> Sequence[Hashable]:
        return (*(("job", job_id) for job_id in self.job_ids), ("file", self.file.sha256))

    def write(self, tx: Tx) -> Attached:
        rows = [_locked_job(tx, job_id) for job_id in sorted(self.job_ids)]
        ids: dict[int, tuple[int, bool]] = {}
        new: list[Row[Any]] = []
        for row in rows:
            own = attachment.c.job_id == row.id
            if (found := _stored(tx, own, self.file.sha256)) is not None:
                ids[row.id] = (found, False)
            else:
                _refuse_too_many(tx, own, row.name)
                new.append(row)
        for row in new:
            ids[row.id] = (_insert(tx, self.file, self.actor, job_id=row.id), True)
            _record(tx, t.FILE_ATTACHED, row, self.actor, self.file.name)
        return tuple(ids[job_id] for job_id in self.job_ids)


@dataclass(frozen=True, slots=True)
class AttachToProgram(OneByOne[Attached]):
    """Attach a file to the program that has these bytes, under all revisions of its name, as
    `AttachToJobs`. Raises Conflict."""

    sha256: str
    file: CheckedFile
    actor: str

    @property
    def touches(self) -> Sequence[Hashable]:
        return (("program", self.sha256), ("file", self.file.sha256))

    def write(self, tx: Tx) -> Attached:
        name = locked_program(tx, self.sha256)
        of_program = attachment.c.program == name
        found = _stored(tx, of_program, self.file.sha256)
        created = found is None
        if found is None:
            _refuse_too_many(tx, of_program, name)
            newest = select(func.max(program.c.revision)).where(program.c.name == name)
            revision = tx.connection.execute(newest).scalar_one()
            found = _insert(tx, self.file, self.actor, program=name, revision=revision)
            said = f"{name}: {self.file.name} attached"
            tx.record(t.SET_UP_SHEET_CHANGED, actor=self.actor, reason=said)
        return ((found, created),)


@dataclass(frozen=True, slots=True)
class RemoveAttachment(OneByOne[None]):
    """Remove an attachment; the bytes go with the last one that has them. Raises Conflict."""

    attachment_id: int
    actor: str

    @property
    def touches(self) -> None:
        """It is known later which job it belongs to."""
        return

    def write(self, tx: Tx) -> None:
        query = select(attachment).where(attachment.c.id == self.attachment_id).with_for_update()
        row = tx.connection.execute(query).one_or_none()
        if row is None:
            raise Conflict(f"There is no attachment {self.attachment_id}.")
        if row.job_id is None:
            said = f"{row.program}: {row.name} removed"
            tx.record(t.SET_UP_SHEET_CHANGED, actor=self.actor, reason=said)
        else:
            _record(tx, t.FILE_REMOVED, _locked_job(tx, row.job_id), self.actor, row.name)
        delete_attachments(tx, attachment.c.id == row.id)


@dataclass(frozen=True, slots=True)
class CopyJob(OneByOne[tuple[int, ...]]):
    """Create one job with the attachments of another. See `CreateJobs`."""

    create: CreateJobs
    source_id: int

    @property
    def touches(self) -> Sequence[Hashable]:
        return (*self.create.touches, ("job", self.source_id))

    def write(self, tx: Tx) -> tuple[int, ...]:
        (made,) = CreateJobs.apply(tx, [self.create])
        if isinstance(made, Exception):
            raise made
        of_source = select(attachment).where(attachment.c.job_id == self.source_id)
        files = tx.connection.execute(of_source.order_by(attachment.c.id)).all()
        if files:
            tx.flush()
            row = _locked_job(tx, made[0])
        for file in files:
            _lock_contents(tx, (file.sha256,))
            values = {**file._mapping, "job_id": row.id, "added_at": tx.now}  # noqa: SLF001
            values |= {"added_by": self.create.actor}
            del values["id"]
            tx.connection.execute(insert(attachment).values(values))
            _record(tx, t.FILE_ATTACHED, row, self.create.actor, file.name)
        return made


def delete_attachments(tx: Tx, chosen: ColumnElement[bool]) -> None:
    """Delete attachments, and contents that nothing is attached with any more."""
    removed = delete(attachment).where(chosen).returning(attachment.c.sha256)
    contents = sorted(set(tx.connection.execute(removed).scalars()))
    if not contents:
        return
    _lock_contents(tx, contents)  # whoever attaches one meanwhile is waited for, or waits
    used = exists().where(attachment.c.sha256 == attachment_content.c.sha256)
    chosen = attachment_content.c.sha256.in_(contents)
    tx.connection.execute(delete(attachment_content).where(chosen, ~used))


def delete_of_programs(tx: Tx, names: Sequence[str]) -> None:
    """Delete the attachments and sheets of the names that no program has any more."""
    left = select(program.c.name).where(program.c.name.in_(names))
    gone = sorted(set(names) - set(tx.connection.execute(left).scalars()))
    if gone:
        delete_attachments(tx, attachment.c.program.in_(gone))
        tx.connection.execute(delete(set_up_sheet).where(set_up_sheet.c.program.in_(gone)))


def locked_program(tx: Tx, sha256: str) -> str:
    """Return the name of a program, which is not deleted before the transaction ends. Raises
    Conflict."""
    query = select(program.c.name).where(program.c.sha256 == sha256).with_for_update()
    name: str | None = tx.connection.execute(query).scalar()
    if name is None:
        raise Conflict(f"There is no program {sha256[:12]}.")
    return name


def _locked_job(tx: Tx, job_id: int) -> Any:
    columns = (job.c.id, job.c.name, job.c.state, job.c.tenant, job.c.trace_id)
    query = select(*columns).where(job.c.id == job_id).with_for_update()
    row = tx.connection.execute(query).one_or_none()
    if row is None:
        raise Conflict(f"There is no job {job_id}.")
    return row


def _stored(tx: Tx, owner: ColumnElement[bool], sha256: str) -> int | None:
    query = select(attachment.c.id).where(owner, attachment.c.sha256 == sha256)
    found: int | None = tx.connection.execute(query).scalar()
    return found


def _refuse_too_many(tx: Tx, owner: ColumnElement[bool], name: str) -> None:
    count = tx.connection.execute(select(func.count()).where(owner)).scalar_one()
    if count >= MOST_FILES:
        raise Conflict(f"{name} has {count} attachments, as many as it may have. Remove one first.")


def _insert(tx: Tx, file: CheckedFile, actor: str, **owner: Any) -> int:
    if not _lock_contents(tx, (file.sha256,)):
        content = {
            "sha256": file.sha256,
            "kind": file.type.kind.value,
            "width": file.type.width,
            "height": file.type.height,
            "size": len(file.content),
            "content": file.content,
        }
        tx.connection.execute(insert(attachment_content).values(content))
    row = {"sha256": file.sha256, "name": file.name, "added_at": tx.now, "added_by": actor}
    made = insert(attachment).values(row | owner).returning(attachment.c.id)
    found: int = tx.connection.execute(made).scalar_one()
    return found


def _lock_contents(tx: Tx, contents: Sequence[str]) -> Sequence[str]:
    """Return those that are stored; none of them is deleted or attached by another station until
    the transaction ends."""
    query = select(attachment_content.c.sha256).where(attachment_content.c.sha256.in_(contents))
    ordered = query.order_by(attachment_content.c.sha256).with_for_update()
    return tx.connection.execute(ordered).scalars().all()


def _record(tx: Tx, event: t.Transition, row: Row[Any], actor: str, name: str) -> None:
    tx.record(
        event,
        actor=actor,
        job_id=row.id,
        job_state=JobState(row.state),
        trace_id=row.trace_id,
        reason=name,
        tenant=row.tenant,
    )
