"""The process that reads a table: what ends it, what it is told, and what it costs the station."""

import asyncio
import gc
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_asyncio

from cnc_station.bundled import self_environment
from cnc_station.engine.commands import ImportJobs
from cnc_station.engine.domain.tables.table import Table
from cnc_station.engine.queries import ListJobs, PreviewImport, ReadingProgress
from cnc_station.engine.services import table_reader
from cnc_station.engine.services.table_file import Unreadable
from cnc_station.engine.services.table_reader import ReadTable, TableReader
from cnc_station.engine.views import JobFilter, Sort, SortKey
from tests.engine.conftest import Station
from tests.tools.hostile_tables import HEAD, cell, sheet, stored, workbook
from tests.tools.lag import LagProbe
from tests.tools.table_readers import readers, runs, stopped_reader
from tests.until import at_best, until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
ROW = "<row>" + cell("a") * 2 + "</row>"
LONG = stored(sheet(HEAD + ROW * 150_000))
"""Takes some seconds, and has too many rows at the end."""


@pytest_asyncio.fixture
async def tables() -> AsyncIterator[TableReader]:
    reader = TableReader()
    yield reader
    await asyncio.to_thread(reader.close)
    assert readers() == []


def reading(content: bytes) -> Callable[[ReadTable], Table | str]:
    def work(read: ReadTable) -> Table | str:
        try:
            return read(content, frozenset())
        except Unreadable as error:
            return str(error)

    return work


async def test_progress_goes_up_to_the_end_and_is_gone_then(tables: TableReader) -> None:
    content = b"name,type\n" + b"A,mill\n" * 40_000
    seen: list[float] = []
    task = asyncio.ensure_future(tables.run("t", reading(content)))
    await until(lambda: tables.progress("t") is not None)
    while not task.done():
        seen.append(tables.progress("t") or 0.0)
        await asyncio.sleep(0.002)
    table = await task
    assert isinstance(table, Table)
    assert len(table.rows) == 40_000
    assert seen == sorted(seen)
    assert any(0.0 < part < 1.0 for part in seen)
    assert tables.progress("t") is None


async def test_a_cancelled_reading_ends_its_process(tables: TableReader) -> None:
    task = asyncio.ensure_future(tables.run("t", reading(LONG)))
    reader = await stopped_reader()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert task.cancelled()
    await until(lambda: not runs(reader))
    assert tables.progress("t") is None


async def test_a_reading_cancelled_while_it_waits_its_turn_starts_no_process(
    tables: TableReader,
) -> None:
    busy = [
        asyncio.ensure_future(tables.run(str(n), reading(LONG)))
        for n in range(table_reader.AT_ONCE)
    ]
    await until(lambda: len(readers()) == table_reader.AT_ONCE)
    waits = asyncio.ensure_future(tables.run("waits", reading(b"name,type\nA,mill\n")))
    await until(lambda: tables.progress("waits") is not None)
    waits.cancel()
    await asyncio.gather(waits, return_exceptions=True)
    assert len(readers()) == table_reader.AT_ONCE
    for task in busy:
        task.cancel()
    await asyncio.gather(*busy, return_exceptions=True)


async def test_a_reading_that_takes_too_long_is_ended_in_words(
    tables: TableReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table_reader, "LONGEST_S", 2.0)
    task = asyncio.ensure_future(tables.run("t", reading(LONG)))
    await stopped_reader()
    said = await task
    assert isinstance(said, str)
    assert "more time or memory" in said


async def test_long_cells_come_in_short_lines(tables: TableReader) -> None:
    rows = 600
    table = b"name,notes\n" + b"".join(b"a,%s\n" % (b"x" * 32_000) for _ in range(rows))
    found = await tables.run("t", reading(table))
    assert isinstance(found, Table)
    assert [len(row.cells[1]) for row in found.rows] == [32_000] * rows


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGXCPU, signal.SIGSEGV])
async def test_a_reader_that_dies_is_told_in_a_sentence(
    tables: TableReader, number: signal.Signals
) -> None:
    task = asyncio.ensure_future(tables.run("t", reading(LONG)))
    (pid,) = await until(readers)
    await until(lambda: (tables.progress("t") or 0.0) > 0)
    os.kill(pid, number)
    said = await task
    assert isinstance(said, str)
    assert ("ended without an answer" in said) == (number == signal.SIGSEGV)


