import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit, QPushButton

from cnc_station.engine.commands import ActOnJobs, AddMachine, SubmitJobs
from cnc_station.engine.domain import transitions as t
from cnc_station.engine.domain.actions import JobAction
from cnc_station.engine.domain.job import JobSpec
from cnc_station.engine.domain.machine import Capability, Envelope, MachineSpec
from cnc_station.engine.domain.states import MachineState
from cnc_station.engine.queries import ListEvents, ListMachines, Query
from cnc_station.engine.store.machines import MoveMachine
from cnc_station.engine.views import MachineRow
from cnc_station.ui.dialogs.clearing import ClearingDialog
from cnc_station.ui.dialogs.machine_form import MachineForm
from cnc_station.ui.first_run.first_run import FIND, FirstRun
from cnc_station.ui.pages.machines import MachinesPage
from tests.ui.real_engine import Office, mill, opened
from tests.until import until


@pytest_asyncio.fixture
async def page(office: Office) -> AsyncIterator[MachinesPage]:
    async with opened(office, MachinesPage(office.context)) as page:
        yield page


async def stored(office: Office) -> MachineRow:
    (machine,) = await office.door.ask(ListMachines())
    return machine


async def is_in(office: Office, state: MachineState) -> bool:
    return (await stored(office)).state is state


async def shown(page: MachinesPage, state: MachineState) -> MachineRow:
    await until(lambda: page.detail.shown is not None and page.detail.shown.state is state)
    assert page.detail.shown is not None
    return page.detail.shown


def setting(form: MachineForm, name: str) -> QLineEdit:
    editor = form.settings.fields[f"settings.{name}"].editor
    assert isinstance(editor, QLineEdit)
    return editor


def fill(form: MachineForm, name: str) -> None:
    form.name.setText(name)
    form.machine_type.setCurrentText("Lathe")
    form.model.setText("Haas ST-10")
    form.complexity.setValue(3)
    form.axes.setValue(2)
    form.materials.setText("Steel, brass ,")
    form.envelope.setText("356 × 356 x 406 mm")
    form.operator_clears.setChecked(True)
    setting(form, "speed").setText("20")


async def test_an_empty_shop_offers_the_first_machine_and_the_demo(
    office: Office, page: MachinesPage
) -> None:
    await until(page.empty.isVisible)
    buttons = {button.text(): button for button in page.empty.findChildren(QPushButton)}
    assert list(buttons) == ["Add your first machine", "Look for controllers", "Load the demo day"]
    buttons["Load the demo day"].click()
    assert office.went.to == [("demo", None)]
    buttons["Look for controllers"].click()
    looks = page.findChild(FirstRun)
    assert isinstance(looks, FirstRun)
    assert (looks.step, looks.back_button.isVisible()) == (FIND, False)
    looks.later_button.click()


