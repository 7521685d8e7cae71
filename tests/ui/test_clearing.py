"""What a person says when a machine is cleared: how many parts are good, and why the others are
not."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from cnc_station.engine.domain.actions import MachineAction
from cnc_station.engine.domain.job import JobSpec
from cnc_station.engine.domain.states import JobState, MachineState
from cnc_station.engine.drivers.base import RunFailed
from cnc_station.engine.views import RunRow
from cnc_station.ui.dialogs.clearing import ClearingDialog
from cnc_station.ui.floor.card_words import CardAction
from cnc_station.ui.pages.floor import FloorPage
from tests.ui.at_the_machine import comes_to, machine_comes_to, tap
from tests.ui.controller_fleet import IDLE, LINUXCNC, LINUXCNC_ANSWERS, Scripted, Shop, spec
from tests.ui.real_engine import ME, Office, opened
from tests.until import until


@pytest.fixture
def mill() -> Scripted:
    return Scripted(IDLE, LINUXCNC_ANSWERS)


@pytest_asyncio.fixture
async def page(
    mill: Scripted, office: Office, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[FloorPage]:
    Shop({"mill": mill}).register(monkeypatch)
    async with opened(office, FloorPage(office.desk)) as page:
        yield page


async def made_one(office: Office, mill: Scripted, error: Exception | None = None) -> int:
    """A mill that has made something, or tried to, and waits to be cleared."""
    await office.engine.add_machine(
        spec("Mill 1", LINUXCNC, "mill", "VF-2", operator_clears=True), ME
    )
    made = JobSpec("Jig base", "mill", quantity=1, retry_limit=0)
    (job_id,) = await office.engine.submit([made], ME)
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
    return (await office.engine.runs(job_id=job_id))[-1]


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
    (machine,) = await office.engine.machines()
    cleared = (await office.engine.events(machine_id=machine.id))[-1]
    assert (cleared.type, cleared.reason) == ("cleared", "tool 4 broke")


async def test_scrap_wants_a_reason_and_a_tap_gives_one(
    office: Office, page: FloorPage, mill: Scripted
) -> None:
    await made_one(office, mill)
    dialog = await begun(page)
    dialog.good.less.click()
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
    (machine,) = await office.engine.machines()
    await office.engine.act_on_machine(MachineAction.CLEAR, machine.id, ME)
    dialog.clear.click()
    await until(dialog.trouble.text)
    assert "can't be cleared" in dialog.trouble.text()
    assert dialog.clear.isEnabled()
    dialog.reject()
    await until(lambda: page.at_machine.dialog is None)
