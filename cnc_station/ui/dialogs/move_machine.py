"""Move a machine to another station."""

from collections.abc import Coroutine, Sequence
from typing import Any

from PySide6.QtWidgets import QComboBox, QWidget

from cnc_station.engine.commands import MoveMachine
from cnc_station.engine.views import MachineRow, Presence
from cnc_station.ui.dialogs.form_dialog import FormDialog
from cnc_station.ui.page_context import PageContext
from cnc_station.ui.widgets.fields import Field

_SIZE = (460, 250)


class MoveMachineForm(FormDialog):
    """Moves `machine` to one of `stations`, the first by default. It closes once that station owns
    the machine. `own`: its present station is online and must release it."""

    def __init__(
        self,
        context: PageContext,
        parent: QWidget | None,
        machine: MachineRow,
        stations: Sequence[str],
        own: Presence,
    ) -> None:
        title = self.tr("Move {name} to another station").format(name=machine.spec.name)
        super().__init__(context.operations, title, self.tr("Move it"), parent)
        self._context = context
        self._machine = machine
        self.resize(*_SIZE)
        self.station = QComboBox()
        self.station.addItems(list(stations))
        hint = self._what_follows(own).format(station=machine.station)
        self.add("station", Field(self.tr("Station"), self.station, hint=hint), 0, 0)
        self.fill_below()

    def _what_follows(self, own: Presence) -> str:
        if own is Presence.SILENT:
            return self.tr(
                "{station} does not respond: make sure that it does not drive the machine any "
                "more. The other station connects to it."
            )
        if own is Presence.LEFT:
            return self.tr("{station} is closed, the other station connects to its controller.")
        return self.tr(
            "{station} disconnects from its controller, the other station connects to it."
        )

    def storing(self) -> Coroutine[Any, Any, None]:
        """The engine refuses a machine that has started work meanwhile."""
        return self._context.door.execute(MoveMachine(self._machine.id, self.station.currentText()))
