from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

import pytest
import pytest_asyncio
from PySide6.QtCore import Qt
from PySide6.QtGui import QFocusEvent
from PySide6.QtTest import QSignalSpy, QTest
from PySide6.QtWidgets import QApplication, QMenu

from cnc_station.engine.commands import ActOnJobs, AddMachine, AddProgram, SubmitJobs
from cnc_station.engine.domain.actions import JobAction
from cnc_station.engine.domain.job import JobSpec
from cnc_station.engine.domain.states import JobState
from cnc_station.engine.queries import JobsById, StoredSettings
from cnc_station.engine.views import JobFilter, Sort, SortKey
from cnc_station.ui.pages.jobs import SETTING, JobsPage
from tests.ui.controller_fleet import (
    IDLE,
    LINUXCNC_ANSWERS,
    MTCONNECT,
    WATCHES,
    Scripted,
    Shop,
    spec,
)
from tests.ui.real_engine import Office, mill, opened, settled
from tests.until import until

BRACKET = JobSpec("Bracket v2", "mill", operation="op20", quantity=40, priority=90)
FLANGE = JobSpec("Flange DN50", "lathe", priority=70, material="1.4301")
HINGE = JobSpec("Hinge set", "mill", priority=10, quantity=8)


@pytest_asyncio.fixture
async def page(office: Office) -> AsyncIterator[JobsPage]:
    async with opened(office, JobsPage(office.context)) as page:
        await shown(page)
        yield page


async def shown(page: JobsPage) -> None:
    await until(lambda: page.feed.settled and page.detail.settled)


async def submit(office: Office, *specs: JobSpec) -> tuple[int, ...]:
    return await office.door.execute(SubmitJobs(specs))


def names(page: JobsPage) -> list[str]:
    return [row.name for _, row in page.model.placed()]


async def listed(page: JobsPage, wanted: Sequence[str]) -> None:
    await until(lambda: names(page) == list(wanted))


async def test_a_job_that_comes_in_stands_in_the_table_by_itself(
    office: Office, page: JobsPage
) -> None:
    assert page.nothing.isVisibleTo(page)
    resets = QSignalSpy(page.model.modelReset)
    await submit(office, BRACKET, HINGE)
    await listed(page, ["Bracket v2", "Hinge set"])
    await submit(office, FLANGE)
    await until(lambda: page.model.total == 3)
    assert page.view.isVisibleTo(page)
    assert resets.count() == 0


async def test_chips_narrow_the_list_and_carry_their_counts(office: Office, page: JobsPage) -> None:
    ids = await submit(office, BRACKET, FLANGE, HINGE)
    await office.door.execute(ActOnJobs(JobAction.CANCEL, ids[:1]))
    await until(lambda: page.filters.groups["waiting"].accessibleName() == "Waiting 2")
    assert page.filters.groups["open"].accessibleName() == "All open 2"
    QTest.mouseClick(page.filters.groups["running"], Qt.MouseButton.LeftButton)
    await until(lambda: page.model.total == 0)
    page.apply(JobFilter(states=frozenset({JobState.CANCELLED})))
    await listed(page, ["Bracket v2"])
    assert page.filters.rest.isVisibleTo(page.filters)
    QTest.mouseClick(page.filters.rest, Qt.MouseButton.LeftButton)
    await until(lambda: page.model.total == 2)


async def test_the_search_finds_every_word_in_any_field(office: Office, page: JobsPage) -> None:
    await submit(office, BRACKET, FLANGE, HINGE)
    page.search("dn50 1.43")
    await listed(page, ["Flange DN50"])
    page.search("")
    await until(lambda: page.model.total == 3)


