"""The jobs by state in a shop with many finished ones."""

from collections.abc import Callable
from functools import partial
from types import SimpleNamespace

import pytest
from sqlalchemy import Connection, event

from cnc_station.engine.domain.states import OPEN_JOBS, JobState
from cnc_station.engine.store import schema
from cnc_station.engine.store.queries import programs
from cnc_station.engine.store.queries import state_counts as module
from cnc_station.engine.store.queries.job_list import job_page
from cnc_station.engine.store.queries.state_counts import state_counts
from cnc_station.engine.store.tenants import for_tenants
from cnc_station.engine.views import JobFilter, Sort, SortKey
from tests.store.rows import DAY, NOW, Rows, job_row


def _done(rows: Rows, count: int, at: int, **values: str) -> None:
    row = job_row(state="completed", state_since=at, finished_at=at, **values)
    rows.insert(schema.job, [row] * count)


def test_only_those_finished_long_ago_are_counted_once_a_minute(
    rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MANY", 3)
    now = [1_000.0]
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: now[0]))
    _done(rows, 3, NOW - DAY)
    rows.job(state="paused")
    count: Callable[[Connection], object] = partial(state_counts, now=NOW)
    assert rows.read(count) == {JobState.COMPLETED: 3, JobState.PAUSED: 1}
    _done(rows, 1, NOW - DAY)  # such as a clock that was set
    _done(rows, 2, NOW)
    rows.job(state="queued")
    before = {JobState.COMPLETED: 5, JobState.PAUSED: 1, JobState.QUEUED: 1}
    assert rows.read(count) == before
    now[0] += 61.0
    assert rows.read(count) == before | {JobState.COMPLETED: 6}


def test_a_reader_of_some_tenants_never_counts_the_jobs_of_others(
    rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MANY", 1)
    _done(rows, 3, NOW - DAY, tenant="acme")
    _done(rows, 2, NOW - DAY, tenant="bolt")
    count = partial(state_counts, now=NOW)
    assert rows.read(for_tenants(count, frozenset({"bolt"}))) == {JobState.COMPLETED: 2}
    assert rows.read(count) == {JobState.COMPLETED: 5}
    assert rows.read(for_tenants(count, frozenset({"acme"}))) == {JobState.COMPLETED: 3}
    assert rows.read(count) == {JobState.COMPLETED: 5}


def test_open_jobs_with_a_text_are_found_without_reading_the_finished_ones(rows: Rows) -> None:
    _done(rows, 400, NOW - DAY)
    rows.insert(schema.job, [job_row(name="Shaft"), job_row(name="Plate")])
    chosen = JobFilter(states=OPEN_JOBS, text="shaft")
    statements: list[str] = []

    def look(connection: Connection) -> list[str]:
        @event.listens_for(connection, "before_cursor_execute")
        def keep(_c: object, _k: object, statement: str, *_rest: object) -> None:
            statements.append(statement)

        found = job_page(connection, chosen, (Sort(SortKey.NAME),), 0, 10, NOW)
        return [row.name for row in found.rows]

    assert rows.read(look) == ["Shaft"]
    assert any("search" in sql and "finished_at IS NULL" in sql for sql in statements)
    rows.insert(schema.job, [job_row(name="Shaft 2")] * 300)
    statements.clear()
    assert len(rows.read(look)) == 10
    assert any("search" in sql and "finished_at IS NULL" not in sql for sql in statements)


def test_jobs_of_programs_are_counted_on_from_the_last_count(
    rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(programs, "MANY", 2)
    now = [1_000.0]
    monkeypatch.setattr(programs, "time", SimpleNamespace(monotonic=lambda: now[0]))
    one, other = (f"{number:064x}" for number in range(2))
    content = {"size": 1, "lines": 1, "duration_s": 1.0, "findings": "[]", "content": b"M2"}
    added = {"revision": 1, "added_at": NOW, "added_by": "anna"}
    for name in (one, other):
        rows.insert(schema.program, [{"sha256": name, "name": name, **content, **added}])
    _done(rows, 2, NOW - DAY, program=one)
    ask = programs.job_counts_by_program
    assert rows.read(ask) == {one: 2}
    _done(rows, 1, NOW, program=one)
    _done(rows, 4, NOW, program=other)
    assert rows.read(ask) == {one: 3, other: 4}
    assert [row.jobs for row in rows.read(programs.programs)] == [3, 4]
    now[0] += 61.0
    assert rows.read(ask) == {one: 3, other: 4}
