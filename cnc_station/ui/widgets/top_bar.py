"""The bar above every page: page title, search, connections, time, alerts, new job."""

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QSizePolicy, QWidget

from cnc_station.ui.theme import Ink, Role, Tone, theme
from cnc_station.ui.theme.live import tone_ink
from cnc_station.ui.widgets.bell import Bell
from cnc_station.ui.widgets.buttons import Button, PrimaryButton
from cnc_station.ui.widgets.fields import SearchField
from cnc_station.ui.widgets.layout import STRETCH, hbox
from cnc_station.ui.widgets.literal import one_line, set_tip
from cnc_station.ui.widgets.text import ElidedLabel, Text

_DOT = 9
_DOT_GAP = 7
_GAP = 16
_ROUNDED = 1  # the advance is rounded, the drawn width is not


@dataclass(frozen=True, slots=True)
class Connection:
    """`words` are complete ("Redis away 00:42 · slower, nothing lost"); the tone repeats them."""

    words: str
    tone: Tone = Tone.RUNNING


class ConnectionDots(QWidget):
    """● Database  ● Redis: a dot and words for each connection."""

    def __init__(self) -> None:
        super().__init__()
        self._connections: tuple[Connection, ...] = ()
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)

    def set_connections(self, connections: Sequence[Connection]) -> None:
        if tuple(connections) == self._connections:
            return
        self._connections = tuple(connections)
        words = ", ".join(c.words for c in self._connections)
        self.setAccessibleName(words)
        set_tip(self, words)
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        metrics = QFontMetrics(theme().font(Role.NOTE))
        width = sum(
            _DOT + _DOT_GAP + metrics.horizontalAdvance(c.words) + _ROUNDED + _GAP
            for c in self._connections
        )
        return QSize(max(0, width - _GAP), 24)

    def minimumSizeHint(self) -> QSize:
        return QSize((_DOT + _GAP) * len(self._connections), 24)

    def paintEvent(self, event: QPaintEvent) -> None:
        live = theme()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(live.font(Role.NOTE))
        metrics = painter.fontMetrics()
        middle = self.height() / 2
        left = 0
        for connection in self._connections:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(live.brush(tone_ink(connection.tone)))
            painter.drawEllipse(QPointF(left + _DOT / 2, middle), _DOT / 2, _DOT / 2)
            left += _DOT + _DOT_GAP
            shown = metrics.elidedText(
                one_line(connection.words), Qt.TextElideMode.ElideRight, max(0, self.width() - left)
            )
            painter.setPen(live.pen(Ink.MUTED))
            painter.drawText(
                left, 0, self.width() - left, self.height(), Qt.AlignmentFlag.AlignVCenter, shown
            )
            left += metrics.horizontalAdvance(shown) + _GAP


class TopBar(QFrame):
    """Arranges its parts; the window connects `search` and `new_job`, its owner `bell`."""

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("part", "top")
        self.title = Text("", Role.PAGE_TITLE)
        self.search = SearchField(self.tr("Scan or search a job, machine or operator  ·  /"))
        self.search.setMinimumWidth(200)
        self.search.setMaximumWidth(380)
        self.dots = ConnectionDots()
        self.clock = ElidedLabel("", Role.NOTE, Ink.MUTED)
        self.person = Button("", quiet=True)  # who is signed on, where people do
        self.person.hide()
        self.bell = Bell()
        self.new_job = PrimaryButton(self.tr("New job"))
        self._line = hbox(
            self.title,
            (self.search, 4),
            self.dots,
            STRETCH,
            self.clock,
            self.person,
            self.bell,
            self.new_job,
            on=self,
            gap=14,
            margins=(16, 0, 16, 0),
        )
        self._fit_height()
        theme().changed.connect(self._fit_height)

    def tell(self, part: QWidget) -> None:
        """Show a part that holds on every page, between the connections and the clock."""
        self._line.insertWidget(self._line.indexOf(self.dots) + 1, part)

    def _fit_height(self) -> None:
        self.setFixedHeight(theme().metrics.top_bar)
