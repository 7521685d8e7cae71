"""Statistics of runs and the figures of the fleet, on both databases."""

import math
from functools import partial
from random import Random

import pytest
from sqlalchemy import delete, insert

from cnc_station.engine.store import schema
from cnc_station.engine.store.queries import executions as executions_module
from cnc_station.engine.store.queries.executions import executions, job_metrics
from cnc_station.engine.store.queries.fleet_figures import FleetFigures, fleet_figures
from cnc_station.engine.store.tenants import for_tenants
from cnc_station.engine.views.metrics import ExecutionGroup, ExecutionStats
from tests.store.rows import DAY, HOUR, MINUTE, NOW, Rows


def of(rows: Rows, group: ExecutionGroup, since: int = NOW - DAY) -> ExecutionStats:
    return rows.read(lambda c: executions(c, since, NOW, group))


def ended(
    rows: Rows, job: int, machine: int | None, state: str, took_s: float, **more: int
) -> None:
    at = NOW - MINUTE
    rows.run(job, machine, state=state, started_at=at - round(took_s * 1000), ended_at=at, **more)


def test_runs_are_counted_by_outcome_in_each_group(rows: Rows) -> None:
    mill, lathe = rows.machine("Mill 1"), rows.machine("Lathe 1", machine_type="lathe")
    bracket, shaft = rows.job(state="completed"), rows.job(state="completed", machine_type="lathe")
    report = rows.job(state="completed", machine_type="", handler="test.echo")
    ended(rows, bracket, mill, "succeeded", 60.0)
    ended(rows, bracket, mill, "failed", 5.0)
    ended(rows, shaft, lathe, "interrupted", 5.0)
    ended(rows, report, None, "cancelled", 1.0)
    rows.run(bracket, mill, state="succeeded", ended_at=NOW - 2 * DAY)
    rows.run(shaft, lathe)
    by_handler = of(rows, ExecutionGroup.HANDLER)
    counts = {
        one.name: (one.runs, one.succeeded, one.failed, one.cancelled) for one in by_handler.groups
    }
    assert counts == {"machine.program": (3, 1, 2, 0), "test.echo": (1, 0, 0, 1)}
    assert (by_handler.all.runs, by_handler.all.success_rate) == (4, 33.33)
    assert [one.success_rate for one in by_handler.groups] == [33.33, None]
    assert [one.name for one in of(rows, ExecutionGroup.TYPE).groups] == ["lathe", "mill"]
    assert [one.name for one in of(rows, ExecutionGroup.MACHINE).groups] == ["Lathe 1", "Mill 1"]


@pytest.mark.parametrize("count", [1, 2, 3, 20, 21, 60])
def test_percentiles_are_those_of_the_sorted_times(rows: Rows, count: int) -> None:
    mill, job = rows.machine("Mill 1"), rows.job(state="completed")
    times = Random(count).choices(range(1, 40), k=count)
    for took in times:
        ended(rows, job, mill, "succeeded", took)
    ended(rows, job, mill, "failed", 10_000)
    found = of(rows, ExecutionGroup.MACHINE)
    ranked = sorted(times)
    wanted = [ranked[math.ceil(count * share / 100) - 1] for share in (50, 95)]
    assert [found.all.p50_s, found.all.p95_s] == wanted
    assert [(one.p50_s, one.p95_s) for one in found.groups] == [tuple(wanted)]


@pytest.mark.parametrize(
    ("took", "told"), [(0.007, 0.007), (9.87654, 9.87), (98_765.4, 98_700.0), (-5.0, 0.0)]
)
def test_times_have_three_digits(rows: Rows, took: float, told: float) -> None:
    ended(rows, rows.job(state="completed"), None, "succeeded", took)
    found = of(rows, ExecutionGroup.MACHINE)
    assert (found.all.p50_s, found.groups) == (told, ())


def test_the_newest_runs_of_a_long_span_are_counted_and_since_when_is_told(
    rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(executions_module, "MOST_RUNS", 2)
    job = rows.job(state="completed")
    for minutes in (5, 3, 2):
        rows.run(job, None, state="succeeded", ended_at=NOW - minutes * MINUTE)
    found = of(rows, ExecutionGroup.HANDLER)
    assert (found.all.runs, found.since) == (2, NOW - 5 * MINUTE + 1)
    counted = rows.read(partial(job_metrics, since=NOW - DAY, until=NOW, limit_hits=0))
    assert (counted.completed, counted.since) == (2, NOW - 5 * MINUTE + 1)
    assert of(rows, ExecutionGroup.HANDLER, NOW - 4 * MINUTE).since == NOW - 4 * MINUTE


def test_rates_are_unknown_without_runs_and_jobs_are_counted_by_status(rows: Rows) -> None:
    look = partial(job_metrics, since=NOW - DAY, until=NOW, limit_hits=3)
    nothing = rows.read(look)
    assert (nothing.total, nothing.success_rate, nothing.failure_rate) == (0, None, None)
    assert nothing.limit_hits == 3
    mill = rows.machine("Mill 1")
    for state in ("queued", "paused", "running", "needs_attention", "interrupted"):
        rows.job(state=state)
    done = rows.job(state="completed", tenant="Ada")
    ended(rows, done, mill, "failed", 1.0)
    ended(rows, done, mill, "succeeded", 1.0, attempt=2)
    found = rows.read(look)
    assert (found.total, found.pending, found.running, found.dlq) == (6, 2, 1, 2)
    assert (found.completed, found.failed, found.retries) == (1, 1, 1)
    assert (found.success_rate, found.failure_rate) == (50.0, 50.0)
    of_bo = rows.read(for_tenants(look, frozenset({"Bo"})))
    assert (of_bo.total, of_bo.completed) == (0, 0)


@pytest.fixture
def led(rows: Rows) -> Rows:
    """A fleet whose leader is the life "one" of a station, for an hour."""
    values = {"holder": "A", "incarnation": "one", "term": 7, "expires_at": NOW + HOUR}
    with rows.writer.begin():
        rows.writer.execute(delete(schema.leader))
        rows.writer.execute(insert(schema.leader).values(id=1, **values))
    return rows


def figures(rows: Rows, incarnation: str = "one", now: int = NOW) -> FleetFigures | None:
    return rows.read(partial(fleet_figures, now=now, incarnation=incarnation))


def test_only_who_leads_by_the_database_gets_the_figures(led: Rows) -> None:
    assert figures(led) is not None
    assert figures(led, "two") is None
    assert figures(led, now=NOW + HOUR) is None


def test_open_jobs_are_counted_by_status_and_by_why_they_wait(led: Rows) -> None:
    mill = led.machine("Mill 1", state="alarm")
    led.machine("Mill 0", removed=True)
    led.job(due_at=NOW - 1)
    led.job(pinned_machine_id=mill, due_at=NOW + 1)
    led.job(state="delayed", blocked=True)
    led.job(state="delayed")
    led.job(state="draft", machine_type="lathe")
    led.job(state="held")
    led.job(state="completed", due_at=NOW - 1)
    found = figures(led)
    assert found is not None
    assert found.jobs == {("pending", "mill"): 4, ("pending", "lathe"): 1, ("running", "mill"): 1}
    assert found.waiting == {
        ("capacity", "mill"): 2,
        ("predecessor", "mill"): 1,
        ("time", "mill"): 1,
        ("draft", "lathe"): 1,
    }
    assert found.late_jobs == 1
    assert found.machines == (("Mill 1", "alarm"),)
    assert (found.backlog, found.dead_deliveries, found.schedule_late_s) == (0, 0, 0.0)
