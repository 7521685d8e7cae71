"""Time to the first painted window, to the first rows in it, and the memory it takes."""

import json
import statistics
import subprocess
import sys
import time

from tests.benchmarks.figures import Effort, Figure, compared
from tests.benchmarks.shop import fill, folder

MACHINES = 12
JOBS = 100_000


def _start(*arguments: str) -> dict[str, float]:
    """One start in a process of its own; what it saw, in seconds from here."""
    command = [sys.executable, "-m", "tests.benchmarks.first_paint", str(time.time()), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise AssertionError(done.stderr)
    seen: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return seen


def start(effort: Effort) -> list[Figure]:
    """The two windows take turns; the first of each only warms the disk's cache."""
    with folder() as path:
        fill(path, effort.of(JOBS), MACHINES)
        ours, empty = [], []
        for _ in range(effort.repeats + 1):
            ours.append(_start("station", str(path)))
            empty.append(_start("empty"))

    def median(of: list[dict[str, float]], what: str) -> float:
        return statistics.median(seen[what] for seen in of[1:])

    frame, rows, memory = (median(ours, what) for what in ("frame", "rows", "memory"))
    bare, bare_memory = median(empty, "frame"), median(empty, "memory")
    against = "empty window"
    return [
        compared("first painted window", frame * 1000, "ms", bare * 1000, against, at_most=1.5),
        compared("first rows painted", rows * 1000, "ms", bare * 1000, against),
        compared(
            f"memory with {JOBS:,} jobs open", memory, "MB", bare_memory, against, at_most=2.5
        ),
    ]
