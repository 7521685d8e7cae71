"""How fast a shop with two years of finished jobs answers, beside the same shop without them.

Both have the same machines, open jobs, programs and the same last day: what is compared is what the
years cost. The history ends two days ago.
"""

import asyncio
import statistics
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from typing import Any

import psycopg
from sqlalchemy import Connection, insert, text

from cnc_station.config import Config
from cnc_station.engine.domain.states import OPEN_JOBS, JobState
from cnc_station.engine.door import Door
from cnc_station.engine.engine import open_client
from cnc_station.engine.queries import (
    CountJobs,
    ExecutionsBy,
    FloorCharts,
    FloorNow,
    JobById,
    ListEvents,
    ListJobs,
    ListPrograms,
    ListRuns,
    MetricsNow,
    Query,
)
from cnc_station.engine.store.database import Database
from cnc_station.engine.store.schema import job, program, run
from cnc_station.engine.timing import now_ms
from cnc_station.engine.views import JobFilter, Sort, SortKey
from tests.benchmarks.figures import Effort, Figure, compared
from tests.benchmarks.product_store import STATION
from tests.benchmarks.shop import config, fill_database, folder
from tests.store.rows import job_row
from tests.tools.servers import Postgres

JOBS = 2_000_000
OPEN = 400
MACHINES = 12
PROGRAMS = 400
OF_LAST_DAY = 300
ASKS = 15
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
YEARS_MS = 730 * DAY_MS
_AT_ONCE = 100_000
_ZEROS = "0" * 64

_KINDS = (  # of the events of one job: type, state of the job, of the run, of the machine
    ("created", "queued", None, None),
    ("edited", "queued", None, None),
    ("paused", "paused", None, None),
    ("resumed", "queued", None, None),
    ("assigned", "assigned", "assigned", "assigned"),
    ("started", "running", "running", "running"),
    *(("held", "held", "held", "held"), ("run_resumed", "running", "running", "running")) * 3,
    ("completed", "completed", "succeeded", "needs_clearing"),
    ("cleared", None, None, "idle"),
    ("readiness_changed", None, None, "idle"),
)
EVENTS = len(_KINDS)


