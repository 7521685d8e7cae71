"""Text on the screen: a label by role and ink, and one that ends in … where room ends."""

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QLabel, QWidget

from cnc_station.ui.theme import Ink, Role, theme
from cnc_station.ui.widgets.literal import one_line, plain, set_tip

LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


def paint_text(
    painter: QPainter, room: QRect, text: str, role: Role, ink: Ink, align: Qt.AlignmentFlag = LEFT
) -> int:
    """Paint the part of a text that fits into `room`; return its width."""
    live = theme()
    painter.setFont(live.font(role))
    painter.setPen(live.pen(ink))
    text = one_line(text)
    metrics = painter.fontMetrics()
    wide = metrics.horizontalAdvance(text)
    if wide > room.width():
        text = metrics.elidedText(text, Qt.TextElideMode.ElideRight, max(0, room.width()))
        wide = metrics.horizontalAdvance(text)
    painter.drawText(room, align, text)
    return wide


def restyle(widget: QWidget, **properties: str | bool) -> None:
    """Set properties that the style sheet selects by; restyle the widget if one changed."""
    changed = False
    for name, value in properties.items():
        if widget.property(name) != value:
            widget.setProperty(name, value)
            changed = True
    if changed:
        widget.style().unpolish(widget)
        widget.style().polish(widget)
        widget.update()


class Text(QLabel):
    """Plain text in one of the theme's roles and inks; never interpreted as markup."""

    def __init__(
        self,
        text: str = "",
        role: Role = Role.BODY,
        ink: Ink = Ink.TEXT,
        parent: QWidget | None = None,
        *,
        wrap: bool = False,
        selectable: bool = False,
    ) -> None:
        super().__init__(parent)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setProperty("role", role.value)
        self.setProperty("ink", ink.value)
        self.setText(text)
        self.setWordWrap(wrap)
        if selectable:
            self.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)

    def setText(self, text: str) -> None:
        super().setText(plain(text))

    def set_ink(self, ink: Ink) -> None:
        restyle(self, ink=ink.value)


class Note(Text):
    """Small, muted text that explains something and wraps."""

    def __init__(self, text: str = "") -> None:
        super().__init__(text, Role.NOTE, Ink.MUTED, wrap=True)


class ElidedLabel(Text):
    """One line that shrinks: a text that does not fit ends in …, and the tool tip has all of it."""

    def setText(self, text: str) -> None:
        """Show `text`; showing the same again costs nothing."""
        if plain(text) != self.text():
            super().setText(text)
            set_tip(self, text)

    def minimumSizeHint(self) -> QSize:
        return QSize(min(36, super().sizeHint().width()), super().sizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        room = self.contentsRect()
        elide, align = Qt.TextElideMode.ElideRight, int(self.alignment().value)
        shown = self.fontMetrics().elidedText(self.text(), elide, room.width())
        palette, ink = self.palette(), self.foregroundRole()
        self.style().drawItemText(painter, room, align, palette, self.isEnabled(), shown, ink)
