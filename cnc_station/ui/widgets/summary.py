"""One figure with its name, that opens the list it counts."""

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractButton, QSizePolicy, QWidget

from cnc_station.ui.theme import Ink, Role, Tone, theme
from cnc_station.ui.theme.live import tone_ink
from cnc_station.ui.widgets.button_frame import paint_face

_PAD = 15


class SummaryCard(QAbstractButton):
    """Caption above a large figure; `clicked` opens what is behind it."""

    def __init__(self, caption: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._caption = caption
        self._figure = "—"
        self._tone = Tone.NORMAL
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(caption)

    def set_figure(self, figure: int | str, tone: Tone = Tone.NORMAL) -> None:
        """Shows a figure; a tone other than NORMAL colours it."""
        if (str(figure), tone) == (self._figure, self._tone):
            return
        self._figure, self._tone = str(figure), tone
        self.setAccessibleName(f"{self._caption}: {self._figure}")
        self.update()

    def sizeHint(self) -> QSize:
        """Room for four digits."""
        return QSize(150, 72)

    def minimumSizeHint(self) -> QSize:
        """Room for the figure; the caption is shortened."""
        return QSize(96, 72)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paints caption and figure."""
        live = theme()
        painter = QPainter(self)
        paint_face(painter, self, live.metrics.radius_card)
        left = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        room = QRect(_PAD, 11, self.width() - 2 * _PAD, 18)
        painter.setFont(live.font(Role.CAPTION))
        painter.setPen(live.pen(Ink.MUTED))
        caption = painter.fontMetrics().elidedText(
            self._caption, Qt.TextElideMode.ElideRight, room.width()
        )
        painter.drawText(room, left, caption)
        painter.setFont(live.font(Role.FIGURE))
        plain = self._tone is Tone.NORMAL
        painter.setPen(live.pen(Ink.TEXT if plain else tone_ink(self._tone)))
        painter.drawText(QRect(_PAD, 28, room.width(), 34), left, self._figure)
