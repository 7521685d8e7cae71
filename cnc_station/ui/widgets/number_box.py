"""A whole number with arrows."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QSpinBox, QWidget

_PAD = 10


class NumberBox(QSpinBox):
    """From `low` to `high`. The wheel scrolls the form, not the number, unless it has the keys."""

    def __init__(self, low: int, high: int, value: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setRange(low, high)
        self.setValue(value)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.lineEdit().setTextMargins(_PAD, 0, 0, 0)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Turns the number only where a person has put the keyboard."""
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()
