"""Which index serves which statement, at a hundred thousand jobs."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event, insert, literal, select

from cnc_station.engine.domain.audit import AuditKind
from cnc_station.engine.domain.states import OPEN_JOBS, WAITING_JOBS, JobState
from cnc_station.engine.queries import ListRuns
from cnc_station.engine.store import claim_statements, reaping, schema
from cnc_station.engine.store.queries.audit import audit_trail
from cnc_station.engine.store.queries.charts import charts
from cnc_station.engine.store.queries.executions import executions
from cnc_station.engine.store.queries.fleet_figures import fleet_figures
from cnc_station.engine.store.queries.floor import floor
from cnc_station.engine.store.queries.history import events, runs
from cnc_station.engine.store.queries.job_list import job_counts, job_page, jobs_by_id
from cnc_station.engine.views import JobFilter, Sort, SortKey
from cnc_station.engine.views.audit import AuditFilter
from cnc_station.engine.views.metrics import ExecutionGroup
from tests.store.rows import DAY, HOUR, NOW, Rows

JOBS = 100_000


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rows]:
    path: Path = tmp_path_factory.mktemp("plans") / "shop.db"
    rows = Rows(f"sqlite:///{path}")
    mill = rows.machine("Mill 1")
    done = rows.job(state="completed", machine_id=mill)
    rows.run(done, mill, state="succeeded", ended_at=NOW - HOUR)
    rows.event("completed", job_id=done, machine_id=mill, job_state="completed")
    rows.job(due_at=NOW - DAY)
    count = 1
    while count < JOBS:  # each round copies them all
        copied = [c for c in schema.job.c if c.name not in {"id", "rank"}]
        source = select(*copied, schema.job.c.rank + literal(float(count)))
        source = source.where(schema.job.c.state == "queued").limit(JOBS - count)
        with rows.writer.begin():
            names = [*(c.name for c in copied), "rank"]
            rows.writer.execute(insert(schema.job).from_select(names, source))
        count = min(2 * count, JOBS)
    yield rows
    rows.close()


def plans(shop: Rows, query: Callable[[Connection], Any]) -> list[str]:
    """What the database does for each statement of a query, a line a step."""
    statements: list[tuple[str, Any]] = []

    def explained(connection: Connection) -> list[str]:
        @event.listens_for(connection, "before_cursor_execute")
        def keep(_c: object, _k: object, statement: str, given: object, *_rest: object) -> None:
            statements.append((statement, given))

        query(connection)
        wanted = list(statements)
        return [
            str(row[3])
            for statement, given in wanted
            for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", given)
        ]

    return shop.read(explained)


def steps_on(lines: list[str], *tables: str) -> list[str]:
    return [line for line in lines if line.split()[:2][-1] in tables]


def page(chosen: JobFilter, *order: Sort, offset: int = 0) -> Callable[[Connection], Any]:
    return lambda c: job_page(c, chosen, order, offset, 100, NOW)


def test_what_the_leader_exports_scans_no_table_of_jobs(shop: Rows) -> None:
    leads = {"id": 1, "holder": "A", "incarnation": "one", "term": 1, "expires_at": NOW + HOUR}
    shop.insert(schema.leader, [leads])
    lines = plans(shop, lambda c: fleet_figures(c, NOW, "one"))
    assert [line.split(" (")[0] for line in steps_on(lines, "job")] == [
        "SCAN job USING INDEX job_ready",
        "SEARCH job USING INDEX job_ready_pinned",
        "SEARCH job USING INDEX job_state",
        "SCAN job USING INDEX job_open",
    ]


def test_statistics_of_runs_read_those_that_ended_in_the_span(shop: Rows) -> None:
    for group in ExecutionGroup:
        lines = plans(shop, partial(executions, since=NOW - DAY, until=NOW, group=group))
        assert {line.split(" (")[0] for line in steps_on(lines, "run")} == {
            "SEARCH run USING INDEX run_ended",
            "SEARCH run USING COVERING INDEX run_ended",
        }


def test_a_claim_walks_its_types_queue_in_order(shop: Rows) -> None:
    wanted = {"machine_type": "mill", "complexity": 5, "axes": 5, "count": 5}
    size = {"x": 1.0, "y": 1.0, "z": 1.0}
    offer = claim_statements.offer_statement(shop.database.dialect, any_material=True)
    lines = plans(shop, lambda c: c.execute(offer, {**wanted, **size}))
    assert lines == ["SEARCH job USING INDEX job_ready (machine_type=?)"]


def test_pinned_jobs_are_found_by_their_machine(shop: Rows) -> None:
    pinned = claim_statements.pinned_statement(shop.database.dialect)
    lines = plans(shop, lambda c: c.execute(pinned, {"item": "[[1],[2]]"}))
    assert lines[0] == "SEARCH job USING INDEX job_ready_pinned (pinned_machine_id=?)"


def test_whether_any_job_waits_is_answered_without_a_scan(shop: Rows) -> None:
    own = {"station": "A", "incarnation": "one"}
    lines = plans(shop, lambda c: c.execute(claim_statements.IDLE, own))
    assert len(steps_on(lines, "job")) == 3
    assert all("INDEX job_ready" in line for line in steps_on(lines, "job"))


def test_expired_leases_are_looked_for_among_live_runs_alone(shop: Rows) -> None:
    lines = plans(shop, lambda c: c.execute(reaping.EXPIRED, {"now": NOW}))
    (step,) = steps_on(lines, "run")
    assert "INDEX run_live" in step


def test_due_jobs_are_found_by_their_time(shop: Rows) -> None:
    job = schema.job
    due = select(job.c.id).where(schema.delayed_and_free, job.c.not_before <= NOW)
    lines = plans(shop, lambda c: c.execute(due.order_by(job.c.not_before)))
    assert lines == ["SEARCH job USING INDEX job_due (not_before<?)"]


@pytest.mark.parametrize("states", [OPEN_JOBS, WAITING_JOBS])
@pytest.mark.parametrize("offset", [0, 20_000, JOBS - 200])
def test_the_default_list_comes_in_order_from_its_index(
    shop: Rows, states: frozenset[JobState], offset: int
) -> None:
    lines = plans(shop, page(JobFilter(states=states), Sort(SortKey.QUEUE), offset=offset))
    lists = [line for line in steps_on(lines, "job") if "job_open" in line]
    assert lists
    assert "SCAN job" not in lines
    assert "USE TEMP B-TREE FOR ORDER BY" not in lines[:2]


def test_a_list_in_another_order_is_one_scan_of_the_table(shop: Rows) -> None:
    lines = plans(shop, page(JobFilter(text="bracket"), Sort(SortKey.NAME)))
    assert lines.count("SCAN job") == 1
    lines = plans(shop, page(JobFilter(states=OPEN_JOBS), Sort(SortKey.NAME)))
    assert lines.count("SCAN job") == 1


def test_rare_states_are_found_without_a_scan(shop: Rows) -> None:
    chosen = JobFilter(states=frozenset({JobState.NEEDS_ATTENTION}))
    lines = plans(shop, page(chosen, Sort(SortKey.CHANGED)))
    assert "SCAN job" not in lines


def test_a_few_open_jobs_are_found_among_many_finished_ones(shop: Rows) -> None:
    """Newest first, they would be looked for among all newer finished ones."""
    chosen = JobFilter(states=frozenset({JobState.PAUSED, JobState.DELAYED}))
    shop.job(state="paused")
    lines = plans(shop, page(chosen, Sort(SortKey.CREATED, descending=True)))
    assert not any("job_created" in line or line == "SCAN job" for line in lines), lines


@pytest.mark.parametrize(
    ("chosen", "index"),
    [
        (JobFilter(), "job_created"),
        (JobFilter(created_since=NOW + 1), "job_created"),
        (JobFilter(work_order="WO-7"), "job_work_order"),
        (JobFilter(external_id="4711"), "job_external"),
        (
            JobFilter(external_id="4711", tenant="proto", handlers=frozenset({"a.b"})),
            "job_external",
        ),
    ],
)
def test_the_newest_and_those_named_from_outside_are_found_without_a_scan(
    shop: Rows, chosen: JobFilter, index: str
) -> None:
    lines = plans(shop, page(chosen, Sort(SortKey.CREATED, descending=True)))
    assert any(index in line for line in steps_on(lines, "job")), lines
    assert "SCAN job" not in lines


def test_counts_of_all_jobs_touch_indexes_alone(shop: Rows) -> None:
    lines = plans(shop, lambda c: job_counts(c, JobFilter(), NOW))
    assert len(steps_on(lines, "job")) == 5
    assert all("INDEX" in line for line in steps_on(lines, "job"))


def test_finished_jobs_come_newest_first_from_the_index_of_their_ends(shop: Rows) -> None:
    done = JobFilter(states=frozenset({JobState.COMPLETED}))
    lines = plans(shop, page(done, Sort(SortKey.CHANGED, descending=True)))
    assert any("INDEX job_finished" in line for line in steps_on(lines, "job")), lines
    assert "SCAN job" not in lines


def test_the_floor_scans_no_table_that_grows(shop: Rows) -> None:
    lines = plans(shop, lambda c: floor(c, NOW))
    assert all("INDEX" in line or "PRIMARY" in line for line in steps_on(lines, "job", "run"))
    assert not [line for line in steps_on(lines, "event") if line.startswith("SCAN event")]


def test_charts_read_what_is_in_their_window(shop: Rows) -> None:
    lines = plans(shop, lambda c: charts(c, NOW - 4 * HOUR, HOUR, NOW))
    for line in steps_on(lines, "job", "run", "event", "earlier"):
        assert "INDEX" in line or "PRIMARY" in line


def test_a_search_of_the_runs_walks_from_the_newest_and_sorts_nothing(shop: Rows) -> None:
    lines = plans(shop, lambda c: runs(c, ListRuns(limit=500, text="bracket 1")))
    assert not [line for line in lines if "ORDER BY" in line or line == "SCAN job"], lines


def test_one_jobs_row_history_and_runs_are_looked_up(shop: Rows) -> None:
    for query in (
        lambda c: jobs_by_id(c, [3, 5], NOW),
        lambda c: events(c, job_id=3),
        lambda c: events(c, machine_id=1),
        lambda c: runs(c, ListRuns(job_id=3)),
    ):
        lines = plans(shop, query)
        assert not {"SCAN job", "SCAN event", "SCAN run"} & set(lines)


def test_the_audit_reads_what_people_did_and_passes_over_the_rest(shop: Rows) -> None:
    for kind in (None, *AuditKind):
        chosen = AuditFilter(person="Ada", kind=kind, since=NOW - DAY)
        lines = plans(shop, partial(audit_trail, chosen=chosen, before=99, limit=200))
        found = steps_on(lines, "event")
        assert found == ["SEARCH event USING INDEX event_of_people (id<?)"], kind
        assert not [line for line in lines if "TEMP B-TREE" in line]
