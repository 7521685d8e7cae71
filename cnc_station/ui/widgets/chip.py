"""A state as a chip: icon and word in their tone on the tone's fill."""

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QFont, QFontMetrics, QPainter, QPaintEvent, QPixmap
from PySide6.QtWidgets import QSizePolicy, QWidget

from cnc_station.ui.theme import Role, theme
from cnc_station.ui.theme.live import tone_fill, tone_ink
from cnc_station.ui.widgets.state_look import StateLook

HEIGHT = 24
_PAD = 9
_ICON = 12
_ICON_GAP = 5
_RADIUS = 6


def chip_font() -> QFont:
    """The font of the words in a chip."""
    font = QFont(theme().font(Role.NOTE))
    font.setWeight(QFont.Weight.DemiBold)
    return font


def chip_size(words: str) -> QSize:
    """The size of a chip with these words."""
    width = QFontMetrics(chip_font()).horizontalAdvance(words)
    return QSize(width + 2 * _PAD + _ICON + _ICON_GAP, HEIGHT)


def paint_chip(painter: QPainter, rect: QRectF, look: StateLook, words: str) -> None:
    """Paint a chip into `rect`, which should be `chip_size(words)` large."""
    live = theme()
    ink = tone_ink(look.tone)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    outlined = live.tokens.line_width > 1
    painter.setPen(live.pen(ink) if outlined else Qt.PenStyle.NoPen)
    painter.setBrush(live.brush(tone_fill(look.tone)))
    inset = 1.0 if outlined else 0.0
    painter.drawRoundedRect(rect.adjusted(inset, inset, -inset, -inset), _RADIUS, _RADIUS)
    ratio = painter.device().devicePixelRatioF()
    top = rect.top() + (rect.height() - _ICON) / 2
    icon = live.pixmap(look.icon, ink, _ICON, ratio)
    painter.drawPixmap(round(rect.left() + _PAD), round(top), icon)
    painter.setPen(live.pen(ink))
    painter.setFont(chip_font())
    left = _PAD + _ICON + _ICON_GAP
    painter.drawText(rect.adjusted(left, 0, 0, 0), Qt.AlignmentFlag.AlignVCenter, words)


def chip_pixmap(look: StateLook, ratio: float) -> QPixmap:
    """A chip with the state's own word as a pixmap, to be painted many times."""
    size = chip_size(look.word)
    pixmap = QPixmap(size * ratio)
    pixmap.setDevicePixelRatio(ratio)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    paint_chip(painter, QRectF(0, 0, size.width(), size.height()), look, look.word)
    painter.end()
    return pixmap


class StateChip(QWidget):
    """Shows a state and an optional `extra` after its word, such as its duration ("04:10")."""

    def __init__(self, look: StateLook, extra: str = "") -> None:
        super().__init__()
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.look = look
        self._words = ""
        self.set_look(look, extra)

    def set_look(self, look: StateLook, extra: str = "") -> None:
        """Show another state or extra; showing the same again costs nothing."""
        words = f"{look.word} {extra}" if extra else look.word
        if (look, words) == (self.look, self._words):
            return
        grown = len(words) != len(self._words) or look is not self.look
        self.look, self._words = look, words
        self.setAccessibleName(words)
        if grown:
            self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        return chip_size(self._words)

    def paintEvent(self, event: QPaintEvent) -> None:
        paint_chip(QPainter(self), QRectF(self.rect()), self.look, self._words)
