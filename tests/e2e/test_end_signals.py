"""Signals that end the window: none is lost, at whichever instant it comes."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.test_cli import Shell

AT_AN_IMPORT = """
import os, sys

number, name = int(sys.argv[1]), sys.argv[2]

class Swallowed:
    '''Gets the signal where an exception is printed and lost, as in a callback of Qt.'''

    def __del__(self):
        os.kill(os.getpid(), number)
        sum(range(1000))

class Finder:
    def find_spec(self, sought, path=None, target=None):
        global number
        if sought == name:
            sys.meta_path.remove(self)
            Swallowed()

sys.meta_path.insert(0, Finder())
from cnc_station.cli.run import run
sys.exit(run([], os.environ))
"""

INSTANTS = (
    "PySide6.QtWidgets",  # before there is an application
    "cnc_station.ui.main_window",
    "cnc_station.desktop_main",  # after the first paint
    "cnc_station.engine.engine",  # at the start of the engine
    "cnc_station.web.serving",
)


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


@pytest.mark.parametrize("module", INSTANTS)
def test_a_signal_at_the_import_of_a_module_closes_the_window(shell: Shell, module: str) -> None:
    number = signal.SIGTERM if module == INSTANTS[-1] else signal.SIGINT
    ended = subprocess.run(
        [sys.executable, "-c", AT_AN_IMPORT, str(int(number)), module],
        env=shell.environ | {"CNC_HEALTH_PORT": "0"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert not shell.database.with_name("station.db.holder").exists(), "it ended in order"
    assert not list(shell.folder.glob("crashes/*")), "and was no crash"
