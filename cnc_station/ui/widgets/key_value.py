"""Names and values under each other, for reading."""

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QWidget

from cnc_station.ui.theme import Ink, Role
from cnc_station.ui.widgets.text import Text


class KeyValue(QWidget):
    """Pairs in two columns; values wrap and can be selected and copied."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(16)
        self._grid.setVerticalSpacing(6)
        self._grid.setColumnStretch(1, 1)
        self._values: list[tuple[Text, Text]] = []

    def set_pairs(self, pairs: Sequence[tuple[str, str]]) -> None:
        """Shows these pairs; rows are kept where there are as many as before."""
        while len(self._values) < len(pairs):
            self._add()
        for place, (name, value) in enumerate(self._values):
            there = place < len(pairs)
            name.setVisible(there)
            value.setVisible(there)
            if there:
                name.setText(pairs[place][0])
                value.setText(pairs[place][1])
                value.setAccessibleName(": ".join(pairs[place]))

    def pairs(self) -> dict[str, str]:
        """What is shown."""
        return {name.text(): value.text() for name, value in self._values if name.isVisibleTo(self)}

    def _add(self) -> None:
        name, value = Text("", Role.NOTE, Ink.MUTED), Text("", Role.NOTE)
        value.setWordWrap(True)
        value.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        row = len(self._values)
        self._grid.addWidget(name, row, 0, Qt.AlignmentFlag.AlignTop)
        self._grid.addWidget(value, row, 1)
        self._values.append((name, value))