def fill_years(where: str, jobs: int) -> None:
    """A shop's database: so many jobs in two years, then a day off, then its last day."""
    fill_database(where, OPEN, MACHINES)
    database = Database(where, synchronous="OFF")
    with closing(database), closing(database.connect_writer()) as pen:
        indexes = _without_indexes(pen, embedded=database.dialect.embedded)
        now = now_ms()
        with pen.begin():
            pen.execute(insert(program), [_program(number) for number in range(PROGRAMS)])
            pen.execute(
                text(
                    "CREATE TABLE kind (k INTEGER, type TEXT, job_state TEXT, run_state TEXT,"
                    " machine_state TEXT)"
                )
            )
            for number, kind in enumerate(_KINDS):
                names = dict(zip("tjrm", kind, strict=True))
                pen.execute(
                    text("INSERT INTO kind VALUES (:k, :t, :j, :r, :m)"), {"k": number} | names
                )
        for part in range(0, jobs, _AT_ONCE):
            begin = now - 2 * DAY_MS - YEARS_MS * (jobs - part) // jobs
            count = min(_AT_ONCE, jobs - part)
            with pen.begin():
                _finished(pen, count, begin, begin + YEARS_MS * count // jobs)
        with pen.begin():
            _finished(pen, OF_LAST_DAY, now - DAY_MS, now - HOUR_MS)
            pen.execute(text("DROP TABLE kind"))
            for statement in indexes:
                pen.execute(text(statement))
    if not where.startswith("sqlite"):
        with psycopg.connect(where, autocommit=True) as server:
            server.execute("VACUUM ANALYZE")  # as the server does by itself in two years


_INDEXES_OF_FILE = (
    "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql > ''"
    " AND tbl_name IN ('job', 'run', 'event')"
)
_INDEXES_OF_SERVER = (
    "SELECT indexname, indexdef FROM pg_indexes WHERE tablename IN ('job', 'run', 'event')"
    " AND NOT EXISTS (SELECT FROM pg_constraint WHERE conname = indexname)"
)


def _without_indexes(pen: Connection, *, embedded: bool) -> list[str]:
    """Drop the indexes of the filled tables, which are made faster at the end. Return how."""
    with pen.begin():
        found = pen.execute(text(_INDEXES_OF_FILE if embedded else _INDEXES_OF_SERVER)).all()
        for name, _ in found:
            pen.execute(text(f"DROP INDEX {name}"))
    return [statement for _, statement in found]


def _program(number: int) -> dict[str, Any]:
    return {
        "sha256": f"{number:064}", "name": f"part-{number:03}.nc", "revision": 1, "size": 3,
        "lines": 1, "duration_s": 60.0, "findings": "[]", "added_at": 1, "added_by": "anna",
        "content": b"M2\n",
    }  # fmt: skip


def _numbers(count: int) -> str:
    return (
        "WITH RECURSIVE numbers(n) AS (SELECT CAST(0 AS BIGINT) UNION ALL SELECT n + 1"
        f" FROM numbers WHERE n + 1 < {count})"
    )


def _finished(pen: Connection, count: int, since: int, until: int) -> None:
    """Jobs that were finished at even intervals, each with a run and its events."""
    first = pen.execute(text("SELECT max(id) FROM job")).scalar_one() + 1
    values = job_row(name="Bracket", state="completed", run_id=0, machine_id=1, attempt=1)
    at = f"({since} + n * {(until - since) // count})"
    computed = {
        "id": f"{first} + n", "finished_at": at, "state_since": at,
        "created_at": f"{at} - {HOUR_MS}",
        "name": "'Bracket ' || (n * 7919 % 1000)", "search": "'bracket ' || (n * 7919 % 1000)",
        "machine_id": f"1 + n % {MACHINES}", "run_id": f"{first} + n", "rank": f"{at}",
        "machine_type": "CASE n % 5 WHEN 3 THEN 'lathe' WHEN 4 THEN 'drill' ELSE 'mill' END",
        "work_order": "'WO-' || (n / 4)",
        "program": f"substr('{_ZEROS}' || (n % {PROGRAMS}), length('' || (n % {PROGRAMS})) + 1)",
        "state": "CASE n % 20 WHEN 19 THEN 'cancelled' ELSE 'completed' END",
    }  # fmt: skip
    _insert(pen, job.name, values, computed, count)
    _insert(pen, run.name, {
        "station": STATION, "attempt": 1, "token": 1, "lease_until": 0, "error": "", "good": 1,
    }, {
        "id": f"{first} + n", "job_id": f"{first} + n", "machine_id": f"1 + n % {MACHINES}",
        "state": "CASE n % 20 WHEN 19 THEN 'failed' ELSE 'succeeded' END",
        "assigned_at": f"{at} - 120000", "started_at": f"{at} - 60000", "ended_at": at,
    }, count)  # fmt: skip
    pen.execute(
        text(
            f"{_numbers(count)} INSERT INTO event (at, type, job_id, run_id, machine_id,"
            " job_state, run_state, machine_state, actor, station, trace_id, reason)"
            f" SELECT {at} - ({EVENTS} - k) * 1000, type, {first} + n,"
            f" CASE WHEN run_state > '' THEN {first} + n END,"
            f" CASE WHEN machine_state > '' THEN 1 + n % {MACHINES} END,"
            " job_state, run_state, machine_state, 'engine', :station,"
            " '0123456789abcdef0123456789abcdef', '' FROM numbers CROSS JOIN kind"
        ),
        {"station": STATION},
    )


def _insert(
    pen: Connection, table: str, values: Mapping[str, Any], computed: Mapping[str, str], count: int
) -> None:
    row = {name: f":{name}" for name in values} | dict(computed)
    pen.execute(
        text(
            f"{_numbers(count)} INSERT INTO {table} ({', '.join(row)})"
            f" SELECT {', '.join(row.values())} FROM numbers"
        ),
        {name: value for name, value in values.items() if name not in computed},
    )


def questions(now: int) -> Mapping[str, Query[Any]]:
    """What the pages of the window ask for."""
    queue, newest = (Sort(SortKey.QUEUE),), (Sort(SortKey.CHANGED, descending=True),)
    done = JobFilter(states=frozenset({JobState.COMPLETED}))
    return {
        "floor": FloorNow(),
        "charts of a day": FloorCharts(now - DAY_MS, HOUR_MS),
        "open jobs": ListJobs(JobFilter(states=OPEN_JOBS), queue, 0, 100),
        "open jobs with a text": ListJobs(JobFilter(states=OPEN_JOBS, text="shaft"), queue, 0, 100),
        "completed jobs, newest first": ListJobs(done, newest, 0, 100),
        "jobs by state": CountJobs(JobFilter()),
        "one job": JobById(1),
        "latest runs": ListRuns(limit=100),
        "latest events": ListEvents(limit=100, newest=True),
        "programs": ListPrograms(),
        "metrics of a day": MetricsNow(),
        "runs by machine type": ExecutionsBy(),
    }


async def _took(door: Door, query: Query[Any]) -> float:
    begun = time.perf_counter()
    await door.ask(query)
    return (time.perf_counter() - begun) * 1000


async def _answers(full: Config, empty: Config, asks: int) -> dict[str, tuple[float, float]]:
    """For each question the median of ms with the years, and without. They take turns."""
    old, new = await open_client(full), await open_client(empty)
    found = {}
    try:
        for name, query in questions(now_ms()).items():
            pairs = [  # the first only warms the caches
                (await _took(old.local_door, query), await _took(new.local_door, query))
                for _ in range(asks + 1)
            ]
            ours, bare = zip(*pairs[1:], strict=True)
            found[name] = statistics.median(ours), statistics.median(bare)
    finally:
        await old.stop()
        await new.stop()
    return found


def years(effort: Effort) -> list[Figure]:
    """Each question to both shops."""
    with folder() as full, folder() as empty:
        return _figures(effort, "", config(full), config(empty))


def fleet_years(effort: Effort) -> list[Figure]:
    """On PostgreSQL."""
    with (
        folder() as data,
        Postgres() as server,
        server.new_database() as full,
        server.new_database() as empty,
    ):
        shops = [replace(config(data), database_url=url) for url in (full, empty)]
        return _figures(effort, "fleet: ", *shops)


def _figures(effort: Effort, prefix: str, full: Config, empty: Config) -> list[Figure]:
    fill_years(full.database_url, effort.of(JOBS))
    fill_years(empty.database_url, 0)
    answers = asyncio.run(_answers(full, empty, max(3, ASKS * effort.repeats // 3)))
    return [
        compared(f"{prefix}{name} after two years", ours, "ms", bare, "an empty shop", at_most=1.5)
        for name, (ours, bare) in answers.items()
    ]
