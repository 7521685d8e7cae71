"""A choice on a line of its own: what it is, and what follows from it."""

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QFontMetrics, QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from cnc_station.ui.theme import Ink, Role, theme
from cnc_station.ui.widgets.buttons import PaintedButton, Slot, paint_face
from cnc_station.ui.widgets.literal import one_line
from cnc_station.ui.widgets.text import paint_text

_PAD, _ICON, _GAP, _LINE_GAP = 14, 22, 12, 2
_WRAP = int(Qt.TextFlag.TextWordWrap) | int(Qt.AlignmentFlag.AlignLeft)
_TALL = 10_000


class Choice(PaintedButton):
    """A button with an icon, a title and a note, which wraps. Enter presses it as space does."""

    def __init__(
        self,
        icon: str,
        title: str,
        note: str,
        parent: QWidget | None = None,
        *,
        clicked: Slot | None = None,
    ) -> None:
        super().__init__(parent)
        self._icon = icon
        self._note = one_line(note)
        self.setText(title)
        self.setAccessibleName(title)
        self.setAccessibleDescription(note)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        if clicked is not None:
            self.clicked.connect(clicked)
        theme().changed.connect(self.updateGeometry)

    @property
    def note(self) -> str:
        return self._note

    def heightForWidth(self, width: int) -> int:
        head = QFontMetrics(theme().font(Role.STRONG)).height()
        room = QRect(0, 0, width - self._left() - _PAD, _TALL)
        below = QFontMetrics(theme().font(Role.NOTE)).boundingRect(room, _WRAP, self._note)
        text = head + (below.height() + _LINE_GAP if self._note else 0)
        return max(text + 2 * (_PAD - 4), theme().metrics.control)

    def sizeHint(self) -> QSize:
        return QSize(320, self.heightForWidth(max(self.width(), 320)))

    def minimumSizeHint(self) -> QSize:
        return QSize(200, self.heightForWidth(max(self.width(), 200)))

    def _left(self) -> int:
        return _PAD + _ICON + _GAP

    def paintEvent(self, event: QPaintEvent) -> None:
        live = theme()
        painter = QPainter(self)
        paint_face(painter, self, live.metrics.radius_control)
        enabled = self.isEnabled()
        picture = live.pixmap(self._icon, Ink.TEXT, _ICON, self.devicePixelRatioF())
        painter.drawPixmap(_PAD, (self.height() - _ICON) // 2, picture)
        head = QFontMetrics(live.font(Role.STRONG)).height()
        width = self.width() - self._left() - _PAD
        room = QRect(self._left(), _PAD - 4, width, self.height() - 2 * (_PAD - 4))
        top = QRect(room.x(), room.y(), width, head if self._note else room.height())
        paint_text(painter, top, self.text(), Role.STRONG, Ink.TEXT if enabled else Ink.MUTED)
        if self._note:
            painter.setFont(live.font(Role.NOTE))
            painter.setPen(live.pen(Ink.MUTED))
            painter.drawText(room.adjusted(0, head + _LINE_GAP, 0, 0), _WRAP, self._note)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            self.click()
        else:
            super().keyPressEvent(event)
