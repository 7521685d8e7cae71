"""The bar above every page: where one is, search, connections, the time, a new job."""

from collections.abc import Sequence

from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout

from cnc_station.ui.theme import Ink, Role, theme
from cnc_station.ui.widgets.buttons import PrimaryButton
from cnc_station.ui.widgets.dots import Connection, ConnectionDots
from cnc_station.ui.widgets.search import SearchField
from cnc_station.ui.widgets.text import ElidedLabel, Text


class TopBar(QFrame):
    """Places its parts and nothing else; `search` and `new_job` are for the window to connect."""

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("part", "top")
        self.title = Text("", Role.PAGE_TITLE)
        self.search = SearchField(self.tr("Scan or search a job, machine or operator  ·  /"))
        self.search.setMinimumWidth(200)
        self.search.setMaximumWidth(380)
        self.dots = ConnectionDots()
        self.clock = ElidedLabel("", Role.NOTE, Ink.MUTED)
        self.new_job = PrimaryButton(self.tr("New job"))
        box = QHBoxLayout(self)
        box.setContentsMargins(16, 0, 16, 0)
        box.setSpacing(14)
        box.addWidget(self.title)
        box.addWidget(self.search, 4)
        box.addWidget(self.dots)
        box.addStretch(1)
        box.addWidget(self.clock)
        box.addWidget(self.new_job)
        self.setFixedHeight(theme().metrics.top_bar)

    def set_connections(self, connections: Sequence[Connection]) -> None:
        """Shows the state of what the station leans on."""
        self.dots.set_connections(connections)

    def changeEvent(self, event: QEvent) -> None:
        """Takes the height of the new density."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange:
            self.setFixedHeight(theme().metrics.top_bar)
