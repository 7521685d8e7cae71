"""Editors of a job's values: due date, priority, program."""

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QDateTime, QTime, Signal
from PySide6.QtWidgets import QButtonGroup, QComboBox, QFileDialog, QWidget

from cnc_station.engine.domain.job import PRIORITIES
from cnc_station.engine.views import ProgramRow
from cnc_station.ui.file_dialogs import file_dialogs
from cnc_station.ui.formatting import duration
from cnc_station.ui.theme import theme
from cnc_station.ui.widgets.buttons import Button
from cnc_station.ui.widgets.fields import NumberBox
from cnc_station.ui.widgets.filter_chip import FilterChip
from cnc_station.ui.widgets.layout import hbox, vbox
from cnc_station.ui.widgets.local_time import LocalTimeEdit

_END_OF_DAY = QTime(17, 0)


class DueField(QWidget):
    """`No date`, `Today` or `Tomorrow` by one tap, or any time. Times are ms since the epoch."""

    changed = Signal()

    def __init__(self, now: int) -> None:
        super().__init__()
        self._now = QDateTime.fromMSecsSinceEpoch(now)
        self.value: int | None = None
        self.edit = LocalTimeEdit()
        self.edit.setAccessibleName(self.tr("Due at"))
        self.edit.dateTimeChanged.connect(self._typed)
        self.none = FilterChip(self.tr("No date"))
        self.none.clicked.connect(lambda: self.set_value(None))
        box = hbox(self.none, gap=theme().metrics.gap)
        for words, days in ((self.tr("Today"), 0), (self.tr("Tomorrow"), 1)):
            at = self._end_of(days)
            box.addWidget(Button(words, clicked=lambda _=False, at=at: self.set_value(at)))
        box.addWidget(self.edit, 1)
        vbox(box, self.edit.note, on=self, gap=4)
        self.setFocusProxy(self.edit)
        self.set_value(None)

    def set_value(self, at: int | None) -> None:
        shown = self._end_of(0) if at is None else at
        self.edit.blockSignals(True)
        self.edit.setDateTime(QDateTime.fromMSecsSinceEpoch(shown))
        self.edit.blockSignals(False)
        self.edit.tell_change(self.edit.dateTime())
        self.value = at
        self.none.setChecked(at is None)
        self.changed.emit()

    def _end_of(self, days: int) -> int:
        day = self._now.addDays(days)
        day.setTime(_END_OF_DAY)
        return day.toMSecsSinceEpoch()

    def _typed(self, at: QDateTime) -> None:
        self.value = at.toMSecsSinceEpoch()
        self.none.setChecked(False)
        self.changed.emit()


class PriorityField(QWidget):
    """A priority by one of three chips or by number."""

    changed = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self.number = NumberBox(0, 100, 50)
        self.number.setAccessibleName(self.tr("Priority, 0 to 100"))
        self.number.valueChanged.connect(self._follow)
        self._group = QButtonGroup(self)
        self._group.setExclusive(False)
        self.chips: dict[int, FilterChip] = {}
        box = hbox(on=self, gap=theme().metrics.gap)
        words = {"low": self.tr("Low"), "medium": self.tr("Medium"), "high": self.tr("High")}
        for key, value in PRIORITIES.items():
            chip = FilterChip(words[key])
            chip.clicked.connect(lambda _=False, value=value: self.set_value(value))
            self.chips[value] = chip
            box.addWidget(chip)
        box.addWidget(self.number, 1)
        self.setFocusProxy(self.number)
        self._follow(self.number.value())

    @property
    def value(self) -> int:
        return self.number.value()

    def set_value(self, value: int) -> None:
        self.number.setValue(value)
        self._follow(value)

    def _follow(self, value: int) -> None:
        for own, chip in self.chips.items():
            chip.setChecked(own == value)
        self.changed.emit(value)


class ProgramField(QWidget):
    """A program by its SHA-256 (`value`); `picked(ProgramRow)` after the user picked a known
    program, `file_chosen(Path)` after the user chose a file to import first."""

    picked = Signal(object)
    file_chosen = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.value: str | None = None
        self._rows: dict[str, ProgramRow] = {}
        self.combo = QComboBox()
        self.combo.setAccessibleName(self.tr("Program"))
        self.combo.setMinimumContentsLength(18)
        self.combo.activated.connect(self._activated)
        self.browse = Button(self.tr("File…"), clicked=self._browse)
        hbox((self.combo, 1), self.browse, on=self, gap=theme().metrics.gap)
        self.setFocusProxy(self.combo)
        self.offer(())

    def set_value(self, sha256: str | None) -> None:
        """Choose a program, even one that is not offered yet."""
        self.value = sha256
        if sha256 is not None and self.combo.findData(sha256) < 0:
            self.combo.addItem(f"{sha256[:12]} …", sha256)
        self.combo.setCurrentIndex(max(0, self.combo.findData(sha256)) if sha256 else 0)

    def offer(self, rows: Sequence[ProgramRow]) -> None:
        """Offer these programs; the chosen one stays chosen."""
        self._rows = {row.sha256: row for row in rows}
        self.combo.clear()
        self.combo.addItem(self.tr("None: runs its estimated time"), None)
        for row in rows:
            words = f"{row.name} r{row.revision} · {duration(row.duration_s)}"
            self.combo.addItem(words, row.sha256)
        self.set_value(self.value)

    def _activated(self, at: int) -> None:
        self.value = self.combo.itemData(at)
        if self.value in self._rows:
            self.picked.emit(self._rows[self.value])

    def _browse(self) -> None:
        chooser = file_dialogs.make(self.window(), self.tr("Choose an NC program"))
        chooser.setFileMode(QFileDialog.FileMode.ExistingFile)
        chooser.fileSelected.connect(lambda name: self.file_chosen.emit(Path(name)))
        chooser.open()
