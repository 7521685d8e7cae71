"""Step 1: look for controllers, at this PC or at a typed address."""

import asyncio
from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QLineEdit, QVBoxLayout, QWidget

from cnc_station.engine.domain.errors import CncStationError, InvalidInput
from cnc_station.engine.queries import FindControllers
from cnc_station.engine.views import FoundController
from cnc_station.ui.drivers import Drivers
from cnc_station.ui.first_run.choice import Choice
from cnc_station.ui.page_context import PageContext
from cnc_station.ui.widgets.buttons import Button
from cnc_station.ui.widgets.card import scrolling
from cnc_station.ui.widgets.fields import Field
from cnc_station.ui.widgets.layout import STRETCH, fill, hbox, vbox
from cnc_station.ui.widgets.text import Note

_MOST_ADDRESS = 200
_ICONS = {"linuxcnc": "monitor"}


class FindStep(QWidget):
    """Lists what was found. `chosen` carries a `FoundController`, or None for another control."""

    chosen = Signal(object)

    def __init__(self, context: PageContext) -> None:
        super().__init__()
        self._context = context
        self._titles = Drivers(context.door)
        self._task: asyncio.Task[None] | None = None
        self._found = ""
        self.choices: list[Choice] = []
        self.said = Note()
        inner = QWidget()
        inner.setProperty("part", "plain")
        self._list: QVBoxLayout = vbox(on=inner, gap=8)
        self.again = Button(self.tr("Look again"), clicked=self.look)
        self.other = Button(self.tr("Another control"), clicked=lambda: self.chosen.emit(None))
        self.address = QLineEdit()
        self.address.setMaxLength(_MOST_ADDRESS)
        self.address.setPlaceholderText("192.168.5.1:23")
        self.address.returnPressed.connect(self._look_there)
        self.there = Button(self.tr("Look there"), clicked=self._look_there)
        hint = self.tr("A network address, /dev/ttyUSB0 or COM3. Nothing is sent there yet.")
        self.field = Field(self.tr("Or type an address"), self.address, hint=hint)
        top = Qt.AlignmentFlag.AlignTop
        there = vbox(20, self.there, STRETCH, gap=0)
        vbox(
            self.said,
            (scrolling(inner, right=4), 1),
            hbox((self.field, 1, top), there, gap=8),
            hbox(self.again, self.other, STRETCH, gap=8),
            on=self,
            gap=10,
        )

    def arrived(self) -> None:
        """Look at this PC when the step is shown for the first time."""
        if self.choices:
            self.choices[0].setFocus()
        elif self._task is None:
            self.look()

    def look(self) -> None:
        """List the ports of this PC, and a LinuxCNC on it."""
        self._begin("")

    def _look_there(self) -> None:
        if address := self.address.text().strip():
            self._begin(address)
        else:
            self.field.set_error(self.tr("is missing"))

    def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            self._task = None

    def _begin(self, address: str) -> None:
        """The latest wish counts."""
        self.stop()
        self.field.set_error("")
        self.said.setText(self.tr("Looking…"))
        self._task = self._context.operations.run(self._look(address))

    async def _look(self, address: str) -> None:
        try:
            found = await self._context.door.ask(FindControllers(address))
        except InvalidInput as error:
            self.said.setText(self._found)
            self.field.set_error(error.errors[0].reason)
        except CncStationError as error:
            self.said.setText(str(error))
        else:
            self._show(found, address)
        self._task = None

    def _show(self, found: Sequence[FoundController], address: str = "") -> None:
        while item := self._list.takeAt(0):
            if widget := item.widget():
                widget.hide()
                widget.deleteLater()
        self.choices = [self._choice(one) for one in found]
        fill(self._list, *self.choices, STRETCH)
        self._found = self._summary(found, address)
        self.said.setText(self._found)
        if self.choices and (address or not self.address.text()):
            self.choices[0].setFocus()

    def _summary(self, found: Sequence[FoundController], address: str) -> str:
        if found:
            return self.tr("Choose the one your machine is connected to.")
        if address:
            words = self.tr("Nothing known answers at {address}. Add its port: {address}:23")
            return words.format(address=address)
        return self.tr(
            "No controller was found at this PC. Switch it on and plug in its cable, then look "
            "again; or type the address of one on the network."
        )

    def _choice(self, one: FoundController) -> Choice:
        notes = [f"{self._titles.title(one.driver)} · {one.address}."]
        if one.machine is not None:
            notes.append(self.tr("{name} uses it already.").format(name=one.machine))
        notes.append(one.note)
        icon = _ICONS.get(one.driver, "factory")
        choice = Choice(icon, one.title, " ".join(filter(None, notes)))
        choice.setEnabled(one.machine is None)
        choice.clicked.connect(lambda: self.chosen.emit(one))
        return choice
