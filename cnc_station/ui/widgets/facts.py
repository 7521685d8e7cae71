"""Read-only facts: names with their values, and the technical details behind a sentence."""

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QWidget

from cnc_station.ui.theme import Ink, Role
from cnc_station.ui.widgets.buttons import Button
from cnc_station.ui.widgets.layout import vbox
from cnc_station.ui.widgets.literal import plain
from cnc_station.ui.widgets.text import Text


class KeyValue(QWidget):
    """Pairs in two columns; values wrap and can be selected and copied."""

    def __init__(self) -> None:
        super().__init__()
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(16)
        self._grid.setVerticalSpacing(6)
        self._grid.setColumnStretch(1, 1)
        self._values: list[tuple[Text, Text]] = []

    def set_pairs(self, pairs: Sequence[tuple[str, str]]) -> None:
        while len(self._values) < len(pairs):
            self._add_row()
        for place, (name, value) in enumerate(self._values):
            there = place < len(pairs)
            name.setVisible(there)
            value.setVisible(there)
            if there:
                name.setText(pairs[place][0])
                value.setText(pairs[place][1])
                value.setAccessibleName(": ".join(pairs[place]))

    def pairs(self) -> dict[str, str]:
        return {name.text(): value.text() for name, value in self._values if name.isVisibleTo(self)}

    def _add_row(self) -> None:
        name = Text("", Role.NOTE, Ink.MUTED)
        value = Text("", Role.NOTE, wrap=True, selectable=True)
        row = len(self._values)
        self._grid.addWidget(name, row, 0, Qt.AlignmentFlag.AlignTop)
        self._grid.addWidget(value, row, 1)
        self._values.append((name, value))


class Details(QWidget):
    """A button that reveals text to select and copy (`opened`); hidden if there is no text."""

    opened = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.button = Button(self.tr("Details"), quiet=True, clicked=self._open)
        self.words = Text("", Role.NOTE, Ink.MUTED, wrap=True, selectable=True)
        vbox((self.button, 0, Qt.AlignmentFlag.AlignLeft), self.words, on=self)
        self.set_words("")

    def set_words(self, words: str) -> None:
        """Set the text; another text is hidden behind the button again."""
        if plain(words) == self.words.text() and self.isHidden() is not bool(words):
            return
        self.words.setText(words)
        self.words.hide()
        self.button.show()
        self.setVisible(bool(words))

    def _open(self) -> None:
        self.button.hide()
        self.words.show()
        self.opened.emit()
