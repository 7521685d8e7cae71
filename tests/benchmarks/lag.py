"""How long the loop keeps a click waiting while a whole shop is at work.

Fifty machines whose jobs change two hundred rows a second, the floor with its four charts and, in
a window beside it, the table of a hundred thousand jobs in the order of the queue: more than one
window ever shows at once.
"""

import asyncio
import statistics
import time
from dataclasses import replace

from PySide6.QtWidgets import QWidget

from cnc_station.loop import run
from cnc_station.ui.pages.jobs import JobsPage
from tests.benchmarks.figures import Effort, Figure, compared
from tests.benchmarks.product import rows_changed
from tests.benchmarks.shop import fill, folder
from tests.benchmarks.window import SIZE, station
from tests.tools.lag import LagProbe
from tests.until import until

MACHINES = 50
JOBS = 100_000
ROWS_A_SECOND = 200
CHANGES_OF_A_JOB = 6  # assigned, started, completed: a job's row and a machine's each time
SETTLE_S = 4.0
SECONDS = 20.0
REPAINTS = 5


async def _busy(jobs: int, seconds: float) -> tuple[float, float, float, float]:
    """Milliseconds of lag, p50 and p99, and of one repaint of all that is shown; and the rows that
    changed in a second."""
    with folder() as path:
        lasts = MACHINES * CHANGES_OF_A_JOB / ROWS_A_SECOND
        fill(path, jobs, MACHINES, one_type=True, quantity=1, estimated_s=lasts)
        async with station(path) as shop:
            table = JobsPage(replace(shop.shell.context))
            table.resize(SIZE)
            table.show()
            table.arrived()
            await until(lambda: table.model.total, timeout=30)
            await asyncio.sleep(SETTLE_S)
            changed = 0

            def count(rows: int) -> None:
                nonlocal changed
                changed += rows

            forget = rows_changed(shop.door, count)
            with LagProbe() as probe:
                await asyncio.sleep(seconds)
            forget()
            repaint = statistics.median(_repaint(shop.shell.window, table) for _ in range(REPAINTS))
            table.hide()
            table.deleteLater()
            lags = (probe.percentile(0.5) * 1000, probe.percentile(0.99) * 1000)
            return *lags, repaint, changed / seconds


def _repaint(*windows: QWidget) -> float:
    """Milliseconds that the loop stands still for it."""
    begun = time.perf_counter()
    for window in windows:
        window.grab()
    return (time.perf_counter() - begun) * 1000


async def _idle(seconds: float) -> float:
    """Milliseconds of lag, p50, of a loop that has nothing to do."""
    with LagProbe() as probe:
        await asyncio.sleep(seconds)
    return probe.percentile(0.5) * 1000


def lag(effort: Effort) -> list[Figure]:
    """Medians of what each repeat found. What the worst click waits for is work on the loop, which
    no idle loop has: its measure is one repaint."""
    seconds = max(2.0, SECONDS * effort.share)
    busy, idle = [], []
    for _ in range(effort.repeats):
        idle.append(run(_idle(seconds / 4)))
        busy.append(run(_busy(effort.of(JOBS), seconds)))
    p50, p99, repaint, rows = (statistics.median(values) for values in zip(*busy, strict=True))
    name = "loop lag of a whole shop at work"
    return [
        compared(f"{name}, p50", p50, "ms", statistics.median(idle), "idle loop", at_most=4.0),
        compared(f"{name}, p99", p99, "ms", repaint, "one repaint", at_most=1.5),
        compared("rows that change meanwhile", rows, "rows/s", ROWS_A_SECOND, "planned"),
    ]
