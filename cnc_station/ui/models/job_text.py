"""A job as text: every field, its events and its runs."""

from collections.abc import Mapping, Sequence

from PySide6.QtCore import QCoreApplication

from cnc_station.engine.domain.event import Event
from cnc_station.engine.domain.job import PartCount
from cnc_station.engine.domain.states import LIVE_RUNS, RunState
from cnc_station.engine.views import JobDetail, JobLink, RunRow
from cnc_station.ui import formatting
from cnc_station.ui.event_text import by_and_why, event_sentence, tone_of
from cnc_station.ui.models.job_columns import look
from cnc_station.ui.reading_text import time_a_part
from cnc_station.ui.theme import Tone
from cnc_station.ui.widgets.state_look import look_of
from cnc_station.ui.widgets.timeline import TimelineEntry


def fields(detail: JobDetail, machines: Mapping[int, str], now: int) -> list[tuple[str, str]]:
    """Names and values, the most wanted first."""
    row = detail.row
    pinned = (
        _t("any") if row.pinned_machine_id is None else machines.get(row.pinned_machine_id, "?")
    )
    program = f"{row.program_name} r{row.program_revision}" if row.program else ""
    limit = "" if detail.timeout_s is None else formatting.duration(detail.timeout_s)
    found = [
        (_t("Number"), str(row.id)),
        (_t("Work order"), row.work_order),
        (_t("Operation"), row.operation),
        (_t("Description"), row.description),
        (_t("Notes"), row.notes),
        (_t("State"), f"{look(row).word}, {formatting.lasted(row.state_since, now)}"),
        (_t("What next"), row.next),
        (_t("Machine"), row.machine),
        (_t("Only on"), pinned),
        (_t("Type"), row.machine_type),
        (_t("Material"), row.material),
        (_t("Complexity"), str(row.complexity)),
        (_t("Axes"), str(detail.axes)),
        (_t("Priority"), str(row.priority)),
        (_t("Quantity"), f"{row.quantity:,}"),
        (_t("Cycle time per part"), time_a_part(row.estimated_s, doubtful=row.doubtful)),
        (_t("Due"), formatting.moment(row.due_at, now)),
        (_t("Not before"), formatting.moment(row.not_before, now)),
        (_t("Program"), program),
        (_t("SHA-256"), f"{row.program[:16]} …" if row.program else ""),
        (_t("Runs after"), _links(detail.after)),
        (_t("Then"), _links(detail.before)),
        (_t("Attempts"), str(row.attempt)),
        (_t("Failures"), str(row.failures)),
        (_t("Last error"), row.last_error),
        (_t("Retry limit"), str(detail.retry_limit)),
        (_t("Time limit"), limit),
        (_t("Customer"), row.customer),
        (_t("Customer"), row.tenant),
        (_t("External id"), row.external_id),
        (_t("Made by"), row.handler),
        (_t("Owner"), row.owner),
        (_t("Created"), formatting.moment(row.created_at, now)),
        (_t("Updated"), formatting.moment(row.updated_at, now)),
        (_t("Finished"), formatting.moment(row.finished_at, now)),
        (_t("Trace"), detail.trace_id),
        (_t("Version"), str(row.version)),
    ]
    return [(name, value or formatting.NONE) for name, value in found]


def _links(links: tuple[JobLink, ...]) -> str:
    return ", ".join(f"{link.title} ({link.id}, {look_of(link.state).word})" for link in links)


def _t(english: str) -> str:
    return QCoreApplication.translate("JobFields", english)


_MOST_RESULT = 200  # characters of a handler's result; the page Runs shows more
_NOTICED = LIVE_RUNS | {RunState.FAILED, RunState.INTERRUPTED}
_RUNS_NOW = frozenset({"started", "continued"})


def entries(events: Sequence[Event], machines: Mapping[int, str], now: int) -> list[TimelineEntry]:
    """A job's events, oldest first; the last one is marked if it is a running state."""
    last = events[-1].id if events else 0
    return [
        TimelineEntry(
            event_sentence(event, machines.get(event.machine_id or 0, "")),
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
    result = run.error or (run.result or "")[:_MOST_RESULT]
    note = " · ".join(part for part in (look.word, took, _counted(run), result) if part)
    title = QCoreApplication.translate("JobHistory", "Run {number} on {machine}").format(
        number=run.attempt, machine=run.machine
    )
    began = run.started_at if run.started_at is not None else run.assigned_at
    tone = look.tone if run.state in _NOTICED else Tone.NORMAL
    return TimelineEntry(title, note, formatting.moment(began, now), tone)
