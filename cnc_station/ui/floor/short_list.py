"""A card with as many entries of a list as there is room for."""

from collections.abc import Mapping
from functools import partial

from PySide6.QtCore import QEvent, QSize, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from cnc_station.ui.floor.side_row import RowWords, SideRow, row_height
from cnc_station.ui.theme import Ink, Role
from cnc_station.ui.widgets.card import Card
from cnc_station.ui.widgets.text import Text


class _Rows(QWidget):
    """The rows themselves: whole ones only, the first of the list that fit."""

    def __init__(self, least: int) -> None:
        super().__init__()
        self._least = least
        self.rows: dict[str, SideRow] = {}
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)

    def sizeHint(self) -> QSize:
        return QSize(180, len(self.rows) * row_height())

    def minimumSizeHint(self) -> QSize:
        return QSize(100, min(self._least, len(self.rows)) * row_height())

    def place(self) -> None:
        height, room = row_height(), self.height()
        for place, row in enumerate(self.rows.values()):
            row.setGeometry(0, place * height, self.width(), height)
            row.setVisible((place + 1) * height <= room)
            row.set_last(last=place == len(self.rows) - 1 or (place + 2) * height > room)

    def resizeEvent(self, event: QResizeEvent) -> None:
        self.place()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange:
            self.updateGeometry()
            self.place()


class ShortList(Card):
    """Entries by key; `chosen` and `remedied` carry the key. Rows keep their place by key.

    `least` rows are shown however little room there is; what does not fit is left out.
    """

    chosen = Signal(str)
    remedied = Signal(str)

    def __init__(self, title: str, nothing: str, least: int) -> None:
        super().__init__(title=title)
        self.body.setSpacing(2)
        self._rows = _Rows(least)
        self._nothing = Text(nothing, Role.NOTE, Ink.MUTED)
        self._nothing.setWordWrap(True)
        self.body.addWidget(self._nothing)
        self.body.addWidget(self._rows, 1)

    @property
    def rows(self) -> Mapping[str, SideRow]:
        """The rows by key, in their order."""
        return self._rows.rows

    def set_note(self, note: str) -> None:
        """The figure beside the title."""
        if note != self.note.text():
            self.note.setText(note)

    def set_rows(self, wanted: Mapping[str, RowWords]) -> None:
        """Shows these in this order; a row whose key stays is changed in place."""
        rows = self._rows.rows
        moved = list(rows) != list(wanted)
        for gone in [key for key in rows if key not in wanted]:
            row = rows.pop(gone)
            row.hide()
            row.deleteLater()
        for key, words in wanted.items():
            if key in rows:
                rows[key].set_words(words)
            else:
                rows[key] = SideRow(words, partial(self._remedy, key), self._rows)
                rows[key].clicked.connect(partial(self._choose, key))
        if moved:
            self._rows.rows = {key: rows[key] for key in wanted}
            self._nothing.setVisible(not wanted)
            self._rows.updateGeometry()
            self._rows.place()

    def _choose(self, key: str) -> None:
        self.chosen.emit(key)

    def _remedy(self, key: str) -> None:
        self.remedied.emit(key)
