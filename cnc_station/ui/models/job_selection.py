"""The selected jobs. Qt selects positions; here a job stays selected when its row moves, scrolls
out of the known rows or comes back, and no other job inherits its position."""

from collections.abc import Iterable, Iterator

from PySide6.QtCore import (
    QItemSelection,
    QItemSelectionModel,
    QItemSelectionRange,
    QModelIndex,
    QObject,
    Signal,
)

from cnc_station.engine.domain.notice import Notice
from cnc_station.engine.queries import JobsById, ListJobs
from cnc_station.engine.views import JobFilter, JobRow
from cnc_station.ui.coalesced_task import CoalescedTask
from cnc_station.ui.models.job_feed import JobFeed
from cnc_station.ui.models.job_table import JobTableModel
from cnc_station.ui.models.row_model import Index
from cnc_station.ui.page_context import PageContext

_Flag = QItemSelectionModel.SelectionFlag


class JobSelection(QItemSelectionModel):
    """The selected jobs (`chosen`); `chosen_changed` after a change by the user or by `choose`,
    before it `by_hand` after one by the user. `unknown(first, last)` reports selected rows that
    are not loaded."""

    by_hand = Signal()
    chosen_changed = Signal()
    unknown = Signal(int, int)

    def __init__(self, model: JobTableModel) -> None:
        super().__init__(model, model)
        self._model = model
        self._chosen: dict[int, None] = {}
        self._following = False
        self.selectionChanged.connect(self._selection_changed)
        model.taken.connect(self._follow)

    @property
    def chosen(self) -> tuple[int, ...]:
        """The ids of the selected jobs, in the order of selection."""
        return tuple(self._chosen)

    def choose(self, job_ids: Iterable[int]) -> None:
        """Select exactly these jobs, visible or not."""
        self._chosen = dict.fromkeys(job_ids)
        self._follow()
        self.chosen_changed.emit()

    def select(
        self, what: QItemSelection | Index, flags: QItemSelectionModel.SelectionFlag
    ) -> None:
        """Select as Qt does; a clear also drops selected jobs that are not loaded."""
        clears = bool(flags & _Flag.Clear) and not self._following and not self._model.taking
        if clears and self._chosen:
            on_view = {row.id for at, row in self._model.placed() if self._is_selected(at)}
            self._chosen = {job_id: None for job_id in self._chosen if job_id in on_view}
        super().select(what, flags)

    def _is_selected(self, at: int) -> bool:
        return self.isRowSelected(at, QModelIndex())

    def _rows_in(self, part: QItemSelectionRange) -> Iterator[tuple[int, JobRow]]:
        known = self._model.known
        for at in range(max(part.top(), known.start), min(part.bottom() + 1, known.stop)):
            if (row := self._model.row(at)) is not None:
                yield at, row

    def _selection_changed(self, selected: QItemSelection, deselected: QItemSelection) -> None:
        if self._following or self._model.taking:
            return  # Qt deselects removed rows, but the job may only have left the known rows
        for part in _parts(deselected):
            for at, row in self._rows_in(part):
                if not self._is_selected(at):
                    self._chosen.pop(row.id, None)
        for part in _parts(selected):
            self._chosen |= {row.id: None for _, row in self._rows_in(part)}
            if part.top() not in self._model.known or part.bottom() not in self._model.known:
                self.unknown.emit(part.top(), part.bottom())
        self.by_hand.emit()
        self.chosen_changed.emit()

    def _follow(self) -> None:
        """Select exactly the rows of the chosen jobs."""
        self._following = True
        try:
            wanted = [at for at, row in self._model.placed() if row.id in self._chosen]
            selected = sum(part.bottom() - part.top() + 1 for part in _parts(self.selection()))
            if selected != len(wanted) or not all(map(self._is_selected, wanted)):
                self.select(_rows(wanted, self._model), _Flag.ClearAndSelect)
        finally:
            self._following = False


def _parts(selection: QItemSelection) -> list[QItemSelectionRange]:
    return [selection.at(number) for number in range(selection.count())]


