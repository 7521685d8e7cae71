"""The first start: the operator's name, and the demo day or a first machine."""

import contextlib

from PySide6.QtWidgets import QLineEdit, QWidget

from cnc_station.engine.commands import SaveSettings
from cnc_station.engine.domain.errors import InvalidInput
from cnc_station.engine.queries import AboutStation, ListLinks, ListMachines, StoredSettings
from cnc_station.ui.dialogs.dialog import Dialog
from cnc_station.ui.dialogs.machine_form import MachineForm
from cnc_station.ui.link_text import STANDALONE
from cnc_station.ui.page_context import OPERATOR, WELCOMED, PageContext
from cnc_station.ui.theme import Role
from cnc_station.ui.widgets.buttons import Button, PrimaryButton
from cnc_station.ui.widgets.fields import Field
from cnc_station.ui.widgets.layout import vbox
from cnc_station.ui.widgets.text import Note, Text

_WIDTH = 480
_LONGEST_NAME = 60


async def welcome(context: PageContext, parent: QWidget) -> "FirstStart | None":
    """Open the dialog if nothing is configured and it was never shown."""
    settings = await context.door.ask(StoredSettings())
    if settings.get(WELCOMED) or await context.door.ask(ListMachines()):
        return None
    dialog = FirstStart(context, parent)
    dialog.open()
    return dialog


class FirstStart(Dialog):
    """Asks for the name that the history shows, once; each way to begin is one tap."""

    def __init__(self, context: PageContext, parent: QWidget) -> None:
        super().__init__(self.tr("Welcome"), parent)
        self.setMinimumWidth(_WIDTH)
        self._context = context
        self.operator = QLineEdit(context.door.operator)
        self.operator.setMaxLength(_LONGEST_NAME)
        self.demo = PrimaryButton(self.tr("Load the demo day"), clicked=self._begin_with_demo)
        self.own = Button(self.tr("Add your machines"), clicked=self._begin_with_own)
        self.fleet = Button(self.tr("Join a fleet"), clicked=self._begin_in_a_fleet)
        self.finished.connect(self._remember)
        alone = any(link.state == STANDALONE for link in context.door.peek(ListLinks()))
        several = Note(self.tr("Several PCs with one queue, on a PostgreSQL server of the shop."))
        hint = self.tr("Recorded in the history with everything done here.")
        vbox(
            Text(self.tr("Welcome to CNC Station"), Role.PAGE_TITLE),
            Note(self._where(alone=alone)),
            8,
            Field(self.tr("Who works at this window?"), self.operator, hint=hint),
            12,
            self.demo,
            Note(self.tr("Nine simulated machines and a day's work for them, to look around.")),
            8,
            self.own,
            Note(self.tr("Then drop programs on the window, or a table of jobs.")),
            8,
            self.fleet,
            several,
            on=self,
            gap=8,
            margins=(24, 20, 24, 20),
        )
        self.fleet.setVisible(alone)
        several.setVisible(alone)
        self.demo.setFocus()

    def _where(self, *, alone: bool) -> str:
        about = self._context.door.peek(AboutStation())
        if alone:
            words = self.tr("This PC works alone and stores everything in {place}.")
        else:
            words = self.tr(
                "This PC is the station {station} of a fleet, which stores everything in {place}."
            )
        return words.format(station=about.station, place=about.database)

    def _begin_with_demo(self) -> None:
        self.accept()
        self._context.navigator.load_demo()

    def _begin_with_own(self) -> None:
        parent = self.parentWidget()
        self.accept()
        self._context.navigator.to_page("machines")
        MachineForm(self._context, parent).open()

    def _begin_in_a_fleet(self) -> None:
        self.accept()
        self._context.navigator.to_page("stations")

    def _remember(self) -> None:
        """Use the name from now on and never show the dialog again."""
        operations = self._context.operations
        values: dict[str, object] = {WELCOMED: True}
        name = self.operator.text().strip()
        if name != self._context.door.operator:
            with contextlib.suppress(InvalidInput):  # the settings say what is wrong with a name
                self._context.door.rename_operator(name)
                values[OPERATOR] = self._context.door.operator
        operations.run(self._context.door.execute(SaveSettings(values)))
