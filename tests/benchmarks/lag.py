"""How long the loop keeps a click waiting while a whole shop is at work.

Fifty machines whose jobs change two hundred rows a second, the floor with its four charts and, in
a window beside it, the table of a hundred thousand jobs in the order of the queue: more than one
window ever shows at once.
"""

import asyncio
import statistics
from dataclasses import replace

from cnc_station.engine.domain.notice import Notice
from cnc_station.lag import LagProbe
from cnc_station.loop import run
from cnc_station.ui.pages.jobs import JobsPage
from tests.benchmarks.figures import Effort, Figure, limited
from tests.benchmarks.shop import fill, folder
from tests.benchmarks.window import SIZE, station
from tests.until import until

MACHINES = 50
JOBS = 100_000
ROWS_A_SECOND = 200
CHANGES_OF_A_JOB = 6  # assigned, started, completed: a job's row and a machine's each time
SETTLE_S = 4.0
SECONDS = 20.0


async def _busy(jobs: int, seconds: float) -> tuple[float, float, float]:
    """Milliseconds of lag, p50 and p99, and the rows that changed in a second."""
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

            def count(notice: Notice) -> None:
                nonlocal changed
                changed += len(notice.jobs) + len(notice.machines)

            forget = shop.engine.subscribe(count)
            with LagProbe() as probe:
                await asyncio.sleep(seconds)
            forget()
            table.hide()
            table.deleteLater()
            return probe.percentile(0.5) * 1000, probe.percentile(0.99) * 1000, changed / seconds


async def _idle(seconds: float) -> tuple[float, float]:
    """The same of a loop that has nothing to do."""
    with LagProbe() as probe:
        await asyncio.sleep(seconds)
    return probe.percentile(0.5) * 1000, probe.percentile(0.99) * 1000


def lag(effort: Effort) -> list[Figure]:
    """Medians of what each repeat found."""
    seconds = SECONDS * effort.share
    busy, idle = [], []
    for _ in range(effort.repeats):
        idle.append(run(_idle(seconds / 4)))
        busy.append(run(_busy(effort.of(JOBS), seconds)))
    p50, p99, rows = (statistics.median(values) for values in zip(*busy, strict=True))
    idle50, idle99 = (statistics.median(values) for values in zip(*idle, strict=True))
    name = f"loop lag at {rows:.0f} rows/s"
    return [
        limited(f"{name}, p50", p50, "ms", idle50, "idle loop", at_most=16.0),
        limited(f"{name}, p99", p99, "ms", idle99, "idle loop", at_most=16.0),
    ]
