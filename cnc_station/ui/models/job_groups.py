"""The groups of jobs the filter chips stand for, and a filter as the chips can show it."""

from dataclasses import dataclass, replace

from PySide6.QtCore import QT_TRANSLATE_NOOP, QCoreApplication

from cnc_station.engine.domain.states import (
    FINISHED_JOBS,
    LIVE_JOBS,
    OPEN_JOBS,
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
        return QCoreApplication.translate("JobGroups", self.english)

    def count(self, counts: JobCounts) -> int:
        """How many jobs it holds."""
        return counts.late if self.late else counts.of(self.states)

    def narrows(self, chosen: JobFilter) -> bool:
        """Whether a filter selects just this group."""
        return (chosen.states, chosen.late) == (self.states, self.late)


def _group(
    key: str,
    english: object,
    states: frozenset[JobState],
    *,
    late: bool = False,
    tone: Tone = Tone.NORMAL,
) -> Group:
    return Group(key, str(english), states, late, tone)


ALL_OPEN = _group("open", QT_TRANSLATE_NOOP("JobGroups", "All open"), OPEN_JOBS)
ATTENTION = _group(
    "attention",
    QT_TRANSLATE_NOOP("JobGroups", "Needs attention"),
    frozenset({JobState.NEEDS_ATTENTION, JobState.INTERRUPTED}),
    tone=Tone.ALARM,
)
COMPLETED = _group(
    "completed",
    QT_TRANSLATE_NOOP("JobGroups", "Completed"),
    frozenset({JobState.COMPLETED}),
)
GROUPS = (
    ALL_OPEN,
    _group("waiting", QT_TRANSLATE_NOOP("JobGroups", "Waiting"), WAITING_JOBS),
    _group("running", QT_TRANSLATE_NOOP("JobGroups", "Running"), LIVE_JOBS),
    ATTENTION,
    _group("late", QT_TRANSLATE_NOOP("JobGroups", "Late"), OPEN_JOBS, late=True),
    COMPLETED,
)
MORE_GROUPS = (
    _group("all", QT_TRANSLATE_NOOP("JobGroups", "All jobs"), OPEN_JOBS | FINISHED_JOBS),
    _group(
        "cancelled",
        QT_TRANSLATE_NOOP("JobGroups", "Cancelled"),
        frozenset({JobState.CANCELLED}),
    ),
    _group("draft", QT_TRANSLATE_NOOP("JobGroups", "Drafts"), frozenset({JobState.DRAFT})),
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
        parts.append(_said("{value} chosen jobs", f"{len(chosen.ids):,}"))
    if chosen.work_order is not None:
        parts.append(_said("Work order {value}", chosen.work_order))
    if chosen.program is not None:
        parts.append(_said("Program {value}", chosen.program[:8]))
    if chosen.finished_since is not None:
        parts.append(_said("finished since {value}", formatting.moment(chosen.finished_since, now)))
    if chosen.finished_until is not None:
        parts.append(
            _said("finished before {value}", formatting.moment(chosen.finished_until, now))
        )
    return " · ".join(parts)


def _said(english: str, value: str) -> str:
    return QCoreApplication.translate("JobGroups", english).format(value=value)


PRIORITIES = (
    (str(QT_TRANSLATE_NOOP("JobGroups", "High")), 70, None),
    (str(QT_TRANSLATE_NOOP("JobGroups", "Medium")), 30, 69),
    (str(QT_TRANSLATE_NOOP("JobGroups", "Low")), None, 29),
)
"""Words for stretches of priority: from, to (None: no end)."""


def priority_words(low: int | None, high: int | None) -> str:
    """How a stretch of priority is called; empty for all."""
    for english, at_least, at_most in PRIORITIES:
        if (low, high) == (at_least, at_most):
            return QCoreApplication.translate("JobGroups", english)
    if low is None and high is None:
        return ""
    return f"{low or 0}-{100 if high is None else high}"
