"""The columns of the job table: what each shows of a job and how it sorts."""

from collections.abc import Callable, Mapping

from PySide6.QtCore import QCoreApplication

from cnc_station.engine.domain.states import WAITING_JOBS, JobState
from cnc_station.engine.views import JobRow, SortKey, Telemetry
from cnc_station.ui import formatting
from cnc_station.ui.models.row_model import Column
from cnc_station.ui.theme import Ink
from cnc_station.ui.widgets.state_look import RETRY, StateLook, look_of

JobColumns = Mapping[str, Column[JobRow]]
NAME, STATE, DUE, NEXT = "name", "state", "due", "next"
SHOWN_AT_FIRST = (NAME, STATE, "machine", "quantity", "priority", DUE, NEXT)


def look(row: JobRow) -> StateLook:
    """The look of a job's state. A job that waits after a failure looks like a retry."""
    waits_out_failure = row.state is JobState.DELAYED and row.failures > 0
    return RETRY if waits_out_failure else look_of(row.state)


def machine(row: JobRow) -> str:
    """The machine a job runs or ran on; empty while the job waits."""
    return "" if row.state in WAITING_JOBS else row.machine


def job_columns(
    now: Callable[[], int], telemetry: Callable[[int], Telemetry | None] = lambda _: None
) -> JobColumns:
    """All columns by key, in the order offered. Some depend on `now` and `telemetry`."""

    def next_of(row: JobRow) -> str:
        if row.state is JobState.RUNNING and row.machine_id is not None:
            latest = telemetry(row.machine_id)
            if latest is not None and latest.remaining_s is not None:
                left = formatting.duration(latest.remaining_s)
                done = formatting.percent(latest.fraction)
                return _tr("{time} left · {part}").format(time=left, part=done)
        return row.next

    def moment(at: int | None) -> str:
        return formatting.moment(at, now())

    none = formatting.NONE
    columns: tuple[Column[JobRow], ...] = (
        Column(
            _tr("Job"),
            lambda row: row.title,
            160,
            NAME,
            SortKey.NAME,
            strong=True,
            tip=lambda row: f"{row.title} · {row.id}",
        ),
        Column(_tr("State"), lambda row: look(row).word, 156, STATE, SortKey.STATE, look=look),
        Column(_tr("Machine"), lambda row: machine(row) or none, 80, "machine", SortKey.MACHINE),
        _number(_tr("Qty"), lambda row: f"{row.quantity:,}", 56, "quantity", SortKey.QUANTITY),
        _number(_tr("Priority"), lambda row: str(row.priority), 80, "priority", SortKey.PRIORITY),
        Column(
            _tr("Due"),
            lambda row: formatting.due(row.due_at, now()),
            108,
            DUE,
            SortKey.DUE,
            ink=lambda row: Ink.HELD if row.late else Ink.TEXT,
        ),
        _number(_tr("Number"), lambda row: str(row.id), 80, "id"),
        Column(_tr("Type"), lambda row: row.machine_type, 72, "type", SortKey.TYPE),
        Column(
            _tr("Material"), lambda row: row.material or none, 110, "material", SortKey.MATERIAL
        ),
        _number(
            _tr("Complexity"), lambda row: str(row.complexity), 96, "complexity", SortKey.COMPLEXITY
        ),
        Column(_tr("Work order"), lambda row: row.work_order or none, 110, "work_order"),
        Column(_tr("Program"), _program, 150, "program"),
        _number(
            _tr("Attempt"), lambda row: str(row.attempt) if row.attempt else none, 80, "attempt"
        ),
        Column(_tr("Created"), lambda row: moment(row.created_at), 130, "created", SortKey.CREATED),
        Column(
            _tr("Changed"), lambda row: moment(row.state_since), 130, "changed", SortKey.CHANGED
        ),
        Column(_tr("Finished"), lambda row: moment(row.finished_at), 130, "finished"),
        Column(_tr("Customer"), lambda row: row.customer or none, 110, "customer"),
        Column(_tr("Customer"), lambda row: row.tenant or none, 96, "tenant"),
        Column(_tr("Next step"), next_of, 230, NEXT, ink=lambda _: Ink.MUTED),
    )
    return {column.key: column for column in columns}


def _number(
    title: str, text: Callable[[JobRow], str], width: int, key: str, sort: SortKey | None = None
) -> Column[JobRow]:
    return Column(title, text, width, key, sort, right=True)


def _program(row: JobRow) -> str:
    if not row.program_name:
        return formatting.NONE
    return f"{row.program_name} r{row.program_revision}"


def known(keys: object, columns: JobColumns) -> tuple[str, ...]:
    """The remembered column keys that exist, the job first, or the default columns."""
    if not isinstance(keys, list | tuple):
        return SHOWN_AT_FIRST
    chosen = dict.fromkeys(key for key in keys if key in columns)
    return (NAME, *(key for key in chosen if key != NAME)) if chosen else SHOWN_AT_FIRST


def _tr(english: str) -> str:
    return QCoreApplication.translate("JobColumns", english)
