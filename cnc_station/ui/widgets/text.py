"""Words on the screen: a label by role and ink, and one that ends in … where room ends."""

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QLabel, QWidget

from cnc_station.ui.theme import Ink, Role
from cnc_station.ui.widgets.properties import restyle


class Text(QLabel):
    """Plain text in one of the theme's roles and inks; never reads its text as markup."""

    def __init__(
        self,
        text: str = "",
        role: Role = Role.BODY,
        ink: Ink = Ink.TEXT,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setProperty("role", role.value)
        self.setProperty("ink", ink.value)
        self.setText(text)

    def set_ink(self, ink: Ink) -> None:
        """Changes the colour."""
        restyle(self, ink=ink.value)


class ElidedLabel(Text):
    """One line that gives way: what does not fit ends in …, the whole is in the tool tip."""

    def setText(self, text: str) -> None:
        """Shows `text`; the same text again costs nothing."""
        if text != self.text():
            super().setText(text)
            self.setToolTip(text)

    def minimumSizeHint(self) -> QSize:
        """Room for a few letters."""
        return QSize(min(36, super().sizeHint().width()), super().sizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draws what fits."""
        painter = QPainter(self)
        room = self.contentsRect()
        shown = self.fontMetrics().elidedText(
            self.text(), Qt.TextElideMode.ElideRight, room.width()
        )
        self.style().drawItemText(
            painter,
            room,
            int(self.alignment().value),
            self.palette(),
            self.isEnabled(),
            shown,
            self.foregroundRole(),
        )