async def test_before_the_first_answer_the_page_claims_nothing(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = asyncio.Event()

    async def none_yet(_: Query[Any]) -> tuple[MachineRow, ...]:
        await answers.wait()
        return ()

    monkeypatch.setattr(office.door, "ask", none_yet)
    async with opened(office, MachinesPage(office.context)) as page:
        assert page.count.text() == "Nothing read yet"
        assert page.detail.isHidden()
        answers.set()
        await until(page.empty.isVisible)


async def test_a_machine_typed_into_the_form_is_stored_as_typed(
    office: Office, page: MachinesPage
) -> None:
    form = page.add()
    fill(form, "Lathe 1")
    form.save_button.click()
    await until(lambda: page.rows.rows)
    assert (await stored(office)).spec == MachineSpec(
        "Lathe 1",
        "lathe",
        "Haas ST-10",
        "simulator",
        Capability("lathe", 3, frozenset({"steel", "brass"}), 2, Envelope(356, 356, 406)),
        operator_clears=True,
        settings={"speed": "20"},
    )
    (event, *_) = await office.door.ask(ListEvents(machine_id=(await stored(office)).id))
    assert (event.type, event.actor) == ("machine_added", "tester")


async def test_what_is_wrong_is_said_next_to_its_field_and_nothing_is_stored(
    office: Office, page: MachinesPage
) -> None:
    form = page.add()
    form.machine_type.setCurrentText("")
    form.envelope.setText("as large as a house")
    setting(form, "speed").setText("fast")
    form.save_button.click()
    assert form.fields["name"].error == "is missing"
    assert form.fields["machine_type"].error
    assert form.fields["envelope"].error == "three lengths, such as 762 × 406 × 508"
    assert await office.door.ask(ListMachines()) == ()
    form.reject()


async def test_a_name_that_is_taken_is_refused_and_the_form_stays(
    office: Office, page: MachinesPage
) -> None:
    await office.door.execute(AddMachine(mill()))
    form = page.add()
    fill(form, "Mill 1")
    form.save_button.click()
    await until(lambda: form.fields["name"].error)
    assert form.isVisible()
    assert len(await office.door.ask(ListMachines())) == 1
    form.reject()


async def test_editing_keeps_what_was_not_touched(office: Office, page: MachinesPage) -> None:
    spec = MachineSpec(
        "Mill 1",
        "mill",
        "Haas VF-2",
        capability=Capability("mill", 4, frozenset({"steel"}), 3, Envelope(762.5, 406, 508)),
        settings={"speed": 5},
    )
    await office.door.execute(AddMachine(spec))
    await until(lambda: page.table.current)
    form = page.edit()
    assert form is not None
    form.name.setText("Mill A")
    form.save_button.click()
    await until(lambda: page.rows.rows[0].spec.name == "Mill A")
    after = (await stored(office)).spec
    assert (after.capability, after.model, after.settings) == (
        spec.capability,
        "Haas VF-2",
        {"speed": 5},
    )


async def test_clearing_frees_the_machine_for_the_next_job(
    office: Office, page: MachinesPage
) -> None:
    spec = MachineSpec("Mill 1", "mill", capability=Capability("mill"), operator_clears=True)
    await office.door.execute(AddMachine(spec))
    await office.door.execute(SubmitJobs([JobSpec("bracket", "mill", estimated_s=0.1)]))
    await shown(page, MachineState.NEEDS_CLEARING)
    page.detail.buttons.clear_button.click()
    await until(lambda: page.at_machine.dialog)
    dialog = page.at_machine.dialog
    assert isinstance(dialog, ClearingDialog)
    dialog.clear.click()
    await until(lambda: is_in(office, MachineState.IDLE))
    events = await office.door.ask(ListEvents(machine_id=(await stored(office)).id))
    assert [events[-1].type, events[-1].actor] == ["cleared", "tester"]


async def test_an_alarm_is_unlocked_by_a_person(office: Office, page: MachinesPage) -> None:
    machine_id = await office.door.execute(AddMachine(mill()))
    await office.write(MoveMachine((t.ALARMED,), machine_id, "station", "ALARM:3"))
    await shown(page, MachineState.ALARM)
    page.detail.buttons.unlock_button.click()
    await until(lambda: is_in(office, MachineState.IDLE))


async def test_maintenance_of_a_busy_machine_begins_after_its_run_and_says_so(
    office: Office, page: MachinesPage
) -> None:
    await office.door.execute(AddMachine(mill(speed=1.0)))
    await office.door.execute(SubmitJobs([JobSpec("bracket", "mill", estimated_s=0.8)]))
    await shown(page, MachineState.RUNNING)
    assert page.detail.about.maintenance_button.text() == "Maintenance after this run"
    page.detail.about.maintenance_button.click()
    await until(lambda: not page.detail.about.maintenance_button.isEnabled())
    assert (await stored(office)).maintenance_due
    await shown(page, MachineState.MAINTENANCE)
    page.detail.about.maintenance_button.click()
    await until(lambda: is_in(office, MachineState.IDLE))


async def test_why_a_machine_is_away_is_said_although_maintenance_follows_and_can_begin_at_once(
    office: Office, page: MachinesPage
) -> None:
    """Its run was lost with its station, or ended in an alarm: there is none to wait for."""
    machine_id = await office.door.execute(AddMachine(mill(speed=1.0)))
    (job_id,) = await office.door.execute(SubmitJobs([JobSpec("bracket", "mill", estimated_s=1e6)]))
    await shown(page, MachineState.RUNNING)
    page.detail.about.maintenance_button.click()
    await until(lambda: page.detail.why.text() == "Maintenance begins after this run.")
    await office.write(MoveMachine((t.ALARMED,), machine_id, "station", "ALARM:3"))
    await shown(page, MachineState.ALARM)
    assert (await office.door.execute(ActOnJobs(JobAction.ABORT, [job_id])))[0].applied
    await until(lambda: page.detail.why.text() == "ALARM:3. Maintenance follows.")
    button = page.detail.about.maintenance_button
    assert (button.text(), button.isEnabled()) == ("Maintenance", True)
    button.click()
    await until(lambda: is_in(office, MachineState.MAINTENANCE))


async def test_a_machine_is_removed_by_a_hold_and_leaves_the_list(
    office: Office, page: MachinesPage
) -> None:
    await office.door.execute(AddMachine(mill()))
    await shown(page, MachineState.IDLE)
    about = page.detail.about
    QTest.mouseClick(about.remove_button, Qt.MouseButton.LeftButton)
    about.maintenance_button.click()  # asked for after it, and done
    await shown(page, MachineState.MAINTENANCE)
    assert (await stored(office)).state is MachineState.MAINTENANCE
    about.remove_button.held.emit()
    await until(page.empty.isVisible)
    assert await office.door.ask(ListMachines()) == ()


async def test_the_latest_events_name_their_jobs(office: Office, page: MachinesPage) -> None:
    await office.door.execute(AddMachine(mill()))
    await office.door.execute(SubmitJobs([JobSpec("bracket", "mill", operation="op10")]))
    await until(lambda: "Completed\tbracket · op10" in page.detail.timeline.as_text())


async def test_the_page_finds_and_chooses_machines(office: Office, page: MachinesPage) -> None:
    await office.door.execute(AddMachine(mill("Mill 1")))
    second = await office.door.execute(AddMachine(mill("Mill 2")))
    page.select(second)
    await until(lambda: page.detail.shown and page.detail.shown.id == second)
    page.search("mill 1")
    await until(lambda: [m.spec.name for m in page.rows.rows] == ["Mill 1"])
    page.search("saw")
    await until(page.nothing_found.isVisible)
