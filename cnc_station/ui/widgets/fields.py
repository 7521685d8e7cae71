"""The fields of forms: a label with its editor, and editors for numbers, passwords and search."""

from typing import Any, cast

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QIntValidator, QKeyEvent, QWheelEvent
from PySide6.QtWidgets import QComboBox, QLineEdit, QPlainTextEdit, QSpinBox, QWidget

from cnc_station.ui.theme import Ink, Role, theme
from cnc_station.ui.widgets.buttons import Button
from cnc_station.ui.widgets.layout import fill, hbox, vbox
from cnc_station.ui.widgets.literal import caption
from cnc_station.ui.widgets.text import Text, restyle


class Field(QWidget):
    """`editor` under its label (its accessible name), above a `hint` that an error replaces."""

    def __init__(
        self, label: str, editor: QWidget, *, hint: str = "", wanted: bool = False
    ) -> None:
        super().__init__()
        self.editor = editor
        self._hint = hint
        self._wanted = wanted
        self._name = Text("", Role.NOTE)
        self._name.setBuddy(editor)
        self.set_label(label)
        self._below = Text(hint, Role.CAPTION, Ink.MUTED, wrap=True)
        self._below.setVisible(bool(hint))
        editor.setAccessibleDescription(hint)
        vbox(self._name, editor, self._below, on=self, gap=4)

    def set_label(self, label: str) -> None:
        words = self.tr("{label} · required").format(label=label) if self._wanted else label
        self._name.setText(caption(words))
        self._name.setVisible(bool(label))
        if label:
            self.editor.setAccessibleName(label)

    @property
    def value(self) -> Any:
        editor = self.editor
        if isinstance(editor, QLineEdit):
            return editor.text()
        if isinstance(editor, QComboBox):
            return editor.currentText()
        if isinstance(editor, QPlainTextEdit):
            return editor.toPlainText()
        return editor.value() if isinstance(editor, QSpinBox) else cast("Any", editor).value

    def set_value(self, value: Any) -> None:
        editor = self.editor
        if isinstance(editor, QLineEdit):
            editor.setText(value)
        elif isinstance(editor, QComboBox):
            editor.setEditText(value)
        elif isinstance(editor, QPlainTextEdit):
            editor.setPlainText(value)
        elif isinstance(editor, QSpinBox):
            editor.setValue(value)
        else:
            cast("Any", editor).set_value(value)

    @property
    def error(self) -> str:
        """The error shown; empty if there is none."""
        return self._below.text() if self._below.property("ink") == Ink.ALARM.value else ""

    def set_hint(self, words: str) -> None:
        self._hint = words
        self.set_error("")

    def set_error(self, words: str) -> None:
        """Show what is wrong with the value; an empty text clears it."""
        self._below.set_ink(Ink.ALARM if words else Ink.MUTED)
        self._below.setText(words or self._hint)
        self._below.setVisible(bool(words or self._hint))
        self.editor.setAccessibleDescription(words or self._hint)
        restyle(self.editor, wrong=bool(words))


_NUMBER_PAD = 10


class NumberBox(QSpinBox):
    """A whole number. Without focus, the wheel scrolls the form instead of changing the number."""

    def __init__(self, low: int, high: int, value: int) -> None:
        super().__init__()
        self.setRange(low, high)
        self.setValue(value)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.lineEdit().setTextMargins(_NUMBER_PAD, 0, 0, 0)

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()


_MORE_PX = 8


class Stepper(QWidget):
    """A whole number from 0 to `most`, with buttons and arrow keys; `changed` with each one."""

    changed = Signal(int)

    def __init__(self, name: str, value: int, most: int) -> None:
        super().__init__()
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
        line = hbox(on=self, gap=metrics.gap)
        for button in (self.less, self.more):
            button.setAutoRepeat(True)
            button.setMinimumHeight(side)
            button.setFixedWidth(side)
        fill(line, self.less, (self.edit, 1), self.more)
        self.setFocusProxy(self.edit)

    @property
    def value(self) -> int:
        return int(self.edit.text() or 0)

    def set_value(self, value: int) -> None:
        """Set the number, limited to the range."""
        self.edit.setText(str(max(0, min(value, self._most))))

    def set_most(self, most: int) -> None:
        """Set the upper limit; reduce a number above it."""
        self._most = most
        self._range.setTop(most)
        if self.value > most:
            self.set_value(most)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = {Qt.Key.Key_Up: 1, Qt.Key.Key_Down: -1}.get(Qt.Key(event.key()))
        if step is None:
            super().keyPressEvent(event)
        else:
            self.set_value(self.value + step)


class SearchField(QLineEdit):
    """`searched` on each edit, to filter a list; `submitted` on Enter or a scan, to open a
    match."""

    searched = Signal(str)
    submitted = Signal(str)

    def __init__(self, hint: str) -> None:
        super().__init__()
        self.setPlaceholderText(hint)
        self.setAccessibleName(hint)
        self.setClearButtonEnabled(True)
        self.setMaxLength(200)
        self.textChanged.connect(self.searched)

    def take_scan(self, code: str) -> None:
        self.setText(code)
        self.submitted.emit(code)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter submits; Esc first clears the field, then drops the focus."""
        if event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            self.submitted.emit(self.text().strip())
        elif event.key() == Qt.Key.Key_Escape:
            if self.text():
                self.clear()
            else:
                self.clearFocus()
        else:
            super().keyPressEvent(event)
