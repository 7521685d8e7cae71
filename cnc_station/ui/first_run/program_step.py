"""Step 3: the first program, dropped or chosen."""

from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QFileDialog, QFrame, QWidget

from cnc_station.ui.file_dialogs import file_dialogs
from cnc_station.ui.theme import Ink, Role, theme
from cnc_station.ui.widgets.buttons import PrimaryButton
from cnc_station.ui.widgets.layout import STRETCH, vbox
from cnc_station.ui.widgets.text import Text

_ICON = 40


class ProgramStep(QWidget):
    """Takes files: `dropped` carries a list of paths."""

    dropped = Signal(list)

    def __init__(self) -> None:
        super().__init__()
        self.setAcceptDrops(True)
        self._picture = Text()
        self.choose = PrimaryButton(self.tr("Choose a program…"), clicked=self._choose)
        centre = Qt.AlignmentFlag.AlignHCenter
        words = Text(
            self.tr("Its form opens then: say how many parts, and the job waits at the machine."),
            Role.BODY,
            Ink.MUTED,
            wrap=True,
        )
        words.setAlignment(centre)
        place = QFrame()
        place.setProperty("part", "sunken")
        title = Text(self.tr("Drop an NC program here"), Role.CARD_TITLE)
        vbox(
            STRETCH,
            (self._picture, 0, centre),
            (title, 0, centre),
            words,
            8,
            (self.choose, 0, centre),
            STRETCH,
            on=place,
            gap=8,
            margins=20,
        )
        vbox((place, 1), on=self)
        self._draw()
        theme().changed.connect(self._draw)

    def _draw(self) -> None:
        ratio = self.devicePixelRatioF()
        self._picture.setPixmap(theme().pixmap("file", Ink.MUTED, _ICON, ratio))

    def arrived(self) -> None:
        self.choose.setFocus()

    def _choose(self) -> None:
        chooser = file_dialogs.make(self, self.tr("The first program"))
        chooser.setFileMode(QFileDialog.FileMode.ExistingFiles)
        chooser.filesSelected.connect(lambda names: self.dropped.emit([Path(n) for n in names]))
        chooser.open()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        files = [Path(u.toLocalFile()) for u in event.mimeData().urls() if u.isLocalFile()]
        event.acceptProposedAction()
        self.dropped.emit(files)
