"""A card with as many entries of a list as there is room for."""

from collections.abc import Mapping

from PySide6.QtCore import QElapsedTimer, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from cnc_station.ui.floor.activity_row import RowText, SideRow, row_height
from cnc_station.ui.floor.machine_card import SAME_TAP_MS
from cnc_station.ui.theme import theme
from cnc_station.ui.widgets.card import Card
from cnc_station.ui.widgets.layout import fill
from cnc_station.ui.widgets.tap_guard import TapGuard
from cnc_station.ui.widgets.text import Note


class _Rows(QWidget):
    """Shows the first rows that fit, whole ones only."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: dict[str, SideRow] = {}
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Ignored)
        theme().changed.connect(self.place)

    def place(self) -> None:
        height, room = row_height(), self.height()
        for place, row in enumerate(self.rows.values()):
            row.setGeometry(0, place * height, self.width(), height)
            row.setVisible((place + 1) * height <= room)
            row.set_last(last=place == len(self.rows) - 1 or (place + 2) * height > room)

    def resizeEvent(self, event: QResizeEvent) -> None:
        self.place()


class CompactList(Card):
    """Entries by key; `chosen` and `remedied` carry the key. The owner sets its height from `wants`
    and `chrome`, again on `wants_changed`."""

    chosen = Signal(str)
    remedied = Signal(str)
    wants_changed = Signal()

    def __init__(self, title: str, nothing: str) -> None:
        super().__init__(title=title)
        self.body.setSpacing(2)
        self._rows = _Rows()
        self._guard = TapGuard(self._rows)
        self._remedied = ""
        self._remedied_ago = QElapsedTimer()
        self._nothing = Note(nothing)
        fill(self.body, self._nothing, (self._rows, 1))

    @property
    def wants(self) -> int:
        """How many rows it would show; the text for an empty list takes one."""
        return max(1, len(self._rows.rows))

    @property
    def chrome(self) -> int:
        """The height of the card without its rows, in px."""
        margins = self.body.contentsMargins()
        head = self.title.sizeHint().height() + 2 * self.body.spacing()
        return margins.top() + head + margins.bottom()

    @property
    def rows(self) -> Mapping[str, SideRow]:
        return self._rows.rows

    def set_nothing(self, words: str) -> None:
        if words != self._nothing.text():
            self._nothing.setText(words)

    def set_note(self, note: str) -> None:
        if note != self.note.text():
            self.note.setText(note)

    def set_rows(self, wanted: Mapping[str, RowText]) -> None:
        """Show these in this order; a row whose key stays is changed in place."""
        rows = self._rows.rows
        before = list(rows)
        spare = [rows.pop(key) for key in before if key not in wanted]
        for row in [row for row in spare if row.under_finger]:
            spare.remove(row)
            _drop(row)
        for key, words in wanted.items():
            if key not in rows:
                rows[key] = spare.pop() if spare else self._made(words)
            rows[key].set_words(words)
        for row in spare:
            _drop(row)
        if before != list(wanted):
            self._rows.rows = {key: rows[key] for key in wanted}
            self._nothing.setVisible(not wanted)
            self._rows.place()
            self.wants_changed.emit()
        self._guard_remedies(len(before))

    def _guard_remedies(self, before: int) -> None:
        """A tap may be meant for the entry that stood at this height a moment ago."""
        shown = list(self._rows.rows.items())
        for place in range(max(before, len(shown))):
            key, row = shown[place] if place < len(shown) else ("", None)
            if row is not None and row.remedy is not None and row.words.remedy:
                self._guard.show(place, (key, row.words.remedy), row.remedy)
            else:
                self._guard.show(place, None)

    def _made(self, words: RowText) -> SideRow:
        row = SideRow(words, self._rows)
        row.clicked.connect(lambda: self.chosen.emit(self._key_of(row)))
        row.remedied.connect(lambda: self._remedy(row))
        return row

    def _remedy(self, row: SideRow) -> None:
        key = self._key_of(row)
        if key == self._remedied and self._remedied_ago.elapsed() < SAME_TAP_MS:
            return
        self._remedied = key
        self._remedied_ago.start()
        self.remedied.emit(key)

    def _key_of(self, row: SideRow) -> str:
        """Rows are reused for other entries: look the key up at the tap."""
        return next(key for key, shown in self._rows.rows.items() if shown is row)


def _drop(row: SideRow) -> None:
    row.blockSignals(True)
    row.hide()
    row.deleteLater()
