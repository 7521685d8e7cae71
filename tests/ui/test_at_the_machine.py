"""What a person does at a machine: confirms a set-up, says that it is done, decides."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from PySide6.QtWidgets import QPushButton

from cnc_station.engine.commands import ActOnJobs, AddMachine, AddProgram, ImportJobs, SubmitJobs
from cnc_station.engine.domain.actions import JobAction
from cnc_station.engine.domain.errors import Unavailable
from cnc_station.engine.domain.job import JobSpec
from cnc_station.engine.domain.states import JobState, MachineState
from cnc_station.engine.drivers.base import RunFailed
from cnc_station.engine.queries import LatestTelemetry, ListEvents
from cnc_station.engine.views import Doing
from cnc_station.ui.dialogs.finish import FinishDialog
from cnc_station.ui.dialogs.set_up import SetUpDialog
from cnc_station.ui.floor.activity_row import SideRow
from cnc_station.ui.floor.card_text import CardAction
from cnc_station.ui.pages.floor import FloorPage
from cnc_station.ui.set_up.notes import notes
from tests.ui.at_the_machine import comes_to, machine_comes_to, tap
from tests.ui.controller_fleet import (
    IDLE,
    LINUXCNC,
    LINUXCNC_ANSWERS,
    MTCONNECT,
    PROGRAM,
    WATCHED,
    WATCHES,
    Scripted,
    Shop,
    spec,
)
from tests.ui.real_engine import ME, Office, opened
from tests.until import until


@pytest.fixture
def mill() -> Scripted:
    return Scripted(IDLE, LINUXCNC_ANSWERS)


@pytest.fixture
def lathe() -> Scripted:
    return Scripted(IDLE, LINUXCNC_ANSWERS, abilities=WATCHES)


@pytest_asyncio.fixture
async def page(
    mill: Scripted, lathe: Scripted, office: Office, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[FloorPage]:
    Shop({"mill": mill, "lathe": lathe}).register(monkeypatch)
    async with opened(office, FloorPage(office.context)) as page:
        yield page
    for controller in (mill, lathe):
        if controller.cutting:
            controller.end()


async def set_up_waits(office: Office, **values: object) -> int:
    """A job at a mill whose set-ups a person confirms."""
    kept = await office.door.execute(AddProgram("bracket.ngc", PROGRAM.encode()))
    await office.door.execute(
        AddMachine(spec("Mill 1", LINUXCNC, "mill", "VF-2", operator_starts=True, **values))
    )
    made = JobSpec("Bracket", "mill", material="aluminium", quantity=4, program=kept.sha256)
    (job_id,) = await office.door.execute(SubmitJobs([made]))
    await comes_to(office, job_id, JobState.ASSIGNED)
    return job_id


async def test_a_set_up_is_ticked_off_line_by_line_before_anything_starts(
    office: Office, page: FloorPage, mill: Scripted
) -> None:
    job_id = await set_up_waits(office)
    await tap(page, CardAction.SET_UP)
    dialog = page.at_machine.dialog
    assert isinstance(dialog, SetUpDialog)
    assert {line.text(): line.found for line in dialog.rows} == {
        "Material": "aluminium",
        "Tools": "T1  D=50 FACE MILL\nT4  D=8 FLAT END MILL\nT7  D=5 DRILL",
        "Work offset": "G54",
        "Program": "bracket.ngc, revision 1",
        "Quantity": "4 parts",
        "Notes": "not stated",
    }
    for line in dialog.rows:
        assert not dialog.start.isEnabled()
        line.click()
    assert "start" not in mill.asked
    dialog.start.click()
    await comes_to(office, job_id, JobState.RUNNING)
    await until(lambda: page.at_machine.dialog is None)
    events = await office.door.ask(ListEvents(job_id=job_id))
    (started,) = [event for event in events if event.type == "started"]
    assert started.actor == ME.name
    assert started.reason.startswith("material aluminium; tools T1  D=50 FACE MILL + T4")
    assert office.said.done == ["Bracket: started"]


async def test_what_nobody_has_stated_is_not_said_to_stand_elsewhere(
    office: Office, page: FloorPage
) -> None:
    machine = spec("Mill 1", LINUXCNC, "mill", "VF-2", operator_starts=True)
    await office.door.execute(AddMachine(machine))
    kept = await office.door.execute(AddProgram("face.ngc", b"G21 G90\nG1 X10 F100\nM30\n"))
    await office.door.execute(SubmitJobs([JobSpec("Face", "mill", program=kept.sha256)]))
    await tap(page, CardAction.SET_UP)
    dialog = page.at_machine.dialog
    assert isinstance(dialog, SetUpDialog)
    found = {line.text(): line.found for line in dialog.rows}
    assert [found[name] for name in ("Notes", "Material", "Tools")] == ["not stated"] * 3
    assert "set-up sheet" not in " ".join(found.values())
    cancel = next(b for b in dialog.findChildren(QPushButton) if b.text() == "Cancel")
    cancel.click()
    await until(lambda: page.at_machine.dialog is None)


async def test_the_notes_of_an_imported_job_reach_the_person_at_the_machine(
    office: Office, page: FloorPage
) -> None:
    machine = spec("Mill 1", LINUXCNC, "mill", "VF-2", operator_starts=True)
    await office.door.execute(AddMachine(machine))
    table = b"Part,Machine type,Remarks\nFlange,mill,Deburr the bore by hand\n"
    await office.door.execute(ImportJobs("jobs.csv", table, None))
    await tap(page, CardAction.SET_UP)
    dialog = page.at_machine.dialog
    assert isinstance(dialog, SetUpDialog)
    assert dialog.rows[0].found == "Deburr the bore by hand"
    dialog.reject()
    await until(lambda: page.at_machine.dialog is None)


@pytest.mark.parametrize(
    ("payload", "shown"),
    [
        ({"Remark": " clamp low ", "drawing": "D-12"}, "clamp low"),
        ({"notes": ["clamp low", "deburr"]}, "clamp low\ndeburr"),
        ({"description": "Flange", "notes": "deburr"}, "deburr\nFlange"),
        ({"note": None, "drawing": "D-12"}, ""),
    ],
)
def test_what_a_job_carries_as_notes_is_shown_as_notes(
    payload: dict[str, object], shown: str
) -> None:
    assert notes("", "", payload) == shown


async def test_putting_it_aside_pauses_the_job_and_frees_the_machine(
    office: Office, page: FloorPage, mill: Scripted
) -> None:
    job_id = await set_up_waits(office)
    page.at_machine.set_up(job_id)
    await until(lambda: page.at_machine.dialog)
    dialog = page.at_machine.dialog
    assert isinstance(dialog, SetUpDialog)
    assert dialog.aside.text() == "Put aside"
    dialog.aside.click()
    await comes_to(office, job_id, JobState.PAUSED)
    await machine_comes_to(office, MachineState.IDLE)
    assert "start" not in mill.asked


async def test_a_set_up_that_somebody_else_confirmed_is_not_asked_for_any_more(
    office: Office, page: FloorPage
) -> None:
    job_id = await set_up_waits(office)
    await tap(page, CardAction.SET_UP)
    await office.door.execute(ActOnJobs(JobAction.START, [job_id]))
    await until(lambda: page.at_machine.dialog is None)
    await comes_to(office, job_id, JobState.RUNNING)


async def test_a_machine_that_is_only_watched_is_started_and_finished_by_word(
    office: Office, page: FloorPage, lathe: Scripted
) -> None:
    lathe_id = await office.door.execute(AddMachine(spec("Lathe 1", MTCONNECT, "lathe", "ST-10")))
    (job_id,) = await office.door.execute(SubmitJobs([JobSpec("Shaft", "lathe", quantity=40)]))
    await tap(page, CardAction.SET_UP)
    start = page.at_machine.dialog
    assert isinstance(start, SetUpDialog)
    assert start.start.text() == "I have started it at the panel"
    assert not any(line.isCheckable() for line in start.rows)
    start.start.click()
    await comes_to(office, job_id, JobState.RUNNING)
    lathe.says(WATCHED)
    await until(lambda: page.at_machine.dialog is None)
    await until(lambda: office.door.peek(LatestTelemetry(lathe_id)))
    await tap(page, CardAction.FINISH)
    finish = page.at_machine.dialog
    assert isinstance(finish, FinishDialog)
    assert finish.facts.pairs()["Its part counter"] == "37"
    assert finish.facts.pairs()["Wanted"] == "40 parts"
    assert finish.facts.pairs()["In hand"] == "part 1 of 40"
    finish.finish.click()
    await comes_to(office, job_id, JobState.COMPLETED)


async def test_a_watched_machine_offers_nothing_that_only_its_own_panel_can_do(
    office: Office, page: FloorPage, lathe: Scripted
) -> None:
    await office.door.execute(AddMachine(spec("Lathe 1", MTCONNECT, "lathe", "ST-10")))
    (job_id,) = await office.door.execute(SubmitJobs([JobSpec("Shaft", "lathe")]))
    await comes_to(office, job_id, JobState.ASSIGNED)
    await office.door.execute(ActOnJobs(JobAction.START, [job_id]))
    await comes_to(office, job_id, JobState.RUNNING)
    await until(lambda: lathe.cutting)
    lathe.does(Doing.HELD, "FEED_HOLD")
    await machine_comes_to(office, MachineState.HELD)
    await until(lambda: needed(page) == {"Lathe 1: held": ""})
    (note,) = (row.words.note for row in page.side.needs.rows.values())
    assert note.endswith("go on at its own panel: Shaft: FEED_HOLD")
    assert [card.words.remedies for card in page.column.cards.values()] == [(CardAction.DETAILS,)]

    lathe.end(RunFailed("spindle overload", alarm=True))
    await machine_comes_to(office, MachineState.ALARM)
    await until(lambda: needed(page).get("Lathe 1: alarm") == "")
    (card,) = page.column.cards.values()
    assert card.words.foot == "Clear it at the machine's own panel."
    assert card.words.remedies == (CardAction.DETAILS,)


def needed(page: FloorPage) -> dict[str, str]:
    """What needs a person, each with the word on its button."""
    rows = page.side.needs.rows.values()
    return {row.words.title: row.words.remedy for row in rows}


async def test_who_has_to_decide_is_led_to_what_is_known(
    office: Office, page: FloorPage, mill: Scripted
) -> None:
    await office.door.execute(AddMachine(spec("Mill 1", LINUXCNC, "mill", "VF-2")))
    (job_id,) = await office.door.execute(SubmitJobs([JobSpec("Jig base", "mill")]))
    await comes_to(office, job_id, JobState.RUNNING)
    await until(lambda: mill.cutting)
    mill.end(Unavailable("gone"))
    await comes_to(office, job_id, JobState.INTERRUPTED)

    def decide() -> SideRow | None:
        rows = page.side.needs.rows.values()
        return next((row for row in rows if row.words.remedy == "Decide…"), None)

    await until(decide)
    found = decide()
    assert found is not None
    assert found.remedy is not None
    found.remedy.click()
    assert office.went.to == [("attention", job_id)]
