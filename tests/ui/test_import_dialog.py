from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest_asyncio
import shiboken6
from PySide6.QtWidgets import QWidget

from cnc_station.engine.queries import ListEvents, ListJobs, ListPrograms
from cnc_station.engine.views import ImportIssue, JobFilter, JobRow, Sort, SortKey
from cnc_station.ui.dialogs.import_table import ImportDialog
from cnc_station.ui.intake import take_files
from tests.ui.real_engine import Office, opened
from tests.until import until

GOOD = b"Part no,Machine,Qty,Due,Colour\nBracket,mill,4,+2h00m,red\nFlange,lathe,2,+3h00m,blue\n"
BAD = b"Part no,Machine,Qty,Due\nBracket,mill,4,+2h00m\nFlange,,many,soon\n"
PLATE = b"G21 G90\nS900 M3\nG0 X0 Y0 Z5\nG1 Z-1 F100\nG1 X40\nM30\n"
NO_FEED = b"G21 G90\nS900 M3\nG0 X0 Y0 Z5\nG1 Z-1\nM30\n"


@pytest_asyncio.fixture
async def window(office: Office) -> AsyncIterator[QWidget]:
    async with opened(office, QWidget()) as window:
        yield window


@asynccontextmanager
async def dialog_of(office: Office, window: QWidget, content: bytes) -> AsyncIterator[ImportDialog]:
    dialog = ImportDialog(office.context, window, Path("monday.csv"), content)
    dialog.open()
    await until(lambda: dialog.preview)
    yield dialog
    if shiboken6.isValid(dialog):
        dialog.reject()


async def jobs(office: Office) -> tuple[JobRow, ...]:
    page = await office.door.ask(ListJobs(JobFilter(), (Sort(SortKey.NAME),), 0, 100))
    return page.rows


def drop(office: Office, window: QWidget, *paths: Path) -> None:
    take_files(office.context, window, paths)


