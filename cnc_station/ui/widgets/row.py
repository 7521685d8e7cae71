"""Two lines that can be pressed: a list like "Needs you" is made of these."""

from dataclasses import dataclass

from PySide6.QtCore import QRect, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractButton, QSizePolicy, QWidget

from cnc_station.ui.theme import Ink, Role, Tone, theme
from cnc_station.ui.theme.live import tone_ink
from cnc_station.ui.widgets.face import paint_face

_MARK = 10
_LINE = 20


@dataclass(frozen=True, slots=True)
class RowWords:
    """`title` and `note` at the left, `corner` (a time, a priority) at the right.

    A tone other than NORMAL sets a mark before the title; the title must say the same in words.
    """

    title: str
    note: str = ""
    corner: str = ""
    tone: Tone = Tone.NORMAL


class PressableRow(QAbstractButton):
    """One entry of a short list; `clicked` opens what it is about."""

    def __init__(self, words: RowWords, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._words = words
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._say()

    def set_words(self, words: RowWords) -> None:
        """Shows other words in the same place."""
        if words != self._words:
            self._words = words
            self._say()
            self.update()

    def _say(self) -> None:
        words = self._words
        said = ", ".join(part for part in (words.title, words.note, words.corner) if part)
        self.setAccessibleName(said)
        self.setToolTip(words.note)

    def sizeHint(self) -> QSize:
        """Two lines, and a finger's height."""
        return QSize(180, max(2 * _LINE + 14, theme().metrics.row))

    def minimumSizeHint(self) -> QSize:
        """Narrower is possible: the words are shortened."""
        return QSize(100, self.sizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paints mark, title, corner and note; a line below."""
        live = theme()
        words = self._words
        painter = QPainter(self)
        if self.isDown() or self.hasFocus():
            paint_face(painter, self, live.metrics.radius_control, ground=None, line=None)
        middle = Qt.AlignmentFlag.AlignVCenter
        top = (self.height() - 2 * _LINE) // 2
        right = self.width() - 4
        painter.setFont(live.font(Role.NOTE))
        painter.setPen(live.pen(Ink.MUTED))
        corner = painter.fontMetrics().horizontalAdvance(words.corner)
        painter.drawText(QRect(right - corner, top, corner + 1, _LINE), middle, words.corner)
        note = painter.fontMetrics().elidedText(words.note, Qt.TextElideMode.ElideRight, right - 4)
        painter.drawText(QRect(4, top + _LINE, right, _LINE), middle, note)
        left = 4
        if words.tone is not Tone.NORMAL:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(live.brush(tone_ink(words.tone)))
            painter.drawRoundedRect(QRectF(left, top + 5, _MARK, _MARK), 2, 2)
            left += _MARK + 6
        painter.setFont(live.font(Role.STRONG))
        painter.setPen(live.pen(Ink.TEXT))
        room = max(0, right - corner - 8 - left)
        title = painter.fontMetrics().elidedText(words.title, Qt.TextElideMode.ElideRight, room)
        painter.drawText(QRect(left, top, room + 1, _LINE), middle, title)
