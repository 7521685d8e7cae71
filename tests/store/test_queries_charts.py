"""Series and intervals, against what a plain count over the events says."""

from random import Random

import pytest

from cnc_station.engine.domain.errors import InvalidInput
from cnc_station.engine.domain.states import WAITING_JOBS, JobState, MachineState
from cnc_station.engine.domain.transitions import JOB_TRANSITIONS
from cnc_station.engine.store.queries.charts import charts
from cnc_station.engine.views import Charts
from tests.store.rows import HOUR, MINUTE, NOW, Rows

SINCE = NOW - 4 * HOUR


def drawn(rows: Rows, step: int = HOUR) -> Charts:
    return rows.read(lambda connection: charts(connection, SINCE, step, NOW))


def test_finished_and_failed_runs_are_counted_in_the_bucket_they_ended_in(rows: Rows) -> None:
    mill = rows.machine("Mill 1")
    job = rows.job(state="completed")
    for state, minutes in (
        ("succeeded", 0),
        ("succeeded", 59),
        ("succeeded", 61),
        ("failed", 239),
        ("cancelled", 239),
        ("succeeded", -1),
    ):
        rows.run(job, mill, state=state, ended_at=SINCE + minutes * MINUTE)
    shown = drawn(rows)
    assert list(shown.completed.values) == [2, 1, 0, 0]
    assert list(shown.failed.values) == [0, 0, 0, 1]
    assert (shown.completed.start, shown.completed.step) == (SINCE, HOUR)


def test_a_machines_states_are_laid_end_to_end_from_before_the_window(rows: Rows) -> None:
    mill = rows.machine("Mill 1")
    rows.event("started", machine_id=mill, machine_state="running", at=SINCE - HOUR, job_id=4)
    rows.event("held", machine_id=mill, machine_state="held", at=SINCE + HOUR, reason="feed hold")
    rows.event("machine_edited", machine_id=mill, machine_state="held", at=SINCE + 2 * HOUR)
    rows.event("continued", machine_id=mill, machine_state="running", at=SINCE + 3 * HOUR)
    shown = drawn(rows)
    assert [(s.state, s.start, s.end, s.job_id, s.reason) for s in shown.intervals] == [
        (MachineState.RUNNING, SINCE, SINCE + HOUR, 4, ""),
        (MachineState.HELD, SINCE + HOUR, SINCE + 3 * HOUR, None, "feed hold"),
        (MachineState.RUNNING, SINCE + 3 * HOUR, NOW, None, ""),
    ]
    assert list(shown.utilisation.values) == [1.0, 0.0, 0.0, 1.0]


def test_a_machine_without_earlier_events_is_drawn_from_its_first_one(rows: Rows) -> None:
    mill = rows.machine("Mill 1")
    rows.machine("Mill 2")
    rows.event("machine_added", machine_id=mill, machine_state="offline", at=NOW - 30 * MINUTE)
    rows.event("connected", machine_id=mill, machine_state="idle", at=NOW - 30 * MINUTE)
    (only,) = drawn(rows).intervals
    assert (only.state, only.start, only.end) == (MachineState.IDLE, NOW - 30 * MINUTE, NOW)


def test_a_removed_machine_is_not_drawn(rows: Rows) -> None:
    mill = rows.machine("Mill 1", removed=True)
    rows.event("machine_added", machine_id=mill, machine_state="offline", at=NOW - HOUR)
    assert drawn(rows).intervals == ()


def test_the_waiting_series_is_what_walking_the_histories_counts(rows: Rows) -> None:
    """Jobs walk at random through the table of transitions; each bucket's end is counted."""
    pick = Random(11)
    step = 30 * MINUTE
    ends = [SINCE + step * n for n in range(1, 9)]
    waiting = [0] * len(ends)
    names = sorted(JOB_TRANSITIONS)
    for job_id in range(1, 120):
        state: JobState | None = None
        at, history = SINCE - HOUR + pick.randint(0, 4 * HOUR), list[tuple[int, JobState | None]]()
        while at < NOW and not (history and state is None):
            open_to_it = [n for n in names if (job := JOB_TRANSITIONS[n].job) and job.allows(state)]
            name = pick.choice(open_to_it)
            step_of_job = JOB_TRANSITIONS[name].job
            assert step_of_job is not None
            state = None if name == "deleted" else step_of_job.target or state
            rows.event(name, job_id=job_id, job_state=state and state.value, at=at)
            history.append((at, state))
            at += pick.randint(1, HOUR)
        if state is not None:
            rows.job(id=job_id, state=state.value)
        for place, end in enumerate(ends):
            last = [s for when, s in history if when < end][-1:]
            waiting[place] += bool(last and last[0] in WAITING_JOBS)
    assert list(drawn(rows, step).waiting.values) == waiting


@pytest.mark.parametrize("step", [0, -5, 1])
def test_a_step_that_makes_no_sense_is_refused(rows: Rows, step: int) -> None:
    with pytest.raises(InvalidInput):
        drawn(rows, step)
