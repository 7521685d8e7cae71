"""The field that takes typing and scanning alike."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QLineEdit, QWidget


class SearchField(QLineEdit):
    """`searched` while typing (a list narrows), `submitted` on Enter or a scan (a thing opens)."""

    searched = Signal(str)
    submitted = Signal(str)

    def __init__(self, hint: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setPlaceholderText(hint)
        self.setAccessibleName(hint)
        self.setClearButtonEnabled(True)
        self.setMaxLength(200)
        self.textChanged.connect(self.searched)

    def take_scan(self, code: str) -> None:
        """Acts as if `code` had been scanned into the field."""
        self.setText(code)
        self.submitted.emit(code)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter submits; Esc first empties the field, then lets go of the keyboard."""
        if event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            self.submitted.emit(self.text().strip())
        elif event.key() == Qt.Key.Key_Escape:
            if self.text():
                self.clear()
            else:
                self.clearFocus()
        else:
            super().keyPressEvent(event)
