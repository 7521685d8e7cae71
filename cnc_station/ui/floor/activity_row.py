"""One entry of the lists beside the machine cards: two lines to tap, and a remedy button."""

from dataclasses import dataclass

from PySide6.QtCore import QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QWidget

from cnc_station.ui.theme import Ink, Role, Tone, theme
from cnc_station.ui.theme.live import tone_ink
from cnc_station.ui.widgets.buttons import Button, PaintedButton, paint_face
from cnc_station.ui.widgets.literal import set_tip
from cnc_station.ui.widgets.text import RIGHT, paint_text

_MARK = 10
_LINE = 20
_PAD = 4


@dataclass(frozen=True, slots=True)
class RowText:
    """`title` and `note` at the left, `corner` (a time, a priority) at the right. A tone other than
    NORMAL sets a mark before the title. `remedy` is the text of the button at the right, if any."""

    title: str
    note: str = ""
    corner: str = ""
    tone: Tone = Tone.NORMAL
    remedy: str = ""


def row_height() -> int:
    """Two lines, or a button and its gaps."""
    return max(2 * _LINE + 14, theme().metrics.control + 12)


class SideRow(PaintedButton):
    """`clicked`: open what the entry is about; `remedied`: its button."""

    remedied = Signal()

    def __init__(self, words: RowText, parent: QWidget) -> None:
        super().__init__(parent)
        self.words = words
        self._last = False
        self.remedy: Button | None = None
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._take_words()

    @property
    def under_finger(self) -> bool:
        """Whether it or its remedy is pressed now."""
        return self.isDown() or (self.remedy is not None and self.remedy.isDown())

    def set_words(self, words: RowText) -> None:
        if words != self.words:
            self.words = words
            self._take_words()
            self.update()

    def set_last(self, *, last: bool) -> None:
        """The last row has no line below."""
        if last != self._last:
            self._last = last
            self.update()

    def _take_words(self) -> None:
        words = self.words
        said = ", ".join(part for part in (words.title, words.note, words.corner) if part)
        self.setAccessibleName(said)
        set_tip(self, "\n".join(part for part in (words.title, words.note) if part))
        if words.remedy and self.remedy is None:
            self.remedy = Button(words.remedy, self, clicked=self.remedied)
            self.remedy.show()
        if self.remedy is not None:
            self.remedy.setText(words.remedy)
            self.remedy.setAccessibleName(f"{words.remedy}: {words.title}")
            self.remedy.setVisible(bool(words.remedy))
            self._place_remedy()

    def _place_remedy(self) -> None:
        if self.remedy is not None:
            width, height = self.remedy.sizeHint().width(), theme().metrics.control
            top = (self.height() - height) // 2
            self.remedy.setGeometry(self.width() - width, top, width, height)

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._place_remedy()

    def sizeHint(self) -> QSize:
        return QSize(180, row_height())

    def paintEvent(self, event: QPaintEvent) -> None:
        live, words = theme(), self.words
        painter = QPainter(self)
        if self.isDown() or self.hasFocus():
            paint_face(painter, self, live.metrics.radius_control, ground=None, line=None)
        elif not self._last:
            low = self.height() - live.tokens.line_width
            painter.fillRect(0, low, self.width(), live.tokens.line_width, live.colour(Ink.LINE))
        right = self.width() - (self.remedy.width() + 8 if words.remedy and self.remedy else 0)
        top = (self.height() - 2 * _LINE) // 2
        left = _PAD if self.isDown() or self.hasFocus() else 0
        corner = paint_text(
            painter, QRect(0, top, right - left, _LINE), words.corner, Role.NOTE, Ink.MUTED, RIGHT
        )
        note = QRect(left, top + _LINE, right - left, _LINE)
        paint_text(painter, note, words.note, Role.NOTE, Ink.MUTED)
        if words.tone is not Tone.NORMAL:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(live.brush(tone_ink(words.tone)))
            painter.drawRoundedRect(QRectF(left, top + 5, _MARK, _MARK), 2, 2)
            left += _MARK + 6
        room = right - left - (corner + 8 if corner else 0)
        paint_text(painter, QRect(left, top, room, _LINE), words.title, Role.STRONG, Ink.TEXT)
