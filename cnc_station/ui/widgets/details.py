"""The system's own words behind a sentence, out of the way until somebody asks for them."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from cnc_station.ui.theme import Ink, Role
from cnc_station.ui.widgets.buttons import Button
from cnc_station.ui.widgets.text import Text


class Details(QWidget):
    """A button that gives way to words that can be selected and copied; nothing where there are
    none. `opened` when it has grown."""

    opened = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.button = Button(self.tr("Details"), quiet=True)
        self.button.clicked.connect(self._open)
        self.words = Text("", Role.NOTE, Ink.MUTED)
        self.words.setWordWrap(True)
        self.words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.addWidget(self.button, 0, Qt.AlignmentFlag.AlignLeft)
        box.addWidget(self.words)
        self.set_words("")

    def set_words(self, words: str) -> None:
        """Other words are folded away again; the same stay as they are."""
        if words == self.words.text() and self.isHidden() is not bool(words):
            return
        self.words.setText(words)
        self.words.hide()
        self.button.show()
        self.setVisible(bool(words))

    def _open(self) -> None:
        self.button.hide()
        self.words.show()
        self.opened.emit()
