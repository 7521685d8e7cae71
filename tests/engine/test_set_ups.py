"""Attachments and set-up sheets through the door."""

from dataclasses import replace

import pytest

from cnc_station.config import Config
from cnc_station.engine.commands import (
    ActOnJobs,
    AddProgram,
    AttachFile,
    CheckFirstPart,
    DuplicateJob,
    EditSetUpSheet,
    RemoveAttachment,
)
from cnc_station.engine.domain.actions import JobAction
from cnc_station.engine.domain.attachments import AttachmentKind
from cnc_station.engine.domain.errors import Conflict, InvalidInput, NotPermitted
from cnc_station.engine.domain.principal import Principal, Role
from cnc_station.engine.domain.states import JobState
from cnc_station.engine.door import Door
from cnc_station.engine.queries import (
    AttachmentContent,
    ListAttachments,
    ListEvents,
    SetUpSheetOf,
)
from tests.attached_files import PDF, png
from tests.engine.conftest import Station
from tests.engine.floor import Controller, FloorOf

PROGRAM = b"G21 G90\nT3 M6\nG54 G0 X0 Y0 Z5\nG1 Z-1 F100\nM30\n"


@pytest.fixture(params=["sqlite", "postgres"])
def settings(request: pytest.FixtureRequest, config: Config) -> Config:
    if request.param == "sqlite":
        return config
    return replace(config, database_url=request.getfixturevalue("shop_url"))


@pytest.fixture
async def floor(settings: Config, station: Station, controller: Controller) -> FloorOf:  # noqa: ARG001 - its driver
    return await station(settings)


def limited(floor: FloorOf, role: Role = Role.OPERATOR, tenant: str = "acme") -> Door:
    return floor.engine.door(Principal("ann", frozenset({role}), frozenset({tenant})))


async def test_a_job_shows_its_files_and_those_of_its_program(floor: FloorOf) -> None:
    program = (await floor.door.execute(AddProgram("flange.ngc", PROGRAM))).sha256
    job_id = await floor.job(program=program)
    (sheet,) = await floor.door.execute(AttachFile("sheet", PDF, program=program))
    (photo,) = await floor.door.execute(AttachFile("vice.PNG", png(40, 30), [job_id, job_id]))
    assert (sheet.name, sheet.kind, sheet.job_id, sheet.program) == (
        *("sheet.pdf", AttachmentKind.PDF, None),
        "flange.ngc",
    )
    assert (photo.width, photo.height, photo.job_id) == (40, 30, job_id)
    listed = await floor.door.ask(ListAttachments(job_id=job_id))
    assert [row.id for row in listed] == [photo.id, sheet.id]
    assert await floor.door.ask(ListAttachments(program=program)) == listed[1:]
    found = await floor.door.ask(AttachmentContent(sheet.id))
    assert found is not None
    assert (found.row, found.content) == (listed[1], PDF)
    copy = await floor.door.execute(DuplicateJob(job_id))
    assert len(await floor.door.ask(ListAttachments(job_id=copy))) == 2
    await floor.door.execute(RemoveAttachment(photo.id))
    assert await floor.door.ask(ListAttachments(job_id=job_id)) == listed[1:]
    assert await floor.door.ask(AttachmentContent(photo.id)) is None


async def test_another_tenants_files_do_not_exist(floor: FloorOf) -> None:
    program = (await floor.door.execute(AddProgram("flange.ngc", PROGRAM))).sha256
    own = await floor.job(program=program, tenant="acme")
    foreign = await floor.job(program=program, tenant="other")
    await floor.door.execute(AttachFile("of the shop", png(), program=program))
    await floor.door.execute(EditSetUpSheet(program, "of the shop"))
    (secret,) = await floor.door.execute(AttachFile("secret", PDF, [foreign]))
    acme = limited(floor)
    (mine,) = await acme.execute(AttachFile("mine", PDF, [own]))  # the same bytes
    assert [row.id for row in await acme.ask(ListAttachments(job_id=own))] == [mine.id]
    assert await acme.ask(ListAttachments(job_id=foreign)) == ()
    assert await acme.ask(ListAttachments(program=program)) == ()
    assert await acme.ask(AttachmentContent(secret.id)) is None
    for command in (
        AttachFile("mine", PDF, [own, foreign]),
        RemoveAttachment(secret.id),
        CheckFirstPart(foreign),
    ):
        with pytest.raises(Conflict, match="There is no"):
            await acme.execute(command)
    for refused in (AttachFile("a", PDF, program=program), EditSetUpSheet(program, "mine", {}, {})):
        with pytest.raises(InvalidInput, match="whole shop"):
            await acme.execute(refused)
    sheet = await acme.ask(SetUpSheetOf(program))
    assert sheet is not None
    assert sheet.notes == ""
    assert "shop" not in repr(await acme.ask(ListEvents()))
    assert "secret" not in repr(await acme.ask(ListEvents()))
    assert len(await floor.door.ask(ListAttachments(job_id=foreign))) == 2


async def test_what_is_not_a_file_or_has_no_place_is_refused(floor: FloorOf) -> None:
    job_id = await floor.job()
    for command in (
        AttachFile("notes.txt", b"plain words", [job_id]),
        AttachFile("drawing.pdf", PDF),
        AttachFile("drawing.pdf", PDF, [job_id], program="0" * 64),
        EditSetUpSheet("0" * 64, tools={1: "x" * 500}),
    ):
        with pytest.raises(InvalidInput):
            await floor.door.execute(command)
    for missing in (AttachFile("drawing.pdf", PDF, program="0" * 64), EditSetUpSheet("0" * 64)):
        with pytest.raises(Conflict, match="no program"):
            await floor.door.execute(missing)
    viewer = floor.engine.door(Principal("eve", frozenset({Role.VIEWER}), None))
    with pytest.raises(NotPermitted):
        await viewer.execute(AttachFile("drawing.pdf", PDF, [job_id]))
    assert await viewer.ask(ListAttachments(job_id=job_id)) == ()


async def test_the_first_part_is_checked_once_a_run(floor: FloorOf) -> None:
    await floor.mill(driver="scripted")
    job_id = await floor.job()
    waiting = await floor.job()
    await floor.comes_to(job_id, JobState.RUNNING)
    await floor.door.execute(CheckFirstPart(job_id, "bore 20.01"))
    await floor.door.execute(CheckFirstPart(job_id))
    told = await floor.door.ask(ListEvents(job_id=job_id, types=frozenset({"first_part_checked"})))
    assert [(event.reason, event.job_state) for event in told] == [("bore 20.01", JobState.RUNNING)]
    with pytest.raises(Conflict, match="while it runs"):
        await floor.door.execute(CheckFirstPart(waiting))
    await floor.door.execute(ActOnJobs(JobAction.CANCEL, [waiting]))
