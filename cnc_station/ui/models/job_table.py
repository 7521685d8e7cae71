"""The rows of a job table: it knows how many there are, and holds those near what is on view.

A page of rows from the engine is taken in by `take`: rows come, go, move and change one by one,
never all at once, so that what a view points at stays. Rows outside the page are not known and
show no text until the feed has fetched them.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence, Set

from PySide6.QtCore import (
    QAbstractTableModel,
    QModelIndex,
    QPersistentModelIndex,
    Qt,
    Signal,
)

from cnc_station.engine.domain.states import JobState
from cnc_station.engine.views import JobPage, JobRow, Telemetry
from cnc_station.ui.formatting import duration, percent
from cnc_station.ui.models.job_columns import COLUMNS, DUE, NAME, NEXT, STATE, Column, look
from cnc_station.ui.models.row_changes import Fill, Insert, Move, Remove, Step, steps
from cnc_station.ui.theme import Ink

Index = QModelIndex | QPersistentModelIndex
NOWHERE = QModelIndex()
MOST_KNOWN = 1000
_SAYS = frozenset({Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole})
_ALIGN_RIGHT = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
_ALIGN_LEFT = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)


class JobTableModel(QAbstractTableModel):
    """Columns by key, a window of known rows amid those not looked at yet."""

    taken = Signal()  # a page has come in and every row signal is out

    def __init__(
        self,
        columns: Sequence[str],
        now: Callable[[], int],
        telemetry: Callable[[int], Telemetry | None] = lambda _: None,
    ) -> None:
        super().__init__()
        self._columns = [COLUMNS[key] for key in columns]
        self._now = now
        self._telemetry = telemetry
        self.taking = False  # rows come and go because of a page, not by anybody's hand
        self._total = 0
        self._first = 0
        self._rows: list[JobRow | None] = []

    # what it holds

    @property
    def total(self) -> int:
        """How many rows there are."""
        return self._total

    @property
    def known(self) -> range:
        """The positions whose rows are known."""
        return range(self._first, self._first + len(self._rows))

    def row(self, position: int) -> JobRow | None:
        """The row at a position; None if it was not looked at yet."""
        at = position - self._first
        return self._rows[at] if 0 <= at < len(self._rows) else None

    def rows(self) -> Iterable[tuple[int, JobRow]]:
        """The known rows with their positions."""
        for at, row in enumerate(self._rows, start=self._first):
            if row is not None:
                yield at, row

    def position(self, job_id: int) -> int | None:
        """Where a job stands, if its row is known."""
        return next((at for at, row in self.rows() if row.id == job_id), None)

    # taking rows in

    def take(self, page: JobPage) -> None:
        """Show this page, and forget what is known of rows elsewhere."""
        self.taking = True
        try:
            self._take(page)
        finally:
            self.taking = False
        self.taken.emit()

    def _take(self, page: JobPage) -> None:
        if page.rows and page.offset > self._total:
            self._settle_total(page.offset)
        first = min(page.offset, self._total, page.total)
        self._keep_only(first, min(first + len(page.rows), self._total))
        rows = {row.id: row for row in page.rows}
        ids = [row.id if row else None for row in self._rows]
        for step in steps(ids, list(rows)):
            self._do(step, rows)
        self._settle_total(page.total)
        for at, new in enumerate(page.rows, start=first):
            self._replace(at, new)

    def extend(self, page: JobPage) -> bool:
        """Add a page to what is known, keeping the MOST_KNOWN rows nearest to it. False, and
        nothing done, if the list has changed meanwhile; a page that is apart replaces."""
        if page.total != self._total:
            return False
        end = page.offset + len(page.rows)
        if page.offset > self.known.stop or end < self.known.start:
            self.take(page)
            return True
        spare = MOST_KNOWN - len(page.rows)
        before = range(max(self.known.start, page.offset - spare), page.offset)
        after = range(end, min(self.known.stop, end + spare))
        rows = (*map(self.row, before), *page.rows, *map(self.row, after))
        known = tuple(row for row in rows if row is not None)
        if len({row.id for row in known}) < len(rows):
            return False
        self.take(JobPage(known, min(page.offset, before.start), page.total))
        return True

    def _keep_only(self, first: int, end: int) -> None:
        old = self.known
        kept = [self.row(at) for at in range(first, end)]
        self._first, self._rows = first, kept
        for gone in (range(old.start, min(first, old.stop)), range(max(end, old.start), old.stop)):
            if gone:
                self._emit(gone.start, gone.stop - 1, 0, len(self._columns) - 1)

    def _do(self, step: Step, rows: Mapping[int, JobRow]) -> None:
        base = self._first
        match step:
            case Fill(first, ids):
                self._rows[first : first + len(ids)] = [rows[job_id] for job_id in ids]
                end = base + first + len(ids) - 1
                self._emit(base + first, end, 0, len(self._columns) - 1)
            case Remove(first, last):
                self.beginRemoveRows(NOWHERE, base + first, base + last)
                del self._rows[first : last + 1]
                self._total -= last - first + 1
                self.endRemoveRows()
            case Insert(first, ids):
                self.beginInsertRows(NOWHERE, base + first, base + first + len(ids) - 1)
                self._rows[first:first] = [rows[job_id] for job_id in ids]
                self._total += len(ids)
                self.endInsertRows()
            case Move(source, target):
                self.beginMoveRows(NOWHERE, base + source, base + source, NOWHERE, base + target)
                to = target if target < source else target - 1
                self._rows.insert(to, self._rows.pop(source))
                self.endMoveRows()

    def _settle_total(self, total: int) -> None:
        """Rows further down came or went; which ones, nobody on view can tell."""
        total = max(total, self.known.stop)
        if total > self._total:
            self.beginInsertRows(NOWHERE, self._total, total - 1)
            self._total = total
            self.endInsertRows()
        elif total < self._total:
            self.beginRemoveRows(NOWHERE, total, self._total - 1)
            self._total = total
            self.endRemoveRows()

    def _replace(self, at: int, new: JobRow) -> None:
        old = self._rows[at - self._first]
        self._rows[at - self._first] = new
        if old is None or old == new:
            return
        now = self._now()
        for place, column in enumerate(self._columns):
            late = column.key == DUE and old.late != new.late
            looks = column.key == STATE and look(old) != look(new)
            if late or looks or column.text(old, now) != column.text(new, now):
                self._emit(at, at, place, place)

    def hear(self, machines: Set[int]) -> None:
        """Machines have said how far they are: their jobs' rows tell it."""
        place = next((at for at, c in enumerate(self._columns) if c.key == NEXT), None)
        if place is not None:
            for at, row in self.rows():
                if row.state is JobState.RUNNING and row.machine_id in machines:
                    self._emit(at, at, place, place)

    def _said(self, row: JobRow, column: Column) -> str:
        if column.key == NEXT and row.state is JobState.RUNNING and row.machine_id is not None:
            now = self._telemetry(row.machine_id)
            if now is not None and now.remaining_s is not None:
                return self.tr("{time} left · {part}").format(
                    time=duration(now.remaining_s), part=percent(now.fraction)
                )
        return column.text(row, self._now())

    def _emit(self, first: int, last: int, left: int, right: int) -> None:
        self.dataChanged.emit(self.index(first, left), self.index(last, right))

    # columns

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns, in the order of the model."""
        return tuple(self._columns)

    def set_columns(self, keys: Sequence[str]) -> None:
        """Show these columns: those that go are removed, those that come are added at the end,
        before the last one if that stays last."""
        for at in range(len(self._columns) - 1, -1, -1):
            if self._columns[at].key not in keys:
                self.beginRemoveColumns(NOWHERE, at, at)
                del self._columns[at]
                self.endRemoveColumns()
        have = {column.key for column in self._columns}
        for key in keys:
            if key not in have:
                ends_with_next = bool(self._columns) and self._columns[-1].key == NEXT
                at = len(self._columns) - 1 if ends_with_next else len(self._columns)
                self.beginInsertColumns(NOWHERE, at, at)
                self._columns.insert(at, COLUMNS[key])
                self.endInsertColumns()

    # Qt's questions

    def rowCount(self, parent: Index = NOWHERE) -> int:
        """All rows, known or not."""
        return 0 if parent.isValid() else self._total

    def columnCount(self, parent: Index = NOWHERE) -> int:
        """The columns shown."""
        return 0 if parent.isValid() else len(self._columns)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> object:
        """The titles; the header itself marks the sort order."""
        if orientation is not Qt.Orientation.Horizontal or not 0 <= section < len(self._columns):
            return None
        column = self._columns[section]
        if role == Qt.ItemDataRole.DisplayRole:
            return column.title
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _ALIGN_RIGHT if column.right else _ALIGN_LEFT
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """What a cell says; a row not looked at yet says `…` in its first cell."""
        at, place = index.row(), index.column()
        if role in _SAYS:
            return self.text(at, place) or None
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _ALIGN_RIGHT if self._columns[place].right else _ALIGN_LEFT
        if role == Qt.ItemDataRole.ToolTipRole:
            row, column = self.row(at), self._columns[place]
            number = f" · {row.id}" if row is not None and column.key == NAME else ""
            return self.text(at, place) + number
        return None

    def text(self, at: int, place: int) -> str:
        """The text of row `at` in column `place`."""
        row = self.row(at)
        if row is None:
            return "" if place else "…"
        return self._said(row, self._columns[place])

    def ink(self, at: int, place: int) -> Ink:
        """The colour of that text."""
        row, key = self.row(at), self._columns[place].key
        if row is None or key == NEXT:
            return Ink.MUTED
        return Ink.HELD if key == DUE and row.late else Ink.TEXT