async def test_the_reader_has_limits_and_knows_no_password(
    tables: TableReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CNC_DATABASE_URL", "postgresql://cnc:secret@server/cnc")
    task = asyncio.ensure_future(tables.run("t", reading(LONG)))
    (pid,) = await until(readers)
    await until(lambda: (tables.progress("t") or 0.0) > 0)
    process = Path(f"/proc/{pid}")
    limits = {
        line[:26].strip(): line[26:].split()[0]
        for line in (process / "limits").read_text().splitlines()[1:]
    }
    assert int(limits["Max address space"]) <= 400 << 20
    assert int(limits["Max cpu time"]) <= 40
    assert limits["Max file size"] == limits["Max core file size"] == "0"
    assert b"secret" not in (process / "environ").read_bytes()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_table_that_is_read_again_with_other_columns_starts_no_process(
    tables: TableReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = b"name;Teil;type\nA;B;mill\n"
    first = await tables.run("t", reading(content))
    monkeypatch.setattr(table_reader, "self_command", lambda: ["false"])
    again = await tables.run("t", lambda read: read(content, frozenset({"Teil"})))
    assert again == first
    tables.forget()
    assert isinstance(await tables.run("t", reading(content)), str)


async def test_the_columns_that_are_wanted_choose_the_delimiter(tables: TableReader) -> None:
    content = b"Teil,Art;x\nA,mill;1\n"
    found = await tables.run("t", lambda read: read(content, frozenset({"Art;x"})))
    assert found.columns == ("Teil", "Art;x")


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
async def test_the_loop_goes_on_while_a_table_is_read(tables: TableReader, kind: str) -> None:
    csv = b"name,type\n" + b"A,mill\n" * 40_000
    content = csv if kind == "csv" else stored(sheet(HEAD + ROW * 40_000))

    async def lag() -> float:
        """As a share of what is allowed."""
        tables.forget()
        with LagProbe() as probe:
            await tables.run("t", reading(content))
        return max(probe.percentile(0.5) / 0.02, probe.percentile(0.9) / 0.1)

    gc.freeze()  # as a station does; otherwise the objects of the tests are searched meanwhile
    try:
        assert await at_best(lag, 1.0) < 1.0
    finally:
        gc.unfreeze()


async def test_a_reader_ends_with_a_station_that_is_killed(tmp_path: Path) -> None:
    file = tmp_path / "long.xlsx"
    file.write_bytes(LONG)
    with subprocess.Popen(  # noqa: ASYNC220 - starts at once
        [sys.executable, "-m", "tests.tools.read_apart", str(file)], env=self_environment()
    ) as station:
        (pid,) = await until(lambda: readers(station.pid))
        station.kill()
        await until(lambda: not runs(pid))


async def test_a_station_that_stops_ends_its_readers(station: Station) -> None:
    floor = await station()
    asked = floor.engine.local_door.ask(PreviewImport("long.xlsx", LONG, None, "r"))
    task = asyncio.ensure_future(asked)
    await stopped_reader()
    assert floor.engine.local_door.peek(ReadingProgress("r")) is not None
    assert floor.engine.local_door.peek(ReadingProgress("another")) is None
    await floor.engine.stop()
    assert readers() == []
    await asyncio.gather(task, return_exceptions=True)


async def test_a_cancelled_import_stores_nothing(station: Station) -> None:
    door = (await station()).engine.local_door
    rows = ("<row>" + cell("a") + cell("mill") + "</row>") * 40_000
    task = asyncio.ensure_future(door.execute(ImportJobs("a.xlsx", workbook(sheet(HEAD + rows)))))
    await stopped_reader()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await until(lambda: not readers())
    page = await door.ask(ListJobs(JobFilter(), (Sort(SortKey.NAME),), 0, 1))
    assert page.total == 0
