"""Dragging a table row to another position. Qt's own drag and drop runs a nested event loop, in
which the program's tasks would run inside each other."""

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, QPoint, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QApplication, QFrame, QTableView

from cnc_station.ui.theme import Ink, theme

_LINE = 3


class RowDrag(QObject):
    """Emits `dropped(row, place)`: the user dropped `row` in front of the row at `place`.
    `may_drag(row)` decides which rows can be dragged; in touch mode none, as a finger scrolls."""

    dropped = Signal(int, int)

    def __init__(self, table: QTableView, may_drag: Callable[[int], bool]) -> None:
        super().__init__(table)
        self._table = table
        self._may_drag = may_drag
        self._pressed_at: QPoint | None = None
        self._row = -1
        self._mark = QFrame(table.viewport())
        self._mark.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._mark.hide()
        table.viewport().installEventFilter(self)
        table.installEventFilter(self)

    @property
    def dragging(self) -> bool:
        return not self._mark.isHidden()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QKeyEvent):
            escapes = event.type() is QEvent.Type.ShortcutOverride and self.dragging
            if escapes and event.key() == Qt.Key.Key_Escape:
                self._stop()
                event.accept()
                return True
            return False
        if not isinstance(event, QMouseEvent) or watched is not self._table.viewport():
            return False
        if event.type() is QEvent.Type.MouseButtonPress:
            self._press(event)
        elif event.type() is QEvent.Type.MouseMove:
            return self._move(event)
        elif event.type() is QEvent.Type.MouseButtonRelease:
            return self._release(event)
        return False

    def _press(self, event: QMouseEvent) -> None:
        self._stop()
        where = event.position().toPoint()
        row = self._table.rowAt(where.y())
        plain = event.modifiers() == Qt.KeyboardModifier.NoModifier
        left = event.button() is Qt.MouseButton.LeftButton
        if row >= 0 and plain and left and not theme().metrics.touch and self._may_drag(row):
            self._pressed_at, self._row = where, row

    def _move(self, event: QMouseEvent) -> bool:
        if self._pressed_at is None:
            return False
        where = event.position().toPoint()
        far = (where - self._pressed_at).manhattanLength() >= QApplication.startDragDistance()
        if far or self.dragging:
            self._show_mark(self._place(where))
        return True  # otherwise the table would select every row passed

    def _release(self, event: QMouseEvent) -> bool:
        dragged, row = self.dragging, self._row
        place = self._place(event.position().toPoint())
        self._stop()
        if dragged and place not in {row, row + 1}:
            self.dropped.emit(row, place)
        return dragged

    def _place(self, where: QPoint) -> int:
        row = self._table.rowAt(where.y())
        if row < 0:
            return self._table.model().rowCount() if where.y() > 0 else 0
        middle = self._table.rowViewportPosition(row) + self._table.rowHeight(row) / 2
        return row + 1 if where.y() > middle else row

    def _show_mark(self, place: int) -> None:
        above = self._table.rowViewportPosition(place)
        if above < 0:
            above = self._table.rowViewportPosition(place - 1) + self._table.rowHeight(place - 1)
        self._mark.setStyleSheet(f"background: {theme().colour(Ink.OPERATOR).name()}")
        self._mark.setGeometry(0, above - _LINE // 2 - 1, self._table.viewport().width(), _LINE)
        self._mark.show()
        self._mark.raise_()
        self._table.viewport().setCursor(Qt.CursorShape.ClosedHandCursor)

    def _stop(self) -> None:
        self._pressed_at, self._row = None, -1
        self._mark.hide()
        self._table.viewport().unsetCursor()