async def test_a_click_on_a_header_sorts_and_shift_adds_a_column(
    office: Office, page: JobsPage
) -> None:
    await submit(office, BRACKET, FLANGE, HINGE, replace(BRACKET, name="Anvil", priority=10))
    await until(lambda: page.model.total == 4)
    header = page.view.header
    keys = [column.key for column in page.model.columns]

    def click(key: str, modifier: Qt.KeyboardModifier) -> None:
        at = header.sectionViewportPosition(keys.index(key)) + 12
        where = header.viewport().rect().center()
        where.setX(at)
        QTest.mouseClick(header.viewport(), Qt.MouseButton.LeftButton, modifier, where)

    click("priority", Qt.KeyboardModifier.NoModifier)
    click("name", Qt.KeyboardModifier.ShiftModifier)
    await listed(page, ["Anvil", "Hinge set", "Flange DN50", "Bracket v2"])
    assert page.feed.order == (Sort(SortKey.PRIORITY), Sort(SortKey.NAME))


async def test_the_columns_and_their_places_are_remembered(office: Office, page: JobsPage) -> None:
    page.view.toggle_column("material", on=True)
    page.view.toggle_column("quantity", on=False)
    await until(lambda: "material" in [column.key for column in page.model.columns])

    async def saved() -> bool:
        found = (await office.door.ask(StoredSettings())).get(SETTING)
        return isinstance(found, dict) and "material" in found["shown"]

    await until(saved)
    async with opened(office, JobsPage(office.context)) as again:
        await until(lambda: "material" in [column.key for column in again.model.columns])
        assert "quantity" not in [column.key for column in again.model.columns]


async def test_enter_opens_a_job_and_escape_closes_it(office: Office, page: JobsPage) -> None:
    (job_id,) = await submit(office, BRACKET)
    await listed(page, ["Bracket v2"])
    page.view.setCurrentIndex(page.model.index(0, 0))
    QTest.keyClick(page.view, Qt.Key.Key_Return)
    await until(lambda: page.detail.job_id == job_id and page.detail.settled)
    assert page.detail.title.text() == "Bracket v2 · op20"
    await until(lambda: "Created" in page.detail.tabs.timeline.as_text())
    assert page.go_back()
    assert page.detail.job_id is None
    assert not page.go_back()


async def test_the_panel_follows_its_job(office: Office, page: JobsPage) -> None:
    (job_id,) = await submit(office, BRACKET)
    page.open_job(job_id)
    await until(lambda: page.detail.title.text() == "Bracket v2 · op20")
    await office.door.execute(ActOnJobs(JobAction.PAUSE, [job_id]))
    await until(lambda: page.detail.chip.look.word == "Paused")
    await until(lambda: "Paused" in page.detail.tabs.timeline.as_text())
    assert "resume" in page.detail.actions_row.buttons


async def test_the_preview_says_what_its_program_takes_for_granted(
    office: Office, page: JobsPage
) -> None:
    text = b"G90 G54 G94 G40 G49 F100\nG0 X1 Y1\nM30\n"
    row = await office.door.execute(AddProgram("plate.nc", text))
    (job_id,) = await submit(office, replace(BRACKET, program=row.sha256))
    page.open_job(job_id)
    await until(lambda: page.detail.preview.assumes.text() == "Assumes: mm")
    (other,) = await submit(office, FLANGE)
    page.open_job(other)
    await until(page.detail.preview.assumes.isHidden)


async def test_a_job_that_is_open_stays_open_when_the_window_gets_the_focus(
    office: Office, page: JobsPage
) -> None:
    _, other = await submit(office, BRACKET, FLANGE)
    page.open_job(other)  # before its row is there
    await until(lambda: len(names(page)) == 2)
    focus = QFocusEvent(QFocusEvent.Type.FocusIn, Qt.FocusReason.ActiveWindowFocusReason)
    QApplication.sendEvent(page.view, focus)
    assert page.view.currentIndex().row() == 0  # Qt's own choice
    assert page.detail.job_id == other


async def test_space_holds_a_running_job_and_continues_it(office: Office, page: JobsPage) -> None:
    await office.door.execute(AddMachine(mill()))
    await submit(office, replace(BRACKET, estimated_s=100_000.0))
    await until(lambda: [r.state for _, r in page.model.placed()] == [JobState.RUNNING])
    page.view.setFocus()
    page.view.setCurrentIndex(page.model.index(0, 0))
    QTest.keyClick(page.view, Qt.Key.Key_Space)
    await until(lambda: [r.state for _, r in page.model.placed()] == [JobState.HELD])
    QTest.keyClick(page.view, Qt.Key.Key_Space)
    await until(lambda: [r.state for _, r in page.model.placed()] == [JobState.RUNNING])


