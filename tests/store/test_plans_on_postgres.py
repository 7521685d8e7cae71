"""Which index serves which statement on PostgreSQL, at a hundred thousand jobs."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from sqlalchemy import Connection, event, select, text

from cnc_station.engine.domain.states import OPEN_JOBS, JobState
from cnc_station.engine.queries import ListRuns
from cnc_station.engine.store import claim_statements, move_statements, reaping, schema
from cnc_station.engine.store.dialect import packed
from cnc_station.engine.store.queries.history import events, runs
from cnc_station.engine.store.queries.job_list import job_page, jobs_by_id
from cnc_station.engine.views import JobFilter, Sort, SortKey
from tests.store.rows import DAY, HOUR, NOW, Rows

if TYPE_CHECKING:
    from tests.tools.servers import Postgres

JOBS = 100_000
TYPES = ("mill", "lathe", "drill", "grinder")


@pytest.fixture(scope="module")
def shop(postgres: "Postgres") -> Iterator[Rows]:
    """A shop's backlog, and the statistics that the server has of it after a while."""
    with postgres.new_database() as url:
        rows = Rows(url)
        mill = rows.machine("Mill 1")
        done = rows.job(state="completed", machine_id=mill, state_since=NOW - DAY)
        rows.run(done, mill, state="succeeded", ended_at=NOW - HOUR)
        rows.event("completed", job_id=done, machine_id=mill, job_state="completed")
        rows.job(state="needs_attention")
        rows.job(pinned_machine_id=mill)
        for kind in TYPES:
            rows.job(machine_type=kind, due_at=NOW - DAY)
            rows.job(machine_type=kind, state="delayed", not_before=NOW + HOUR)
        _fill(rows, url)
        yield rows
        rows.close()


def _fill(rows: Rows, url: str) -> None:
    """Each of these rows many times over, nine queued to one delayed, at ranks of their own."""
    names = ", ".join(c.name for c in schema.job.c if c.name not in {"id", "rank", "not_before"})
    copies = text(
        f"INSERT INTO job ({names}, rank, not_before) "
        f"SELECT {names}, rank + number, not_before + number "
        "FROM job, generate_series(1, :times) AS number "
        "WHERE state = :state AND pinned_machine_id IS NULL"
    )
    with rows.writer.begin():
        for state, share in (("queued", 0.9), ("delayed", 0.1)):
            times = round(JOBS * share / len(TYPES))
            rows.writer.execute(copies, {"state": state, "times": times})
        columns = ", ".join(c.name for c in schema.run.c if c.name != "id")
        rows.writer.execute(
            text(
                f"INSERT INTO run ({columns}) SELECT {columns} FROM run, generate_series(1, 20000)"
            )
        )
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")


def plans(shop: Rows, query: Callable[[Connection], Any]) -> list[str]:
    """What the server does for each statement of a query, a line a step; by the writer, as readers
    may not even plan to lock a row."""
    statements: list[tuple[str, Any]] = []
    with shop.database.connect_writer() as connection, connection.begin() as transaction:

        @event.listens_for(connection, "before_cursor_execute")
        def keep(_c: object, _k: object, statement: str, given: object, *_rest: object) -> None:
            statements.append((statement, given))

        query(connection)
        lines = [
            str(row[0])
            for statement, given in tuple(statements)
            for row in connection.exec_driver_sql(f"EXPLAIN {statement}", given)
        ]
        transaction.rollback()
    return lines


def used(lines: list[str], index: str) -> bool:
    return any(f"using {index} on job" in line or f"on {index} " in line for line in lines)


def scanned(lines: list[str], table: str) -> bool:
    return any(f"Seq Scan on {table}" in line for line in lines)


def sorted_rows(lines: list[str]) -> bool:
    return any("Sort Key" in line for line in lines)