def file(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


async def test_columns_are_understood_and_all_rows_become_jobs(
    office: Office, window: QWidget
) -> None:
    async with dialog_of(office, window, GOOD) as dialog:
        assert dialog.mapping.mapping == {
            "name": "Part no",
            "machine_type": "Machine",
            "quantity": "Qty",
            "due_at": "Due",
        }
        assert dialog.import_button.text() == "Import 2 jobs"
        dialog.import_button.click()
        await until(lambda: office.said.done == ["2 jobs imported from monday.csv"])
    bracket, flange = await jobs(office)
    assert [(j.name, j.machine_type, j.quantity) for j in (bracket, flange)] == [
        ("Bracket", "mill", 4),
        ("Flange", "lathe", 2),
    ]
    (event,) = await office.door.ask(ListEvents(job_id=flange.id))
    assert (event.actor, event.reason) == ("tester", "imported from monday.csv, row 2")


async def test_a_note_is_shown_and_does_not_prevent_the_import(
    office: Office, window: QWidget
) -> None:
    async with dialog_of(office, window, GOOD) as dialog:
        assert dialog.preview is not None
        notes = tuple(ImportIssue(row, "Due", "'2:30' occurs twice") for row in (1, 2, 2))
        dialog.show_preview(replace(dialog.preview, notes=notes))
        said = dialog.summary.text()
        assert "Row 1, Due: '2:30' occurs twice. 2 more notes." in said
        assert dialog.import_button.isEnabled()


async def test_each_problem_is_told_with_its_row_and_column_and_nothing_can_be_imported(
    office: Office, window: QWidget
) -> None:
    async with dialog_of(office, window, BAD) as dialog:
        told = {(i.row, i.column) for i in dialog.lists.problems.rows}
        assert told == {(2, "Machine"), (2, "Qty"), (2, "Due")}
        assert not dialog.import_button.isEnabled()
        assert dialog.lists.problem_table.isVisible()
        dialog.lists.problem_table.opened.emit(dialog.lists.problems.rows[0])
        assert dialog.lists.rows.isVisible()
        assert dialog.lists.rows.currentIndex().row() == 1
    assert await jobs(office) == ()


async def test_another_choice_of_columns_is_read_at_once(office: Office, window: QWidget) -> None:
    async with dialog_of(office, window, GOOD) as dialog:
        material = dialog.mapping.boxes["material"]
        material.setCurrentIndex(material.findData("Colour"))
        assert not dialog.import_button.isEnabled()
        await until(dialog.import_button.isEnabled)
        dialog.import_button.click()
        await until(lambda: office.said.done)
    assert [job.material for job in await jobs(office)] == ["red", "blue"]


async def test_a_column_that_looks_like_a_quantity_is_asked_about(
    office: Office, window: QWidget
) -> None:
    content = b"Part no,Machine,Produced batchmenge\nBracket,mill,4\n"
    async with dialog_of(office, window, content) as dialog:
        quantity = dialog.mapping.boxes["quantity"]
        assert "looks like a quantity" in dialog.lists.problems.rows[0].message
        assert quantity.currentIndex() == -1
        assert not dialog.import_button.isEnabled()
        quantity.setCurrentIndex(0)
        await until(dialog.import_button.isEnabled)
        quantity.setCurrentIndex(quantity.findData("Produced batchmenge"))
        await until(lambda: dialog.preview and dialog.preview.mapping.get("quantity"))
        await until(dialog.import_button.isEnabled)
        dialog.import_button.click()
        await until(lambda: office.said.done)
    assert [job.quantity for job in await jobs(office)] == [4]


async def test_programs_beside_the_table_come_along(
    office: Office, window: QWidget, tmp_path: Path
) -> None:
    file(tmp_path, "Plate.NC", PLATE)
    rows = b"Plate,mill,plate.nc\n" * 3
    table = file(tmp_path, "week.csv", b"Part no,Machine,Program\n" + rows)
    drop(office, window, table)
    dialog = await until(lambda: window.findChild(ImportDialog))
    assert isinstance(dialog, ImportDialog)
    await until(dialog.import_button.isEnabled)
    assert "1 program beside the table comes along." in dialog.summary.text()
    dialog.import_button.click()
    await until(lambda: office.said.done)
    (program,) = await office.door.ask(ListPrograms())
    assert {job.program for job in await jobs(office)} == {program.sha256}


async def test_a_table_imported_again_says_what_changes(office: Office, window: QWidget) -> None:
    content = b"ERP no,Part no,Machine,Qty\n1,Bracket,mill,4\n2,Flange,lathe,2\n"
    async with dialog_of(office, window, content) as dialog:
        dialog.import_button.click()
        await until(lambda: office.said.done)
    again = content.replace(b"mill,4", b"mill,7") + b"3,Pin,lathe,9\n"
    async with dialog_of(office, window, again) as dialog:
        assert dialog.import_button.text() == "Import 1 new, change 1"
        (change,) = dialog.lists.changes.rows
        assert change.fields == (("Quantity", "4", "7"),)
        dialog.import_button.click()
        await until(lambda: len(office.said.done) == 2)
    assert {job.quantity for job in await jobs(office)} == {7, 2, 9}


async def test_without_a_column_for_the_name_it_says_which_is_missing(
    office: Office, window: QWidget
) -> None:
    async with dialog_of(office, window, GOOD) as dialog:
        dialog.mapping.boxes["name"].setCurrentIndex(0)
        await until(lambda: dialog.lists.problems.rows)
        assert "Name" in dialog.lists.problems.rows[0].message
        dialog.mapping.boxes["name"].setCurrentIndex(1)
        await until(dialog.import_button.isEnabled)


async def test_a_file_put_right_is_dropped_on_the_dialog(
    office: Office, window: QWidget, tmp_path: Path
) -> None:
    async with dialog_of(office, window, BAD) as dialog:
        dialog.take(file(tmp_path, "monday.csv", BAD.replace(b",,many,soon", b",mill,3,+1h00m")))
        await until(dialog.import_button.isEnabled)
        assert dialog.lists.problems.rows == ()


async def test_what_is_no_table_is_told_in_a_sentence(office: Office, window: QWidget) -> None:
    async with dialog_of(office, window, b"\x89PNG\r\n\x1a\n" + bytes(range(256))) as dialog:
        assert len(dialog.lists.problems.rows) == 1
        assert not dialog.import_button.isEnabled()


async def test_closing_the_dialog_while_it_reads_leaves_nothing(
    office: Office, window: QWidget
) -> None:
    dialog = ImportDialog(office.context, window, Path("monday.csv"), GOOD)
    dialog.open()
    dialog.reject()
    await until(lambda: office.context.operations.idle)
    assert office.said.failed == []


async def test_a_dropped_program_is_kept_and_leads_to_a_job(
    office: Office, window: QWidget, tmp_path: Path
) -> None:
    drop(office, window, file(tmp_path, "Plate.NC", PLATE))
    await until(lambda: office.went.to)
    (row,) = await office.door.ask(ListPrograms())
    assert row.name == "Plate.NC"
    assert office.went.to == [("new job", row.sha256)]
    assert office.said.done == ["Plate.NC r1: stored"]


async def test_a_wrong_program_says_its_line_and_stops_none_of_the_others(
    office: Office, window: QWidget, tmp_path: Path
) -> None:
    names = ("wrong.nc", "one.nc", "two.tap")
    contents = (NO_FEED, PLATE, PLATE.replace(b"X40", b"X50"))
    files = [file(tmp_path, *pair) for pair in zip(names, contents, strict=True)]
    drop(office, window, *files)
    await until(lambda: office.went.to)
    assert len(await office.door.ask(ListPrograms())) == 2
    (failed,) = office.said.failed
    assert failed.startswith("wrong.nc was not imported: line 4: ")
    assert office.said.done == ["2 programs: stored"]
    assert office.went.to[0][0] == "program"


async def test_a_dropped_table_opens_its_import(
    office: Office, window: QWidget, tmp_path: Path
) -> None:
    drop(office, window, file(tmp_path, "monday.CSV", GOOD))
    dialog = await until(lambda: window.findChild(ImportDialog))
    assert isinstance(dialog, ImportDialog)
    await until(dialog.import_button.isEnabled)
    dialog.import_button.click()
    await until(lambda: office.went.to == [("page", "jobs")])
    assert len(await jobs(office)) == 2


async def test_a_program_is_taken_in_by_the_names_that_controls_use(
    office: Office, window: QWidget, tmp_path: Path
) -> None:
    text = b"G21 G90\nG0 X1 Y%d\nM30\n"
    names = ("PLATE.MIN", "plate.eia", "plate.mpf", "O1234", "_N_PLATE_MPF")
    files = [file(tmp_path, name, text % number) for number, name in enumerate(names)]
    drop(office, window, *files)
    await until(lambda: office.said.done)
    assert office.said.failed == []
    assert {row.name for row in await office.door.ask(ListPrograms())} == set(names)


async def test_a_heidenhain_program_is_refused_in_words(
    office: Office, window: QWidget, tmp_path: Path
) -> None:
    plain = b"0  BEGIN PGM PLATE MM\r\n1  L X+10 R0 FMAX M3\r\n2  END PGM PLATE MM\r\n"
    drop(office, window, file(tmp_path, "plate.h", plain))
    (said,) = await until(lambda: office.said.failed)
    assert "plate.h" in said
    assert "Heidenhain plain-language" in said


async def test_anything_else_gets_a_plain_sentence(
    office: Office, window: QWidget, tmp_path: Path
) -> None:
    drop(office, window, file(tmp_path, "photo.jpg", b"x"), tmp_path, tmp_path / "gone.nc")
    await until(lambda: len(office.said.failed) == 3)
    picture, folder, gone = office.said.failed
    assert picture.startswith("photo.jpg is neither a program")
    assert folder == f"{tmp_path.name} is a folder: drop the files in it."
    assert gone == "gone.nc can't be read: No such file or directory."
