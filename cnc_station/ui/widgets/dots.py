"""Whether what the station leans on is there."""

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from cnc_station.ui.theme import Ink, Role, Tone, theme
from cnc_station.ui.theme.live import tone_ink

_DOT = 9
_DOT_GAP = 7
_GAP = 16
_ROUNDED = 1  # an advance is rounded, what is drawn is not


@dataclass(frozen=True, slots=True)
class Connection:
    """Words say all of it ("Redis away 00:42 · slower, nothing lost"); the tone repeats it."""

    words: str
    tone: Tone = Tone.RUNNING


class ConnectionDots(QWidget):
    """● Database  ● Redis: one dot and its words for each connection."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._connections: tuple[Connection, ...] = ()
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)

    def set_connections(self, connections: Sequence[Connection]) -> None:
        """Shows these, in this order."""
        if tuple(connections) == self._connections:
            return
        self._connections = tuple(connections)
        words = ", ".join(c.words for c in self._connections)
        self.setAccessibleName(words)
        self.setToolTip(words)
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        """Room for all the words."""
        metrics = QFontMetrics(theme().font(Role.NOTE))
        width = sum(
            _DOT + _DOT_GAP + metrics.horizontalAdvance(c.words) + _ROUNDED + _GAP
            for c in self._connections
        )
        return QSize(max(0, width - _GAP), 24)

    def minimumSizeHint(self) -> QSize:
        """Room for the dots."""
        return QSize((_DOT + _GAP) * len(self._connections), 24)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paints dots and words; the last words are cut where room ends."""
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
                connection.words, Qt.TextElideMode.ElideRight, max(0, self.width() - left)
            )
            painter.setPen(live.pen(Ink.MUTED))
            painter.drawText(
                left, 0, self.width() - left, self.height(), Qt.AlignmentFlag.AlignVCenter, shown
            )
            left += metrics.horizontalAdvance(shown) + _GAP
