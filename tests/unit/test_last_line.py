"""A test run that ends early, or a test at its time limit, is named on the last line."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

SLEEPING = """
import time
def test_first(): pass
def test_sleeping():
    print("asleep", flush=True)
    time.sleep(1000)
def test_last(): pass
"""


def _pytest(folder: Path, *options: str) -> "subprocess.Popen[str]":
    (folder / "test_sleeping.py").write_text(SLEEPING)
    command = [sys.executable, "-m", "pytest", "-p", "tests.last_line", "-p", "no:cacheprovider"]
    command += ["--rootdir", str(folder), "-c", str(folder / "none.ini"), *options, str(folder)]
    (folder / "none.ini").write_text("[pytest]\n")
    return subprocess.Popen(
        command, cwd=Path(__file__).parents[2], stdout=subprocess.PIPE, text=True
    )


@pytest.mark.parametrize(
    ("number", "why"),
    [(signal.SIGTERM, "SIGTERM after"), (signal.SIGINT, "the run was interrupted after")],
)
def test_a_run_that_was_ended_says_so_on_its_last_line(
    tmp_path: Path, number: signal.Signals, why: str
) -> None:
    with _pytest(tmp_path, "-s") as run:
        assert run.stdout is not None
        while "asleep" not in run.stdout.readline():
            assert run.poll() is None
        run.send_signal(number)
        said = run.stdout.read()
    assert run.returncode not in {0, 1}
    assert said.splitlines()[-1].startswith(f"NOT ALL TESTS HAVE RUN: {why}")


def test_a_test_at_its_time_limit_is_named_and_the_others_run(tmp_path: Path) -> None:
    with _pytest(tmp_path, "--timeout", "0.5") as run:
        said, _ = run.communicate()
    assert "1 failed, 2 passed" in said
    last = said.splitlines()[-1]
    assert last == "ENDED AT THEIR TIME LIMIT: test_sleeping.py::test_sleeping"


def test_a_run_that_comes_to_its_end_adds_nothing(tmp_path: Path) -> None:
    with _pytest(tmp_path, "-k", "first") as run:
        said, _ = run.communicate()
    assert "1 passed" in said.splitlines()[-1]
