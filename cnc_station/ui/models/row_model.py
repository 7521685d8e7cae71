"""Rows as a table model: columns are values; rows come, go, move and change one by one. A model
holds a window of known rows among unknown ones; a short list is one window over all rows."""

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from PySide6.QtCore import (
    QAbstractTableModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    Qt,
    Signal,
)

from cnc_station.engine.views import SortKey
from cnc_station.ui.models.row_changes import Fill, Insert, Move, Remove, Step, steps
from cnc_station.ui.theme import Ink, Role, theme
from cnc_station.ui.widgets.literal import one_line, tip
from cnc_station.ui.widgets.state_look import StateLook

Index = QModelIndex | QPersistentModelIndex
NOWHERE = QModelIndex()
R = TypeVar("R")
_TEXT_ROLES = frozenset({Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole})
_CHECKED, _UNCHECKED = Qt.CheckState.Checked, Qt.CheckState.Unchecked


@dataclass(frozen=True, slots=True)
class Column(Generic[R]):
    """A column: its `text` of a row, or the state chip of `look`; `width` is in pixels. `key`
    identifies a column that can be hidden, `sort` is the engine's sort key, `tip` replaces the text
    in the tool tip."""

    title: str
    text: Callable[[R], str]
    width: int = 120
    key: str = ""
    sort: SortKey | None = None
    right: bool = False
    strong: bool = False
    ink: Callable[[R], Ink] | None = None
    look: Callable[[R], StateLook] | None = None
    tip: Callable[[R], str] | None = None

    @property
    def alignment(self) -> Qt.AlignmentFlag:
        side = Qt.AlignmentFlag.AlignRight if self.right else Qt.AlignmentFlag.AlignLeft
        return side | Qt.AlignmentFlag.AlignVCenter

    def shown(self, row: R) -> tuple[str, Ink, StateLook | None]:
        """Everything a cell shows of a row."""
        ink = self.ink(row) if self.ink else Ink.TEXT
        return self.text(row), ink, self.look(row) if self.look else None


