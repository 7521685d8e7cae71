"""Starting the program again while its window is open or out of sight."""

import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.e2e.test_cli import Shell
from tests.until import until

COMMAND = [sys.executable, "-m", "cnc_station"]


def begun(shell: Shell, *argv: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen([*COMMAND, *argv], env=shell.environ, stderr=subprocess.DEVNULL)


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


@pytest_asyncio.fixture
async def first(shell: Shell) -> AsyncIterator["subprocess.Popen[bytes]"]:
    """A station whose engine is at work."""
    process = begun(shell)
    holder = shell.database.with_name("station.db.holder")
    await until(lambda: holder.exists() and holder.read_text())
    yield process
    process.kill()
    process.wait()


async def test_a_second_start_shows_the_first_window_and_ends(
    shell: Shell, first: "subprocess.Popen[bytes]"
) -> None:
    again = shell()
    assert again.returncode == 0, again.stderr
    assert first.poll() is None
    first.send_signal(signal.SIGTERM)
    await until(lambda: first.poll() is not None)
    assert first.returncode == 0
    assert not shell.database.with_name("station.db.holder").exists(), "it ended in order"


async def test_a_second_start_beside_a_station_without_a_window_is_refused_as_before(
    shell: Shell,
) -> None:
    served = begun(shell, "serve")
    holder = shell.database.with_name("station.db.holder")
    await until(lambda: holder.exists() and holder.read_text())
    window = begun(shell)
    await until(
        lambda: any(
            "already works on this database" in file.read_text()
            for file in (shell.folder / "logs").glob("*.jsonl")
        )
    )
    assert window.poll() is None, "it says why until that is read"
    window.send_signal(signal.SIGTERM)
    served.send_signal(signal.SIGTERM)
    await until(lambda: window.poll() == 3 and served.poll() == 0)
