"""`cnc-station import` of a long table: its progress, and what Ctrl-C leaves behind."""

import asyncio
import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.tools.hostile_tables import HEAD, cell, sheet, stored
from tests.tools.table_readers import runs, stopped_reader
from tests.until import until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
LONG = stored(sheet(HEAD + ("<row>" + cell("a") + cell("mill") + "</row>") * 49_000))


@pytest.fixture
def environ(tmp_path: Path) -> Mapping[str, str]:
    (tmp_path / "long.xlsx").write_bytes(LONG)
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "PYTHONPATH") if name in os.environ}
    return {**kept, "CNC_DATA_FOLDER": str(tmp_path)}


@asynccontextmanager
async def started(
    environ: Mapping[str, str], *argv: str
) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "cnc_station", *argv),
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def said(process: asyncio.subprocess.Process, words: bytes) -> bytes:
    """Wait for a line on stderr. Return all up to it."""
    assert process.stderr is not None
    lines = b""
    while words not in lines:
        line = await process.stderr.readline()
        assert line, lines
        lines += line
    return lines


async def interrupted(process: asyncio.subprocess.Process) -> None:
    process.send_signal(signal.SIGINT)
    out, told = await process.communicate()
    assert (process.returncode, out) == (130, b"")
    assert b"Traceback" not in told


async def test_control_c_ends_an_import_and_its_reader(
    environ: Mapping[str, str], tmp_path: Path
) -> None:
    async with started(environ, "import", str(tmp_path / "long.xlsx")) as command:
        reader = await stopped_reader(command.pid)
        lines = await said(command, b"reading the table: ")
        assert re.search(rb"cnc-station: reading the table: [1-9][0-9]* s\n", lines)
        await interrupted(command)
        await until(lambda: not runs(reader))


async def test_control_c_ends_the_reader_of_a_station_at_work(
    environ: Mapping[str, str], tmp_path: Path
) -> None:
    async with started(environ, "serve") as station:
        await said(station, b"is at work")
        async with started(environ, "import", str(tmp_path / "long.xlsx")) as command:
            reader = await stopped_reader(station.pid)
            await interrupted(command)
            await until(lambda: not runs(reader))
        async with started(environ, "jobs", "--state", "all", "--json") as command:
            out, _ = await command.communicate()
            assert b'"total": 0' in out
        station.terminate()
        await station.communicate()
        assert station.returncode == 0
