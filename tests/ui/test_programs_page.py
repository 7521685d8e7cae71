from collections.abc import AsyncIterator

import pytest_asyncio
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from cnc_station.engine.commands import AddProgram, SubmitJobs
from cnc_station.engine.domain.job import JobSpec
from cnc_station.engine.views import JobFilter, ProgramDetail
from cnc_station.ui.pages.programs import ProgramsPage
from tests.ui.real_engine import Office, opened
from tests.until import until

PLATE = b"G21 G90\nS900 M3\nG0 X0 Y0 Z5\nG1 Z-1 F100\nG1 X40\nG1 Y40\nG0 Z5\nM30\n"
REMARKED = b"G21 G90\nS900 M3\nG0 X0 Y0 Z5\nG1 Z-1 F100\nG1 X40 Q7\nG0 Z5\nM30\n"


@pytest_asyncio.fixture
async def page(office: Office) -> AsyncIterator[ProgramsPage]:
    async with opened(office, ProgramsPage(office.context)) as page:
        yield page


async def shown(page: ProgramsPage, name: str) -> ProgramDetail:
    await until(lambda: page.detail.shown is not None and page.detail.shown.row.name == name)
    assert page.detail.shown is not None
    return page.detail.shown


def caption(page: ProgramsPage) -> str:
    return page.detail.path.caption


async def test_without_programs_the_page_says_what_to_drop(
    office: Office, page: ProgramsPage
) -> None:
    await until(page.empty.isVisible)
    page.empty.step.emit()
    assert office.went.to == [("import", None)]


async def test_a_program_is_listed_with_its_path_and_its_text(
    office: Office, page: ProgramsPage
) -> None:
    added = await office.door.execute(AddProgram("plate.nc", PLATE))
    assert added.created
    detail = await shown(page, "plate.nc")
    assert (detail.row.sha256, detail.row.lines) == (added.sha256, added.lines)
    await until(lambda: "40.0 × 40.0" in caption(page))
    page.detail.code.go_to(5)
    assert page.detail.code.selected() == "G1 X40"


async def test_the_tool_follows_the_line_one_reads(office: Office, page: ProgramsPage) -> None:
    await office.door.execute(AddProgram("plate.nc", PLATE))
    await until(lambda: "40.0 × 40.0" in caption(page))
    page.detail.code.setFocus()
    for _ in range(4):
        QTest.keyClick(page.detail.code, Qt.Key.Key_Down)
    assert "line 5 · X 40.00  Y 0.00  Z -1.00" in caption(page)


async def test_tapping_a_remark_goes_to_its_line(office: Office, page: ProgramsPage) -> None:
    await office.door.execute(AddProgram("remarked.nc", REMARKED))
    await shown(page, "remarked.nc")
    item = page.detail.findings.item(0)
    assert item.text().startswith("Line 5: ")
    page.detail.findings.itemClicked.emit(item)
    assert page.detail.code.selected() == "G1 X40 Q7"


async def test_what_a_program_takes_for_granted_is_one_line(
    office: Office, page: ProgramsPage
) -> None:
    await office.door.execute(AddProgram("plate.nc", PLATE))
    await shown(page, "plate.nc")
    assert page.detail.assumes.text() == (
        "Assumes: G54, feed per minute, no cutter compensation, no tool length offset"
    )
    assert "G64  rounded corners allowed" in page.detail.assumes.toolTip()
    stated = b"G21 G90 G54 G94 G40 G49\nG0 X1 Y1\nM30\n"
    row = await office.door.execute(AddProgram("stated.nc", stated))
    await until(lambda: len(page.rows.rows) == 2)
    page.select(row.sha256)
    await shown(page, "stated.nc")
    assert page.detail.assumes.isHidden()


async def test_a_new_job_begins_with_the_program_chosen(office: Office, page: ProgramsPage) -> None:
    row = await office.door.execute(AddProgram("plate.nc", PLATE))
    await shown(page, "plate.nc")
    page.detail.new_job_button.click()
    assert office.went.to == [("new job", row.sha256)]


async def test_older_revisions_are_one_choice_away(office: Office, page: ProgramsPage) -> None:
    first = await office.door.execute(AddProgram("plate.nc", PLATE))
    second = await office.door.execute(AddProgram("plate.nc", PLATE.replace(b"X40", b"X50")))
    await until(lambda: [row.revision for row in page.rows.rows] == [2, 1])
    page.select(second.sha256)
    await until(lambda: page.detail.shown and page.detail.shown.row.sha256 == second.sha256)
    assert page.detail.revisions.count() == 2
    page.detail.revisions.activated.emit(1)
    await until(lambda: page.detail.shown and page.detail.shown.row.sha256 == first.sha256)
    current = page.table.current
    assert current is not None
    assert current.sha256 == first.sha256


async def test_the_jobs_bound_to_a_program_are_counted_and_listed(
    office: Office, page: ProgramsPage
) -> None:
    row = await office.door.execute(AddProgram("plate.nc", PLATE))
    await office.door.execute(SubmitJobs([JobSpec("plate", "mill", program=row.sha256)]))
    await until(lambda: page.rows.rows and page.rows.rows[0].jobs == 1)
    await until(page.detail.jobs_button.isEnabled)
    page.detail.jobs_button.click()
    assert office.went.to == [("jobs", JobFilter(program=row.sha256))]


async def test_the_search_finds_programs_by_name(office: Office, page: ProgramsPage) -> None:
    await office.door.execute(AddProgram("plate.nc", PLATE))
    await office.door.execute(AddProgram("Flange.tap", REMARKED))
    await until(lambda: len(page.rows.rows) == 2)
    page.search("flan")
    await until(lambda: [row.name for row in page.rows.rows] == ["Flange.tap"])
    page.search("saw")
    await until(page.nothing_found.isVisible)


LATHE = (
    b"%\nO41 (SLEEVE)\nG21 G18\nT0101\nG50 S2000\nG96 S140 M3\nG99\nG0 X50. Z0.\nG71 U3. R1.\n"
    b"G71 P10 Q20 U1. W0.1 F0.25\nN10 G0 X20.\nG1 Z-10. F0.1\nX40. Z-20.\nN20 X50.\n"
    b"G70 P10 Q20\nG0 X100. Z50.\nM30\n%\n"
)


async def test_the_page_says_which_control_a_program_is_read_as_and_why(
    office: Office, page: ProgramsPage
) -> None:
    await office.door.execute(AddProgram("sleeve.nc", LATHE))
    await shown(page, "sleeve.nc")
    await until(lambda: page.detail.reading.isVisibleTo(page))
    assert page.detail.reading.text() == "Read as Fanuc lathe, G-code system A"
    assert "G50 or G92 limits the spindle speed" in page.detail.reading.toolTip()
    await until(lambda: caption(page).startswith("Ø 51.0 × 20"))