class RowModel(QAbstractTableModel, Generic[R]):
    """Shows rows identified by `key`; current row and selection stay while rows change."""

    def __init__(
        self,
        columns: Sequence[Column[R]],
        key: Callable[[R], Hashable],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.columns = list(columns)
        self._key = key
        self.total = 0
        self._first = 0
        self._rows: list[R | None] = []

    @property
    def known(self) -> range:
        """The positions whose rows are known."""
        return range(self._first, self._first + len(self._rows))

    @property
    def rows(self) -> tuple[R, ...]:
        return tuple(row for row in self._rows if row is not None)

    def placed(self) -> Iterator[tuple[int, R]]:
        for at, row in enumerate(self._rows, start=self._first):
            if row is not None:
                yield at, row

    def row(self, position: int) -> R | None:
        """The row at a position; None if it does not exist or is unknown."""
        at = position - self._first
        return self._rows[at] if 0 <= at < len(self._rows) else None

    def position(self, key: Hashable) -> int | None:
        return next((at for at, row in self.placed() if self._key(row) == key), None)

    def _replace_rows(self, rows: Sequence[R]) -> None:
        """Replace the known rows by the fewest steps; the rows that stay keep their old values."""
        new = {self._key(row): row for row in rows}
        old = [None if row is None else self._key(row) for row in self._rows]
        for step in steps(old, list(new)):
            self._apply(step, new)

    def _apply(self, step: Step, rows: Mapping[Hashable, R]) -> None:
        base = self._first
        match step:
            case Fill(first, keys):
                self._rows[first : first + len(keys)] = [rows[key] for key in keys]
                self._emit(base + first, base + first + len(keys) - 1)
            case Remove(first, last):
                self.beginRemoveRows(NOWHERE, base + first, base + last)
                del self._rows[first : last + 1]
                self.total -= last - first + 1
                self.endRemoveRows()
            case Insert(first, keys):
                self.beginInsertRows(NOWHERE, base + first, base + first + len(keys) - 1)
                self._rows[first:first] = [rows[key] for key in keys]
                self.total += len(keys)
                self.endInsertRows()
            case Move(source, target):
                self.beginMoveRows(NOWHERE, base + source, base + source, NOWHERE, base + target)
                to = target if target < source else target - 1
                self._rows.insert(to, self._rows.pop(source))
                self.endMoveRows()

    def _update_row(self, at: int, new: R) -> None:
        """Replace a row by its new value; repaint only the cells that look different."""
        old = self._rows[at - self._first]
        self._rows[at - self._first] = new
        if old is not None and old != new:
            for place, column in enumerate(self.columns):
                if column.shown(old) != column.shown(new):
                    self._emit(at, at, place, place)

    def _emit(self, first: int, last: int, left: int = 0, right: int | None = None) -> None:
        right = len(self.columns) - 1 if right is None else right
        self.dataChanged.emit(self.index(first, left), self.index(last, right))

    def rowCount(self, parent: Index = NOWHERE) -> int:
        return 0 if parent.isValid() else self.total

    def columnCount(self, parent: Index = NOWHERE) -> int:
        return 0 if parent.isValid() else len(self.columns)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> object:
        if orientation is not Qt.Orientation.Horizontal or not 0 <= section < len(self.columns):
            return None
        column = self.columns[section]
        if role == Qt.ItemDataRole.DisplayRole:
            return column.title
        return int(column.alignment.value) if role == Qt.ItemDataRole.TextAlignmentRole else None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """The cell's text and style; the delegate paints a state's chip."""
        column, row = self.columns[index.column()], self.row(index.row())
        if role in _TEXT_ROLES:
            return self.text(index.row(), index.column()) or None
        if role == Qt.ItemDataRole.ToolTipRole and row is not None:
            return tip(column.tip(row) if column.tip else column.text(row))
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return int(column.alignment.value)
        if role == Qt.ItemDataRole.FontRole and column.strong:
            return theme().font(Role.STRONG)
        if role == Qt.ItemDataRole.ForegroundRole:
            return theme().brush(self.ink(index.row(), index.column()))
        return None

    def text(self, at: int, place: int) -> str:
        """The text of row `at` in column `place`; an unknown row shows `…` in its first column."""
        row = self.row(at)
        if row is None:
            return "" if place else "…"
        return one_line(self.columns[place].text(row))

    def ink(self, at: int, place: int) -> Ink:
        row, ink = self.row(at), self.columns[place].ink
        if row is None:
            return Ink.MUTED
        return ink(row) if ink else Ink.TEXT


class RowList(RowModel[R]):
    """A model whose rows are all known. `checkable` rows can be ticked and keep their ticks."""

    ticked = Signal()

    def __init__(
        self,
        columns: Sequence[Column[R]],
        key: Callable[[R], Hashable],
        parent: QObject | None = None,
        *,
        checkable: bool = False,
    ) -> None:
        super().__init__(columns, key, parent)
        self._checkable = checkable
        self._checked: set[Hashable] = set()

    @property
    def checked(self) -> tuple[R, ...]:
        return tuple(row for row in self.rows if self._key(row) in self._checked)

    def take(self, rows: Sequence[R]) -> None:
        """Show these rows; rows shown before stay in place where possible."""
        self._replace_rows(rows)
        for at, row in enumerate({self._key(row): row for row in rows}.values()):
            self._update_row(at, row)
        gone = self._checked - {self._key(row) for row in rows}
        if gone:
            self._checked -= gone
            self.ticked.emit()

    def clock_moved(self, column: int) -> None:
        """Repaint a column whose text changes with time alone."""
        if self._rows:
            self._emit(0, len(self._rows) - 1, column, column)

    def check(self, keys: Sequence[Hashable], *, on: bool = True) -> None:
        for at, row in self.placed():
            if self._key(row) in keys:
                state = _CHECKED if on else _UNCHECKED
                self.setData(self.index(at, 0), state, Qt.ItemDataRole.CheckStateRole)

    def flags(self, index: Index) -> Qt.ItemFlag:
        flags = super().flags(index)
        if self._checkable and index.column() == 0:
            flags |= Qt.ItemFlag.ItemIsUserCheckable
        return flags

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if role != Qt.ItemDataRole.CheckStateRole:
            return super().data(index, role)
        row = self.row(index.row())
        if not self._checkable or index.column() or row is None:
            return None
        return _CHECKED if self._key(row) in self._checked else _UNCHECKED

    def setData(self, index: Index, value: object, role: int = Qt.ItemDataRole.EditRole) -> bool:
        row = self.row(index.row())
        if role != Qt.ItemDataRole.CheckStateRole or not self._checkable or row is None:
            return False
        key = self._key(row)
        (self._checked.add if Qt.CheckState(value) is _CHECKED else self._checked.discard)(key)
        self.dataChanged.emit(index, index, [Qt.ItemDataRole.CheckStateRole])
        self.ticked.emit()
        return True
