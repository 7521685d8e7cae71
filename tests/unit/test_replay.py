"""Folding a job's events back into its state, where a transition may lead to two states."""

from collections.abc import Sequence

import pytest

from cnc_station.engine.domain import transitions as t
from cnc_station.engine.domain.event import Event, HistoryBroken, replay
from cnc_station.engine.domain.states import JobState

Told = Sequence[tuple[t.Transition, JobState | None]]
CREATED = (t.CREATED, JobState.QUEUED)
CANCELLED = (t.CANCELLED, JobState.CANCELLED)
PAUSED = (t.PAUSED, JobState.PAUSED)


def _replayed(told: Told) -> JobState | None:
    return replay(
        Event(number, number, row.name, 1, None, None, state, None, None, "", "", "", "", {})
        for number, (row, state) in enumerate(told, 1)
    )


@pytest.mark.parametrize("state", [JobState.QUEUED, JobState.DELAYED])
@pytest.mark.parametrize(
    ("before", "row"),
    [
        ([], t.CREATED),
        ([(t.DRAFTED, JobState.DRAFT)], t.SUBMITTED),
        ([CREATED, PAUSED], t.RESUMED),
        ([CREATED, CANCELLED], t.RESTORED),
        ([CREATED, CANCELLED], t.RETRIED),
    ],
)
def test_a_job_that_joins_the_queue_is_queued_or_waits(
    before: list[tuple[t.Transition, JobState]], row: t.Transition, state: JobState
) -> None:
    assert _replayed([*before, (row, state)]) is state


@pytest.mark.parametrize(
    "told",
    [
        [(t.CREATED, JobState.PAUSED)],
        [(t.CREATED, None)],
        [CREATED, (t.PAUSED, JobState.DELAYED)],
        [CREATED, (t.POSTPONED, JobState.QUEUED)],
        [CREATED, (t.EDITED, JobState.DELAYED)],
        [CREATED, (t.RESUMED, JobState.QUEUED)],
    ],
)
def test_a_state_that_its_transition_does_not_lead_to_breaks_the_history(told: Told) -> None:
    with pytest.raises(HistoryBroken):
        _replayed(told)
