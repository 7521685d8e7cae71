"""The next day as a calendar: a row for each hour with a mark for each time that is due."""

from collections.abc import Sequence

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from cnc_station.engine.views import DueRow
from cnc_station.ui import formatting
from cnc_station.ui.theme import Ink, Role, theme
from cnc_station.ui.widgets.text import paint_text

HOURS = 25  # the first and the last one are parts of an hour
_HOUR_MS, _MINUTE_MS = 3_600_000, 60_000
_LABEL = 48
_MARKS = 120
_GAP = 12
_LEAST_ROW = 18
_MARK = 3


class DayCalendar(QWidget):
    """Shows the times from the full hour before `begin` on."""

    def __init__(self) -> None:
        super().__init__()
        self._begin = 0
        self._hours: list[list[DueRow]] = [[] for _ in range(HOURS)]
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName(self.tr("The next 24 hours"))

    def show_times(self, times: Sequence[DueRow], begin: int) -> None:
        """Show these times; `begin` is now (ms)."""
        self._begin = begin - begin % _HOUR_MS
        self._hours = [[] for _ in range(HOURS)]
        for time in times:
            place = (time.at - self._begin) // _HOUR_MS
            if 0 <= place < HOURS:
                self._hours[place].append(time)
        self.setAccessibleDescription("; ".join(self.lines()))
        self.update()

    def lines(self) -> list[str]:
        """The hours with a time, as text: `14:00 Nightly (2), Report`."""
        return [f"{self._label(place)} {_names(t)}" for place, t in enumerate(self._hours) if t]

    def _label(self, place: int) -> str:
        return formatting.time_of_day(self._begin + place * _HOUR_MS, seconds=False)

    def sizeHint(self) -> QSize:
        return QSize(360, HOURS * _LEAST_ROW)

    def minimumSizeHint(self) -> QSize:
        return QSize(240, HOURS * _LEAST_ROW)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        height = self.height() / HOURS
        for place, times in enumerate(self._hours):
            row = QRect(0, round(place * height), self.width(), round(height))
            self._paint_hour(painter, row, place, times)

    def _paint_hour(
        self, painter: QPainter, row: QRect, place: int, times: Sequence[DueRow]
    ) -> None:
        live = theme()
        ink = Ink.TEXT if times else Ink.FAINT
        label = QRect(row.left(), row.top(), _LABEL, row.height())
        paint_text(painter, label, self._label(place), Role.NOTE, Ink.MUTED)
        strip = QRect(_LABEL, row.top() + 3, _MARKS, max(4, row.height() - 6))
        painter.fillRect(strip, live.colour(Ink.SUNKEN))
        begin = self._begin + place * _HOUR_MS
        for minute in sorted({(time.at - begin) // _MINUTE_MS for time in times}):
            left = strip.left() + round(minute / 60 * (_MARKS - _MARK))
            painter.fillRect(
                QRect(left, strip.top(), _MARK, strip.height()), live.colour(Ink.OPERATOR)
            )
        names = QRect(strip.right() + _GAP, row.top(), row.width(), row.height())
        names.setRight(row.right())
        words = _names(times) if times else formatting.NONE
        paint_text(painter, names, words, Role.NOTE, ink, Qt.AlignmentFlag.AlignVCenter)


def _names(times: Sequence[DueRow]) -> str:
    """The schedules of an hour in the order of their first time, with their counts."""
    counts: dict[str, int] = {}
    for time in times:
        counts[time.name] = counts.get(time.name, 0) + 1
    return ", ".join(f"{name} ({n})" if n > 1 else name for name, n in counts.items())
