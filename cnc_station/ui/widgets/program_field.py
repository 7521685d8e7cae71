"""Chooses a kept program, or a file to keep."""

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QFileDialog, QHBoxLayout, QWidget

from cnc_station.engine.views import ProgramRow
from cnc_station.ui.formatting import duration
from cnc_station.ui.theme import theme
from cnc_station.ui.widgets.buttons import Button


class ProgramField(QWidget):
    """`value` is the SHA-256 of the program chosen; `picked(ProgramRow)` when a person chose one,
    `file_chosen(Path)` when a file is to be kept first."""

    picked = Signal(object)
    file_chosen = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._wanted: str | None = None
        self._rows: dict[str, ProgramRow] = {}
        self.combo = QComboBox()
        self.combo.setAccessibleName(self.tr("Program"))
        self.combo.setMinimumContentsLength(18)
        self.combo.activated.connect(self._activated)
        self.browse = Button(self.tr("File …"))
        self.browse.clicked.connect(self._browse)
        box = QHBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(theme().metrics.gap)
        box.addWidget(self.combo, 1)
        box.addWidget(self.browse)
        self.setFocusProxy(self.combo)
        self.offer(())

    @property
    def value(self) -> str | None:
        """The program chosen; None for none."""
        return self._wanted

    def set_value(self, sha256: str | None) -> None:
        """Chooses a program, even one that is not offered yet."""
        self._wanted = sha256
        if sha256 is not None and self.combo.findData(sha256) < 0:
            self.combo.addItem(f"{sha256[:12]} …", sha256)
        self.combo.setCurrentIndex(max(0, self.combo.findData(sha256)) if sha256 else 0)

    def offer(self, rows: Sequence[ProgramRow]) -> None:
        """Offers these programs; what was chosen stays chosen."""
        self._rows = {row.sha256: row for row in rows}
        self.combo.clear()
        self.combo.addItem(self.tr("None: runs its estimated time"), None)
        for row in rows:
            words = f"{row.name} r{row.revision} · {duration(row.duration_s)}"
            self.combo.addItem(words, row.sha256)
        self.set_value(self._wanted)

    def _activated(self, at: int) -> None:
        self._wanted = self.combo.itemData(at)
        if self._wanted in self._rows:
            self.picked.emit(self._rows[self._wanted])

    def _browse(self) -> None:
        chooser = QFileDialog(self.window(), self.tr("Choose an NC program"))
        chooser.setFileMode(QFileDialog.FileMode.ExistingFile)
        chooser.fileSelected.connect(lambda name: self.file_chosen.emit(Path(name)))
        chooser.finished.connect(chooser.deleteLater)
        chooser.open()
