"""A list that fits into memory, as a table model: rows come, go, move and change one by one."""

from collections.abc import Callable, Hashable, Sequence
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

from cnc_station.ui.models.row_changes import Fill, Insert, Move, Remove, steps
from cnc_station.ui.theme import Ink, Role, theme
from cnc_station.ui.widgets.chip import chip_icon
from cnc_station.ui.widgets.state_look import StateLook

Index = QModelIndex | QPersistentModelIndex
NOWHERE = QModelIndex()
R = TypeVar("R")
_CHECKED = Qt.CheckState.Checked
_MIDDLE = Qt.AlignmentFlag.AlignVCenter


@dataclass(frozen=True, slots=True)
class ListColumn(Generic[R]):
    """`text` of a row; with `look` the cell shows that state's chip instead. `width` in pixels."""

    title: str
    text: Callable[[R], str]
    width: int = 120
    right: bool = False
    strong: bool = False
    ink: Callable[[R], Ink] | None = None
    look: Callable[[R], StateLook] | None = None


class RowList(QAbstractTableModel, Generic[R]):
    """Rows known by `key`. With `checkable`, each can be ticked; ticks stay with their rows."""

    ticked = Signal()

    def __init__(
        self,
        columns: Sequence[ListColumn[R]],
        key: Callable[[R], Hashable],
        parent: QObject | None = None,
        *,
        checkable: bool = False,
    ) -> None:
        super().__init__(parent)
        self.columns = tuple(columns)
        self._key = key
        self._checkable = checkable
        self._rows: list[R] = []
        self._numbers: dict[Hashable, int] = {}
        self._checked: set[Hashable] = set()

    # what it holds

    @property
    def rows(self) -> tuple[R, ...]:
        """The rows, in their order."""
        return tuple(self._rows)

    @property
    def checked(self) -> tuple[R, ...]:
        """The rows ticked, in their order."""
        return tuple(row for row in self._rows if self._key(row) in self._checked)

    def row(self, position: int) -> R | None:
        """The row at a position."""
        return self._rows[position] if 0 <= position < len(self._rows) else None

    def position(self, key: Hashable) -> int | None:
        """Where the row of a key stands."""
        return next((at for at, row in enumerate(self._rows) if self._key(row) == key), None)

    def take(self, rows: Sequence[R]) -> None:
        """Show these rows; what was on view already stays itself."""
        new = {self._number(row): row for row in rows}
        for step in steps([self._number(row) for row in self._rows], list(new)):
            match step:
                case Remove(first, last):
                    self.beginRemoveRows(NOWHERE, first, last)
                    del self._rows[first : last + 1]
                    self.endRemoveRows()
                case Insert(first, ids):
                    self.beginInsertRows(NOWHERE, first, first + len(ids) - 1)
                    self._rows[first:first] = [new[number] for number in ids]
                    self.endInsertRows()
                case Move(source, target):
                    self.beginMoveRows(NOWHERE, source, source, NOWHERE, target)
                    to = target if target < source else target - 1
                    self._rows.insert(to, self._rows.pop(source))
                    self.endMoveRows()
                case Fill():
                    raise AssertionError("every row of a list is known")
        for at, row in enumerate(new.values()):
            if self._rows[at] != row:
                self._rows[at] = row
                self.dataChanged.emit(self.index(at, 0), self.index(at, len(self.columns) - 1))
        gone = self._checked - {self._key(row) for row in self._rows}
        if gone:
            self._checked -= gone
            self.ticked.emit()

    def _number(self, row: R) -> int:
        return self._numbers.setdefault(self._key(row), len(self._numbers))

    def clock_moved(self, column: int) -> None:
        """What a column says has changed with the time alone."""
        if self._rows:
            self.dataChanged.emit(self.index(0, column), self.index(len(self._rows) - 1, column))

    def check(self, keys: Sequence[Hashable], *, on: bool = True) -> None:
        """Tick rows, or take their ticks away."""
        for at, row in enumerate(self._rows):
            if self._key(row) in keys:
                state = Qt.CheckState.Checked if on else Qt.CheckState.Unchecked
                self.setData(self.index(at, 0), state, Qt.ItemDataRole.CheckStateRole)

    # Qt's questions

    def rowCount(self, parent: Index = NOWHERE) -> int:
        """All of them."""
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: Index = NOWHERE) -> int:
        """All of them."""
        return 0 if parent.isValid() else len(self.columns)

    def flags(self, index: Index) -> Qt.ItemFlag:
        """Rows can be chosen, and ticked in the first column."""
        flags = super().flags(index)
        if self._checkable and index.column() == 0:
            flags |= Qt.ItemFlag.ItemIsUserCheckable
        return flags

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> object:
        """The titles of the columns."""
        if orientation is not Qt.Orientation.Horizontal or not 0 <= section < len(self.columns):
            return None
        column = self.columns[section]
        if role == Qt.ItemDataRole.DisplayRole:
            return column.title
        return self._aligned(column) if role == Qt.ItemDataRole.TextAlignmentRole else None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """What a cell shows."""
        column, row = self.columns[index.column()], self._rows[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return None if column.look else column.text(row)
        if role in {Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleTextRole}:
            return column.text(row)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return self._aligned(column)
        if role == Qt.ItemDataRole.CheckStateRole and self._checkable and index.column() == 0:
            return _CHECKED if self._key(row) in self._checked else Qt.CheckState.Unchecked
        return self._dressed(column, row, role)

    def setData(self, index: Index, value: object, role: int = Qt.ItemDataRole.EditRole) -> bool:
        """Takes a tick."""
        if role != Qt.ItemDataRole.CheckStateRole or not self._checkable:
            return False
        key = self._key(self._rows[index.row()])
        (self._checked.add if Qt.CheckState(value) is _CHECKED else self._checked.discard)(key)
        self.dataChanged.emit(index, index, [Qt.ItemDataRole.CheckStateRole])
        self.ticked.emit()
        return True

    def _dressed(self, column: ListColumn[R], row: R, role: int) -> object:
        if role == Qt.ItemDataRole.DecorationRole and column.look:
            return chip_icon(column.look(row))
        if role == Qt.ItemDataRole.FontRole and column.strong:
            return theme().font(Role.STRONG)
        if role == Qt.ItemDataRole.ForegroundRole and column.ink:
            return theme().brush(column.ink(row))
        return None

    @staticmethod
    def _aligned(column: ListColumn[R]) -> int:
        side = Qt.AlignmentFlag.AlignRight if column.right else Qt.AlignmentFlag.AlignLeft
        return int((side | _MIDDLE).value)
