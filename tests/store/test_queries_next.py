"""What the last column of the job table says."""

import pytest

from cnc_station.engine.store.queries.job_list import jobs_by_id
from tests.store.rows import DAY, HOUR, HOUSE, MINUTE, NOW, Rows


def said(rows: Rows, job_id: int) -> str:
    (row,) = rows.read(lambda c: jobs_by_id(c, [job_id], NOW, with_next=True, context=HOUSE))
    return row.next


def test_a_job_without_any_machine_of_its_type_says_so(rows: Rows) -> None:
    rows.machine("Mill 1")
    assert said(rows, rows.job(machine_type="lathe")) == "there is no lathe"


@pytest.mark.parametrize(
    ("asks", "machine", "words"),
    [
        ({"complexity": 5}, {"max_complexity": 3}, "no mill takes complexity 5"),
        ({"material": "Titanium"}, {"materials": '["steel"]'}, "no mill takes Titanium"),
        ({"axes": 5}, {}, "no mill has 5 axes"),
        (
            {"size_x": 900.0, "size_y": 1.0, "size_z": 1.0},
            {"size_x": 500.0, "size_y": 500.0, "size_z": 500.0},
            "no mill is large enough for 900 × 1 × 1 mm",
        ),
    ],
)
def test_the_limit_that_stops_a_job_is_named(
    rows: Rows, asks: dict[str, object], machine: dict[str, object], words: str
) -> None:
    rows.machine("Mill 1", **machine)
    assert said(rows, rows.job(**asks)) == words


def test_when_each_machine_refuses_for_its_own_reason_all_are_named(rows: Rows) -> None:
    rows.machine("Mill 1", max_complexity=3)
    rows.machine("Mill 2", materials='["brass"]')
    words = said(rows, rows.job(complexity=5, material="steel"))
    assert words == "no mill meets every requirement: complexity 5, steel"


def test_the_first_in_the_queue_is_next_on_the_machine_that_is_free_first(rows: Rows) -> None:
    for name, minutes in (("Mill 1", 30), ("Mill 2", 90)):
        busy = rows.job(state="running", estimated_s=minutes * 60.0)
        machine = rows.machine(name, state="running")
        rows.link(machine, busy, rows.run(busy, machine, started_at=NOW))
    first, second, third = (rows.job(rank=rank, estimated_s=7200.0) for rank in (1.0, 2.0, 3.0))
    assert said(rows, first) == "next on Mill 1, about 15:40"
    assert said(rows, second) == "next on Mill 2, about 16:40"
    assert said(rows, third) == "behind 1 job, Mill 1 about 17:40"


def test_an_idle_machine_means_starting(rows: Rows) -> None:
    rows.machine("Mill 1")
    assert said(rows, rows.job()) == "starting on Mill 1"


def test_a_machine_that_nobody_cleared_is_the_reason(rows: Rows) -> None:
    rows.machine("Mill 2", state="needs_clearing")
    assert said(rows, rows.job()) == "Mill 2 is not cleared"


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("maintenance", "is in maintenance"),
        ("alarm", "has an alarm"),
        ("offline", "is offline"),
    ],
)
def test_machines_that_do_not_serve_are_the_reason(rows: Rows, state: str, words: str) -> None:
    third = rows.machine("Mill 3", state=state)
    assert said(rows, rows.job()) == f"only Mill 3 fits, and it {words}"
    rows.machine("Mill 4", state=state)
    assert said(rows, rows.job()) == f"Mill 3 {words} and Mill 4 {words}"
    assert said(rows, rows.job(pinned_machine_id=third)) == f"pinned to Mill 3, which {words}"


def test_a_pinned_job_waits_for_its_own_machine(rows: Rows) -> None:
    busy = rows.job(state="running", estimated_s=1800.0)
    mill = rows.machine("Mill 3", state="running", job_id=busy)
    rows.machine("Mill 4")
    pinned = rows.job(pinned_machine_id=mill)
    behind = rows.job(pinned_machine_id=mill, rank=float(NOW + 1))
    lathe = rows.machine("Lathe 1", machine_type="lathe")
    expected = "pinned to Mill 3, which is running: next, about 15:40"
    assert said(rows, pinned) == expected
    assert said(rows, behind) == "pinned to Mill 3, behind 1 job"
    assert said(rows, rows.job(pinned_machine_id=lathe)) == "pinned to Lathe 1, which is not a mill"
    assert said(rows, rows.job(pinned_machine_id=99)) == "pinned to a machine that is gone"


