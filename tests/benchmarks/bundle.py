"""The bundle of `./dev installer` beside the same program from source: its first painted window,
and the memory that it takes."""

import contextlib
import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.figures import Effort, Figure, compared
from tests.benchmarks.registry import BUNDLE
from tests.benchmarks.shop import fill, folder

JOBS = 10_000
MACHINES = 12
WIDTH, HEIGHT = 1366, 768
SETTLE_S = 6.0  # without growth: the engine has started and the floor is filled
PATIENCE_S = 120.0
_POLL_S = 0.004


@dataclass(frozen=True, slots=True)
class _Start:
    """Seconds from the start of its process to the first painted window; resident MB later."""

    painted: float
    memory: float


def bundle(effort: Effort) -> list[Figure]:
    """They take turns; the first start of each only warms the disk's cache."""
    source = [sys.executable, "-m", "cnc_station"]
    with folder() as path:
        fill(path, effort.of(JOBS), MACHINES)
        asked = [str(BUNDLE), "db", "status", "--database", str(path / "station.db")]
        if subprocess.run(asked, capture_output=True, check=False).returncode:
            raise AssertionError("the bundle is older than this source: ./dev installer bundle")
        rounds = [
            (_start([str(BUNDLE)], path), _start(source, path)) for _ in range(effort.repeats + 1)
        ]

    against = "from source"
    painted, memory = "first painted window of the bundle", "memory of the bundle"
    ms = [statistics.median(of[which].painted * 1000 for of in rounds[1:]) for which in (0, 1)]
    mb = [statistics.median(of[which].memory for of in rounds[1:]) for which in (0, 1)]
    return [
        compared(painted, ms[0], "ms", ms[1], against, at_most=1.2),
        compared(memory, mb[0], "MB", mb[1], against, at_most=1.05),
    ]


def _start(command: list[str], data: Path) -> _Start:
    with _screen() as (display, picture):
        environ = {"PATH": os.environ["PATH"], "HOME": str(data), "DISPLAY": display}
        environ |= {"CNC_DATA_FOLDER": str(data), "CNC_STATION": "bench"}
        environ |= {"PYTHONPATH": str(Path.cwd()), "PYTHONSAFEPATH": "1"}
        begun = time.monotonic()
        program = subprocess.Popen(command, env=environ, stderr=subprocess.PIPE)
        try:
            while not _is_painted(picture):
                if program.poll() is not None or time.monotonic() - begun > PATIENCE_S:
                    said = program.communicate()[1] if program.poll() is not None else b""
                    raise AssertionError(f"no window of {command[0]}: {said.decode()}")
                time.sleep(_POLL_S)
            painted = time.monotonic() - begun
            return _Start(painted, _settled(program.pid))
        finally:
            program.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                program.wait(PATIENCE_S)
            program.kill()
            program.wait()


@contextmanager
def _screen() -> Iterator[tuple[str, Path]]:
    """A new black screen: its name, and the file that holds its pixels."""
    with folder() as place:
        size = f"{WIDTH}x{HEIGHT}x24"
        command = ["Xvfb", "-displayfd", "1", "-screen", "0", size, "-fbdir", str(place)]
        with subprocess.Popen(
            [*command, "-nolisten", "tcp"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        ) as server:
            assert server.stdout is not None
            yield f":{server.stdout.readline().strip()}", place / "Xvfb_screen0"
            server.terminate()


def _is_painted(picture: Path) -> bool:
    """Whether most of a line at a quarter of the height is not black: a window stands there, and
    something is drawn in it."""
    line = WIDTH * 4
    with picture.open("rb") as file:
        file.seek(-HEIGHT * line * 3 // 4, os.SEEK_END)
        pixels = file.read(line)
    return pixels.count(0) < line // 2


def _settled(pid: int) -> float:
    """Resident MB of a process that grows no more."""
    most, since, end = _memory(pid), time.monotonic(), time.monotonic() + PATIENCE_S
    while time.monotonic() - since < SETTLE_S and time.monotonic() < end:
        time.sleep(0.5)
        if (now := _memory(pid)) > most + 0.5:
            most, since = now, time.monotonic()
    return _memory(pid)


def _memory(pid: int) -> float:
    """Resident MB of a process."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    (line,) = (line for line in status.splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024
