"""Which jobs are selected: by number, whatever happens to the rows they stand in.

Qt selects positions. Here a position stands for the job it shows: a job stays selected when its
row moves, is scrolled out of what is known or comes back; another job never inherits its place.
"""

from collections.abc import Iterable

from PySide6.QtCore import (
    QItemSelection,
    QItemSelectionModel,
    QItemSelectionRange,
    QModelIndex,
    Signal,
)

from cnc_station.ui.models.job_table import Index, JobTableModel

_Flag = QItemSelectionModel.SelectionFlag


class JobSelection(QItemSelectionModel):
    """`chosen` are the selected jobs; `chosen_changed` when they changed by hand or by `choose`.

    `unknown` tells of selected rows nobody has looked at yet (from, to): whoever can, finds out
    their jobs and adds them with `choose`.
    """

    chosen_changed = Signal()
    unknown = Signal(int, int)

    def __init__(self, model: JobTableModel) -> None:
        super().__init__(model, model)
        self._model = model
        self._chosen: dict[int, None] = {}
        self._following = False
        self.selectionChanged.connect(self._take_over)
        model.taken.connect(self._follow)

    @property
    def chosen(self) -> tuple[int, ...]:
        """The numbers of the selected jobs, in the order they were selected."""
        return tuple(self._chosen)

    def choose(self, job_ids: Iterable[int]) -> None:
        """Select exactly these jobs, on view or not."""
        self._chosen = dict.fromkeys(job_ids)
        self._follow()
        self.chosen_changed.emit()

    def select(
        self, what: QItemSelection | Index, flags: QItemSelectionModel.SelectionFlag
    ) -> None:
        """As Qt selects; clearing forgets the jobs out of sight too."""
        clears = bool(flags & _Flag.Clear) and not self._following and not self._model.taking
        if clears and self._chosen:
            on_view = {row.id for at, row in self._model.rows() if self._is_selected(at)}
            self._chosen = {job_id: None for job_id in self._chosen if job_id in on_view}
        super().select(what, flags)

    def _is_selected(self, at: int) -> bool:
        return self.isRowSelected(at, QModelIndex())

    def _take_over(self, selected: QItemSelection, deselected: QItemSelection) -> None:
        if self._following or self._model.taking:
            return  # Qt deselects a row that is removed; its job may only have gone out of sight
        for part in _parts(deselected):
            for at in _known(part, self._model):
                row = self._model.row(at)
                if row is not None and not self._is_selected(at):
                    self._chosen.pop(row.id, None)
        for part in _parts(selected):
            for at in _known(part, self._model):
                row = self._model.row(at)
                if row is not None:
                    self._chosen[row.id] = None
            if part.top() not in self._model.known or part.bottom() not in self._model.known:
                self.unknown.emit(part.top(), part.bottom())
        self.chosen_changed.emit()

    def _follow(self) -> None:
        """Show as selected the rows whose jobs are, and no others."""
        self._following = True
        try:
            wanted = [at for at, row in self._model.rows() if row.id in self._chosen]
            selected = sum(part.bottom() - part.top() + 1 for part in _parts(self.selection()))
            if selected != len(wanted) or not all(map(self._is_selected, wanted)):
                self.select(_rows(wanted, self._model), _Flag.ClearAndSelect)
        finally:
            self._following = False


def _parts(selection: QItemSelection) -> list[QItemSelectionRange]:
    return [selection.at(number) for number in range(selection.count())]


def _known(part: QItemSelectionRange, model: JobTableModel) -> range:
    first, end = max(part.top(), model.known.start), min(part.bottom() + 1, model.known.stop)
    return range(first, end)


def _rows(positions: list[int], model: JobTableModel) -> QItemSelection:
    """Whole rows, each run of neighbours as one range."""
    found = QItemSelection()
    last_column = model.columnCount() - 1
    first = 0
    for at in range(1, len(positions) + 1):
        if at == len(positions) or positions[at] != positions[at - 1] + 1:
            top, bottom = positions[first], positions[at - 1]
            found.select(model.index(top, 0), model.index(bottom, last_column))
            first = at
    return found
