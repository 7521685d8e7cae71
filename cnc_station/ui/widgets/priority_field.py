"""A priority: low, medium or high, or any number from 0 to 100."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QWidget

from cnc_station.engine.domain.job import PRIORITIES
from cnc_station.ui.theme import theme
from cnc_station.ui.widgets.filter_chip import FilterChip
from cnc_station.ui.widgets.number_box import NumberBox


class PriorityField(QWidget):
    """Three chips and a number that say the same thing."""

    changed = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.number = NumberBox(0, 100, 50)
        self.number.setAccessibleName(self.tr("Priority, 0 to 100"))
        self.number.valueChanged.connect(self._follow)
        self._group = QButtonGroup(self)
        self._group.setExclusive(False)
        self.chips: dict[int, FilterChip] = {}
        box = QHBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(theme().metrics.gap)
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
        """The priority chosen."""
        return self.number.value()

    def set_value(self, value: int) -> None:
        """Chooses a priority."""
        self.number.setValue(value)
        self._follow(value)

    def _follow(self, value: int) -> None:
        for own, chip in self.chips.items():
            chip.setChecked(own == value)
        self.changed.emit(value)
