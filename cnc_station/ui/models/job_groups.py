"""The groups of jobs the filter chips stand for, and a filter as the chips can show it."""

from dataclasses import dataclass, replace

from PySide6.QtCore import QCoreApplication

from cnc_station.engine.domain.states import (
    FINISHED_JOBS,
    LIVE_JOBS,
    OPEN_JOBS,
    UNDECIDED_JOBS,
    WAITING_JOBS,
    JobState,
)
from cnc_station.engine.views import JobCounts, JobFilter
from cnc_station.ui import formatting
from cnc_station.ui.theme import Tone
from cnc_station.ui.widgets.state_look import look_of


@dataclass(frozen=True, slots=True)
class Group:
    """Jobs a chip selects: those in any of `states`, or of them only the late ones."""

    key: str
    english: str
    states: frozenset[JobState]
    late: bool = False
    tone: Tone = Tone.NORMAL

    @property
    def words(self) -> str:
        """What stands on the chip."""
        return _tr(self.english)

    def count(self, counts: JobCounts) -> int:
        """How many jobs it holds."""
        return counts.late if self.late else counts.of(self.states)

    def narrows(self, chosen: JobFilter) -> bool:
        """Whether a filter selects just this group."""
        return (chosen.states, chosen.late) == (self.states, self.late)


def _tr(english: str) -> str:
    return QCoreApplication.translate("JobGroups", english)


ALL_OPEN = Group("open", "All open", OPEN_JOBS)
GROUPS = (
    ALL_OPEN,
    Group("waiting", "Waiting", WAITING_JOBS),
    Group("running", "Running", LIVE_JOBS),
    Group("attention", "Needs attention", UNDECIDED_JOBS, tone=Tone.ALARM),
    Group("late", "Late", OPEN_JOBS, late=True),
    Group("completed", "Completed", frozenset({JobState.COMPLETED})),
)
MORE_GROUPS = (
    Group("all", "All jobs", OPEN_JOBS | FINISHED_JOBS),
    Group("cancelled", "Cancelled", frozenset({JobState.CANCELLED})),
    Group("draft", "Drafts", frozenset({JobState.DRAFT})),
)


def group_of(chosen: JobFilter) -> Group | None:
    """The group a filter selects, if it is one of ours."""
    return next((group for group in (*GROUPS, *MORE_GROUPS) if group.narrows(chosen)), None)


def normal(chosen: JobFilter) -> JobFilter:
    """A filter as the chips understand it: late jobs are open ones, no states means all."""
    states = chosen.states or (OPEN_JOBS if chosen.late else OPEN_JOBS | FINISHED_JOBS)
    return replace(chosen, states=states)


def without_rest(chosen: JobFilter) -> JobFilter:
    """A filter without what only `rest` can tell of."""
    return replace(
        chosen,
        states=chosen.states if group_of(chosen) else OPEN_JOBS,
        ids=frozenset(),
        work_order=None,
        program=None,
        finished_since=None,
        finished_until=None,
    )


def rest(chosen: JobFilter, now: int) -> str:
    """What no chip of its own says about a filter; empty if there is nothing."""
    parts = []
    if group_of(chosen) is None:
        parts.append(", ".join(look_of(state).word for state in JobState if state in chosen.states))
    if chosen.ids:
        parts.append(_tr("{value} chosen jobs").format(value=f"{len(chosen.ids):,}"))
    if chosen.work_order is not None:
        parts.append(_tr("Work order {value}").format(value=chosen.work_order))
    if chosen.program is not None:
        parts.append(_tr("Program {value}").format(value=chosen.program[:8]))
    for english, at in (
        ("finished since {value}", chosen.finished_since),
        ("finished before {value}", chosen.finished_until),
    ):
        if at is not None:
            parts.append(_tr(english).format(value=formatting.moment(at, now)))
    return " · ".join(parts)


PRIORITIES = (
    ("High", 70, None),
    ("Medium", 30, 69),
    ("Low", None, 29),
)
"""Words for stretches of priority: from, to (None: no end)."""


def priority_words(low: int | None, high: int | None) -> str:
    """How a stretch of priority is called; empty for all."""
    for english, at_least, at_most in PRIORITIES:
        if (low, high) == (at_least, at_most):
            return _tr(english)
    if low is None and high is None:
        return ""
    return f"{low or 0}-{100 if high is None else high}"
