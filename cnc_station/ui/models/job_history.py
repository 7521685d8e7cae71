"""A job's events and runs as entries of a timeline."""

from collections.abc import Mapping, Sequence

from PySide6.QtCore import QCoreApplication

from cnc_station.engine.domain.event import Event
from cnc_station.engine.domain.job import PartCount
from cnc_station.engine.domain.states import LIVE_RUNS, RunState
from cnc_station.engine.views import RunRow
from cnc_station.ui import formatting
from cnc_station.ui.event_text import by_and_why, told, tone_of
from cnc_station.ui.theme import Tone
from cnc_station.ui.widgets.state_look import look_of
from cnc_station.ui.widgets.timeline import TimelineEntry

_NOTICED = LIVE_RUNS | {RunState.FAILED, RunState.INTERRUPTED}
_RUNS_NOW = frozenset({"started", "continued"})


def entries(events: Sequence[Event], machines: Mapping[int, str], now: int) -> list[TimelineEntry]:
    """A job's events, oldest first; what runs now is marked at the end."""
    last = events[-1].id if events else 0
    return [
        TimelineEntry(
            told(event, machines.get(event.machine_id or 0, "")),
            by_and_why(event),
            formatting.moment(event.at, now),
            Tone.RUNNING if event.id == last and event.type in _RUNS_NOW else tone_of(event),
        )
        for event in events
    ]


def run_entries(runs: Sequence[RunRow], now: int) -> list[TimelineEntry]:
    """A job's attempts, oldest first."""
    return [_run(run, now) for run in sorted(runs, key=lambda run: run.attempt)]


def _counted(run: RunRow) -> str:
    """What came of its parts, as far as a person has counted them."""
    counts = PartCount(run.good, run.scrap, run.rework).known
    tr = QCoreApplication.translate
    names = {
        "good": tr("JobHistory", "good"),
        "scrap": tr("JobHistory", "scrap"),
        "rework": tr("JobHistory", "rework"),
    }
    return ", ".join(f"{count:,} {names[name]}" for name, count in counts.items())


def _run(run: RunRow, now: int) -> TimelineEntry:
    look = look_of(run.state)
    end = run.ended_at if run.ended_at is not None else now
    took = formatting.lasted(run.started_at, end) if run.started_at is not None else ""
    note = " · ".join(part for part in (look.word, took, _counted(run), run.error) if part)
    title = QCoreApplication.translate("JobHistory", "Run {number} on {machine}").format(
        number=run.attempt, machine=run.machine
    )
    began = run.started_at if run.started_at is not None else run.assigned_at
    tone = look.tone if run.state in _NOTICED else Tone.NORMAL
    return TimelineEntry(title, note, formatting.moment(began, now), tone)
