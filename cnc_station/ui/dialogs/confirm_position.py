"""A machine's position was lost: a person checks its work zero and confirms it."""

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QWidget

from cnc_station.engine.commands import ActOnMachine
from cnc_station.engine.domain.actions import MachineAction
from cnc_station.engine.domain.notice import Notice
from cnc_station.engine.queries import ControllerStatus, ListMachines
from cnc_station.engine.views import MachineRow, Status
from cnc_station.ui import formatting
from cnc_station.ui.coalesced_task import CoalescedTask
from cnc_station.ui.dialogs.machine_dialog import MachineDialog
from cnc_station.ui.drivers import wants_position
from cnc_station.ui.page_context import PageContext
from cnc_station.ui.theme import Role, theme
from cnc_station.ui.widgets.facts import KeyValue
from cnc_station.ui.widgets.hold_button import HoldButton
from cnc_station.ui.widgets.layout import STRETCH, fill
from cnc_station.ui.widgets.text import Text

LIVE_MS = 250
_SIZE = (600, 400)
_SIZE_TOUCH = (740, 500)


class ConfirmPositionDialog(MachineDialog):
    """For `machine`. Closes by itself when the position is known again, by homing or by another
    confirmation."""

    def __init__(self, context: PageContext, machine: MachineRow, parent: QWidget | None) -> None:
        title = self.tr("{machine}: is its work zero right?").format(machine=machine.spec.name)
        about = self.tr("Nothing starts on it before somebody has looked.")
        super().__init__(context, title, about, parent)
        self._machine = machine
        self.facts = KeyValue()
        self.check = Text(
            self.tr(
                "Touch off, or check the work zero of G54 and of every other offset that your "
                "programs use, with the tool or an edge finder. What you confirm is recorded with "
                "your name."
            ),
            Role.BODY,
            wrap=True,
        )
        fill(self.body, self.facts, theme().metrics.gap, self.check, STRETCH)
        self.confirm = HoldButton(
            self.tr("Work zero is right: hold 2 s"), danger=False, held=self._confirm
        )
        self.offer(self.cancel_button())
        self.offer(self.confirm, stretch=1)
        self._refresh_machine = CoalescedTask(context.operations, self._query_machine, self)
        context.bridge.changed.connect(self._follow_machine)
        self._live = QTimer(self, interval=LIVE_MS)
        self._live.timeout.connect(self._show_facts)
        self._live.start()
        self._show_facts()
        self.fit(_SIZE, _SIZE_TOUCH)

    def _show_facts(self) -> None:
        position, now = self._machine.position, self._context.now()
        pairs = []
        if position is not None:
            why = formatting.sentence(position.position.reason)
            pairs.append((self.tr("What happened"), why))
            pairs.append((self.tr("Not known since"), formatting.moment(position.since, now)))
        status = self._context.door.peek(ControllerStatus(self._machine.id))
        pairs.append((self.tr("It shows now"), self._shown(status)))
        self.facts.set_pairs(pairs)

    def _shown(self, status: Status | None) -> str:
        if status is None:
            elsewhere = self.tr("look at station {station}, to which it is wired")
            return elsewhere.format(station=self._machine.station)
        at = formatting.position(status.x, status.y, status.z)
        return at or self.tr("no position")

    def _confirm(self) -> None:
        name = self._machine.spec.name
        confirm = ActOnMachine(MachineAction.CONFIRM_POSITION, self._machine.id)
        done = self.tr("{machine}: work zero confirmed").format(machine=name)
        self.ask(self._context.door.execute(confirm), done)

    def _follow_machine(self, notice: Notice) -> None:
        if self._machine.id in notice.machines or notice.missed:
            self._refresh_machine.request()

    async def _query_machine(self) -> None:
        machines = await self._context.door.ask(ListMachines())
        rows = [row for row in machines if row.id == self._machine.id]
        if self._over or self._doing:
            return
        if not any(map(wants_position, rows)):
            self.reject()
            return
        (self._machine,) = rows
        self._show_facts()

    def done(self, result: int) -> None:
        self._live.stop()
        super().done(result)
