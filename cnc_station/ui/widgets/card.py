"""Surfaces: a card that holds one thing, a rule between two, an area that scrolls."""

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPainterPath, QPaintEvent
from PySide6.QtWidgets import QFrame, QScrollArea, QWidget

from cnc_station.ui.theme import Ink, Role, Tone, theme
from cnc_station.ui.theme.live import tone_ink
from cnc_station.ui.widgets.layout import hbox, vbox
from cnc_station.ui.widgets.text import ElidedLabel, Text

_STRIPE = 6


class Card(QWidget):
    """A rounded surface with a vertical `body` layout; a tone other than NORMAL frames it."""

    def __init__(self, parent: QWidget | None = None, *, title: str = "", note: str = "") -> None:
        super().__init__(parent)
        self._tone = Tone.NORMAL
        self.body = vbox(on=self, gap=4, margins=(15, 12, 15, 12))
        self.title = ElidedLabel(title, Role.STRONG, parent=self)
        self.note = Text(note, Role.NOTE, Ink.MUTED, self)
        self.title.setVisible(bool(title))
        self.note.setVisible(bool(title))
        if title:
            self.setAccessibleName(title)
            head = hbox((self.title, 1), self.note)
            self.body.addLayout(head)

    def set_tone(self, tone: Tone) -> None:
        if tone is not self._tone:
            self._tone = tone
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        live = theme()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        half = live.tokens.line_width / 2
        rect = QRectF(self.rect()).adjusted(half, half, -half, -half)
        path = QPainterPath()
        path.addRoundedRect(rect, live.metrics.radius_card, live.metrics.radius_card)
        painter.fillPath(path, live.brush(Ink.SURFACE))
        ink = Ink.LINE
        if self._tone is not Tone.NORMAL:
            ink = tone_ink(self._tone)
            painter.setClipPath(path)
            painter.fillRect(QRectF(0, 0, _STRIPE, self.height()), live.colour(ink))
            painter.setClipping(False)
        painter.setPen(live.pen(ink))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPath(path)


def rule() -> QFrame:
    """A thin line between two things."""
    line = QFrame()
    line.setProperty("part", "rule")
    return line


class _VerticalScroll(QScrollArea):
    """Never narrower than its content, which has no horizontal bar."""

    def minimumSizeHint(self) -> QSize:
        hint, content = super().minimumSizeHint(), self.widget()
        if content is None:
            return hint
        width = content.minimumSizeHint().width() + self.verticalScrollBar().sizeHint().width()
        return hint.expandedTo(QSize(width, 0))


def scrolling(inner: QWidget, *, right: int = 8, focus: bool = False) -> QScrollArea:
    """`inner` in a vertical scroll area, `right` pixels from its bar; with `focus` keys scroll
    it."""
    page = QWidget()
    page.setProperty("part", "plain")
    vbox((inner, 1), on=page, margins=(0, 0, right, 0))
    area = _VerticalScroll()
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setWidgetResizable(True)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    if not focus:
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    area.setWidget(page)
    return area
