"""A line of a checklist, as large as a glove: tap anywhere on it to tick it."""

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractButton, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from cnc_station.ui.theme import Ink, Role, theme
from cnc_station.ui.widgets.button_frame import paint_face
from cnc_station.ui.widgets.text import Text

_BOX = 24
_BOX_TOUCH = 34
_RADIUS = 6
_PAD = 14
_LEAST = 48


class CheckRow(QAbstractButton):
    """`title` and what is to be found there; `checkable` False makes it a line to read."""

    def __init__(
        self, title: str, found: str, parent: QWidget | None = None, *, checkable: bool = True
    ) -> None:
        super().__init__(parent)
        self.setCheckable(checkable)
        self.setEnabled(checkable)
        self.setText(title)
        self.found = found
        self.setAccessibleName(f"{title}: {found}")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.setMinimumHeight(theme().metrics.primary if theme().metrics.touch else _LEAST)
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addStretch(1)
        for label in (Text(title, Role.NOTE, Ink.MUTED), Text(found, Role.STRONG)):
            label.setWordWrap(True)
            label.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
            words.addWidget(label)
        words.addStretch(1)
        box = QHBoxLayout(self)
        left = 2 * _PAD + self._box_size() if checkable else _PAD
        box.setContentsMargins(left, 8, _PAD, 8)
        box.addLayout(words, 1)

    @staticmethod
    def _box_size() -> int:
        return _BOX_TOUCH if theme().metrics.touch else _BOX

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paints the face and the box, ticked or not."""
        live = theme()
        painter = QPainter(self)
        paint_face(painter, self, live.metrics.radius_control)
        if not self.isCheckable():
            return
        size = self._box_size()
        box = QRectF(_PAD, (self.height() - size) / 2, size, size)
        done = self.isChecked()
        painter.setPen(live.pen(Ink.OPERATOR if done else Ink.MUTED, 2))
        painter.setBrush(live.brush(Ink.OPERATOR if done else Ink.SURFACE))
        painter.drawRoundedRect(box, _RADIUS, _RADIUS)
        if done:
            icon = live.pixmap("check", Ink.ON_TONE, size - 6, self.devicePixelRatioF())
            painter.drawPixmap(round(box.left()) + 3, round(box.top()) + 3, icon)
