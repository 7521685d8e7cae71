from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton

from cnc_station.engine.commands import ActOnMachine, AddMachine, SubmitJobs
from cnc_station.engine.domain.actions import MachineAction
from cnc_station.engine.domain.job import JobSpec
from cnc_station.engine.domain.machine import Capability, MachineSpec
from cnc_station.engine.domain.states import LIVE_JOBS, WAITING_JOBS, JobState, MachineState
from cnc_station.engine.queries import JobsById, ListMachines, ListRuns
from cnc_station.engine.views import JobFilter
from cnc_station.ui.dialogs.clearing import ClearingDialog
from cnc_station.ui.floor.card_text import CardAction
from cnc_station.ui.floor.machine_card import MachineCardView
from cnc_station.ui.pages.floor import FloorPage
from tests.ui.real_engine import Office, mill, opened, settled, ticking
from tests.until import until

SLOW = 0.001


@pytest_asyncio.fixture
async def page(office: Office) -> AsyncIterator[FloorPage]:
    async with opened(office, FloorPage(office.context)) as page:
        yield page


async def card_of(page: FloorPage, machine: int) -> MachineCardView:
    await until(lambda: machine in page.column.cards)
    return page.column.cards[machine]


async def state_of(office: Office, machine: int) -> MachineState:
    rows = {row.id: row.state for row in await office.door.ask(ListMachines())}
    return rows[machine]


async def running(office: Office, page: FloorPage) -> tuple[int, int]:
    """A machine that cuts slowly, and its job."""
    machine = await office.door.execute(AddMachine(mill(speed=SLOW)))
    (job,) = await office.door.execute(SubmitJobs([JobSpec("Bracket", "mill", estimated_s=60.0)]))
    card = await card_of(page, machine)
    await until(lambda: card.words.corner)
    return machine, job


async def test_a_change_in_the_engine_reaches_the_card_and_the_summary(
    office: Office, page: FloorPage
) -> None:
    machine, _ = await running(office, page)
    card = page.column.cards[machine]
    assert card.words.title == "Bracket"
    assert card.words.look.word == "Running"
    assert page.summary.running.accessibleName() == "Running: 1"
    await until(lambda: card.words.figure == "01:00")
    (second,) = await office.door.execute(SubmitJobs([JobSpec("Hinge", "mill")]))
    await until(lambda: card.words.foot.startswith("Next: Hinge"))
    assert str(second) in page.side.next_up.rows


async def test_a_run_is_held_with_one_tap_and_goes_on_with_another(
    office: Office, page: FloorPage
) -> None:
    machine, _ = await running(office, page)
    card = page.column.cards[machine]
    hold = card.button(CardAction.HOLD)
    assert hold is not None
    for _ in range(2):  # a glove bounces
        QTest.mouseClick(hold, Qt.MouseButton.LeftButton)
    await until(lambda: card.button(CardAction.CONTINUE) is not None)
    assert await state_of(office, machine) is MachineState.HELD
    assert card.button(CardAction.HOLD) is None
    assert next(iter(page.side.needs.rows.values())).words.title == "Mill 1: held"
    go_on = card.button(CardAction.CONTINUE)
    assert go_on is not None
    QTest.mouseClick(go_on, Qt.MouseButton.LeftButton)
    await until(lambda: card.words.corner)
    assert await state_of(office, machine) is MachineState.RUNNING
    assert office.said.failed == []


async def test_space_holds_the_machine_in_focus_and_goes_on(
    office: Office, page: FloorPage
) -> None:
    machine, _ = await running(office, page)
    card = page.column.cards[machine]
    page.activateWindow()
    card.setFocus()
    await until(card.hasFocus)
    QTest.keyClick(card, Qt.Key.Key_Space)
    await until(lambda: card.words.look.word == "Held")
    QTest.keyClick(card, Qt.Key.Key_Space)
    await until(lambda: card.words.look.word == "Running")


