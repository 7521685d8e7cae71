"""Filters as chips: on or off with a count, or one of several values from a menu."""

from collections.abc import Callable, Sequence

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QAction, QActionGroup, QFont, QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QMenu, QSizePolicy

from cnc_station.ui.theme import Ink, Role, Tone, theme
from cnc_station.ui.theme.live import tone_ink
from cnc_station.ui.widgets.buttons import PaintedButton, paint_face
from cnc_station.ui.widgets.literal import caption

_PAD = 15
_GAP = 8


class FilterChip(PaintedButton):
    """A checkable pill. While off, its tone colours the words only if its count is above 0."""

    def __init__(self, label: str, *, tone: Tone = Tone.NORMAL) -> None:
        super().__init__()
        self.setText(label)
        self.setCheckable(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self._tone = tone
        self._number = ""
        self.setAccessibleName(label)

    def set_count(self, count: int | None) -> None:
        """Show how many items the filter matches; None shows no number."""
        number = "" if count is None else f"{count:,}"
        if number == self._number:
            return
        grown = len(number) != len(self._number)
        self._number = number
        self.setAccessibleName(f"{self.text()} {self._number}".strip())
        if grown:
            self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        metrics = QFontMetrics(self._font(strong=True))
        width = metrics.horizontalAdvance(self.text()) + 2 * _PAD
        if self._number:
            width += _GAP + metrics.horizontalAdvance(self._number)
        return QSize(width, theme().metrics.chip_filter)

    def _font(self, *, strong: bool) -> QFont:
        font = QFont(theme().font(Role.NOTE))
        font.setWeight(QFont.Weight.DemiBold if strong else font.weight())
        return font

    def paintEvent(self, event: QPaintEvent) -> None:
        live = theme()
        painter = QPainter(self)
        on = self.isChecked()
        ground, line = (Ink.ACCENT, Ink.ACCENT) if on else (Ink.SURFACE, Ink.LINE)
        paint_face(painter, self, self.height() / 2, ground=ground, line=line)
        filled = on and not self.isDown()
        quiet = self._tone is Tone.NORMAL or self._number in {"", "0"}
        words = Ink.TEXT if quiet else tone_ink(self._tone)
        number = Ink.MUTED
        if filled:
            words = number = Ink.ON_ACCENT
        painter.setFont(self._font(strong=False))
        painter.setPen(live.pen(words))
        room = QRectF(self.rect()).adjusted(_PAD, 0, -_PAD, 0)
        middle = Qt.AlignmentFlag.AlignVCenter
        painter.drawText(room, middle | Qt.AlignmentFlag.AlignLeft, self.text())
        painter.setFont(self._font(strong=on))
        painter.setPen(live.pen(number))
        painter.drawText(room, middle | Qt.AlignmentFlag.AlignRight, self._number)


class MenuChip(FilterChip):
    """`Machine ▾`; checked and `Machine: Mill 1 ▾` while a value is chosen."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._name = name
        self.menu = QMenu(caption(name), self)
        self.offers = False  # whether there is anything to choose
        self.clicked.connect(self._open)
        self.show_value("")

    def show_value(self, words: str) -> None:
        """Show the chosen value; empty for any."""
        self.setText(f"{self._name}: {words} ▾" if words else f"{self._name} ▾")
        self.setAccessibleName(f"{self._name}: {words or self.tr('any')}")
        self.setChecked(bool(words))
        self.updateGeometry()

    def offer(
        self, values: Sequence[tuple[str, object]], current: object, chosen: Callable[..., None]
    ) -> None:
        """Offer these named values, and None for any; call `chosen(value)` with the picked one."""
        self.offers = bool(values)
        fill(self.menu, ((self.tr("any"), None), *values), current, chosen)

    def nextCheckState(self) -> None:
        """Ignore the press, which opens the menu; only a value checks the chip."""

    def _open(self) -> None:
        self.menu.popup(self.mapToGlobal(self.rect().bottomLeft()))


def fill(
    menu: QMenu, values: Sequence[tuple[str, object]], current: object, chosen: Callable[..., None]
) -> None:
    """Fill a menu with values of which one is current."""
    menu.clear()
    group = QActionGroup(menu)
    for words, value in values:
        action = QAction(caption(words), menu, checkable=True, checked=value == current)
        action.triggered.connect(lambda _=False, value=value: chosen(value))
        group.addAction(action)
        menu.addAction(action)
