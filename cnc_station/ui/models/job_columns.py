"""The columns a job table can show: what each says about a job, and how it is sorted."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from PySide6.QtCore import QT_TRANSLATE_NOOP, QCoreApplication

from cnc_station.engine.domain.states import WAITING_JOBS, JobState
from cnc_station.engine.views import JobRow, SortKey
from cnc_station.ui import formatting
from cnc_station.ui.widgets.state_look import RETRY, StateLook, look_of


@dataclass(frozen=True, slots=True)
class Column:
    """`text` of a row at a time (ms); `width` in pixels before anybody drags it."""

    key: str
    english: str
    text: Callable[[JobRow, int], str]
    width: int
    sort: SortKey | None = None
    right: bool = False

    @property
    def title(self) -> str:
        """The header in the user's language."""
        return QCoreApplication.translate("JobColumns", self.english)


def look(row: JobRow) -> StateLook:
    """The look of a job's state; one that waits out a failure says so."""
    waits_out_failure = row.state is JobState.DELAYED and row.failures > 0
    return RETRY if waits_out_failure else look_of(row.state)


def machine(row: JobRow) -> str:
    """Where a job is or was made; one that waits is nowhere, wherever it ran before."""
    return "" if row.state in WAITING_JOBS else row.machine


def _program(row: JobRow) -> str:
    if not row.program_name:
        return formatting.NONE
    return f"{row.program_name} r{row.program_revision}"


def _column(
    key: str,
    english: object,
    text: Callable[[JobRow, int], str],
    width: int,
    sort: SortKey | None = None,
    *,
    right: bool = False,
) -> Column:
    return Column(key, str(english), text, width, sort, right)


NAME, STATE, DUE, NEXT = "name", "state", "due", "next"

_COLUMNS = (
    _column(
        NAME,
        QT_TRANSLATE_NOOP("JobColumns", "Job"),
        lambda row, _: row.title,
        160,
        SortKey.NAME,
    ),
    _column(
        STATE,
        QT_TRANSLATE_NOOP("JobColumns", "State"),
        lambda row, _: look(row).word,
        156,
        SortKey.STATE,
    ),
    _column(
        "machine",
        QT_TRANSLATE_NOOP("JobColumns", "Machine"),
        lambda row, _: machine(row) or formatting.NONE,
        80,
        SortKey.MACHINE,
    ),
    _column(
        "quantity",
        QT_TRANSLATE_NOOP("JobColumns", "Qty"),
        lambda row, _: f"{row.quantity:,}",
        56,
        SortKey.QUANTITY,
        right=True,
    ),
    _column(
        "priority",
        QT_TRANSLATE_NOOP("JobColumns", "Priority"),
        lambda row, _: str(row.priority),
        80,
        SortKey.PRIORITY,
        right=True,
    ),
    _column(
        DUE,
        QT_TRANSLATE_NOOP("JobColumns", "Due"),
        lambda row, now: formatting.due(row.due_at, now),
        108,
        SortKey.DUE,
    ),
    _column(
        "id",
        QT_TRANSLATE_NOOP("JobColumns", "Number"),
        lambda row, _: str(row.id),
        80,
        right=True,
    ),
    _column(
        "type",
        QT_TRANSLATE_NOOP("JobColumns", "Type"),
        lambda row, _: row.machine_type,
        72,
        SortKey.TYPE,
    ),
    _column(
        "material",
        QT_TRANSLATE_NOOP("JobColumns", "Material"),
        lambda row, _: row.material or formatting.NONE,
        110,
        SortKey.MATERIAL,
    ),
    _column(
        "complexity",
        QT_TRANSLATE_NOOP("JobColumns", "Complexity"),
        lambda row, _: str(row.complexity),
        96,
        SortKey.COMPLEXITY,
        right=True,
    ),
    _column(
        "work_order",
        QT_TRANSLATE_NOOP("JobColumns", "Work order"),
        lambda row, _: row.work_order or formatting.NONE,
        110,
    ),
    _column(
        "program", QT_TRANSLATE_NOOP("JobColumns", "Program"), lambda row, _: _program(row), 150
    ),
    _column(
        "attempt",
        QT_TRANSLATE_NOOP("JobColumns", "Attempt"),
        lambda row, _: str(row.attempt) if row.attempt else formatting.NONE,
        80,
        right=True,
    ),
    _column(
        "created",
        QT_TRANSLATE_NOOP("JobColumns", "Created"),
        lambda row, now: formatting.moment(row.created_at, now),
        130,
        SortKey.CREATED,
    ),
    _column(
        "changed",
        QT_TRANSLATE_NOOP("JobColumns", "Changed"),
        lambda row, now: formatting.moment(row.state_since, now),
        130,
        SortKey.CHANGED,
    ),
    _column(
        "finished",
        QT_TRANSLATE_NOOP("JobColumns", "Finished"),
        lambda row, now: formatting.moment(row.finished_at, now),
        130,
    ),
    _column(
        "tenant",
        QT_TRANSLATE_NOOP("JobColumns", "Tenant"),
        lambda row, _: row.tenant or formatting.NONE,
        96,
    ),
    _column(
        NEXT,
        QT_TRANSLATE_NOOP("JobColumns", "What next, or why not"),
        lambda row, _: row.next,
        230,
    ),
)

COLUMNS: Mapping[str, Column] = {column.key: column for column in _COLUMNS}
SHOWN_AT_FIRST = (NAME, STATE, "machine", "quantity", "priority", DUE, NEXT)


def known(keys: object) -> tuple[str, ...]:
    """The column keys among what was remembered, the job always first; else those shown first."""
    if not isinstance(keys, list | tuple):
        return SHOWN_AT_FIRST
    chosen = dict.fromkeys(key for key in keys if key in COLUMNS)
    return (NAME, *(key for key in chosen if key != NAME)) if chosen else SHOWN_AT_FIRST
