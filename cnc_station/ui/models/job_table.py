"""The rows of the job table: the total count, and the rows near the visible ones. `take` merges a
page row by row, so that current row and selection stay; rows outside the page are unknown."""

from collections.abc import Callable, Sequence, Set

from PySide6.QtCore import Signal

from cnc_station.engine.domain.states import JobState
from cnc_station.engine.views import JobPage, JobRow, Telemetry
from cnc_station.ui.models.job_columns import NEXT, job_columns
from cnc_station.ui.models.row_model import NOWHERE, RowModel

MOST_KNOWN = 1000


class JobTableModel(RowModel[JobRow]):
    """Columns by key out of `choice`; a window of known rows among unknown ones."""

    taken = Signal()  # a page was merged, after all its row signals

    def __init__(
        self,
        columns: Sequence[str],
        now: Callable[[], int],
        telemetry: Callable[[int], Telemetry | None] = lambda _: None,
    ) -> None:
        choice = job_columns(now, telemetry)
        super().__init__([choice[key] for key in columns], lambda row: row.id)
        self.choice = choice
        self.taking = False  # rows change because of a page, not because of the user

    def take(self, page: JobPage) -> None:
        """Show this page and forget all rows outside it."""
        self.taking = True
        try:
            self._merge(page)
        finally:
            self.taking = False
        self.taken.emit()

    def _merge(self, page: JobPage) -> None:
        if page.rows and page.offset > self.total:
            self._set_total(page.offset)
        first = min(page.offset, self.total, page.total)
        self._keep_only(first, min(first + len(page.rows), self.total))
        self._replace_rows(page.rows)
        self._set_total(page.total)
        for at, new in enumerate(page.rows, start=first):
            self._update_row(at, new)

    def extend(self, page: JobPage) -> bool:
        """Add a page, keeping the MOST_KNOWN rows nearest to it; a page apart replaces the known
        rows. Return False, with nothing changed, if the list has changed meanwhile."""
        if page.total != self.total:
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
                self._emit(gone.start, gone.stop - 1)

    def _set_total(self, total: int) -> None:
        """Add or remove unknown rows at the end until the count is `total`."""
        total = max(total, self.known.stop)
        if total > self.total:
            self.beginInsertRows(NOWHERE, self.total, total - 1)
            self.total = total
            self.endInsertRows()
        elif total < self.total:
            self.beginRemoveRows(NOWHERE, total, self.total - 1)
            self.total = total
            self.endRemoveRows()

    def telemetry_changed(self, machines: Set[int]) -> None:
        """Repaint the rows of jobs that run on these machines: their telemetry is new."""
        place = next((at for at, c in enumerate(self.columns) if c.key == NEXT), None)
        if place is not None:
            for at, row in self.placed():
                if row.state is JobState.RUNNING and row.machine_id in machines:
                    self._emit(at, at, place, place)

    def set_columns(self, keys: Sequence[str]) -> None:
        """Show these columns; new ones go to the end, before NEXT if that is the last."""
        for at in range(len(self.columns) - 1, -1, -1):
            if self.columns[at].key not in keys:
                self.beginRemoveColumns(NOWHERE, at, at)
                del self.columns[at]
                self.endRemoveColumns()
        have = {column.key for column in self.columns}
        for key in keys:
            if key not in have:
                ends_with_next = bool(self.columns) and self.columns[-1].key == NEXT
                at = len(self.columns) - 1 if ends_with_next else len(self.columns)
                self.beginInsertColumns(NOWHERE, at, at)
                self.columns.insert(at, self.choice[key])
                self.endInsertColumns()
