"""The text of a program. Only visible lines are processed, so a million lines open at once; a
QTextDocument takes 330 ms to lay out 100,000 lines."""

from collections.abc import Mapping

from PySide6.QtCore import QPoint, QRect, Qt, Signal
from PySide6.QtGui import (
    QFont,
    QFontDatabase,
    QFontMetrics,
    QGuiApplication,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
)
from PySide6.QtWidgets import QAbstractScrollArea

from cnc_station.ui.theme import Ink, Tone, theme
from cnc_station.ui.theme.live import tone_fill, tone_ink
from cnc_station.ui.widgets.buttons import add_key
from cnc_station.ui.widgets.literal import one_line

_PAD = 8
_SIZE = 13
_BAR = 3


class CodeView(QAbstractScrollArea):
    """Read-only numbered lines, coloured by `marks`; Shift or dragging selects several."""

    line_changed = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self._lines: list[str] = []
        self._marks: Mapping[int, Tone] = {}
        self.current = 0
        self._anchor = 0
        self._font = QFont()
        self._high = 18
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(self.tr("Program text"))
        self.setProperty("part", "code")
        on_focus = Qt.ShortcutContext.WidgetShortcut
        copy_keys = QKeySequence.StandardKey.Copy
        add_key(self, self.tr("Copy lines"), copy_keys, self.copy, context=on_focus)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)
        self._measure()
        theme().changed.connect(self._measure)

    def set_text(self, text: str, marks: Mapping[int, Tone] | None = None) -> None:
        """Show another text from its first line. Only line ends end a line, as in an editor."""
        self._lines = text.replace("\r\n", "\n").replace("\r", "\n").removesuffix("\n").split("\n")
        if self._lines == [""]:
            self._lines = []
        self._marks = marks or {}
        self.current = self._anchor = min(1, len(self._lines))
        self._fit()
        self.verticalScrollBar().setValue(0)
        self.horizontalScrollBar().setValue(0)
        self.viewport().update()

    def go_to(self, line: int) -> None:
        """Make a line current and scroll it to the middle."""
        self._choose(line, extend=False)
        bar = self.verticalScrollBar()
        bar.setValue(self.current - 1 - self._on_view() // 2)

    def selected(self) -> str:
        first, last = sorted((self._anchor, self.current))
        return "\n".join(self._lines[max(0, first - 1) : last])

    def text(self) -> str:
        """All lines."""
        return "\n".join(self._lines)

    def copy(self) -> None:
        QGuiApplication.clipboard().setText(self.selected())

    def _measure(self) -> None:
        self._font = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
        self._font.setPixelSize(_SIZE + (2 if theme().metrics.touch else 0))
        self._high = QFontMetrics(self._font).height() + 4
        self._fit()
        self.viewport().update()

    def _on_view(self) -> int:
        return max(1, self.viewport().height() // self._high)

    def _gutter(self) -> int:
        digits = max(3, len(str(len(self._lines))))
        return QFontMetrics(self._font).horizontalAdvance("0" * digits) + 2 * _PAD

    def _fit(self) -> None:
        vertical, across = self.verticalScrollBar(), self.horizontalScrollBar()
        vertical.setRange(0, max(0, len(self._lines) - self._on_view()))
        vertical.setPageStep(self._on_view())
        longest = max(map(len, self._lines), default=0)
        wide = QFontMetrics(self._font).horizontalAdvance("0") * longest
        room = self.viewport().width() - self._gutter() - 2 * _PAD
        across.setRange(0, max(0, wide - room))
        across.setPageStep(max(1, room))

    def _choose(self, line: int, *, extend: bool) -> None:
        line = max(min(1, len(self._lines)), min(line, len(self._lines)))
        if not extend:
            self._anchor = line
        if line != self.current:
            self.current = line
            if line:
                self.setAccessibleDescription(f"{line}: {self._lines[line - 1]}")
            self.line_changed.emit(line)
        self.viewport().update()

    def _show_current(self) -> None:
        bar = self.verticalScrollBar()
        top = self.current - 1
        if top < bar.value():
            bar.setValue(top)
        elif top >= bar.value() + self._on_view():
            bar.setValue(top - self._on_view() + 1)

    def _line_at(self, position: QPoint) -> int:
        return self.verticalScrollBar().value() + position.y() // self._high + 1

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        extend = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        self._choose(self._line_at(event.position().toPoint()), extend=extend)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._choose(self._line_at(event.position().toPoint()), extend=True)
            self._show_current()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = Qt.Key(event.key())
        extend = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        page = self._on_view()
        targets = {
            Qt.Key.Key_Up: self.current - 1,
            Qt.Key.Key_Down: self.current + 1,
            Qt.Key.Key_PageUp: self.current - page,
            Qt.Key.Key_PageDown: self.current + page,
            Qt.Key.Key_Home: 1,
            Qt.Key.Key_End: len(self._lines),
        }
        if key not in targets:
            super().keyPressEvent(event)
            return
        self._choose(targets[key], extend=extend)
        self._show_current()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self.viewport())
        painter.fillRect(self.viewport().rect(), theme().colour(Ink.SUNKEN))
        painter.setFont(self._font)
        first = self.verticalScrollBar().value() + 1
        last = min(len(self._lines), first + self._on_view())
        for number in range(first, last + 1):
            top = (number - first) * self._high
            self._paint_line(painter, number, QRect(0, top, self.viewport().width(), self._high))

    def _paint_line(self, painter: QPainter, number: int, row: QRect) -> None:
        live = theme()
        tone = self._marks.get(number)
        if min(self._anchor, self.current) <= number <= max(self._anchor, self.current):
            painter.fillRect(row, live.colour(Ink.SELECTION))
            painter.fillRect(QRect(0, row.top(), _BAR, self._high), live.colour(Ink.OPERATOR))
        if tone is not None:
            painter.fillRect(row.adjusted(_BAR, 0, 0, 0), live.colour(tone_fill(tone)))
        gutter = self._gutter()
        ink = None if tone is None else tone_ink(tone)
        painter.setPen(live.pen(ink or Ink.MUTED))
        middle = Qt.AlignmentFlag.AlignVCenter
        side = row.adjusted(0, 0, gutter - _PAD - row.width(), 0)
        painter.drawText(side, middle | Qt.AlignmentFlag.AlignRight, str(number))
        across = self.horizontalScrollBar().value()
        painter.setPen(live.pen(ink or Ink.TEXT))
        painter.setClipRect(row.adjusted(gutter, 0, 0, 0))
        text = row.adjusted(gutter + _PAD - across, 0, 0, 0)
        painter.drawText(text, middle, one_line(self._lines[number - 1].expandtabs(4)))
        painter.setClipping(False)
