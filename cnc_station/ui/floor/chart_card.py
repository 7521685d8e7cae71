"""A card with a chart, and the switch between charts where only one has room."""

from PySide6.QtCore import QRect, QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QButtonGroup, QSizePolicy, QWidget

from cnc_station.ui.theme import Ink, Role, theme
from cnc_station.ui.widgets.buttons import FOCUS_WIDTH, PaintedButton, focus_pen
from cnc_station.ui.widgets.card import Card
from cnc_station.ui.widgets.layout import hbox

_LOW = 22
_TOUCH = 44


class ChartCard(Card):
    """Title and figure above one chart, which is added later with `put`."""

    def __init__(self, title: str) -> None:
        super().__init__(title=title)
        self._title = title
        self.body.setContentsMargins(15, 9, 15, 6)
        self.body.setSpacing(2)
        self._empty = QWidget()
        self.body.addWidget(self._empty, 1)

    def put(self, chart: QWidget) -> None:
        self.body.replaceWidget(self._empty, chart)
        self._empty.deleteLater()

    def set_title(self, title: str) -> None:
        if title != self._title:
            self._title = title
            self.setAccessibleName(title)
            if self.title.text():
                self.title.setText(title)

    def show_title(self, *, shown: bool) -> None:
        """Hide the title where the switch covers it."""
        self.title.setText(self._title if shown else " ")

    def set_note(self, note: str) -> None:
        if note != self.note.text():
            self.note.setText(note)


class _Word(PaintedButton):
    """A word that is bold when it is chosen."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.setText(text)
        self.setAccessibleName(text)
        self.setCheckable(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        width = QFontMetrics(theme().font(Role.STRONG)).horizontalAdvance(self.text())
        return QSize(width + 2, _TOUCH if theme().metrics.touch else _LOW)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        on = self.isChecked()
        painter.setFont(theme().font(Role.STRONG if on else Role.NOTE))
        painter.setPen(theme().pen(Ink.TEXT if on or self.isDown() else Ink.MUTED))
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignVCenter, self.text())
        if self.hasFocus():
            painter.setPen(focus_pen())
            low = self.height() - FOCUS_WIDTH
            painter.drawLine(0, low, self.width(), low)


class ChartSwitch(QWidget):
    """The charts' titles as words; `chosen` carries the index of the one picked."""

    chosen = Signal(int)

    def __init__(self, words: list[str], parent: QWidget) -> None:
        super().__init__(parent)
        self._group = QButtonGroup(self)
        box = hbox(on=self, gap=12)
        for place, text in enumerate(words):
            word = _Word(text)
            self._group.addButton(word, place)
            box.addWidget(word)
        box.addStretch(1)
        self._group.button(0).setChecked(True)
        self._group.idClicked.connect(self.chosen)

    @property
    def current(self) -> int:
        return self._group.checkedId()

    def choose(self, place: int) -> None:
        self._group.button(place).click()

    def set_words(self, place: int, text: str) -> None:
        word = self._group.button(place)
        if word.text() != text:
            word.setText(text)
            word.setAccessibleName(text)
            word.updateGeometry()

    def over(self, card: QRect) -> QRect:
        """Where it stands over a card's title."""
        height = self.sizeHint().height()
        top = card.top() + 9 + (18 - height) // 2
        return QRect(card.left() + 15, top, card.width() - 90, height)
