"""The bell in the top bar: how many open alerts nobody has acknowledged."""

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QFont, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy

from cnc_station.ui.theme import Ink, Role, Tone, theme
from cnc_station.ui.theme.live import tone_fill, tone_ink
from cnc_station.ui.widgets.buttons import PaintedButton, paint_face
from cnc_station.ui.widgets.literal import set_tip

_ICON = 20
_WIDTH = 68  # constant: the bar does not move when the number changes
_GAP = 6
_MOST = 99


class Bell(PaintedButton):
    """An icon and a number; in colour only while the number is not 0."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0
        self._tone = Tone.NORMAL
        self.muted = False
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.show_count(0, Tone.NORMAL, self.tr("No alert"))

    def show_count(self, count: int, tone: Tone, words: str, *, muted: bool = False) -> None:
        """Show a number in the tone of the worst alert. `words` say the same for the tip."""
        self.count, self._tone, self.muted = count, tone if count else Tone.NORMAL, muted
        self.setAccessibleName(words)
        set_tip(self, words)
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(_WIDTH, theme().metrics.control)

    def paintEvent(self, event: QPaintEvent) -> None:
        live = theme()
        painter = QPainter(self)
        toned = self._tone is not Tone.NORMAL
        ink = tone_ink(self._tone) if toned else Ink.MUTED
        ground = tone_fill(self._tone) if toned else Ink.SURFACE
        line = ink if toned else Ink.LINE
        paint_face(painter, self, live.metrics.radius_control, ground=ground, line=line)
        text = "" if not self.count else str(self.count) if self.count <= _MOST else f"{_MOST}+"
        font = QFont(live.font(Role.STRONG))
        painter.setFont(font)
        width = painter.fontMetrics().horizontalAdvance(text)
        left = (self.width() - _ICON - (_GAP + width if text else 0)) / 2
        icon = "volume-off" if self.muted else "bell"
        pixmap = live.pixmap(icon, ink, _ICON, self.devicePixelRatioF())
        painter.drawPixmap(round(left), (self.height() - _ICON) // 2, pixmap)
        painter.setPen(live.pen(ink))
        room = QRectF(left + _ICON + _GAP, 0, width + 1, self.height())
        painter.drawText(room, Qt.AlignmentFlag.AlignVCenter, text)
