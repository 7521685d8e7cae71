"""Pages and counts of the job table, against a plain model in Python."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from datetime import UTC
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnc_station.engine.domain.states import FINISHED_JOBS, OPEN_JOBS, WAITING_JOBS, JobState
from cnc_station.engine.queries import ListRuns
from cnc_station.engine.store import schema
from cnc_station.engine.store.queries.history import events, runs
from cnc_station.engine.store.queries.job_filters import STATE_ORDER
from cnc_station.engine.store.queries.job_list import job_counts, job_page, jobs_by_id
from cnc_station.engine.views import JobFilter, JobPage, Sort, SortKey
from tests.store.rows import DAY, HOUR, HOUSE, NOW, Rows, job_row

if TYPE_CHECKING:
    from tests.tools.servers import Postgres

MACHINES = {1: "Mill 1", 2: "Lathe 1", 3: "Drill 1"}


def some_jobs(count: int) -> list[dict[str, Any]]:
    """Jobs of every kind, many of them alike, so that ties and misses happen."""
    pick = Random(7)
    jobs = []
    for job_id in range(1, count + 1):
        state = pick.choice(list(JobState))
        ended = NOW - pick.randint(0, 40) * HOUR if state in FINISHED_JOBS else None
        jobs.append(
            job_row(
                id=job_id,
                name=pick.choice(["Bracket", "bracket", "Hinge_set", "Hinge set", "Ölwanne"]),
                operation=pick.choice(["", "op10", "op20"]),
                work_order=pick.choice(["", "WO-7", "100%"]),
                tenant=pick.choice(["", "proto"]),
                owner=pick.choice(["", "anna", "ERP"]),
                customer=pick.choice(["", "Krämer"]),
                external_id=pick.choice(["", f"{job_id}-7"]),
                handler=pick.choice(["machine.program", "test.echo"]),
                edited_at=pick.choice([None, NOW - 3 * HOUR, NOW - 9 * HOUR]),
                machine_type=pick.choice(["mill", "lathe", "drill"]),
                material=pick.choice(["steel", "Steel", "brass"]),
                complexity=pick.randint(1, 5),
                priority=pick.choice([0, 10, 50, 90]),
                quantity=pick.choice([1, 5, 100]),
                due_at=pick.choice([None, NOW - DAY, NOW - 1, NOW, NOW + DAY]),
                rank=float(pick.randint(0, 9)),
                state=state.value,
                state_since=ended or NOW - pick.randint(0, 5) * HOUR,
                created_at=NOW - pick.randint(5, 9) * HOUR,
                finished_at=ended,
                blocked=state is JobState.DELAYED and pick.random() < 0.5,
                machine_id=pick.choice([None, *MACHINES]),
            )
        )
    return jobs


JOBS = some_jobs(150)


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def shop(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Rows]:
    with ExitStack() as stack:
        if request.param == "sqlite":
            url = f"sqlite:///{tmp_path_factory.mktemp('list') / 'shop.db'}"
        else:
            server: Postgres = request.getfixturevalue("postgres")
            url = stack.enter_context(server.new_database())
        rows = Rows(url)
        stack.callback(rows.close)
        for name in MACHINES.values():
            rows.machine(name)
        rows.insert(schema.job, JOBS)
        yield rows


def matches(row: dict[str, Any], chosen: JobFilter) -> bool:
    return (
        (not chosen.states or JobState(row["state"]) in chosen.states)
        and (not chosen.machine_types or row["machine_type"] in chosen.machine_types)
        and chosen.machine_id in (None, row["machine_id"])
        and chosen.tenant in (None, row["tenant"])
        and (not chosen.handlers or row["handler"] in chosen.handlers)
        and chosen.owner in (None, row["owner"])
        and chosen.external_id in (None, row["external_id"])
        and chosen.work_order in (None, row["work_order"])
        and (chosen.due_before is None or (row["due_at"] or NOW + DAY) < chosen.due_before)
        and (chosen.created_since or 0) <= row["created_at"] < (chosen.created_until or NOW)
        and (chosen.min_priority is None or row["priority"] >= chosen.min_priority)
        and (chosen.max_priority is None or row["priority"] <= chosen.max_priority)
        and (not chosen.late or late(row))
        and (chosen.finished_since is None or (row["finished_at"] or 0) >= chosen.finished_since)
        and (
            chosen.finished_until is None
            or (row["finished_at"] is not None and row["finished_at"] < chosen.finished_until)
        )
        and all(word in row["search"] for word in chosen.text.lower().split())
    )


def late(row: dict[str, Any]) -> bool:
    return (
        JobState(row["state"]) in OPEN_JOBS
        and row["due_at"] is not None
        and bool(row["due_at"] < NOW)
    )


def lowered(text: str) -> str:
    """Lower case as the database knows it: of the unaccented letters."""
    return "".join(letter.lower() if letter.isascii() else letter for letter in text)


def key(row: dict[str, Any], sort: SortKey) -> tuple[Any, ...] | None:
    columns = {"queue": "rank", "type": "machine_type", "created": "created_at"}
    columns |= {"due": "due_at", "changed": "state_since"}
    if sort is SortKey.NAME:
        return (lowered(row["name"]).encode(), row["operation"])
    if sort is SortKey.STATE:
        return (STATE_ORDER.index(JobState(row["state"])),)
    if sort is SortKey.UPDATED:
        return (max(row["state_since"], row["edited_at"] or 0),)
    if sort is SortKey.MACHINE:
        return None if row["machine_id"] is None else (MACHINES[row["machine_id"]],)
    value = row[columns.get(sort.value, sort.value)]
    if value is None:
        return None
    return (lowered(value),) if sort is SortKey.MATERIAL else (value,)


def expected(chosen: JobFilter, order: Sequence[Sort]) -> list[int]:
    found = sorted((row for row in JOBS if matches(row, chosen)), key=lambda row: row["id"])
    for sort in reversed(order):
        known = [row for row in found if key(row, sort.key) is not None]
        unknown = [row for row in found if key(row, sort.key) is None]
        known.sort(key=lambda row: key(row, sort.key) or (), reverse=sort.descending)
        found = known + unknown
    return [row["id"] for row in found]


filters = st.builds(
    JobFilter,
    states=st.one_of(
        st.just(frozenset()),
        st.just(OPEN_JOBS),
        st.just(WAITING_JOBS),
        st.frozensets(st.sampled_from(JobState), max_size=3),
    ),
    machine_types=st.frozensets(st.sampled_from(["mill", "lathe"]), max_size=2),
    machine_id=st.sampled_from([None, None, 1]),
    tenant=st.sampled_from([None, None, "", "proto"]),
    min_priority=st.sampled_from([None, None, 10, 60]),
    max_priority=st.sampled_from([None, None, 50]),
    handlers=st.frozensets(st.sampled_from(["test.echo", "x.y"]), max_size=2),
    owner=st.sampled_from([None, None, None, "", "ERP"]),
    external_id=st.sampled_from([None, None, None, "", "9-7"]),
    due_before=st.sampled_from([None, None, NOW]),
    created_since=st.sampled_from([None, None, NOW - 7 * HOUR]),
    created_until=st.sampled_from([None, None, NOW - 6 * HOUR]),
    work_order=st.sampled_from([None, None, "", "WO-7"]),
    late=st.booleans(),
    finished_since=st.sampled_from([None, None, NOW - DAY]),
    finished_until=st.sampled_from([None, None, NOW - HOUR]),
    text=st.sampled_from(["", "", "BRACK", "hinge_", "100%", "op10 steel", "ölw", "krä", "none"]),
)
orders = st.lists(
    st.builds(Sort, st.sampled_from(SortKey), st.booleans()),
    max_size=3,
    unique_by=lambda sort: sort.key,
)


def page(shop: Rows, chosen: JobFilter, order: Sequence[Sort], offset: int, limit: int) -> JobPage:
    return shop.read(lambda c: job_page(c, chosen, order, offset, limit, NOW, context=HOUSE))


@given(filters, orders, st.integers(0, 160), st.integers(1, 60))
@settings(max_examples=200, deadline=None)
def test_every_page_of_every_list_is_the_models(
    shop: Rows, chosen: JobFilter, order: list[Sort], offset: int, limit: int
) -> None:
    wanted = expected(chosen, order)
    found = page(shop, chosen, order, offset, limit)
    assert found.total == len(wanted)
    assert [row.id for row in found.rows] == wanted[offset : offset + limit]


@given(st.sampled_from([OPEN_JOBS, WAITING_JOBS, FINISHED_JOBS, frozenset[JobState]()]), orders)
@settings(max_examples=60, deadline=None)
def test_pages_laid_end_to_end_are_the_whole_list(
    shop: Rows, states: frozenset[JobState], order: list[Sort]
) -> None:
    chosen = JobFilter(states=states)
    laid = [row.id for at in range(0, 160, 37) for row in page(shop, chosen, order, at, 37).rows]
    assert laid == expected(chosen, order)


@given(filters)
@settings(max_examples=100, deadline=None)
def test_counts_leave_out_the_filters_own_states_and_lateness(
    shop: Rows, chosen: JobFilter
) -> None:
    counts = shop.read(lambda c: job_counts(c, chosen, NOW, zone=UTC))
    wide = JobFilter(
        **{
            name: getattr(chosen, name)
            for name in JobFilter.__slots__
            if name not in {"states", "late"}
        }
    )
    found = [row for row in JOBS if matches(row, wide)]
    assert counts.by_state == Counter(JobState(row["state"]) for row in found)
    assert counts.late == sum(late(row) for row in found)
    since = NOW - 15 * HOUR - 10 * HOUR // 60
    assert counts.completed_today == sum(
        row["state"] == "completed" and row["finished_at"] >= since for row in found
    )


def test_every_row_of_every_state_says_what_comes_next(shop: Rows) -> None:
    found = shop.read(
        lambda c: job_page(c, JobFilter(), (), 0, 200, NOW, with_next=True, context=HOUSE)
    )
    assert {row.state for row in found.rows} == set(JobState)
    assert all(row.next for row in found.rows)


def test_a_page_past_the_end_is_empty_and_knows_the_total(shop: Rows) -> None:
    found = page(shop, JobFilter(), (), 1000, 50)
    assert (found.rows, found.total) == ((), len(JOBS))


def test_jobs_by_id_come_in_the_order_asked_for_without_those_that_are_gone(shop: Rows) -> None:
    found = shop.read(lambda c: jobs_by_id(c, [9, 999, 3], NOW, context=HOUSE))
    assert [row.id for row in found] == [9, 3]


def test_a_row_names_its_machine_and_its_program(rows: Rows) -> None:
    rows.program("a" * 64, "bracket.nc", b"G0\n", revision=3)
    mill = rows.machine("Mill 1")
    job_id = rows.job(program="a" * 64, machine_id=mill, state="completed", operation="op10")
    (row,) = rows.read(lambda c: jobs_by_id(c, [job_id], NOW, context=HOUSE))
    assert (row.machine, row.program_name, row.program_revision) == ("Mill 1", "bracket.nc", 3)
    assert row.title == "Bracket · op10"


def test_events_are_read_oldest_first_and_from_where_one_left_off(rows: Rows) -> None:
    first, second, third = (rows.event("edited", job_id=1, machine_id=m) for m in (7, 8, 7))
    assert [e.id for e in rows.read(lambda c: events(c, job_id=1))] == [first, second, third]
    assert [e.id for e in rows.read(lambda c: events(c, after=first, limit=1))] == [second]
    assert [e.id for e in rows.read(lambda c: events(c, machine_id=7))] == [first, third]
    newest = rows.read(lambda c: events(c, limit=2, newest=True))
    assert [e.id for e in newest] == [second, third]


def test_runs_are_read_newest_first_with_names(rows: Rows) -> None:
    mill = rows.machine("Mill 1")
    job_id = rows.job(name="Axle", operation="op20", state="running")
    failed = rows.run(job_id, mill, state="failed", ended_at=NOW, error="tool 4 broke")
    live = rows.run(job_id, mill, attempt=2)
    found = rows.read(lambda c: runs(c, ListRuns(job_id=job_id)))
    assert [(run.id, run.job, run.machine) for run in found] == [
        (live, "Axle · op20", "Mill 1"),
        (failed, "Axle · op20", "Mill 1"),
    ]
    assert found[1].error == "tool 4 broke"


def test_runs_are_searched_by_every_word_of_their_job_their_place_and_their_end(
    rows: Rows,
) -> None:
    mill = rows.machine("Mill 1")
    axle = rows.job(name="Axle 100%", work_order="WO-7", state="running")
    report = rows.job(name="Report", handler="test.echo", state="completed")
    failed = rows.run(axle, mill, state="failed", ended_at=NOW, error="Tool 4 broke")
    live = rows.run(axle, mill, attempt=2, station="Hall 2")
    done = rows.run(report, None, state="succeeded", ended_at=NOW, result="22 bores ok")

    def found(text: str) -> list[int]:
        return [run.id for run in rows.read(lambda c: runs(c, ListRuns(text=text)))]

    assert found("AXLE mill") == [live, failed]
    assert found("wo-7 broke") == [failed]
    assert found("hall") == [live]
    assert found("ECHO bores") == [done]
    assert found("100%") == [live, failed]
    assert found("1_0%") == []
