"""All jobs that match a filter at once, as a person asks for it at the window."""

from collections.abc import AsyncIterator, Callable

import pytest_asyncio
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton, QWidget
from pytestqt.qtbot import QtBot
from shiboken6 import isValid

from cnc_station.engine.commands import ActOnJobs, CreateSchedule, PauseSchedule, SubmitJobs
from cnc_station.engine.domain.actions import JobAction
from cnc_station.engine.domain.job import JobSpec
from cnc_station.engine.domain.schedule import Schedule
from cnc_station.engine.domain.states import JobState, RunState
from cnc_station.engine.queries import ListJobs, ListSchedules
from cnc_station.engine.views import Answer, JobFilter
from cnc_station.ui.bulk_commands import BulkCommands, Matching
from cnc_station.ui.bulk_operations import ONE_AT_A_TIME, BulkOperations
from cnc_station.ui.dialogs.bulk_confirm import BulkConfirm
from cnc_station.ui.dialogs.refused import RefusedDialog
from cnc_station.ui.pages.attention import AttentionPage
from cnc_station.ui.pages.jobs import JobsPage
from cnc_station.ui.pages.runs import RunsPage
from cnc_station.ui.pages.schedules import SchedulesPage
from cnc_station.ui.widgets.buttons import MenuButton
from cnc_station.ui.widgets.progress import BusyBar
from tests.ui.real_engine import Office, opened
from tests.until import until

LATHES = JobFilter(machine_types=frozenset({"lathe"}))
EVERY = JobFilter(states=frozenset(JobState))
NEVER = 4_000_000_000_000


@pytest_asyncio.fixture
async def page(office: Office) -> AsyncIterator[JobsPage]:
    async with opened(office, JobsPage(office.context)) as page:
        yield page


async def submit(office: Office, count: int, **values: object) -> tuple[int, ...]:
    specs = [JobSpec(**{"name": "shaft", "machine_type": "lathe"} | values) for _ in range(count)]  # type: ignore[arg-type]
    return await office.door.execute(SubmitJobs(specs))


async def states(office: Office) -> list[JobState]:
    page = await office.door.ask(ListJobs(EVERY, (), 0, 1_000))
    return [row.state for row in sorted(page.rows, key=lambda row: row.id)]


async def take_all(page: JobsPage, total: int) -> None:
    """As a person does: a few rows, then all that match."""
    await until(lambda: page.model.total == total and page.feed.settled)
    page.view.selection.choose([row.id for _, row in page.model.placed()][:2])
    await until(lambda: page.bulk.take_all.isVisibleTo(page))
    assert page.bulk.take_all.text() == f"All {total} that match"
    QTest.mouseClick(page.bulk.take_all, Qt.MouseButton.LeftButton)
    assert page.bulk.count.text() == f"All {total} that match the filter"


async def press(page: JobsPage, words: str) -> None:
    def found() -> QPushButton | None:
        buttons = page.bulk.findChildren(QPushButton)
        return next((b for b in buttons if b.text() == words and b.isVisibleTo(page)), None)

    button = await until(found)
    assert button is not None
    button.click()


async def test_all_that_match_are_changed_and_no_others(office: Office, page: JobsPage) -> None:
    await submit(office, 3)
    await submit(office, 1, machine_type="mill")
    page.apply(LATHES)
    await take_all(page, 3)
    await press(page, "Pause")
    await until(lambda: office.said.done == ["3 jobs: paused"])
    assert await states(office) == [JobState.PAUSED] * 3 + [JobState.QUEUED]
    await until(lambda: page.filters.isVisibleTo(page))


async def test_a_cancelled_filter_is_taken_back_as_a_whole(office: Office, page: JobsPage) -> None:
    await submit(office, 3)
    await take_all(page, 3)
    await press(page, "Cancel")
    await until(lambda: office.said.done == ["3 jobs: cancelled"])
    assert office.said.undo is not None
    office.said.undo()
    await until(lambda: office.said.done[1:] == ["3 jobs: as before"])
    assert await states(office) == [JobState.QUEUED] * 3


async def test_the_refused_jobs_are_listed_each_with_its_reason(
    office: Office, page: JobsPage
) -> None:
    ids = await submit(office, 4)
    await office.door.execute(ActOnJobs(JobAction.PAUSE, ids[:2]))
    await take_all(page, 4)
    await press(page, "Pause")
    await until(lambda: office.said.refused)
    assert office.said.done == ["2 of 4 jobs: paused"]
    ((answers, count),) = office.said.refused
    assert ([one.id for one in answers], count) == ([ids[0], ids[1]], 2)
    assert answers[0].error == "shaft is paused. Resume it when it may start."


