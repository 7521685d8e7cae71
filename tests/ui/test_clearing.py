"""What a person says when a machine is cleared: how many parts are good, and why the others are
not."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from cnc_station.engine.commands import ActOnJobs, ActOnMachine, AddMachine, SubmitJobs
from cnc_station.engine.domain.actions import JobAction, MachineAction
from cnc_station.engine.domain.job import JobSpec
from cnc_station.engine.domain.states import JobState, MachineState
from cnc_station.engine.drivers.base import RunFailed
from cnc_station.engine.queries import ListEvents, ListMachines, ListRuns
from cnc_station.engine.views import RunRow
from cnc_station.ui.dialogs.clearing import ClearingDialog
from cnc_station.ui.floor.card_text import CardAction
from cnc_station.ui.models.job_text import run_entries
from cnc_station.ui.pages.floor import FloorPage
from tests.ui.at_the_machine import comes_to, machine_comes_to, tap
from tests.ui.controller_fleet import IDLE, LINUXCNC, LINUXCNC_ANSWERS, Scripted, Shop, spec
from tests.ui.real_engine import Office, opened
from tests.until import until


@pytest.fixture
def mill() -> Scripted:
    return Scripted(IDLE, LINUXCNC_ANSWERS)


@pytest_asyncio.fixture
async def page(
    mill: Scripted, office: Office, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[FloorPage]:
    Shop({"mill": mill}).register(monkeypatch)
    async with opened(office, FloorPage(office.context)) as page:
        yield page


async def made_one(
    office: Office, mill: Scripted, error: Exception | None = None, *, parts: int = 1
) -> int:
    """A mill that has made something, or tried to, and waits to be cleared."""
    await office.door.execute(
        AddMachine(spec("Mill 1", LINUXCNC, "mill", "VF-2", operator_clears=True))
    )
    made = JobSpec("Jig base", "mill", quantity=parts, retry_limit=0)
    (job_id,) = await office.door.execute(SubmitJobs([made]))
    await comes_to(office, job_id, JobState.RUNNING)
    for _ in range(parts - 1):
        await until(lambda: mill.cutting)
        mill.end()
        await comes_to(office, job_id, JobState.HELD)  # for the next blank
        await office.door.execute(ActOnJobs(JobAction.CONTINUE, [job_id]))
        await comes_to(office, job_id, JobState.RUNNING)
    await until(lambda: mill.cutting)
    mill.end(error)
    await machine_comes_to(office, MachineState.NEEDS_CLEARING)
    return job_id


async def begun(page: FloorPage) -> ClearingDialog:
    await tap(page, CardAction.CLEAR)
    dialog = page.at_machine.dialog
    assert isinstance(dialog, ClearingDialog)
    return dialog


async def last_run(office: Office, job_id: int) -> RunRow:
    return (await office.door.ask(ListRuns(job_id=job_id)))[-1]


async def test_clearing_after_a_good_run_is_one_tap_with_all_parts_good(
    office: Office, page: FloorPage, mill: Scripted
) -> None:
    job_id = await made_one(office, mill)
    dialog = await begun(page)
    assert (dialog.good.value, dialog.scrap.value) == (1, 0)
    dialog.clear.click()
    await machine_comes_to(office, MachineState.IDLE)
    run = await last_run(office, job_id)
    assert (run.good, run.scrap) == (1, 0)


async def test_a_run_that_failed_proposes_a_scrapped_part_and_its_own_reason(
    office: Office, page: FloorPage, mill: Scripted
) -> None:
    job_id = await made_one(office, mill, RunFailed("tool 4 broke"))
    dialog = await begun(page)
    assert (dialog.good.value, dialog.scrap.value) == (0, 1)
    assert dialog.reason.text() == "tool 4 broke"
    dialog.clear.click()
    await machine_comes_to(office, MachineState.IDLE)
    run = await last_run(office, job_id)
    assert (run.good, run.scrap) == (0, 1)
    (machine,) = await office.door.ask(ListMachines())
    cleared = (await office.door.ask(ListEvents(machine_id=machine.id)))[-1]
    assert (cleared.type, cleared.reason) == ("cleared", "tool 4 broke")


async def test_scrap_wants_a_reason_and_a_tap_gives_one(
    office: Office, page: FloorPage, mill: Scripted
) -> None:
    await made_one(office, mill)
    dialog = await begun(page)
    dialog.scrap.more.click()
    assert not dialog.clear.isEnabled()
    dialog.choices[1].click()
    assert dialog.reason.text() == "out of tolerance"
    assert dialog.clear.isEnabled()
    dialog.reject()
    await until(lambda: page.at_machine.dialog is None)


async def test_what_the_engine_refuses_is_said_in_the_dialog_which_stays(
    office: Office, page: FloorPage, mill: Scripted
) -> None:
    await made_one(office, mill)
    dialog = await begun(page)
    (machine,) = await office.door.ask(ListMachines())
    await office.door.execute(ActOnMachine(MachineAction.CLEAR, machine.id))
    dialog.clear.click()
    await until(dialog.trouble.text)
    assert "There is nothing to clear." in dialog.trouble.text()
    assert dialog.clear.isEnabled()
    dialog.reject()
    await until(lambda: page.at_machine.dialog is None)


def counted(dialog: ClearingDialog) -> tuple[int, int, int]:
    return dialog.good.value, dialog.scrap.value, dialog.rework.value


async def test_scrap_and_rework_lower_good_and_every_part_is_counted_once(
    office: Office, page: FloorPage, mill: Scripted
) -> None:
    job_id = await made_one(office, mill, parts=3)
    dialog = await begun(page)
    assert counted(dialog) == (3, 0, 0)
    dialog.scrap.more.click()
    dialog.rework.more.click()
    assert counted(dialog) == (1, 1, 1)
    for _ in range(3):
        dialog.scrap.more.click()
    assert counted(dialog) == (0, 2, 1), "no more than the run made"
    dialog.good.more.click()
    assert counted(dialog) == (1, 1, 1), "a part that is good after all is no scrap"
    dialog.choices[0].click()
    assert dialog.clear.isEnabled()
    dialog.clear.click()
    await machine_comes_to(office, MachineState.IDLE)
    run = await last_run(office, job_id)
    assert (run.good, run.scrap, run.rework) == (1, 1, 1)
    (entry,) = run_entries([run], run.ended_at or 0)
    assert "1 good, 1 scrap, 1 rework" in entry.note


async def test_a_part_that_nobody_counts_keeps_the_machine_from_being_clear(
    office: Office, page: FloorPage, mill: Scripted
) -> None:
    await made_one(office, mill, parts=2)
    dialog = await begun(page)
    dialog.good.less.click()
    assert not dialog.clear.isEnabled()
    assert dialog.sum.text() == "1 good is 1 part, but the run made 2."
    dialog.good.edit.setText("9")
    assert counted(dialog)[0] == 9
    assert not dialog.clear.isEnabled()
    assert dialog.sum.text() == "9 good are 9 parts, but the run made 2."
    dialog.reject()
    await until(lambda: page.at_machine.dialog is None)


async def test_how_many_parts_a_failed_run_made_is_for_the_person_to_say(
    office: Office, page: FloorPage, mill: Scripted
) -> None:
    job_id = await made_one(office, mill, RunFailed("tool 4 broke"))
    dialog = await begun(page)
    dialog.good.more.click()
    assert counted(dialog) == (1, 0, 0)
    dialog.good.less.click()
    assert counted(dialog) == (0, 0, 0)
    assert dialog.clear.isEnabled(), "perhaps it had not begun to cut"
    dialog.rework.more.click()
    assert dialog.reason.accessibleName() == "Why does it need rework?"
    dialog.clear.click()
    await machine_comes_to(office, MachineState.IDLE)
    run = await last_run(office, job_id)
    assert (run.good, run.scrap, run.rework) == (0, 0, 1)


async def test_counts_that_the_engine_refuses_are_told_next_to_them(
    office: Office, page: FloorPage, mill: Scripted
) -> None:
    job_id = await made_one(office, mill, RunFailed("tool 4 broke"))
    dialog = await begun(page)
    dialog.parts = 5  # as if the job had wanted more when the dialog was opened
    dialog.scrap.set_most(5)
    dialog.scrap.set_value(2)
    dialog.clear.click()
    await until(lambda: dialog.fields["good"].error)
    assert dialog.fields["good"].error == "2 scrap are 2 parts, but the run was to make 1."
    assert not dialog.trouble.isVisible()
    assert (await last_run(office, job_id)).scrap is None
    dialog.reject()
    await until(lambda: page.at_machine.dialog is None)