def test_a_job_deep_in_the_queue_says_how_many_are_before_it_at_least(rows: Rows) -> None:
    rows.machine("Mill 1")
    ids = [rows.job(rank=float(place)) for place in range(70)]
    assert said(rows, ids[-1]) == "61+ jobs ahead"


def test_a_retry_counts_down(rows: Rows) -> None:
    retry = rows.job(state="delayed", failures=1, attempt=1, not_before=NOW + 42_000)
    assert said(rows, retry) == "retry in 00:42, attempt 2 of 3"
    own = rows.job(state="delayed", failures=2, retry_limit=4, not_before=NOW + HOUR)
    assert said(rows, own) == "retry in 1:00:00, attempt 3 of 5"


def test_a_delayed_job_says_until_when(rows: Rows) -> None:
    assert said(rows, rows.job(state="delayed", not_before=NOW + HOUR)) == "waits until 16:10"
    later = rows.job(state="delayed", not_before=NOW + 3 * DAY)
    assert said(rows, later) == "waits until Thu 15:10"
    assert said(rows, rows.job(state="delayed", not_before=NOW - 1)) == "due now"


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("queued", "waits for op10"),
        ("running", "waits for op10"),
        ("needs_attention", "waits for op10, which failed and needs attention"),
        ("cancelled", "waits for op10, which was cancelled"),
        ("paused", "waits for op10, which is paused"),
    ],
)
def test_a_step_waits_for_the_one_before_it(rows: Rows, state: str, words: str) -> None:
    before = rows.job(operation="op10", state=state)
    step = rows.job(operation="op20", state="delayed", blocked=True)
    rows.after(step, before)
    assert said(rows, step) == words


def test_the_worst_of_several_predecessors_is_named_and_the_done_are_not(rows: Rows) -> None:
    step = rows.job(operation="op20", state="delayed", blocked=True)
    for name, state in (("Plate", "completed"), ("Axle", "queued"), ("Hub", "cancelled")):
        rows.after(step, rows.job(name=name, operation="op10", state=state))
    words = "waits for Hub · op10, which was cancelled, and for 1 more"
    assert said(rows, step) == words


def test_a_paused_job_says_who_paused_it(rows: Rows) -> None:
    paused = rows.job(state="paused", state_since=NOW - HOUR)
    rows.event("paused", job_id=paused, job_state="paused", actor="anna")
    rows.event("paused", job_id=paused, job_state="paused", actor="operator 3")
    rows.event("pinned", job_id=paused, job_state="paused", actor="ben")
    assert said(rows, paused) == "paused by operator 3 at 14:10"
    unknown = rows.job(state="paused", state_since=NOW - MINUTE)
    assert said(rows, unknown) == "paused at 15:09"


def test_jobs_at_a_machine_or_done_say_where_they_stand(rows: Rows) -> None:
    mill = rows.machine("Mill 1", state="running")
    at = {"machine_id": mill, "state_since": NOW - 8 * MINUTE}
    assert said(rows, rows.job(state="assigned", **at)) == "starting on Mill 1"
    assert said(rows, rows.job(state="running", **at)) == "running on Mill 1"
    assert said(rows, rows.job(state="held", **at)) == "held since 15:02"
    broken = {"last_error": "tool 4 broke, line 812"}
    assert said(rows, rows.job(state="needs_attention", **at, **broken)) == "tool 4 broke, line 812"
    assert said(rows, rows.job(state="interrupted", **at)) == "decide: stopped half-way"
    assert said(rows, rows.job(state="completed", **at)) == "15:02 done"
    assert said(rows, rows.job(state="cancelled", **at)) == "cancelled 15:02"
