"""A program that crashes leaves a report, and its next start says so."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cnc_station.config import load
from cnc_station.crash_reports import MOST_KEPT, CrashReport, crash_of, reports
from tests.tools.servers import free_port
from tests.until import until

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals")


def _environ(folder: Path) -> dict[str, str]:
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("CNC_")},
        "CNC_DATA_FOLDER": str(folder),
        "CNC_STATION": "Hall",
        "CNC_HEALTH_PORT": str(free_port()),
    }


@contextmanager
def _serving(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """A station at work."""
    command = [sys.executable, "-m", "cnc_station", "serve"]
    with subprocess.Popen(
        command, env=_environ(folder), stderr=subprocess.PIPE, text=True, cwd=folder
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def _said_until_work(process: subprocess.Popen[str]) -> str:
    assert process.stderr is not None
    lines = []
    for line in process.stderr:
        lines.append(line)
        if "is at work" in line:
            break
    return "".join(lines)


def _python(folder: Path, body: str) -> int:
    """Run lines of a program within a report. Return its exit code."""
    script = (
        "import os, signal, sys\nfrom pathlib import Path\nfrom cnc_station.config import load\n"
        "from cnc_station.crash_reports import CrashReport\n"
        f"with CrashReport(load({{'CNC_DATA_FOLDER': {str(folder)!r}, 'CNC_STATION': 'Hall'}})):\n"
        f"    {body}\n"
    )
    return subprocess.run(
        [sys.executable, "-c", script], check=False, capture_output=True
    ).returncode


def _next_start(folder: Path) -> tuple[Path, ...]:
    with CrashReport(load({"CNC_DATA_FOLDER": str(folder), "CNC_STATION": "Hall"})) as report:
        return report.previous


async def test_a_fault_of_a_station_at_work_is_reported_at_its_next_start(tmp_path: Path) -> None:
    with _serving(tmp_path) as first:
        _said_until_work(first)
        await until(lambda: "is at work" in (tmp_path / "logs" / "Hall.jsonl").read_text())
        assert len(list((tmp_path / "crashes").iterdir())) == 1
        first.send_signal(signal.SIGSEGV)
        assert first.wait(20) == -signal.SIGSEGV
    with _serving(tmp_path) as second:
        said = _said_until_work(second)
        assert "CNC Station crashed before (Fatal Python error: Segmentation fault)" in said
        (report,) = (tmp_path / "crashes").glob("*.txt")
        text = report.read_text()
        assert "Current thread" in text
        assert "is at work" in text.partition("The last lines of the log:")[2]
        assert report.stat().st_mode & 0o777 == 0o600
        second.terminate()
        assert second.wait(20) == 0
    assert list((tmp_path / "crashes").iterdir()) == [report]
    assert _next_start(tmp_path) == ()  # it was told once


@pytest.mark.parametrize(
    ("body", "code", "told"),
    [
        ("os.abort()", -signal.SIGABRT, "Fatal Python error: Aborted"),
        ("{}['key']", 1, "KeyError: 'key'"),
        ("os.kill(os.getpid(), signal.SIGKILL)", -signal.SIGKILL, ""),
        ("sys.exit(3)", 3, ""),
        ("pass", 0, ""),
    ],
)
def test_each_end_but_a_crash_leaves_nothing(
    tmp_path: Path, body: str, code: int, told: str
) -> None:
    assert _python(tmp_path, body) == code
    assert [crash_of(report) for report in _next_start(tmp_path)] == ([told] if told else [])
    assert len(list((tmp_path / "crashes").iterdir())) == (1 if told else 0)


def test_the_report_of_a_process_at_work_is_left_to_it(tmp_path: Path) -> None:
    config = load({"CNC_DATA_FOLDER": str(tmp_path)})
    with CrashReport(config) as one:
        one.note("it is about to crash")
        with CrashReport(config) as other:
            assert other.previous == ()
    assert reports(config) == []


def test_only_the_newest_reports_are_kept(tmp_path: Path) -> None:
    folder = tmp_path / "crashes"
    folder.mkdir()
    for number in range(MOST_KEPT + 5):
        (folder / f"crash-20260101-000000-{1000 + number}.txt").write_text("old")
    _next_start(tmp_path)
    left = reports(load({"CNC_DATA_FOLDER": str(tmp_path)}))
    assert len(left) == MOST_KEPT
    assert left[-1].name.endswith(f"{1000 + MOST_KEPT + 4}.txt")


def test_a_folder_that_cannot_be_written_stops_no_start(tmp_path: Path) -> None:
    (tmp_path / "crashes").write_text("in the way")
    assert _python(tmp_path, "pass") == 0
