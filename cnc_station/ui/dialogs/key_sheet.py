"""The sheet of all keys."""

from collections.abc import Iterable

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QGridLayout, QScrollArea, QWidget

from cnc_station.ui.dialogs.dialog import Dialog
from cnc_station.ui.theme import Ink, Role
from cnc_station.ui.widgets.buttons import Button
from cnc_station.ui.widgets.layout import vbox
from cnc_station.ui.widgets.literal import from_caption
from cnc_station.ui.widgets.text import Text


class KeySheet(Dialog):
    """Lists every action that has a key, in this order; open it with `open()`."""

    def __init__(self, actions: Iterable[QAction], parent: QWidget | None = None) -> None:
        super().__init__(self.tr("Keys"), parent)
        self.setMinimumSize(420, 420)
        sheet = QWidget()
        sheet.setProperty("part", "page")
        grid = QGridLayout(sheet)
        grid.setColumnStretch(1, 1)
        grid.setHorizontalSpacing(16)
        grid.setVerticalSpacing(8)
        self.rows: list[tuple[str, str]] = []
        for action in actions:
            keys = ", ".join(_shown(sequence) for sequence in action.shortcuts())
            if not keys:
                continue
            words = from_caption(action.text())
            self.rows.append((keys, words))
            row = grid.rowCount()
            grid.addWidget(Text(keys, Role.STRONG), row, 0)
            grid.addWidget(Text(words, Role.BODY, Ink.MUTED), row, 1)
        grid.setRowStretch(grid.rowCount(), 1)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setWidget(sheet)
        close = Button(self.tr("Close"), clicked=self.accept)
        title = Text(self.tr("Keys"), Role.PAGE_TITLE)
        vbox(title, (area, 1), (close, 0, Qt.AlignmentFlag.AlignRight), on=self, margins=None)


def _shown(sequence: QKeySequence) -> str:
    return sequence.toString(QKeySequence.SequenceFormat.NativeText)
