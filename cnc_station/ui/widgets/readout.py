"""One figure of a live display: what it is above, the value below."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QVBoxLayout, QWidget

from cnc_station.ui.theme import Ink, Role
from cnc_station.ui.widgets.text import Text


class Reading(QWidget):
    """Changes ten times a second cost a repaint of the figure alone: the same text is no change."""

    def __init__(self, name: str, role: Role = Role.CARD_TITLE) -> None:
        super().__init__()
        self._name = name
        self._value = Text("", role)
        self._value.setAlignment(Qt.AlignmentFlag.AlignLeft)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(0)
        box.addWidget(Text(name, Role.CAPTION, Ink.MUTED))
        box.addWidget(self._value)

    @property
    def value(self) -> str:
        """What it shows; empty if nothing is known."""
        return self._value.text()

    def show_value(self, value: str, ink: Ink = Ink.TEXT) -> None:
        """Another figure; with an empty one the whole reading goes."""
        if value != self._value.text():
            self._value.setText(value)
            self.setAccessibleName(f"{self._name}: {value}")
        self._value.set_ink(ink)
        if self.isHidden() is bool(value):
            self.setVisible(bool(value))