async def test_space_asks_nothing_of_a_machine_that_is_only_watched_and_says_why(
    office: Office, page: JobsPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    Shop({"lathe": Scripted(IDLE, LINUXCNC_ANSWERS, abilities=WATCHES)}).register(monkeypatch)
    await office.door.execute(AddMachine(spec("Lathe 1", MTCONNECT, "lathe", "ST-10")))
    (job_id,) = await submit(office, JobSpec("Shaft", "lathe"))
    await until(lambda: [r.state for _, r in page.model.placed()] == [JobState.ASSIGNED])
    await office.door.execute(ActOnJobs(JobAction.START, [job_id]))
    await until(lambda: [r.state for _, r in page.model.placed()] == [JobState.RUNNING])
    await until(lambda: page.commands.machines)
    page.view.setFocus()
    page.view.setCurrentIndex(page.model.index(0, 0))
    QTest.keyClick(page.view, Qt.Key.Key_Space)
    assert office.said.failed == ["Lathe 1 can only be watched: use its own panel."]
    await office.door.execute(ActOnJobs(JobAction.FINISH, [job_id]))


async def test_space_never_reaches_a_job_that_took_the_place_of_the_one_pointed_at(
    office: Office, page: JobsPage
) -> None:
    for number in (1, 2):
        await office.door.execute(AddMachine(mill(f"Mill {number}")))
    long = replace(BRACKET, estimated_s=100_000.0)
    first, second = await submit(office, long, replace(long, name="Other"))
    running = [JobState.RUNNING] * 2
    await until(lambda: [r.state for _, r in page.model.placed()] == running)
    page.view.show_job(first)
    await office.door.execute(ActOnJobs(JobAction.ABORT, [first]))
    await until(lambda: page.model.total == 1)
    await until(lambda: page.selected.count == 0)
    page.view.setFocus()
    QTest.keyClick(page.view, Qt.Key.Key_Space)
    await office.door.execute(ActOnJobs(JobAction.HOLD, [second]))
    (row,) = await office.door.ask(JobsById([second]))
    assert row.state is JobState.HELD
    assert office.said.done == [], "nothing was asked for in the window"


async def test_several_selected_jobs_are_acted_on_together(office: Office, page: JobsPage) -> None:
    await submit(office, BRACKET, FLANGE, HINGE)
    await until(lambda: page.model.total == 3)
    page.view.selectAll()
    await until(lambda: page.bulk.isVisibleTo(page))
    assert page.bulk.count.text() == "3 selected"
    page.bulk.run(JobAction.PAUSE)
    await until(lambda: {row.state for _, row in page.model.placed()} == {JobState.PAUSED})
    await until(lambda: office.said.done == ["3 jobs: paused"])
    assert page.go_back(), "Esc lets go of the selection"
    await until(lambda: page.filters.isVisibleTo(page))


async def test_a_job_that_leaves_the_list_is_no_longer_selected(
    office: Office, page: JobsPage
) -> None:
    ids = await submit(office, BRACKET, FLANGE, HINGE)
    await until(lambda: page.model.total == 3)
    page.view.selectAll()
    await until(lambda: page.selected.count == 3)
    await office.door.execute(ActOnJobs(JobAction.CANCEL, ids[1:2]))
    await until(lambda: set(page.view.selection.chosen) == {ids[0], ids[2]})


def sent_to_jobs(office: Office) -> JobFilter:
    where, chosen = office.went.to[-1]
    assert where == "jobs"
    assert isinstance(chosen, JobFilter)
    return chosen


async def test_an_empty_list_says_why_and_offers_the_next_step(
    office: Office, page: JobsPage
) -> None:
    nothing = page.nothing
    assert nothing.currentWidget() is nothing.first
    nothing.first.step.emit()
    nothing.import_wanted.emit()
    assert office.went.to == [("new job", None), ("import", None)]
    menu = QMenu()
    page.menus.fill_more(menu)
    next(action for action in menu.actions() if action.text() == "Import jobs…").trigger()
    assert office.went.to[2:] == [("import", None)]
    ids = await submit(office, BRACKET, FLANGE)
    await office.door.execute(ActOnJobs(JobAction.CANCEL, ids[:1]))
    await until(lambda: page.model.total == 1)
    page.search("bracket")
    await until(lambda: page.model.total == 0)
    assert nothing.currentWidget() is nothing.not_found
    nothing.not_found.step.emit()
    page.apply(sent_to_jobs(office))
    await listed(page, ["Bracket v2"])
    page.apply(JobFilter(states=frozenset({JobState.DRAFT})))
    await until(lambda: page.model.total == 0)
    assert nothing.currentWidget() is nothing.filtered
    nothing.filtered.step.emit()
    page.apply(sent_to_jobs(office))
    await listed(page, ["Flange DN50"])


async def test_tenants_can_be_chosen_once_there_are_any(office: Office, page: JobsPage) -> None:
    assert not page.filters.tenants.isVisibleTo(page.filters)
    await submit(office, replace(BRACKET, tenant="Berg"), FLANGE)
    await until(lambda: page.filters.tenants.offers)
    page.filters.tenants.menu.actions()[-1].trigger()
    await listed(page, ["Bracket v2"])
    assert page.filters.tenants.accessibleName() == "Customer: Berg"


async def test_remedies_are_buttons_and_an_abort_is_held(office: Office, page: JobsPage) -> None:
    await office.door.execute(AddMachine(mill()))
    job_id, other = await submit(office, replace(BRACKET, estimated_s=100_000.0), FLANGE)
    page.open_job(job_id)
    await until(lambda: page.detail.chip.look.word == "Running")
    abort = page.detail.actions_row.abort
    assert abort is not None
    QTest.mouseClick(abort, Qt.MouseButton.LeftButton)
    page.detail.actions_row.buttons["hold"].click()  # asked for after it, and done
    await until(lambda: page.detail.chip.look.word == "Held")
    held_now = page.detail.actions_row.abort
    assert held_now is not None
    held_now.held.emit()
    await until(lambda: page.detail.chip.look.word == "Cancelled")
    await office.door.execute(
        ActOnJobs(JobAction.OVERRIDE, [other], state=JobState.NEEDS_ATTENTION, reason="tool broke")
    )
    page.open_job(other)
    await until(lambda: "discard" in page.detail.actions_row.buttons)
    assert {"retry", "edit", "discard"} <= set(page.detail.actions_row.buttons)
    assert "tool broke" in page.detail.trouble.text()
    QTest.mouseClick(page.detail.actions_row.buttons["retry"], Qt.MouseButton.LeftButton)
    await until(lambda: page.detail.chip.look.word == "Waiting")


async def test_a_hidden_page_asks_for_nothing_and_is_fresh_when_it_comes_back(
    office: Office, page: JobsPage
) -> None:
    page.hide()
    await submit(office, BRACKET)
    await until(lambda: settled(page.feed))
    assert page.model.total == 0
    page.show()
    page.arrived()
    await listed(page, ["Bracket v2"])


async def test_a_job_that_runs_without_a_machine_is_shown_with_its_handler(
    office: Office, page: JobsPage
) -> None:
    wait = JobSpec("Wait", handler="test.delay", payload={"durationMs": 3_600_000})
    (job_id,) = await submit(office, wait)

    def running() -> bool:
        shown = [(row.state, row.machine) for row in [row for _, row in page.model.placed()]]
        return shown == [(JobState.RUNNING, "test.delay")]

    await until(running)
    (answer,) = await office.door.execute(ActOnJobs(JobAction.ABORT, [job_id]))
    assert answer.applied
    await until(lambda: not running())
