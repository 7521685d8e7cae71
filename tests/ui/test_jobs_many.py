"""The page over 100,000 jobs: what is asked for is what is on view, whatever is done to it."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from cnc_station.config import Config
from cnc_station.engine.commands import SubmitJobs
from cnc_station.engine.domain.job import JobSpec
from cnc_station.engine.domain.states import OPEN_JOBS
from cnc_station.engine.queries import ListJobs, Query
from cnc_station.engine.views import JobFilter, Sort, SortKey
from cnc_station.ui.models.job_feed import PAGE
from cnc_station.ui.models.job_table import MOST_KNOWN
from cnc_station.ui.pages.jobs import JobsPage
from tests.ui.real_engine import Office, opened
from tests.until import until

MANY = 100_000
CHANGED = {
    "id": "n",
    "name": "printf('Part %06d', n)",
    "search": "printf('part %06d', n)",
    "machine_type": "CASE n % 3 WHEN 0 THEN 'mill' WHEN 1 THEN 'lathe' ELSE 'drill' END",
    "priority": "n % 100",
    "rank": "rank + n",
}


def fill(path: Path) -> None:
    """Copies the one job there is; through the pen this would take twenty seconds."""
    with closing(sqlite3.connect(path)) as connection, connection:
        columns = [row[1] for row in connection.execute("PRAGMA table_info(job)")]
        values = ", ".join(CHANGED.get(column, column) for column in columns)
        connection.execute(
            "WITH RECURSIVE number(n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM number WHERE n < ?)"
            f" INSERT INTO job ({', '.join(columns)}) SELECT {values} FROM number, job"
            " WHERE job.id = 1",
            (MANY,),
        )


@pytest_asyncio.fixture
async def page(
    office: Office, config: Config, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[JobsPage]:
    await office.door.execute(SubmitJobs([JobSpec("Part 000001", "lathe", priority=1)]))
    assert config.database_path is not None
    fill(config.database_path)
    ask = office.door.ask

    async def few(query: Query[Any]) -> Any:
        if isinstance(query, ListJobs):
            assert query.limit <= PAGE, "more was asked for than is on view"
        return await ask(query)

    monkeypatch.setattr(office.door, "ask", few)
    async with opened(office, JobsPage(office.context)) as page:
        await until(lambda: page.model.total == MANY)
        yield page


def top(page: JobsPage) -> str:
    row = page.model.row(max(0, page.view.rowAt(0)))
    return row.name if row else ""


async def settled(page: JobsPage) -> None:
    await until(lambda: page.feed.settled)


async def test_100_000_jobs_are_sorted_filtered_searched_and_scrolled(page: JobsPage) -> None:
    assert len(page.model.known) <= PAGE
    page.sort((Sort(SortKey.PRIORITY, descending=True), Sort(SortKey.NAME)))
    await until(lambda: top(page) == "Part 000099")
    page.sort((Sort(SortKey.NAME, descending=True),))
    await until(lambda: top(page) == "Part 100000")

    page.apply(JobFilter(states=OPEN_JOBS, machine_types=frozenset({"lathe"})))
    await until(lambda: page.model.total == (MANY + 2) // 3)
    page.search("0500 part")
    await until(lambda: 0 < page.model.total < 200)
    page.search("")
    page.apply(JobFilter(states=OPEN_JOBS))
    await until(lambda: page.model.total == MANY)

    await settled(page)
    page.view.setFocus()
    page.view.setCurrentIndex(page.model.index(0, 0))
    QTest.keyClick(page.view, Qt.Key.Key_End, Qt.KeyboardModifier.ControlModifier)
    await until(lambda: page.model.row(MANY - 1) is not None)
    page.view.scrollTo(page.model.index(50_000, 0))
    await until(lambda: page.model.row(50_000) is not None)
    assert len(page.model.known) <= MOST_KNOWN
    assert page.model.row(0) is None
