"""A person at a new PC, with mouse and keyboard: from an empty folder to a finished program."""

import asyncio
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.drivers.grbl_bench import FAST, square
from tests.drivers.grbl_fake import FakeGrbl
from tests.drivers.grbl_wire import TcpWire
from tests.e2e.test_cli import Shell

pytestmark = pytest.mark.skipif(
    not all(map(shutil.which, ("Xvfb", "xdotool"))), reason="not installed: xvfb, xdotool"
)
PATIENCE_S = 90.0


@pytest.fixture
def display() -> Iterator[str]:
    command = ["Xvfb", "-displayfd", "1", "-screen", "0", "1366x768x24", "-nolisten", "tcp"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        yield f":{server.stdout.readline().strip()}"
        server.terminate()


class Person:
    """Taps and types where the window says that the next step is."""

    def __init__(self, window: asyncio.subprocess.Process, environ: dict[str, str]) -> None:
        self._window = window
        self._environ = environ

    async def at(self, step: str, typed: str = "", key: str = "", *, tap: bool = True) -> None:
        """Wait for this step, tap on its place, then type."""
        assert self._window.stdout is not None
        said = await asyncio.wait_for(self._window.stdout.readline(), PATIENCE_S)
        name, x, y, window = said.decode().split()
        assert name == step
        await self._do("windowfocus", window)
        if tap:
            await self._do("mousemove", x, y, "click", "1")
        if typed:
            await self._do("type", typed)
        if key:
            await self._do("key", key)

    async def _do(self, *command: str) -> None:
        tool = await asyncio.create_subprocess_exec("xdotool", *command, env=self._environ)
        assert await tool.wait() == 0


async def test_from_an_empty_folder_to_a_finished_program_on_a_grbl(
    tmp_path: Path, display: str
) -> None:
    wire = TcpWire(FakeGrbl(speed=FAST))
    await wire.put_back()
    program = tmp_path / "square.nc"
    program.write_bytes(square(2))
    environ = Shell(tmp_path / "data").environ | {"DISPLAY": display, "QT_QPA_PLATFORM": "xcb"}
    (tmp_path / "data").mkdir()
    window = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.e2e.watched_first_run", str(tmp_path)),
        env=environ | {"CNC_HEALTH_PORT": "0"},
        stdout=subprocess.PIPE,
    )
    try:
        person = Person(window, environ)
        await person.at("alone")
        await person.at("address", wire.port, "Return")
        await person.at("found")
        await person.at("name", "Router 1")
        await person.at("test")
        await person.at("starts", key="Tab")
        await person.at("clears", key="space", tap=False)  # the keyboard has scrolled to it
        await person.at("save")
        await person.at("choose")
        await person.at("file", str(program), "Return")
        await person.at("submit")
        await person.at("finished")
        window.send_signal(signal.SIGINT)
        assert await asyncio.wait_for(window.wait(), PATIENCE_S) == 0
    finally:
        if window.returncode is None:
            window.kill()
        await wire.pull_out()
