"""The rail at the left: the pages, each an icon and a word."""

from PySide6.QtCore import QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFont, QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QButtonGroup, QFrame, QSizePolicy

from cnc_station.ui.theme import Ink, Role, Tone, theme
from cnc_station.ui.theme.live import tone_ink
from cnc_station.ui.widgets.buttons import PaintedButton, focus_pen
from cnc_station.ui.widgets.layout import STRETCH, vbox

_ICON = 22
_MARKER = 4
_TALL = 60


class RailItem(PaintedButton):
    """One page's entry; `badge` counts what needs a person there."""

    def __init__(self, word: str, icon: str) -> None:
        super().__init__()
        self.badge = 0
        self._icon = icon
        self._tone = Tone.ALARM
        self.setText(word)
        self.setCheckable(True)
        self.setAccessibleName(word)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Preferred)

    def set_badge(self, count: int, tone: Tone = Tone.ALARM) -> None:
        if (count, tone) != (self.badge, self._tone):
            self.badge, self._tone = count, tone
            self.setAccessibleName(f"{self.text()}, {count}" if count else self.text())
            self.update()

    def sizeHint(self) -> QSize:
        return QSize(theme().metrics.rail_width, max(_TALL, theme().metrics.rail_item))

    def minimumSizeHint(self) -> QSize:
        return QSize(theme().metrics.rail_width, theme().metrics.rail_item)

    def paintEvent(self, event: QPaintEvent) -> None:
        live = theme()
        painter = QPainter(self)
        on = self.isChecked()
        if self.isDown():
            painter.fillRect(self.rect(), live.colour(Ink.PRESSED))
        elif on or self.underMouse():
            painter.fillRect(self.rect(), live.colour(Ink.SUNKEN))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if on:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(live.brush(Ink.ACCENT))
            painter.drawRoundedRect(
                QRectF(-_MARKER, self.height() / 2 - 20, 2 * _MARKER, 40), _MARKER, _MARKER
            )
        ink = Ink.TEXT if on else Ink.MUTED
        top = (self.height() - _ICON - 22) // 2
        left = (self.width() - _ICON) // 2
        ratio = self.devicePixelRatioF()
        painter.drawPixmap(left, top, live.pixmap(self._icon, ink, _ICON, ratio))
        font = QFont(live.font(Role.CAPTION))
        font.setPixelSize(11)
        font.setWeight(QFont.Weight.DemiBold if on else font.weight())
        painter.setFont(font)
        painter.setPen(live.pen(ink))
        word = QRect(2, top + _ICON + 4, self.width() - 4, 16)
        painter.drawText(word, Qt.AlignmentFlag.AlignCenter, self.text())
        if self.badge:
            self._paint_badge(painter, left + _ICON - 6, top - 4)
        if self.hasFocus():
            painter.setPen(focus_pen())
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(5, 3, -5, -3), 8, 8)

    def _paint_badge(self, painter: QPainter, left: int, top: int) -> None:
        live = theme()
        text = str(self.badge) if self.badge < 100 else "99+"
        font = QFont(live.font(Role.CAPTION))
        font.setPixelSize(11)
        font.setWeight(QFont.Weight.Bold)
        width = max(18, QFontMetrics(font).horizontalAdvance(text) + 10)
        pill = QRectF(left, top, width, 17)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(live.brush(tone_ink(self._tone)))
        painter.drawRoundedRect(pill, 8.5, 8.5)
        painter.setFont(font)
        painter.setPen(live.pen(Ink.ON_TONE))
        painter.drawText(pill, Qt.AlignmentFlag.AlignCenter, text)


class NavigationRail(QFrame):
    """The entries from top to bottom; `chosen` carries the key of the page the user picked."""

    chosen = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("part", "rail")
        self.setFixedWidth(theme().metrics.rail_width)
        self._items: dict[str, RailItem] = {}
        self._group = QButtonGroup(self)
        self._group.setExclusive(True)
        self._box = vbox(STRETCH, on=self, gap=0, margins=(0, 10, 0, 4))

    def add(self, key: str, word: str, icon: str) -> None:
        item = RailItem(word, icon)
        item.clicked.connect(lambda: self.chosen.emit(key))
        self._group.addButton(item)
        self._items[key] = item
        self._box.insertWidget(self._box.count() - 1, item)

    def select(self, key: str) -> None:
        """Mark an entry; KeyError for an unknown key."""
        self._items[key].setChecked(True)

    def set_badge(self, key: str, count: int, tone: Tone = Tone.ALARM) -> None:
        """Show a page's count, none for 0, in the worst tone of its items; KeyError for no page."""
        self._items[key].set_badge(count, tone)

    def badge(self, key: str) -> int:
        return self._items[key].badge