@pytest.mark.parametrize("any_material", [True, False])
def test_a_claim_walks_its_types_queue_in_order(shop: Rows, any_material: bool) -> None:
    wanted: dict[str, Any] = {"machine_type": "mill", "complexity": 5, "axes": 5, "count": 5}
    wanted |= {"x": 1.0, "y": 1.0, "z": 1.0}
    if not any_material:
        wanted["materials"] = packed([["steel"]])
    offer = claim_statements.offer_statement(shop.database.dialect, any_material=any_material)
    lines = plans(shop, lambda c: c.execute(offer, wanted))
    assert used(lines, "job_ready")
    assert not sorted_rows(lines), lines


def test_whether_anything_waits_is_one_look(shop: Rows) -> None:
    own = {"station": "A", "incarnation": "one"}
    lines = plans(shop, lambda c: c.execute(claim_statements.IDLE, own))
    assert used(lines, "job_ready")
    assert not scanned(lines, "job")


def test_pinned_jobs_are_found_by_their_machine(shop: Rows) -> None:
    statement = claim_statements.pinned_statement(shop.database.dialect)
    lines = plans(shop, lambda c: c.execute(statement, {"item": packed([[1], [2]])}))
    assert used(lines, "job_ready_pinned")


@pytest.mark.parametrize("name", ["assigned", "started", "completed"])
def test_moved_jobs_are_found_by_their_ids_not_by_their_state(shop: Rows, name: str) -> None:
    dialect = shop.database.dialect
    claimed = name == "assigned"
    move = (
        claim_statements.job_statement(dialect)
        if claimed
        else move_statements.job_statement(dialect, name)
    )
    items = packed([[n, n, "1", 0, 0, "assigned"] for n in range(1, 201)])
    lines = plans(shop, lambda c: c.execute(move, {"item": items, "now": NOW}))
    assert used(lines, "job_pkey"), lines
    assert not used(lines, "job_state"), lines


def test_expired_leases_are_looked_for_among_live_runs_alone(shop: Rows) -> None:
    lines = plans(shop, lambda c: c.execute(reaping.EXPIRED, {"now": NOW}))
    assert any("run_live" in line for line in lines), lines
    assert not scanned(lines, "run"), lines


def test_due_jobs_are_found_by_their_time(shop: Rows) -> None:
    job = schema.job
    due = select(job.c.id).where(schema.delayed_and_free, job.c.not_before <= NOW)
    lines = plans(shop, lambda c: c.execute(due.order_by(job.c.not_before).limit(500)))
    assert used(lines, "job_due")


def test_what_others_have_written_is_one_short_look(shop: Rows) -> None:
    dialect = shop.database.dialect
    with shop.database.connect_writer() as connection:
        before = dialect.changed_elsewhere(connection, "B")
        assert dialect.changed_elsewhere(connection, "B") == before
    shop.event("created", station="A")
    with shop.database.connect_writer() as connection:
        assert dialect.changed_elsewhere(connection, "B") != before


@pytest.mark.parametrize("offset", [0, 20_000])
def test_the_default_list_comes_in_order_from_its_index(shop: Rows, offset: int) -> None:
    order = (Sort(SortKey.QUEUE),)
    chosen = JobFilter(states=OPEN_JOBS)
    lines = plans(shop, lambda c: job_page(c, chosen, order, offset, 100, NOW))
    assert used(lines, "job_open")


def test_rare_states_are_found_without_a_scan(shop: Rows) -> None:
    chosen = JobFilter(states=frozenset({JobState.NEEDS_ATTENTION}))
    order = (Sort(SortKey.CHANGED),)
    assert not scanned(plans(shop, lambda c: job_page(c, chosen, order, 0, 100, NOW)), "job")


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
    order = (Sort(SortKey.CREATED, descending=True),)
    lines = plans(shop, lambda c: job_page(c, chosen, order, 0, 100, NOW))
    assert used(lines, index), lines


def test_one_jobs_row_history_and_runs_are_looked_up(shop: Rows) -> None:
    for query in (
        lambda c: jobs_by_id(c, [3, 5], NOW),
        lambda c: events(c, job_id=3),
        lambda c: runs(c, ListRuns(job_id=3)),
    ):
        assert not scanned(plans(shop, query), "job")
