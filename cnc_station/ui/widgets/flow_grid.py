"""A grid of equal cards with as many columns as there is room for."""

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtWidgets import QLayout, QLayoutItem, QWidget


class FlowGrid(QLayout):
    """Cards in the order they were added, all of one size; they move only when the width changes.

    `least_width` decides the columns: 300 px make 3 beside a 284 px side column at 1366 px and 4 at
    1920 px. Rows are as high as the
    highest card.
    """

    def __init__(
        self, parent: QWidget | None = None, *, least_width: int = 300, gap: int = 10
    ) -> None:
        super().__init__(parent)
        self._items: list[QLayoutItem] = []
        self._least_width = least_width
        self.setSpacing(gap)
        self.setContentsMargins(0, 0, 0, 0)

    def addItem(self, item: QLayoutItem) -> None:
        """Adds at the end (called by Qt; use addWidget)."""
        self._items.append(item)

    def count(self) -> int:
        """How many cards there are."""
        return len(self._items)

    def itemAt(self, index: int) -> QLayoutItem | None:
        """The item at a place, None past the end."""
        return self._items[index] if 0 <= index < len(self._items) else None

    def takeAt(self, index: int) -> QLayoutItem | None:
        """Removes and returns the item at a place, None past the end."""
        return self._items.pop(index) if 0 <= index < len(self._items) else None

    def columns(self, width: int) -> int:
        """How many columns fit into a width."""
        gap = self.spacing()
        return max(1, (width + gap) // (self._least_width + gap))

    def expandingDirections(self) -> Qt.Orientation:
        """Takes width, not height."""
        return Qt.Orientation.Horizontal

    def hasHeightForWidth(self) -> bool:
        """Fewer columns make it higher."""
        return True

    def heightForWidth(self, width: int) -> int:
        """The height all rows take."""
        margins = self.contentsMargins()
        columns = self.columns(width - margins.left() - margins.right())
        rows = -(-len(self._items) // columns)
        inner = rows * self._row_height() + max(0, rows - 1) * self.spacing()
        return inner + margins.top() + margins.bottom()

    def _row_height(self) -> int:
        return max((item.sizeHint().height() for item in self._items), default=0)

    def sizeHint(self) -> QSize:
        """One column."""
        return self.minimumSize()

    def minimumSize(self) -> QSize:
        """One card."""
        margins = self.contentsMargins()
        widths = (item.minimumSize().width() for item in self._items)
        width = max(widths, default=0) + margins.left() + margins.right()
        return QSize(width, self._row_height() + margins.top() + margins.bottom())

    def setGeometry(self, rect: QRect) -> None:
        """Puts every card in its place; the columns share the width to the pixel."""
        super().setGeometry(rect)
        room = rect.marginsRemoved(self.contentsMargins())
        columns, gap, height = self.columns(room.width()), self.spacing(), self._row_height()
        whole = room.width() - (columns - 1) * gap
        for place, item in enumerate(self._items):
            row, column = divmod(place, columns)
            left = whole * column // columns + column * gap
            width = whole * (column + 1) // columns + column * gap - left
            top = room.top() + row * (height + gap)
            item.setGeometry(QRect(room.left() + left, top, width, height))
