"""The one question of a new shop: how this PC works, and who works at it."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLineEdit, QWidget

from cnc_station.engine.queries import AboutStation, ListLinks
from cnc_station.ui.first_run.choice import Choice
from cnc_station.ui.link_text import STANDALONE
from cnc_station.ui.page_context import PageContext
from cnc_station.ui.widgets.card import scrolling
from cnc_station.ui.widgets.fields import Field
from cnc_station.ui.widgets.layout import STRETCH, vbox
from cnc_station.ui.widgets.text import Note

_LONGEST_NAME = 60


class Question(QWidget):
    """`own`: this PC as it is set up, `fleet`: it is to join one, `demo`: look around first."""

    own = Signal()
    fleet = Signal()
    demo = Signal()

    def __init__(self, context: PageContext) -> None:
        super().__init__()
        self._about = context.door.peek(AboutStation())
        alone = any(link.state == STANDALONE for link in context.door.peek(ListLinks()))
        self.operator = QLineEdit(context.door.operator)
        self.operator.setMaxLength(_LONGEST_NAME)
        self.own_choice = self._own(alone=alone)
        self.fleet_choice = Choice(
            "monitor",
            self.tr("Join a fleet"),
            self.tr("Several PCs with one queue, on a PostgreSQL server of the shop."),
            clicked=self.fleet,
        )
        self.demo_choice = Choice(
            "play",
            self.tr("Look around: the demo day"),
            self.tr("Nine simulated machines with a day's work. Nothing of it is kept."),
            clicked=self.demo,
        )
        self.fleet_choice.setVisible(alone)
        hint = self.tr("Recorded in the history with everything done here.")
        name = Field(self.tr("Who works at this window?"), self.operator, hint=hint)
        inner = QWidget()
        choices = (self.own_choice, self.fleet_choice, 6, self.demo_choice)
        where = Note(self._where(alone=alone))
        vbox(where, *choices, 8, name, STRETCH, on=inner, gap=8)
        vbox(scrolling(inner, right=4), on=self)

    def arrived(self) -> None:
        self.own_choice.setFocus()

    def _own(self, *, alone: bool) -> Choice:
        words = (
            self.tr("Its jobs, programs and history stay on this PC.")
            if alone
            else self.tr("Looks for the machines that are connected to it.")
        )
        title = self.tr("This PC alone") if alone else self.tr("Add the machines of this PC")
        return Choice("factory", title, words, clicked=self.own)

    def _where(self, *, alone: bool) -> str:
        if alone:
            words = self.tr("How will this PC work? Alone, it stores everything in {place}.")
        else:
            words = self.tr(
                "This PC is the station {station} of a fleet, which stores everything in {place}."
            )
        return words.format(station=self._about.station, place=self._about.database)
