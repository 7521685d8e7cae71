import json
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest_asyncio
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMenu

from cnc_station.engine.commands import SubmitJobs
from cnc_station.engine.domain.job import JobSpec
from cnc_station.engine.domain.states import OPEN_JOBS, JobState
from cnc_station.engine.queries import ExportJobs, ListJobs
from cnc_station.engine.views import JobFilter, Sort, SortKey
from cnc_station.ui.job_order import BY_QUEUE, Way
from cnc_station.ui.pages.jobs import JobsPage
from tests.ui.real_engine import Office, opened
from tests.until import until

ALT = Qt.KeyboardModifier.AltModifier
NO = Qt.KeyboardModifier.NoModifier


@pytest_asyncio.fixture
async def page(office: Office) -> AsyncIterator[JobsPage]:
    specs = [JobSpec(name, "mill", tenant="Berg") for name in "ABC"]
    await office.door.execute(
        SubmitJobs([*specs, JobSpec("turned", "lathe"), JobSpec("D", "mill")])
    )
    async with opened(office, JobsPage(office.context)) as page:
        page.menus.sort_wanted.emit(BY_QUEUE)
        await listed(page, ["A", "B", "C", "turned", "D"])
        page.view.setFocus()
        yield page


def names(page: JobsPage) -> list[str]:
    return [row.name for _, row in page.model.placed()]


async def listed(page: JobsPage, wanted: Sequence[str]) -> None:
    await until(lambda: names(page) == list(wanted))


def point_at(page: JobsPage, name: str) -> None:
    row = next(row for _, row in page.model.placed() if row.name == name)
    page.view.show_job(row.id)


async def test_a_job_moves_one_place_within_its_own_queue(page: JobsPage) -> None:
    point_at(page, "D")
    QTest.keyClick(page.view, Qt.Key.Key_Up, ALT)
    await listed(page, ["A", "B", "D", "C", "turned"])
    QTest.keyClick(page.view, Qt.Key.Key_Down, ALT)
    await until(lambda: names(page).index("C") < names(page).index("D"))
    point_at(page, "A")
    QTest.keyClick(page.view, Qt.Key.Key_Down, ALT)
    await until(lambda: names(page)[:2] == ["B", "A"])


async def test_a_job_goes_to_the_front_and_the_toast_takes_it_back(
    office: Office, page: JobsPage
) -> None:
    point_at(page, "D")
    QTest.keyClick(page.view, Qt.Key.Key_Home, ALT)
    await until(lambda: names(page)[0] == "D")
    assert office.said.done == ["Job 5: moved in the queue"]
    page.menus.move(Way.END)
    await until(lambda: names(page)[-1] == "D")


async def test_moving_in_another_order_first_shows_the_queue(
    office: Office, page: JobsPage
) -> None:
    page.menus.sort_wanted.emit((Sort(SortKey.NAME, descending=True),))
    await listed(page, ["turned", "D", "C", "B", "A"])
    point_at(page, "C")
    QTest.keyClick(page.view, Qt.Key.Key_Up, ALT)
    await listed(page, ["A", "B", "C", "turned", "D"])
    assert office.said.done == []


def middle(page: JobsPage, name: str) -> QPoint:
    at = names(page).index(name)
    return page.view.visualRect(page.model.index(at, 0)).center()


def dragging(page: JobsPage) -> bool:
    return page.menus.drag.dragging


async def test_a_row_is_dragged_to_its_new_place(page: JobsPage) -> None:
    below_a = middle(page, "A") + QPoint(0, 16)
    viewport = page.view.viewport()
    QTest.mousePress(viewport, Qt.MouseButton.LeftButton, NO, middle(page, "D"))
    QTest.mouseMove(viewport, middle(page, "B"))
    QTest.mouseMove(viewport, below_a)
    QTest.mouseRelease(viewport, Qt.MouseButton.LeftButton, NO, below_a)
    await listed(page, ["A", "D", "B", "C", "turned"])
    assert page.selected.count == 1, "dragging selects nothing on its way"


