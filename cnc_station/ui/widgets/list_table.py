"""A table over a `RowList` with one current row."""

from PySide6.QtCore import QModelIndex, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QStyle

from cnc_station.ui.models.row_model import R, RowList
from cnc_station.ui.theme import theme
from cnc_station.ui.widgets.table import Table

_FIT_REST_MS = 200
_ROWS_MEASURED = 50  # in addition to the visible ones; each row costs time


class ListTable(Table[R]):
    """`chosen` carries the current row or None; `picked` comes first if the user made it current;
    `opened` on Enter or a double click. A column grows to fit its text while there is room; a width
    dragged by the user stays."""

    chosen = Signal(object)
    picked = Signal(object)
    opened = Signal(object)

    def __init__(self, rows: RowList[R], name: str) -> None:
        super().__init__(rows, name)
        self.rows = rows
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        header = self.horizontalHeader()
        header.setResizeContentsPrecision(_ROWS_MEASURED)
        self._by_hand = False
        self._fitted = [column.width for column in rows.columns]
        self._dragged: set[int] = set()
        for place, width in enumerate(self._fitted):
            self.setColumnWidth(place, width)
        header.sectionResized.connect(self._keep_dragged_width)
        self._fit_soon = QTimer(self, singleShot=True, interval=_FIT_REST_MS)
        self._fit_soon.timeout.connect(self._fit_columns)
        rows.rowsInserted.connect(self._fit_columns)
        rows.dataChanged.connect(self._fit_later)
        self.selectionModel().currentRowChanged.connect(self._current_changed)
        self.activated.connect(self._open)
        theme().changed.connect(self._fit_columns)

    @property
    def current(self) -> R | None:
        return self.rows.row(self.currentIndex().row())

    def choose(self, position: int) -> None:
        self.setCurrentIndex(self.rows.index(position, 0))

    def _current_changed(self, index: QModelIndex) -> None:
        if self._by_hand:
            self.picked.emit(self.rows.row(index.row()))
        self.chosen.emit(self.rows.row(index.row()))

    def _open(self, index: QModelIndex) -> None:
        row = self.rows.row(index.row())
        if row is not None:
            self.opened.emit(row)

    def _keep_dragged_width(self, place: int, _before: int, width: int) -> None:
        if place < len(self._fitted) - 1 and width != self._fitted[place]:
            self._dragged.add(place)
            self._fitted[place] = width

    def _fit_later(self) -> None:
        if not self._fit_soon.isActive():
            self._fit_soon.start()

    def _fit_columns(self) -> None:
        """Numbers get all the room they need: a cut number reads as another number."""
        *places, last = range(len(self._fitted))
        taken = sum(self._fitted[:last]) + self.sizeHintForColumn(last)
        spare = self.viewport().width() - taken
        columns = self.rows.columns
        for place in sorted(places, key=lambda place: not columns[place].right):
            column = columns[place]
            if column.look is None and place not in self._dragged:
                cut = self.sizeHintForColumn(place) - self._fitted[place]
                wider = max(0, cut if column.right else min(cut, spare))
                spare -= wider
                self._fitted[place] += wider
            self.setColumnWidth(place, self._fitted[place])

    def sizeHintForColumn(self, column: int) -> int:
        """Add the text margins of a cell with a check box, which Qt omits."""
        hint = super().sizeHintForColumn(column)
        if self.rows.index(0, column).data(Qt.ItemDataRole.CheckStateRole) is None:
            return hint
        frame = QStyle.PixelMetric.PM_FocusFrameHMargin
        return hint + 2 * (self.style().pixelMetric(frame, None, self) + 1)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        for place, column in enumerate(self.rows.columns):
            if place not in self._dragged:
                self._fitted[place] = column.width
        self._fit_columns()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Space and self.current is not None:
            first = self.rows.index(self.currentIndex().row(), 0)
            ticked = first.data(Qt.ItemDataRole.CheckStateRole)
            if ticked is not None:
                on = Qt.CheckState(ticked) is not Qt.CheckState.Checked
                state = Qt.CheckState.Checked if on else Qt.CheckState.Unchecked
                self.rows.setData(first, state, Qt.ItemDataRole.CheckStateRole)
                return
        self._by_hand = True
        super().keyPressEvent(event)
        self._by_hand = False

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._by_hand = True
        super().mousePressEvent(event)
        self._by_hand = False
