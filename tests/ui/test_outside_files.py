"""What a person drops or picks: odd files are refused in words, and the window stays usable."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from PySide6.QtWidgets import QWidget

from cnc_station.engine.queries import ListJobs, ListPrograms
from cnc_station.engine.services import table_reader
from cnc_station.engine.views import JobFilter, Sort, SortKey
from cnc_station.ui.dialogs.import_table import ImportDialog
from cnc_station.ui.dialogs.job_form import JobForm
from cnc_station.ui.intake import take_files
from tests.tools.hostile_tables import HEAD, cell, sheet, stored
from tests.tools.lag import LagProbe
from tests.tools.table_readers import readers, stopped_reader
from tests.ui.real_engine import Office, opened
from tests.until import until

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has no such files")
ROW = "<row>" + cell("a") + cell("mill") + cell("x") * 40 + "</row>"
LONG = stored(sheet(HEAD.replace("</row>", cell("x") * 40 + "</row>") + ROW * 3_000))
"""Takes seconds."""


@pytest_asyncio.fixture
async def window(office: Office) -> AsyncIterator[QWidget]:
    async with opened(office, QWidget()) as window:
        yield window


async def count_jobs(office: Office) -> int:
    page = await office.door.ask(ListJobs(JobFilter(), (Sort(SortKey.NAME),), 0, 1))
    return page.total


async def test_pipes_and_devices_that_are_dropped_are_refused_and_the_rest_is_taken(
    office: Office, window: QWidget, tmp_path: Path
) -> None:
    names = ("pipe.nc", "zero.nc", "pipe.csv", "zero.xlsx", "plate.nc")
    pipe, zero, table, book, good = (tmp_path / name for name in names)
    os.mkfifo(pipe)
    os.mkfifo(table)
    zero.symlink_to("/dev/zero")
    book.symlink_to("/dev/zero")
    good.write_bytes(b"G21 G90\nG0 X1 Y1\nM30\n")
    with LagProbe() as probe:
        take_files(office.context, window, [pipe, zero, table, book, good])
        await until(lambda: office.said.done)
    assert office.said.failed == [
        "pipe.nc is a pipe, not a file: save its content as a file first.",
        "zero.nc is a device, not a file.",
        "pipe.csv is a pipe, not a file: save its content as a file first.",
        "zero.xlsx is a device, not a file.",
    ]
    assert [row.name for row in await office.door.ask(ListPrograms())] == ["plate.nc"]
    assert probe.percentile(0.9) < 0.1


async def test_a_pipe_picked_in_the_job_form_is_refused_at_its_field(
    office: Office, window: QWidget, tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "pipe.nc")
    form = JobForm.new(office.context, window)
    form.open()
    await until(lambda: form.loaded)
    form.fields.program.file_chosen.emit(tmp_path / "pipe.nc")
    await until(lambda: form.loaded)
    assert "pipe.nc is a pipe" in form.fields.fields["program"].error
    form.reject()


async def test_a_pipe_dropped_on_the_import_is_refused_and_the_table_stays(
    office: Office, window: QWidget, tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    dialog = ImportDialog(office.context, window, Path("a.csv"), b"name,type\nA,mill\n")
    dialog.open()
    await until(dialog.import_button.isEnabled)
    dialog.take(tmp_path / "pipe.csv")
    await until(lambda: "pipe.csv is a pipe" in dialog.summary.text())
    assert dialog.import_button.isEnabled()
    dialog.reject()


async def test_a_long_table_shows_its_progress_and_the_window_stays_live(
    office: Office, window: QWidget, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts: list[float] = []
    dialog = ImportDialog(office.context, window, Path("long.xlsx"), LONG)
    monkeypatch.setattr(dialog.busy, "set_fraction", parts.append)
    with LagProbe() as probe:
        dialog.open()
        await until(readers)
        await until(lambda: any(0 < part < 1 for part in parts))
        await stopped_reader()
        dialog.reject()
        await until(lambda: not readers())
    assert parts == sorted(parts)
    assert probe.percentile(0.9) < 0.1
    await until(lambda: office.context.operations.idle)
    assert office.said.failed == []


async def test_an_import_can_be_cancelled_while_it_reads_its_table(
    office: Office, window: QWidget, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table_reader, "KEPT_CELLS", 0)  # the preview's table is not kept
    dialog = ImportDialog(office.context, window, Path("long.xlsx"), LONG)
    dialog.open()
    await until(dialog.import_button.isEnabled)
    finished = asyncio.get_running_loop().create_future()
    dialog.finished.connect(finished.set_result)
    dialog.import_button.click()
    await stopped_reader()
    dialog.reject()
    await finished
    await until(lambda: office.context.operations.idle)
    await until(lambda: not readers())
    assert office.said.failed == office.said.done == []
    assert await count_jobs(office) == 0