async def test_another_choice_by_hand_leaves_the_filter(office: Office, page: JobsPage) -> None:
    await submit(office, 3)
    await take_all(page, 3)
    await submit(office, 1)
    await until(lambda: page.bulk.count.text() == "All 4 that match the filter")
    at = page.view.visualRect(page.model.index(0, 1)).center()
    QTest.mouseClick(page.view.viewport(), Qt.MouseButton.LeftButton, pos=at)
    assert not page.bulk.count.text().startswith("All") or page.filters.isVisibleTo(page)
    page.detail.close_panel()
    await take_all(page, 4)
    assert page.go_back()
    await until(lambda: page.filters.isVisibleTo(page))
    assert page.selected.count == 0


async def test_what_can_not_be_undone_is_held_and_refused_when_the_number_has_changed(
    office: Office, page: JobsPage
) -> None:
    await submit(office, 2, draft=True)
    dialog = page.matching.confirm(
        JobAction.DELETE, "Delete", Matching(LATHES, 2, frozenset({JobState.DRAFT}))
    )
    assert dialog.hold.text() == "Delete 2: hold 1 s"
    await submit(office, 1)
    QTest.mousePress(dialog.hold, Qt.MouseButton.LeftButton)
    await until(lambda: office.said.failed)
    assert office.said.failed[0].startswith("The filter selects 3 jobs now, not 2.")
    assert len(await states(office)) == 3


async def test_it_can_be_stopped_between_batches_and_only_one_goes_on_at_a_time(
    office: Office,
) -> None:
    await submit(office, 300)

    class Display:
        told: list[str] = []  # noqa: RUF012 - of one test
        stop: Callable[[], None]

        def start(self, words: str, stop: Callable[[], None]) -> None:
            self.told.append(words)
            self.stop = stop

        def advance(self, words: str, fraction: float) -> None:  # noqa: ARG002 - as it is called
            self.told.append(words)
            self.stop()

        def finish(self) -> None:
            self.told.append("finished")

    display, said = Display(), office.said
    bulk = BulkOperations(
        office.door, said, display, said.show_refused, office.context.operations.run
    )
    bulk.act(JobAction.PAUSE, LATHES, 300)
    bulk.act(JobAction.CANCEL, LATHES, 300)
    await until(lambda: said.done)
    assert said.failed == [ONE_AT_A_TIME]
    assert said.done == ["100 of 300 jobs: paused, then stopped"]
    assert display.told == ["Pause: 0 of 300 jobs", "Pause: 100 of 300 jobs", "finished"]


async def test_the_bar_has_a_stop_button_only_for_what_can_be_stopped(qtbot: QtBot) -> None:
    bar = BusyBar(patience_s=0.0)
    qtbot.addWidget(bar)
    stopped: list[bool] = []
    bar.start("Pause: 0 of 700 jobs", lambda: stopped.append(True))
    await until(bar.isVisible)
    QTest.mouseClick(bar.stop, Qt.MouseButton.LeftButton)
    assert stopped == [True]
    assert not bar.stop.isEnabled()
    bar.finish()
    bar.start("Importing")
    await until(bar.isVisible)
    assert not bar.stop.isVisible()


async def test_needs_attention_acts_on_all_that_failed_with_their_number(office: Office) -> None:
    ids = await submit(office, 3)
    override = ActOnJobs(JobAction.OVERRIDE, ids, reason="bad", state=JobState.NEEDS_ATTENTION)
    await office.door.execute(override)
    async with opened(office, AttentionPage(office.context)) as page:
        await until(lambda: page.retry_all.text() == "Retry all (3)")
        menu = page.more.menu()
        menu.aboutToShow.emit()
        every, discard = menu.actions()
        every.trigger()
        assert len(page.rows.checked) == 3
        assert discard.text() == "Discard all 3 that failed…"
        discard.trigger()
        (dialog,) = page.findChildren(BulkConfirm)
        QTest.mousePress(dialog.hold, Qt.MouseButton.LeftButton)
        await until(lambda: office.said.done == ["3 jobs: discarded"])
        assert set(await states(office)) == {JobState.CANCELLED}


async def test_the_list_of_refused_jobs_opens_a_job(office: Office, qtbot: QtBot) -> None:
    answers = [Answer(7, "shaft is running. Hold it instead."), Answer(9, "shaft is a draft.")]
    dialog = RefusedDialog(answers, 1_234, "job", office.went.to_job, None)
    qtbot.addWidget(dialog)
    dialog.open()
    assert dialog.windowTitle() == "1,234 jobs were refused"
    assert [dialog.rows.text(at, 1) for at in (0, 1)] == [one.error for one in answers]
    dialog.table.choose(1)
    QTest.keyClick(dialog.table, Qt.Key.Key_Return)
    assert office.went.to == [("job", 9)]
    dialog.accept()


async def test_every_machine_that_may_fit_is_offered_for_a_filter(
    office: Office, page: JobsPage
) -> None:
    await submit(office, 2, not_before=NEVER)
    commands: BulkCommands = page.matching
    found = commands.of(Matching(LATHES, 2, frozenset({JobState.DELAYED, JobState.INTERRUPTED})))
    assert [command.key for command in found] == ["pause", "assign", "delay", "cancel", "delete"]


