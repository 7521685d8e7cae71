"""The guard of a command, as a process of its own."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cnc_station.bundled import self_command
from cnc_station.engine.handlers import guard

LIMITS = {"memory_bytes": 2**31, "file_bytes": 2**20, "cpu_s": 60, "processes": 64}
ALONE = [sys.executable, "-I", "-S", guard.__file__]


def _run(
    folder: Path, *argv: str, command: list[str] | None = None, **limits: int
) -> tuple[dict[str, Any], str]:
    """Run a command to its end. Return the guard's report and the output."""
    inside = folder / "run"
    inside.mkdir()
    order = {
        "argv": argv,
        "cwd": str(inside),
        "env": {"PATH": "/usr/bin:/bin"},
        "folder": str(inside),
        "silence_s": 60.0,
        "grace_s": 1.0,
        "limits": LIMITS | limits,
    }
    with subprocess.Popen(
        command or ALONE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdin.write(json.dumps(order).encode() + b"\n")
        process.stdin.flush()
        told, output = process.stderr.read(), process.stdout.read()
    assert not inside.exists()
    return json.loads(told), output.decode()


@pytest.mark.parametrize("command", [ALONE, [*self_command(), "--guard"]])
def test_it_is_a_part_of_the_program_and_reports_the_end(
    tmp_path: Path, command: list[str]
) -> None:
    report = _run(tmp_path, "/bin/sh", "-c", "echo $PWD; exit 3", command=command)
    assert report == ({"exit": 3}, f"{tmp_path}/run\n")


def test_a_command_that_is_not_there_is_said(tmp_path: Path) -> None:
    assert _run(tmp_path, "/no/such/command") == ({"error": "No such file or directory"}, "")


def test_a_file_grows_to_its_limit_only(tmp_path: Path) -> None:
    report, output = _run(tmp_path, "/bin/sh", "-c", "trap '' XFSZ; head -c 3000000 /dev/zero > f")
    assert report == {"exit": 1}
    assert "File too large" in output


def test_memory_is_limited(tmp_path: Path) -> None:
    greedy = "x = bytearray(300_000_000)"
    report, output = _run(
        tmp_path, sys.executable, "-I", "-S", "-c", greedy, memory_bytes=200_000_000
    )
    assert report == {"exit": 1}
    assert "MemoryError" in output


def test_computing_time_is_limited(tmp_path: Path) -> None:
    report, _ = _run(tmp_path, "/bin/sh", "-c", "while :; do :; done", cpu_s=1)
    assert report == {"signal": 24}  # SIGXCPU


def test_no_right_can_be_gained(tmp_path: Path) -> None:
    _, output = _run(tmp_path, "/bin/sh", "-c", "grep NoNewPrivs /proc/self/status; ulimit -c")
    assert output.split() == ["NoNewPrivs:", "1", "0"]


def test_without_an_order_nothing_is_done() -> None:
    done = subprocess.run(ALONE, input=b"", capture_output=True, check=False, timeout=30)
    assert (done.returncode, done.stdout, done.stderr) == (1, b"", b"")
