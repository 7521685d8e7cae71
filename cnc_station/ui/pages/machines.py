"""The machines of the shop: what each is, takes and does, and the way to change that."""

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QTimer
from PySide6.QtGui import QAction, QHideEvent, QShowEvent
from PySide6.QtWidgets import QWidget

from cnc_station.engine.domain.actions import JobAction, MachineAction
from cnc_station.engine.domain.notice import ABOUT_STATIONS, Notice
from cnc_station.engine.views import MachineRow
from cnc_station.ui import formatting
from cnc_station.ui.at_machine import AtMachine
from cnc_station.ui.coalesced_task import CoalescedTask
from cnc_station.ui.dialogs.machine_form import MachineForm
from cnc_station.ui.dialogs.machine_log import MachineLogDialog
from cnc_station.ui.drivers import machine_look
from cnc_station.ui.models.row_list import ListColumn, RowList
from cnc_station.ui.page_context import PageContext
from cnc_station.ui.pages.machine_about import takes_in_short
from cnc_station.ui.pages.machine_detail import MachineDetail
from cnc_station.ui.theme import Ink, Role
from cnc_station.ui.widgets.buttons import Button
from cnc_station.ui.widgets.empty import EmptyState
from cnc_station.ui.widgets.list_panes import ListPanes
from cnc_station.ui.widgets.list_table import ListTable
from cnc_station.ui.widgets.state_look import StateLook
from cnc_station.ui.widgets.text import ElidedLabel

_LATEST = 100

_REST_MS = 60