def _rows(positions: list[int], model: JobTableModel) -> QItemSelection:
    """Select whole rows, each run of neighbours as one range."""
    found = QItemSelection()
    last_column = model.columnCount() - 1
    first = 0
    for at in range(1, len(positions) + 1):
        if at == len(positions) or positions[at] != positions[at - 1] + 1:
            top, bottom = positions[first], positions[at - 1]
            found.select(model.index(top, 0), model.index(bottom, last_column))
            first = at
    return found


MOST = 2000
"""The limit of selected jobs; `cut` reports that there were more."""


class SelectedRows(QObject):
    """The rows of the selected jobs; `changed` when they, or the commands they allow, changed. A
    job that is deleted or leaves the filter is deselected: nobody should act on a hidden job."""

    changed = Signal()
    cut = Signal(int)

    def __init__(
        self, context: PageContext, feed: JobFeed, model: JobTableModel, selection: JobSelection
    ) -> None:
        super().__init__(model)
        self._context = context
        self._feed = feed
        self._model = model
        self._selection = selection
        self._rows: dict[int, JobRow] = {}
        self._stale: set[int] = set()
        self._unloaded: tuple[int, int] | None = None
        self._refresh = CoalescedTask(context.operations, self._reload, self)
        self._gathering = CoalescedTask(context.operations, self._gather, self)
        selection.chosen_changed.connect(self._changed_by_hand)
        selection.unknown.connect(self._select_unloaded)
        model.taken.connect(self._take_from_view)

    @property
    def rows(self) -> tuple[JobRow, ...]:
        """The selected jobs that are loaded."""
        return tuple(self._rows[i] for i in self._selection.chosen if i in self._rows)

    @property
    def count(self) -> int:
        return len(self._selection.chosen)

    def follow(self, notice: Notice) -> None:
        """Reload the selected jobs that changed."""
        chosen = set(self._selection.chosen)
        if stale := chosen if notice.missed else chosen & notice.jobs:
            self._stale |= stale
            self._refresh.request()

    def _changed_by_hand(self) -> None:
        chosen = set(self._selection.chosen)
        on_view = {row.id: row for _, row in self._model.placed() if row.id in chosen}
        self._rows = {i: row for i, row in self._rows.items() if i in chosen} | on_view
        self._stale = chosen - self._rows.keys()
        if self._stale:
            self._refresh.request()
        self.changed.emit()

    def _take_from_view(self) -> None:
        """Update the selected jobs from the page just loaded."""
        chosen = set(self._selection.chosen)
        if not chosen:
            return
        fresh = {row.id: row for _, row in self._model.placed() if row.id in chosen}
        if any(self._rows.get(i) != row for i, row in fresh.items()):
            self._rows |= fresh
            self.changed.emit()

    async def _reload(self) -> None:
        wanted, self._stale = tuple(self._stale), set()
        found = {row.id: row for row in await self._context.door.ask(JobsById(wanted))}
        states = self._feed.chosen.states
        gone = {i for i in wanted if i not in found or (states and found[i].state not in states)}
        self._rows |= found
        if gone:
            self._selection.choose(i for i in self._selection.chosen if i not in gone)
        else:
            self.changed.emit()

    def _select_unloaded(self, first: int, last: int) -> None:
        self._unloaded = (first, last)
        self._gathering.request()

    async def _gather(self) -> None:
        if self._unloaded is None:
            return
        (first, last), self._unloaded = self._unloaded, None
        asked: tuple[JobFilter, object] = (self._feed.chosen, self._feed.order)
        page = await self._context.door.ask(
            ListJobs(self._feed.chosen, self._feed.order, first, min(last + 1 - first, MOST))
        )
        if asked != (self._feed.chosen, self._feed.order):
            return
        self._rows |= {row.id: row for row in page.rows}
        self._selection.choose(
            dict.fromkeys((*self._selection.chosen, *(row.id for row in page.rows)))
        )
        if last + 1 - first > MOST:
            self.cut.emit(MOST)
