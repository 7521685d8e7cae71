"""The report of a crash, as it was saved."""

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from cnc_station import private_files
from cnc_station.ui.dialogs.dialog import Dialog
from cnc_station.ui.theme import Role
from cnc_station.ui.widgets.buttons import Button
from cnc_station.ui.widgets.code_view import CodeView
from cnc_station.ui.widgets.layout import vbox
from cnc_station.ui.widgets.text import Text

_SIZE = (760, 560)
_MOST_BYTES = 4_000_000


class CrashReportDialog(Dialog):
    """Open it with `open()`."""

    def __init__(self, report: Path, parent: QWidget | None = None) -> None:
        super().__init__(self.tr("Crash report"), parent)
        self.resize(*_SIZE)
        self.text = CodeView()
        self.text.setAccessibleName(self.tr("Report"))
        self.text.set_text(self._read(report))
        title = Text(self.tr("CNC Station crashed"), Role.PAGE_TITLE)
        advice = Text(
            self.tr(
                "To have it looked at, send the file that this command makes. It contains the "
                "report and the logs, and no passwords:  cnc-station doctor --bundle"
            ),
            Role.NOTE,
        )
        place = Text(self.tr("Saved as {path}").format(path=report), Role.NOTE)
        for words in (advice, place):
            words.setWordWrap(True)
            words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        close = Button(self.tr("Close"), clicked=self.accept)
        last = (close, 0, Qt.AlignmentFlag.AlignRight)
        vbox(title, advice, (self.text, 1), place, last, on=self, gap=12, margins=16)

    def _read(self, report: Path) -> str:
        try:
            content = private_files.read_regular(report, _MOST_BYTES)
        except OSError as error:
            return self.tr("The report can't be read: {why}").format(why=error.strerror or error)
        return (content or b"").decode("utf-8", "replace")
