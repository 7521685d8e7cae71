"""How soon the job table shows its first rows after another filter or order was chosen."""

import statistics
import time
from functools import partial
from typing import Any

from cnc_station.engine.domain.states import OPEN_JOBS, JobState
from cnc_station.engine.views import JobFilter, Sort, SortKey
from cnc_station.loop import run
from tests.benchmarks.figures import Effort, Figure, compared
from tests.benchmarks.product import first_rows
from tests.benchmarks.shop import fill, folder
from tests.benchmarks.window import Painted, Station, station
from tests.until import until

JOBS = 100_000
ROUNDS = 5
_WAITING = frozenset({JobState.QUEUED})
_OPEN = JobFilter(states=OPEN_JOBS)
FILTERS = {
    "waiting jobs": JobFilter(states=_WAITING),
    "all jobs": JobFilter(),
    "lathes": JobFilter(states=OPEN_JOBS, machine_types=frozenset({"lathe"})),
    "text": JobFilter(states=OPEN_JOBS, text="bracket 7"),
}
ORDERS = {
    "due date": (Sort(SortKey.DUE),),
    "priority, name": (Sort(SortKey.PRIORITY, descending=True), Sort(SortKey.NAME)),
    "queue": (Sort(SortKey.QUEUE),),
}


async def _changes(jobs: int, rounds: int) -> dict[str, tuple[list[float], list[float]]]:
    """For each change: milliseconds to the painted rows, and those of the query alone."""
    found: dict[str, tuple[list[float], list[float]]] = {}
    with folder() as path:
        fill(path, jobs, 0)
        async with station(path, charts=False) as shop:
            shop.shell.to_jobs(_OPEN)
            page: Any = shop.shell.window.page("jobs")
            table = _Table(shop, page)
            await table.settled()
            for _ in range(rounds):
                for name, chosen in FILTERS.items():
                    took = await table.change(partial(page.apply, chosen))
                    bare = await table.query(chosen, page.feed.order)
                    ours, baseline = found.setdefault(f"filter: {name}", ([], []))
                    ours.append(took)
                    baseline.append(bare)
                page.apply(_OPEN)
                await table.settled()
                for name, order in ORDERS.items():
                    took = await table.change(partial(page.sort, order))
                    bare = await table.query(_OPEN, order)
                    ours, baseline = found.setdefault(f"order: {name}", ([], []))
                    ours.append(took)
                    baseline.append(bare)
    return found


class _Table:
    """The Jobs page, and when it was painted."""

    def __init__(self, shop: Station, page: Any) -> None:
        self._door = shop.door
        self._page = page
        self._painted = Painted(page.view.viewport())
        self._started_over = 0.0
        page.feed.started_over.connect(self._note)

    def _note(self) -> None:
        self._started_over = time.perf_counter()
        self._page.view.viewport().update()  # also where the same rows come first again

    async def settled(self) -> None:
        """Nothing is asked for any more, and what was asked for is painted."""
        await until(lambda: self._page.feed.settled and self._page.model.total, timeout=30)
        await until(lambda: self._painted.at > self._started_over, timeout=30)

    async def change(self, ask: Any) -> float:
        """Milliseconds from the asking to the painting of the first rows that answer it."""
        begun = time.perf_counter()
        ask()
        await until(lambda: begun < self._started_over < self._painted.at, timeout=30)
        took = (self._painted.at - begun) * 1000
        await self.settled()
        return took

    async def query(self, chosen: JobFilter, order: tuple[Sort, ...]) -> float:
        """Milliseconds for the same rows from the engine alone."""
        begun = time.perf_counter()
        await first_rows(self._door, chosen, order)
        return (time.perf_counter() - begun) * 1000


def lists(effort: Effort) -> list[Figure]:
    """Each change several times; the median of each, the slowest last."""
    found = run(_changes(effort.of(JOBS), ROUNDS * effort.repeats))
    figures = [
        compared(
            f"rows after {name}",
            statistics.median(ours),
            "ms",
            statistics.median(bare),
            "its query",
            at_most=2.0,
        )
        for name, (ours, bare) in found.items()
    ]
    return sorted(figures, key=lambda figure: figure.value)
