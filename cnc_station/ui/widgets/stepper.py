"""A count with a button on either side, for fingers."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QIntValidator, QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QWidget

from cnc_station.ui.theme import Role, theme
from cnc_station.ui.widgets.buttons import Button
from cnc_station.ui.widgets.properties import restyle

_MORE_PX = 8


class Stepper(QWidget):
    """A whole number from 0 to `most`; `changed` with each new one. Arrow keys turn it too."""

    changed = Signal(int)

    def __init__(self, name: str, value: int, most: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._most = most
        metrics = theme().metrics
        side = metrics.primary if metrics.touch else metrics.control + _MORE_PX
        self.edit = QLineEdit(str(value))
        self._range = QIntValidator(0, most, self)
        self.edit.setValidator(self._range)
        self.edit.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.edit.setAccessibleName(name)
        self.edit.setMinimumHeight(side)
        restyle(self.edit, role=Role.PAGE_TITLE.value)
        self.edit.textChanged.connect(lambda: self.changed.emit(self.value))
        self.less = Button("\N{MINUS SIGN}")
        self.more = Button("+")
        self.less.setAccessibleName(self.tr("One less, {name}").format(name=name))
        self.more.setAccessibleName(self.tr("One more, {name}").format(name=name))
        self.less.clicked.connect(lambda: self.set_value(self.value - 1))
        self.more.clicked.connect(lambda: self.set_value(self.value + 1))
        line = QHBoxLayout(self)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(metrics.gap)
        for button in (self.less, self.more):
            button.setAutoRepeat(True)
            button.setMinimumHeight(side)
            button.setFixedWidth(side)
        line.addWidget(self.less)
        line.addWidget(self.edit, 1)
        line.addWidget(self.more)
        self.setFocusProxy(self.edit)

    @property
    def value(self) -> int:
        """The number; nothing typed is none."""
        return int(self.edit.text() or 0)

    def set_value(self, value: int) -> None:
        """Another number, as near as it is allowed."""
        self.edit.setText(str(max(0, min(value, self._most))))

    def set_most(self, most: int) -> None:
        """Another limit; a number above it becomes the limit."""
        self._most = most
        self._range.setTop(most)
        if self.value > most:
            self.set_value(most)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Up and down turn it by one."""
        step = {Qt.Key.Key_Up: 1, Qt.Key.Key_Down: -1}.get(Qt.Key(event.key()))
        if step is None:
            super().keyPressEvent(event)
        else:
            self.set_value(self.value + step)
