"""What stands where jobs would be while there are none: how they come in."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from cnc_station.ui.theme import Ink, Role, theme
from cnc_station.ui.widgets.buttons import Button, PrimaryButton
from cnc_station.ui.widgets.text import Text


class FirstJobs(QWidget):
    """A sentence and the two ways in: import and a form."""

    import_wanted = Signal()
    form_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        words = Text(
            self.tr("No jobs yet. Drop NC programs or a table of jobs anywhere on this window."),
            Role.NOTE,
            Ink.MUTED,
        )
        words.setWordWrap(True)
        new = PrimaryButton(self.tr("New job"))
        new.clicked.connect(self.form_wanted)
        files = Button(self.tr("Import files …"))
        files.clicked.connect(self.import_wanted)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 8)
        box.setSpacing(theme().metrics.gap)
        box.addWidget(words)
        box.addWidget(new)
        box.addWidget(files)
