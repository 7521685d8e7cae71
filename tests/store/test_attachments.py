"""Attachments are stored by content, and nothing of them outlives what they belong to."""

import hashlib

import pytest
from sqlalchemy import select

from cnc_station.engine.domain.actions import JobAction
from cnc_station.engine.domain.attachments import MOST_FILES, file_type
from cnc_station.engine.domain.errors import Conflict
from cnc_station.engine.domain.job import JobSpec
from cnc_station.engine.store.attachment_tables import (
    attachment,
    attachment_content,
    set_up_sheet,
)
from cnc_station.engine.store.attachments import (
    AttachToJobs,
    AttachToProgram,
    CheckedFile,
    CopyJob,
    RemoveAttachment,
)
from cnc_station.engine.store.jobs import CreateJobs
from cnc_station.engine.store.programs import AddProgram, KeptProgram
from cnc_station.engine.store.queries.attachments import attachments, sheet_of
from cnc_station.engine.store.queries.history import events
from cnc_station.engine.store.retention import DeleteFinishedJobs, DeleteUnusedPrograms
from cnc_station.engine.store.set_up_sheets import EditSetUpSheet
from tests.attached_files import PDF, png
from tests.store.shop import Shop

DAY_S = 86_400


def file(content: bytes = PDF, name: str = "drawing.pdf") -> CheckedFile:
    return CheckedFile(hashlib.sha256(content).hexdigest(), name, file_type(content), content)


async def program(shop: Shop, content: bytes, name: str = "flange.ngc") -> str:
    sha256 = hashlib.sha256(content).hexdigest()
    await shop.write(AddProgram(KeptProgram(sha256, name, content, 1, 5.0, ()), "anna"))
    return sha256


def stored(shop: Shop) -> list[int]:
    """How many attachments, contents and sheets there are."""
    tables = (attachment, attachment_content, set_up_sheet)
    found: list[int] = shop.database.read(
        lambda c: [len(c.execute(select(one)).all()) for one in tables]
    )
    return found


async def test_the_same_bytes_are_stored_once_and_attached_once(shop: Shop) -> None:
    first, second = await shop.job(), await shop.job()
    made = await shop.write(AttachToJobs((second, first), file(), "anna"))
    ids = [one for one, created in made if created]
    again = await shop.write(AttachToJobs((second,), file(name="again.pdf"), "bob"))
    assert again == ((ids[0], False),)
    assert stored(shop) == [2, 1, 0]
    (row,) = shop.database.read(lambda c: attachments(c, job_id=first))
    assert (row.id, row.name, row.size, row.added_by) == (ids[1], "drawing.pdf", len(PDF), "anna")
    told = shop.database.read(lambda c: events(c, job_id=second))
    assert [(e.type, e.actor, e.reason) for e in told[1:]] == [
        ("file_attached", "anna", "drawing.pdf")
    ]
    await shop.write(RemoveAttachment(ids[0], "bob"))
    assert stored(shop) == [1, 1, 0]
    await shop.write(RemoveAttachment(ids[1], "bob"))
    assert stored(shop) == [0, 0, 0]
    told = shop.database.read(lambda c: events(c, job_id=first))
    assert [(e.type, e.actor, e.reason) for e in told[2:]] == [
        ("file_removed", "bob", "drawing.pdf")
    ]
    with pytest.raises(Conflict, match="no attachment"):
        await shop.write(RemoveAttachment(ids[0], "bob"))


async def test_all_of_several_jobs_get_a_file_or_none(shop: Shop) -> None:
    job_id = await shop.job()
    with pytest.raises(Conflict, match="no job 99"):
        await shop.write(AttachToJobs((job_id, 99), file(), "anna"))
    for grey in range(MOST_FILES):
        await shop.write(AttachToJobs((job_id,), file(png(grey=grey), "photo.png"), "anna"))
    other = await shop.job()
    with pytest.raises(Conflict, match="as many as it may have"):
        await shop.write(AttachToJobs((other, job_id), file(), "anna"))
    assert stored(shop) == [MOST_FILES, MOST_FILES, 0]


async def test_a_deleted_or_expired_job_takes_its_files_along(shop: Shop) -> None:
    deleted, expired, kept = await shop.job(), await shop.job(), await shop.job()
    await shop.write(AttachToJobs((deleted, expired), file(), "anna"))
    await shop.write(AttachToJobs((expired, kept), file(png(), "photo.png"), "anna"))
    await shop.act(JobAction.DELETE, deleted)
    assert stored(shop) == [3, 2, 0]
    await shop.act(JobAction.CANCEL, expired)
    shop.later(2 * DAY_S)
    assert await shop.expire(DeleteFinishedJobs, 1) == 1
    assert stored(shop) == [1, 1, 0]
    (left,) = shop.database.read(lambda c: attachments(c, job_id=kept))
    assert left.name == "photo.png"


async def test_what_belongs_to_a_program_stays_for_its_revisions(shop: Shop) -> None:
    old = await program(shop, b"G0 X0\n")
    await shop.write(AttachToProgram(old, file(), "anna"))
    sheet = EditSetUpSheet(old, "soft jaws", {3: "6 mm"}, {}, True, 0, "anna")
    await shop.write(sheet)
    with pytest.raises(Conflict, match="changed by somebody else"):
        await shop.write(sheet)
    shop.later(2 * DAY_S)
    new = await program(shop, b"G0 X1\n")
    job_id = await shop.job(program=new)
    assert await shop.expire(DeleteUnusedPrograms, 1) == 1
    (row,) = shop.database.read(lambda c: attachments(c, job_id=job_id))
    assert (row.program, row.revision, row.job_id) == ("flange.ngc", 1, None)
    written = shop.database.read(lambda c: sheet_of(c, new))
    assert written is not None
    assert (written.notes, written.tools, written.first_part) == ("soft jaws", {3: "6 mm"}, True)
    await shop.act(JobAction.DELETE, job_id)
    shop.later(2 * DAY_S)
    assert await shop.expire(DeleteUnusedPrograms, 1) == 1
    assert stored(shop) == [0, 0, 0]


async def test_a_copied_job_has_the_files_of_the_first(shop: Shop) -> None:
    job_id = await shop.job()
    await shop.write(AttachToJobs((job_id,), file(), "anna"))
    create = CreateJobs((JobSpec("bracket", "mill"),), "bob")
    (copy,) = await shop.write(CopyJob(create, job_id))
    assert stored(shop) == [2, 1, 0]
    (row,) = shop.database.read(lambda c: attachments(c, job_id=copy))
    assert (row.name, row.added_by) == ("drawing.pdf", "bob")
    await shop.act(JobAction.DELETE, job_id)
    assert stored(shop) == [1, 1, 0]