async def test_a_drag_ends_with_escape_and_other_orders_have_none(
    office: Office, page: JobsPage
) -> None:
    viewport = page.view.viewport()
    QTest.mousePress(viewport, Qt.MouseButton.LeftButton, NO, middle(page, "D"))
    QTest.mouseMove(viewport, middle(page, "A"))
    assert dragging(page)
    QTest.keyClick(page.view, Qt.Key.Key_Escape)
    assert not dragging(page)
    QTest.mouseRelease(viewport, Qt.MouseButton.LeftButton, NO, middle(page, "A"))
    page.menus.sort_wanted.emit((Sort(SortKey.NAME),))
    await listed(page, ["A", "B", "C", "D", "turned"])
    QTest.mousePress(viewport, Qt.MouseButton.LeftButton, NO, middle(page, "D"))
    QTest.mouseMove(viewport, middle(page, "A"))
    assert not dragging(page)
    QTest.mouseRelease(viewport, Qt.MouseButton.LeftButton, NO, middle(page, "A"))
    assert office.said.done == []


async def test_the_selection_moves_with_its_jobs(page: JobsPage) -> None:
    chosen = [row.id for _, row in page.model.placed() if row.name in {"C", "D"}]
    page.view.selection.choose(chosen)
    page.menus.move(Way.FRONT)
    await until(lambda: names(page)[:2] == ["C", "D"])
    assert set(page.view.selection.chosen) == set(chosen)


async def test_the_filtered_list_is_exported_as_it_is_sorted(
    office: Office, page: JobsPage, tmp_path: Path
) -> None:
    page.apply(JobFilter(states=OPEN_JOBS, tenant="Berg"))
    await listed(page, ["A", "B", "C"])
    for form in ("csv", "json"):
        dialog = page.menus.export.ask(page.feed.chosen, page.feed.order, form)
        dialog.fileSelected.emit(str(tmp_path / f"jobs.{form}"))
        dialog.reject()
    await until(lambda: len(office.said.done) == 2)
    rows = (tmp_path / "jobs.csv").read_text("utf-8-sig").splitlines()
    assert len(rows) == 4
    found = json.loads((tmp_path / "jobs.json").read_text("utf-8"))
    assert [job["name"] for job in found] == ["A", "B", "C"]


async def test_only_the_selected_jobs_can_be_exported(office: Office, page: JobsPage) -> None:
    content = await office.door.ask(ExportJobs(JobFilter(ids=frozenset({1, 5})), BY_QUEUE, "json"))
    assert [job["name"] for job in json.loads(content)] == ["A", "D"]
    page.view.selection.choose([1, 5])
    await until(lambda: "export" in {command.key for command in page.menus.commands()})


async def test_a_file_that_cannot_be_written_is_said_in_plain_words(
    office: Office, page: JobsPage, tmp_path: Path
) -> None:
    page.menus.export.write(page.feed.chosen, page.feed.order, "csv", tmp_path / "no" / "x.csv")
    await until(lambda: office.said.failed)
    assert "Choose another place" in office.said.failed[0]


async def test_priority_and_assignment_are_changed_for_all_that_are_selected(
    office: Office, page: JobsPage
) -> None:
    page.view.selection.choose([1, 2])
    await until(lambda: len(page.selected.rows) == 2)
    (command,) = [c for c in page.commands.of(page.selected.rows) if c.key == "priority"]
    menu = QMenu()
    assert command.fill is not None
    command.fill(menu)
    next(action for action in menu.actions() if action.text().endswith("90")).trigger()
    await until(lambda: [row.priority for row in page.selected.rows] == [90, 90])
    assert office.said.done == ["2 jobs: priority 90"]
    keys = {command.key for command in page.menus.commands()}
    assert {"pause", "run_now", "assign", "delay", "priority", "cancel", "delete"} <= keys


async def test_selecting_all_reaches_rows_nobody_has_scrolled_to(
    office: Office, page: JobsPage
) -> None:
    await office.door.execute(SubmitJobs([JobSpec(f"J{i}", "drill") for i in range(600)]))
    await until(lambda: page.model.total == 605)
    page.view.selectAll()
    await until(lambda: page.selected.count == 605)
    page.bulk.run("pause")
    await until(lambda: office.said.done == ["605 jobs: paused"])
    paused = JobFilter(states=frozenset({JobState.PAUSED}))
    assert (await office.door.ask(ListJobs(paused, BY_QUEUE, 0, 1))).total == 605
