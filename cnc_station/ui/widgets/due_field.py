"""A time by which something must be done, or none."""

from PySide6.QtCore import QDateTime, QTime, Signal
from PySide6.QtWidgets import QDateTimeEdit, QHBoxLayout, QWidget

from cnc_station.ui.theme import theme
from cnc_station.ui.widgets.buttons import Button
from cnc_station.ui.widgets.filter_chip import FilterChip

_END_OF_DAY = QTime(17, 0)


class DueField(QWidget):
    """`No date`, `Today`, `Tomorrow` by one tap, or any time. Times are ms since the epoch."""

    changed = Signal()

    def __init__(self, now: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._now = QDateTime.fromMSecsSinceEpoch(now)
        self._at: int | None = None
        self.edit = QDateTimeEdit()
        self.edit.setDisplayFormat("ddd d MMM yyyy  HH:mm")
        self.edit.setCalendarPopup(True)
        self.edit.setAccessibleName(self.tr("Due at"))
        self.edit.dateTimeChanged.connect(self._typed)
        self.none = FilterChip(self.tr("No date"))
        self.none.clicked.connect(lambda: self.set_value(None))
        box = QHBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(theme().metrics.gap)
        box.addWidget(self.none)
        for words, days in ((self.tr("Today"), 0), (self.tr("Tomorrow"), 1)):
            button = Button(words)
            button.clicked.connect(lambda _=False, days=days: self._in_days(days))
            box.addWidget(button)
        box.addWidget(self.edit, 1)
        self.setFocusProxy(self.edit)
        self.set_value(None)

    @property
    def value(self) -> int | None:
        """The time chosen, ms; None for none."""
        return self._at

    def set_value(self, at: int | None) -> None:
        """Chooses a time, or none."""
        shown = self._end_of(0) if at is None else QDateTime.fromMSecsSinceEpoch(at)
        self.edit.blockSignals(True)
        self.edit.setDateTime(shown)
        self.edit.blockSignals(False)
        self._at = at
        self.none.setChecked(at is None)
        self.changed.emit()

    def _in_days(self, days: int) -> None:
        self.set_value(self._end_of(days).toMSecsSinceEpoch())

    def _end_of(self, days: int) -> QDateTime:
        day = self._now.addDays(days)
        day.setTime(_END_OF_DAY)
        return day

    def _typed(self, at: QDateTime) -> None:
        self._at = at.toMSecsSinceEpoch()
        self.none.setChecked(False)
        self.changed.emit()