async def test_an_abort_wants_to_be_held(office: Office, page: FloorPage) -> None:
    machine, job = await running(office, page)
    card = page.column.cards[machine]
    page.column.asked.emit(machine, CardAction.HOLD)
    await until(lambda: card.button(CardAction.ABORT) is not None)
    abort = card.button(CardAction.ABORT)
    assert abort is not None
    assert "not an emergency stop" in abort.toolTip()
    QTest.mouseClick(abort, Qt.MouseButton.LeftButton)
    page.column.asked.emit(machine, CardAction.CONTINUE)  # asked for after it, and done
    await until(lambda: card.words.corner is CardAction.HOLD)
    page.column.asked.emit(machine, CardAction.HOLD)
    await until(abort.isVisible)
    assert await state_of(office, machine) is MachineState.HELD
    QTest.mousePress(abort, Qt.MouseButton.LeftButton)

    async def cancelled() -> bool:
        (row,) = await office.door.ask(JobsById([job]))
        return row.state is JobState.CANCELLED

    await until(cancelled)


async def is_clear(page: FloorPage) -> None:
    """What a person says in the dialog that has just opened."""
    await until(lambda: page.at_machine.dialog)
    dialog = page.at_machine.dialog
    assert isinstance(dialog, ClearingDialog)
    dialog.clear.click()


async def test_a_machine_is_cleared_from_its_card_or_from_the_list_of_needs(
    office: Office, page: FloorPage
) -> None:
    spec = MachineSpec("Mill 2", "mill", capability=Capability("mill"), operator_clears=True)
    machine = await office.door.execute(AddMachine(spec))
    await office.door.execute(SubmitJobs([JobSpec("Bracket", "mill", estimated_s=1.0)]))
    card = await card_of(page, machine)
    await until(lambda: card.button(CardAction.CLEAR) is not None)
    clear = card.button(CardAction.CLEAR)
    assert clear is not None
    QTest.mouseClick(clear, Qt.MouseButton.LeftButton)
    await is_clear(page)
    await until(lambda: card.words.look.word == "Idle")
    assert await state_of(office, machine) is MachineState.IDLE
    await office.door.execute(SubmitJobs([JobSpec("Hinge", "mill", estimated_s=1.0)]))
    await until(lambda: page.side.needs.rows)
    (row,) = page.side.needs.rows.values()
    assert row.remedy is not None
    QTest.mouseClick(row.remedy, Qt.MouseButton.LeftButton)
    await is_clear(page)
    await until(lambda: not page.side.needs.rows)
    assert await state_of(office, machine) is MachineState.IDLE


async def test_maintenance_ends_from_the_card(office: Office, page: FloorPage) -> None:
    machine = await office.door.execute(AddMachine(mill()))
    await office.door.execute(ActOnMachine(MachineAction.MAINTENANCE_ON, machine))
    card = await card_of(page, machine)
    await until(lambda: card.button(CardAction.END_MAINTENANCE) is not None)
    end = card.button(CardAction.END_MAINTENANCE)
    assert end is not None
    QTest.mouseClick(end, Qt.MouseButton.LeftButton)
    await until(lambda: card.words.look.word == "Idle")
    assert await state_of(office, machine) is MachineState.IDLE


async def test_a_hidden_page_asks_for_nothing_and_catches_up_when_it_is_seen_again(
    office: Office, page: FloorPage
) -> None:
    machine = await office.door.execute(AddMachine(mill()))
    card = await card_of(page, machine)
    await until(lambda: settled(page))
    page.hide()
    asked = page.looks
    await office.door.execute(ActOnMachine(MachineAction.MAINTENANCE_ON, machine))
    await until(lambda: not ticking(office.context.bridge))
    assert page.looks == asked
    assert not ticking(page)
    assert card.words.look.word == "Idle"
    page.show()
    await until(lambda: card.words.look.word == "Maintenance")


