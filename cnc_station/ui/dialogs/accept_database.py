"""The database was moved or copied: a person agrees that its machines are run from here."""

from collections.abc import Sequence

from PySide6.QtWidgets import QWidget

from cnc_station.engine.commands import AcceptDatabase
from cnc_station.engine.views import MachineRow
from cnc_station.ui.dialogs.machine_dialog import MachineDialog
from cnc_station.ui.page_context import PageContext
from cnc_station.ui.theme import Role
from cnc_station.ui.widgets.hold_button import HoldButton
from cnc_station.ui.widgets.layout import STRETCH, fill
from cnc_station.ui.widgets.text import Text

_SIZE = (600, 340)
_SIZE_TOUCH = (740, 440)


class AcceptDatabaseDialog(MachineDialog):
    """For the `held` machines."""

    def __init__(
        self, context: PageContext, held: Sequence[MachineRow], parent: QWidget | None
    ) -> None:
        title = self.tr("Are these machines run from this computer now?")
        about = self.tr(
            "The database was moved or copied. Its real machines are in maintenance and not "
            "connected, because another computer may still run them."
        )
        super().__init__(context, title, about, parent)
        names = ", ".join(machine.spec.name for machine in held)
        self.machines = Text(names, Role.BODY, wrap=True)
        self.check = Text(
            self.tr(
                "Agree only if no other computer runs them: close CNC Station there first, and "
                "look what lies on each machine. Jobs start on them at once. Your name is recorded."
            ),
            Role.BODY,
            wrap=True,
        )
        fill(self.body, self.machines, self.check, STRETCH)
        self.agree = HoldButton(
            self.tr("Run them from here: hold 2 s"), danger=False, held=self._agree
        )
        self.offer(self.cancel_button())
        self.offer(self.agree, stretch=1)
        self.fit(_SIZE, _SIZE_TOUCH)

    def _agree(self) -> None:
        done = self.tr("The machines are run from this computer")
        self.ask(self._context.door.execute(AcceptDatabase()), done)