class MachinesPage(QWidget):
    """A list of the machines, one of them in full."""

    def __init__(self, context: PageContext) -> None:
        super().__init__()
        self._context = context
        self._text = ""
        self._wanted: int | None = None
        self.at_machine = AtMachine(context, self)
        self.rows = RowList(self._columns(), lambda machine: machine.id, self)
        self.table = ListTable(self.rows, self.tr("Machines"))
        self.table.chosen.connect(self._chosen)
        self.table.opened.connect(lambda _: self.edit())
        self.detail = MachineDetail(context, self.at_machine.drivers)
        self.table.picked.connect(self.detail.picked)
        self._connect_detail()
        self._refresh = CoalescedTask(context.operations, self._load, self, interval_ms=_REST_MS)
        self._asking_events = CoalescedTask(context.operations, self._load_events, self)
        self._clock = QTimer(self, interval=1000)
        self._clock.timeout.connect(self.detail.clock_moved)
        context.bridge.changed.connect(self._follow)
        self._place()
        self._add_action(self.tr("Add a machine"), "A", self.add)
        self._add_action(self.tr("Edit the machine"), "E", self.edit)
        self._add_action(self.tr("Log of the machine"), "L", self.open_log)

    def _columns(self) -> tuple[ListColumn[MachineRow], ...]:
        return (
            ListColumn(self.tr("Machine"), lambda m: m.spec.name, 96, strong=True),
            ListColumn(
                self.tr("State"),
                lambda m: self._look_of(m).word,
                132,
                look=self._look_of,
            ),
            ListColumn(self.tr("Type"), lambda m: m.spec.machine_type, 66),
            ListColumn(self.tr("Model"), lambda m: m.spec.model or formatting.NONE, 132),
            ListColumn(self.tr("Runs"), lambda m: f"{m.runs_done:,}", 56, right=True),
            ListColumn(self.tr("Hours"), lambda m: f"{m.run_seconds / 3600:,.1f}", 66, right=True),
            ListColumn(self.tr("Station"), lambda m: m.station, 92),
            ListColumn(
                self.tr("Takes"),
                lambda m: takes_in_short(m.spec.capability, self.tr),
                ink=lambda _: Ink.MUTED,
            ),
        )

    def _look_of(self, machine: MachineRow) -> StateLook:
        return machine_look(machine, self.at_machine.drivers.abilities(machine.spec.driver))

    def _place(self) -> None:
        self.count = ElidedLabel(self.tr("Nothing read yet"), Role.STRONG)
        add = Button(self.tr("Add machine…"))
        add.clicked.connect(self.add)
        self.detail.setMinimumWidth(380)
        self.empty = self._empty()
        self.nothing_found = EmptyState(
            "search", self.tr("Nothing found"), self.tr("No machine matches the search.")
        )
        instead = (self.empty, self.nothing_found)
        self._panes = ListPanes(self, (self.count, add), self.table, self.detail, (2, 1), instead)

    def _empty(self) -> EmptyState:
        empty = EmptyState(
            "factory",
            self.tr("No machine yet"),
            self.tr("Jobs run on machines. Add the first of yours, or look around with the demo."),
            self.tr("Add your first machine"),
        )
        empty.step.connect(self.add)
        empty.offer(self.tr("Load the demo day"), self._context.ways.load_demo)
        return empty

    def _connect_detail(self) -> None:
        detail, buttons = self.detail, self.detail.buttons
        buttons.clear.connect(self._clear)
        buttons.unlock.connect(lambda: self._act(MachineAction.UNLOCK))
        buttons.reconnect.connect(self._reconnect)
        buttons.confirm_position.connect(self._confirm_position)
        buttons.set_up.connect(lambda: self._with_job(self.at_machine.set_up))
        buttons.finish.connect(lambda: self._with_job(self.at_machine.finish))
        for asked, action in (
            (buttons.hold, JobAction.HOLD),
            (buttons.go_on, JobAction.CONTINUE),
            (buttons.abort, JobAction.ABORT),
        ):
            asked.connect(partial(self._act_on_job, action))
        detail.about.maintenance.connect(
            lambda on: self._act(
                MachineAction.MAINTENANCE_ON if on else MachineAction.MAINTENANCE_OFF
            )
        )
        detail.about.remove.connect(lambda: self._act(MachineAction.REMOVE))
        detail.about.edit.connect(self.edit)
        detail.to_job.connect(lambda: self._with_job(self._context.ways.to_job))
        detail.to_log.connect(self.open_log)

    def _add_action(self, text: str, key: str, slot: object) -> None:
        action = QAction(text, self)
        action.setShortcut(key)
        action.triggered.connect(slot)
        self.addAction(action)

    # what is on view

    def arrived(self) -> None:
        """Looks again: much may have happened. The keys are for the list, not for a button."""
        self.table.setFocus()
        self.detail.buttons.opened()
        self._refresh.request()

    def search(self, text: str) -> None:
        """Shows only machines that match."""
        self._text = text
        self._refresh.request()

    def select(self, machine_id: int) -> None:
        """Chooses a machine, now or as soon as it is listed."""
        self._wanted = machine_id
        self._refresh.request()

    def _follow(self, notice: Notice) -> None:
        if self.isVisible() and (notice.machines or notice.tells_of(ABOUT_STATIONS)):
            self._refresh.request()

    async def _load(self) -> None:
        machines = await self._context.engine.machines()
        wanted = self._text.lower().split()
        found = [m for m in machines if all(word in _searched(m) for word in wanted)]
        self.rows.take(found)
        place = None if self._wanted is None else self.rows.position(self._wanted)
        self._wanted = None
        if place is not None:
            self.table.choose(place)
        elif found and self.table.current is None:
            self.table.choose(0)
        nothing = self.nothing_found if machines else self.empty
        self._panes.show_list(unless=None if found else nothing)
        self.count.setText(self.tr("{count} in this shop").format(count=len(found)))
        self._chosen(self.table.current)

    def _chosen(self, machine: MachineRow | None) -> None:
        if machine is not None:
            self.detail.show_machine(machine)
            self._asking_events.request()

    async def _load_events(self) -> None:
        machine = self.table.current
        if machine is None:
            return
        events = await self._context.engine.events(
            machine_id=machine.id, limit=_LATEST, newest=True
        )
        ids = {event.job_id for event in events if event.job_id is not None}
        if machine.job_id is not None:
            ids.add(machine.job_id)
        jobs = await self._context.engine.jobs_by_id(sorted(ids))
        current = self.table.current
        if current is not None and current.id == machine.id:
            self.detail.show_events(events, {job.id: job.title for job in jobs})

    def showEvent(self, event: QShowEvent) -> None:
        """Lets the clock run."""
        super().showEvent(event)
        self._clock.start()

    def hideEvent(self, event: QHideEvent) -> None:
        """Stops the clock: nobody looks."""
        super().hideEvent(event)
        self._clock.stop()

    # what can be done

    def _act(self, action: MachineAction) -> None:
        machine = self.table.current
        if machine is not None:
            self._context.operations.act_on_machine(action, machine.id)

    def _clear(self) -> None:
        machine = self.table.current
        if machine is not None:
            self.at_machine.clear(machine.id)

    def _confirm_position(self) -> None:
        machine = self.table.current
        if machine is not None:
            self.at_machine.confirm_position(machine.id)

    def _reconnect(self) -> None:
        machine = self.table.current
        if machine is not None:
            self._context.operations.reconnect(machine.id, machine.spec.name)

    def add(self) -> MachineForm:
        """Opens the form for a new machine."""
        return self._open(None)

    def edit(self) -> MachineForm | None:
        """Opens the form of the machine chosen."""
        machine = self.table.current
        return None if machine is None else self._open(machine)

    def _open(self, machine: MachineRow | None) -> MachineForm:
        form = MachineForm(self._context, self, machine)
        form.open()
        return form

    def _with_job(self, do: Callable[[int], None]) -> None:
        machine = self.table.current
        if machine is not None and machine.job_id is not None:
            do(machine.job_id)

    def _act_on_job(self, action: JobAction) -> None:
        self._with_job(lambda job_id: self._context.operations.act(action, [job_id]))

    def open_log(self) -> MachineLogDialog | None:
        """Opens what went over the wire of the machine chosen."""
        machine = self.table.current
        if machine is None:
            return None
        station = self._context.engine.about().station
        log = MachineLogDialog(self._context, machine, station, self)
        log.show()
        return log


def _searched(machine: MachineRow) -> str:
    spec = machine.spec
    return f"{spec.name} {spec.machine_type} {spec.model} {machine.station}".lower()
