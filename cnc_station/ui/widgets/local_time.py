"""An editor of a time on this PC's clock, which says what a change of that clock makes of it."""

from datetime import datetime, timedelta
from typing import NamedTuple

from PySide6.QtCore import QDateTime, QTimeZone
from PySide6.QtWidgets import QDateTimeEdit

from cnc_station.ui.formatting import local
from cnc_station.ui.theme import Ink, Role
from cnc_station.ui.widgets.text import Text

_FORMAT = "ddd d MMM yyyy  HH:mm"
_DAY = timedelta(days=1)


class ClockChange(NamedTuple):
    """The local times between `start` and `end` are skipped, or come twice (`repeated`)."""

    start: datetime
    end: datetime
    repeated: bool


def clock_change(at: int) -> ClockChange | None:
    """Return the change of this PC's clock on the day of a time (ms); None if there is none."""
    midnight = local(at).replace(hour=0, minute=0, second=0, microsecond=0)
    low, high = int(midnight.timestamp()), int((midnight + _DAY).timestamp())
    before, after = _offset(low), _offset(high)
    if before == after:
        return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if _offset(middle) == before else (low, middle)
    then = local(high * 1000)  # by the new time
    former = then - (after - before)
    return ClockChange(min(then, former), max(then, former), repeated=after < before)


def _offset(seconds: int) -> timedelta:
    return datetime.fromtimestamp(seconds).astimezone().utcoffset() or timedelta()


class LocalTimeEdit(QDateTimeEdit):
    """Shows and takes times on this PC's clock. `note` is for the form around it: it is empty
    unless the clock changes on the chosen day."""

    def __init__(self) -> None:
        super().__init__()
        self.setDisplayFormat(_FORMAT)
        self.setCalendarPopup(True)
        self.note = Text("", Role.CAPTION, Ink.MUTED, wrap=True)
        self.note.hide()
        self._naive = QDateTimeEdit(parent=self)  # reads a time that the clock skips
        self._naive.setTimeZone(QTimeZone(QTimeZone.Initialization.UTC))
        self._naive.setDisplayFormat(_FORMAT)
        self._naive.hide()
        self.dateTimeChanged.connect(self.tell_change)

    def fixup(self, text: str) -> str:
        """Qt's hook: take a time that the clock skips as the same time span after the change."""
        typed = self._naive.dateTimeFromText(text)
        if not typed.isValid():
            return super().fixup(text)
        return self.textFromDateTime(QDateTime(typed.date(), typed.time()))

    def tell_change(self, at: QDateTime) -> None:
        """Word the change of the clock on the day of a time."""
        words = ""
        if (change := clock_change(at.toMSecsSinceEpoch())) is not None:
            words = (
                self.tr("The clock goes back: {a} to {b} comes twice, and the first is meant.")
                if change.repeated
                else self.tr("The clock goes forward: there is no time between {a} and {b}.")
            ).format(a=f"{change.start:%H:%M}", b=f"{change.end:%H:%M}")
        self.note.setText(words)
        self.note.setVisible(bool(words) and self.note.parent() is not None)
        self.setAccessibleDescription(words)
