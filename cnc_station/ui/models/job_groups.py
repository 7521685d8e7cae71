"""The groups of jobs behind the filter chips, and filters as the chips can show them."""

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
    """The jobs a chip selects: those in any of `states`, or only the late ones among them."""

    key: str
    english: str
    states: frozenset[JobState]
    late: bool = False
    tone: Tone = Tone.NORMAL

    @property
    def words(self) -> str:
        return _tr(self.english)

    def count(self, counts: JobCounts) -> int:
        return counts.late if self.late else counts.of(self.states)


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
    """The group a filter selects exactly, if any."""
    wanted = chosen.states, chosen.late
    return next((g for g in (*GROUPS, *MORE_GROUPS) if (g.states, g.late) == wanted), None)


def normal(chosen: JobFilter) -> JobFilter:
    """A filter with explicit states: open jobs if only late ones are wanted, otherwise all."""
    states = chosen.states or (OPEN_JOBS if chosen.late else OPEN_JOBS | FINISHED_JOBS)
    return replace(chosen, states=states)


def without_rest(chosen: JobFilter) -> JobFilter:
    """A filter without the conditions that only `rest` describes."""
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
    """Describe the conditions of a filter that no chip shows; empty if there are none."""
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


PRIORITIES = (("High", 70, None), ("Medium", 30, 69), ("Low", None, 29))
"""Names of priority ranges: from, to (None: open)."""


def priority_words(low: int | None, high: int | None) -> str:
    """The name of a priority range; empty for all."""
    for english, at_least, at_most in PRIORITIES:
        if (low, high) == (at_least, at_most):
            return _tr(english)
    if low is None and high is None:
        return ""
    return f"{low or 0}-{100 if high is None else high}"