async def choose(button: MenuButton, words: str) -> None:
    menu = button.menu()
    menu.aboutToShow.emit()
    next(action for action in menu.actions() if action.text() == words).trigger()


async def held(page: QWidget, title: str) -> None:
    """Confirm the dialog with this title as a person does."""

    def shown() -> list[BulkConfirm]:
        return [one for one in page.findChildren(BulkConfirm) if one.isVisible()]

    await until(lambda: [one.windowTitle() for one in shown()] == [title])
    (dialog,) = shown()
    QTest.mousePress(dialog.hold, Qt.MouseButton.LeftButton)
    await until(lambda: not isValid(dialog) or not dialog.isVisible())


async def handled(office: Office, count: int, **payload: object) -> tuple[int, ...]:
    job = JobSpec("print", handler="test.delay", payload=payload, retry_limit=0)
    return await office.door.execute(SubmitJobs([job] * count))


async def test_all_failed_runs_that_match_are_retried_with_their_number_first(
    office: Office,
) -> None:
    ids = await handled(office, 2, durationMs=0, shouldFail=True, failMessage="no paper")
    other = await handled(office, 1, durationMs=0, shouldFail=True, failMessage="no ink")
    failed = JobState.NEEDS_ATTENTION
    async with opened(office, RunsPage(office.context)) as page:
        await until(lambda: page.rows.total == 3 and page.rows.rows[0].state is RunState.FAILED)
        page.search("paper")
        await until(lambda: page.rows.total == 2)
        await choose(page.matching.button, "Retry the jobs of all that match…")
        await held(page, "Retry 2 jobs?")
        await until(lambda: office.said.done == ["2 jobs: waiting again"])
        await until(lambda: page.rows.total == 4)
        page.choose_outcome(RunState.SUCCEEDED)
        page.matching.button.menu().aboutToShow.emit()
        assert not page.matching.button.menu().actions()[0].isEnabled()
    rows = await office.door.ask(ListJobs(EVERY, (), 0, 10))
    assert {row.id: row.attempt for row in rows.rows} == {**dict.fromkeys(ids, 2), other[0]: 1}
    assert failed in {row.state for row in rows.rows}


async def test_all_runs_that_match_and_are_under_way_are_cancelled(office: Office) -> None:
    await handled(office, 3, durationMs=3_600_000)
    words = "Cancel all that match and are under way…"
    async with opened(office, RunsPage(office.context)) as page:
        live = [RunState.RUNNING] * 3
        await until(lambda: [row.state for row in page.rows.rows] == live)
        page.choose_handler("test.echo")
        await choose(page.matching.button, words)
        await until(lambda: office.said.failed)
        assert office.said.failed == ["None of these runs is under way in a handler."]
        page.choose_handler("test.delay")
        await choose(page.matching.button, words)
        await held(page, "Cancel 3 runs?")
        await until(lambda: office.said.done == ["3 jobs: cancelled"])
        assert await states(office) == [JobState.CANCELLED] * 3


async def paused(office: Office) -> list[bool]:
    return [row.spec.paused for row in await office.door.ask(ListSchedules())]


async def test_all_schedules_that_match_are_paused_taken_back_run_and_deleted(
    office: Office,
) -> None:
    job = JobSpec("print", handler="test.echo")
    for name in ("Backup", "Report A", "Report B", "Report C"):
        await office.door.execute(CreateSchedule(Schedule(name, "@yearly", "UTC", job)))
    await office.door.execute(PauseSchedule(4))
    async with opened(office, SchedulesPage(office.context)) as page:
        page.search("REPORT")
        await until(lambda: page.rows.total == 3)
        more = page.matching.button
        await choose(more, "Pause all 2 that match")
        await until(lambda: office.said.done == ["2 schedules: paused"])
        assert await paused(office) == [False, True, True, True]
        assert office.said.undo is not None
        office.said.undo()
        await until(lambda: office.said.done[1:] == ["2 schedules: resumed"])
        assert await paused(office) == [False, False, False, True]
        await choose(more, "Run all 3 that match now…")
        await held(page, "Run 3 schedules?")
        await until(lambda: office.said.done[2:] == ["3 schedules: triggered"])
        await until(lambda: page.rows.total == 3)
        await choose(more, "Delete all 3 that match…")
        await held(page, "Delete 3 schedules?")
        await until(lambda: office.said.done[3:] == ["3 schedules: deleted"])
    assert [row.spec.name for row in await office.door.ask(ListSchedules())] == ["Backup"]


async def test_refused_schedules_are_listed_as_schedules(qtbot: QtBot) -> None:
    """Their numbers are not those of jobs: none is opened."""
    answers = [Answer(7, "There is no schedule 7."), Answer(9, "There is no schedule 9.")]
    dialog = RefusedDialog(answers, 2, "schedule", None, None)
    qtbot.addWidget(dialog)
    dialog.open()
    assert dialog.windowTitle() == "2 schedules were refused"
    QTest.keyClick(dialog.table, Qt.Key.Key_Return)
    dialog.accept()