async def test_a_page_seen_again_does_not_show_the_time_that_was_left_then(
    office: Office, page: FloorPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine, _ = await running(office, page)
    card = page.column.cards[machine]
    await until(lambda: card.words.figure == "01:00")
    office.context.bridge.blockSignals(True)
    page.hide()
    monkeypatch.setattr(office.door, "peek", lambda _: None)
    page.show()
    for timer in ticking(page):
        timer.stop()
    await until(lambda: not card.words.figure)


async def test_each_figure_opens_the_list_it_counts(office: Office, page: FloorPage) -> None:
    await until(lambda: page.looks)
    for card in (page.summary.waiting, page.summary.running, page.summary.attention):
        card.click()
    page.summary.completed.click()
    page.summary.late.click()
    went = [what for where, what in office.went.to if where == "jobs"]
    assert went[0] == JobFilter(states=WAITING_JOBS)
    assert went[1] == JobFilter(states=LIVE_JOBS)
    assert went[2] == JobFilter(states=frozenset({JobState.NEEDS_ATTENTION, JobState.INTERRUPTED}))
    completed = went[3]
    assert isinstance(completed, JobFilter)
    assert completed.finished_since is not None
    assert completed.finished_since <= office.context.now() < completed.finished_since + 86_400_000
    assert went[4] == JobFilter(late=True)


async def test_a_tap_on_a_card_opens_its_job_or_else_the_machine(
    office: Office, page: FloorPage
) -> None:
    machine, job = await running(office, page)
    idle = await office.door.execute(
        AddMachine(MachineSpec("Drill 1", "drill", capability=Capability("drill")))
    )
    second = await card_of(page, idle)
    QTest.mouseClick(page.column.cards[machine], Qt.MouseButton.LeftButton)
    QTest.mouseClick(second, Qt.MouseButton.LeftButton)
    assert office.went.to == [("job", job), ("machine", idle)]


async def test_a_shop_without_machines_is_offered_the_first_step(
    office: Office, page: FloorPage
) -> None:
    await until(page.no_machines.isVisible)
    for button in page.no_machines.findChildren(QPushButton):
        button.click()
    assert office.went.to == [("page", "machines"), ("demo", None)]
    await office.door.execute(AddMachine(mill()))
    await until(lambda: not page.no_machines.isVisible())
    assert page.side.first_jobs.isVisible()
    await office.door.execute(SubmitJobs([JobSpec("Bracket", "lathe")]))
    await until(lambda: not page.side.first_jobs.isVisible())


async def test_a_failed_job_is_told_and_tried_again_with_one_tap(
    office: Office, page: FloorPage
) -> None:
    await office.door.execute(AddMachine(mill(failure_share=1.0)))
    spec = JobSpec("Insert", "mill", complexity=5, retry_limit=0, estimated_s=1.0)
    (job,) = await office.door.execute(SubmitJobs([spec]))
    await until(lambda: page.side.needs.rows)
    (row,) = page.side.needs.rows.values()
    assert row.words.title == "Insert: failed"
    await until(lambda: page.side.just_now.rows)
    happened = next(iter(page.side.just_now.rows.values())).words
    assert (happened.title, happened.note.split(" · ")[0]) == (
        "Insert",
        "Failed on Mill 1 for good",
    )
    assert row.remedy is not None
    row.remedy.click()

    async def tried_twice() -> bool:
        return len(await office.door.ask(ListRuns(job_id=job))) == 2

    await until(tried_twice)


async def test_arrow_keys_go_from_card_to_card(office: Office, page: FloorPage) -> None:
    machines = [await office.door.execute(AddMachine(mill(f"Mill {n}"))) for n in range(5)]
    cards = [await card_of(page, machine) for machine in machines]
    page.activateWindow()
    cards[0].setFocus()
    await until(cards[0].hasFocus)
    QTest.keyClick(cards[0], Qt.Key.Key_Right)
    assert cards[1].hasFocus()
    QTest.keyClick(cards[1], Qt.Key.Key_Down)
    assert cards[1 + page.column.columns].hasFocus()
