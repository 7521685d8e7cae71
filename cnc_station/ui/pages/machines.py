"""The machines of the shop: what each is, takes and does, and the way to change that."""

from collections.abc import Callable, Sequence
from functools import partial

from PySide6.QtWidgets import QWidget

from cnc_station.engine.domain.actions import JobAction, MachineAction
from cnc_station.engine.domain.notice import ABOUT_STATIONS, Notice
from cnc_station.engine.domain.states import MachineState
from cnc_station.engine.queries import AboutStation, JobsById, ListEvents, ListMachines
from cnc_station.engine.views import MachineRow
from cnc_station.ui import formatting
from cnc_station.ui.at_machine import AtMachine
from cnc_station.ui.dialogs.machine_form import MachineForm
from cnc_station.ui.dialogs.machine_log import MachineLogDialog
from cnc_station.ui.drivers import machine_look
from cnc_station.ui.first_run.first_run import FIND, FirstRun
from cnc_station.ui.models.row_model import Column
from cnc_station.ui.page_context import PageContext
from cnc_station.ui.pages.list_page import ListPage
from cnc_station.ui.pages.machine_about import takes
from cnc_station.ui.pages.machine_detail import MachineDetail
from cnc_station.ui.theme import Ink
from cnc_station.ui.widgets.buttons import Button, add_key
from cnc_station.ui.widgets.empty import EmptyState
from cnc_station.ui.widgets.state_look import StateLook

_LATEST = 100
_REST_MS = 60


class MachinesPage(ListPage[MachineRow]):
    """A list of the machines, one of them in detail."""

    def __init__(self, context: PageContext) -> None:
        super().__init__(context, self.tr("Machines"), interval_ms=_REST_MS)
        self._machines: Sequence[MachineRow] = ()
        self.at_machine = AtMachine(context, self)
        self.detail = MachineDetail(context, self.at_machine.drivers)
        self.table.opened.connect(lambda _: self.edit())
        self.table.picked.connect(self.detail.picked)
        self._connect_detail()
        add = Button(self.tr("Add machine…"), clicked=self.add)
        no_match = self.tr("No machine matches the search.")
        self.lay_out(self.detail, (2, 1), self._no_machines(), no_match, add, least=380)
        add_key(self, self.tr("Add a machine"), "A", self.add)
        add_key(self, self.tr("Edit the machine"), "E", self.edit)
        add_key(self, self.tr("Log of the machine"), "L", self.open_log)

    def columns(self) -> Sequence[Column[MachineRow]]:
        return (
            Column(self.tr("Machine"), lambda m: m.spec.name, 96, strong=True),
            Column(self.tr("State"), lambda m: self._look_of(m).word, 132, look=self._look_of),
            Column(self.tr("Type"), lambda m: m.spec.machine_type, 66),
            Column(self.tr("Model"), lambda m: m.spec.model or formatting.NONE, 132),
            Column(self.tr("Runs"), lambda m: f"{m.runs_done:,}", 56, right=True),
            Column(self.tr("Hours"), lambda m: f"{m.run_seconds / 3600:,.1f}", 66, right=True),
            Column(self.tr("Station"), lambda m: m.station, 92),
            Column(
                self.tr("Takes"),
                lambda m: takes(m.spec.capability, self.tr, short=True),
                ink=lambda _: Ink.MUTED,
            ),
        )

    def _look_of(self, machine: MachineRow) -> StateLook:
        return machine_look(machine, self.at_machine.drivers.abilities(machine.spec.driver))

    def _no_machines(self) -> EmptyState:
        empty = EmptyState(
            "factory",
            self.tr("No machine yet"),
            self.tr("Jobs run on machines. Add the first of yours, or look around with the demo."),
            self.tr("Add your first machine"),
        )
        empty.step.connect(self.add)
        empty.offer(self.tr("Look for controllers"), self.look_for_controllers)
        empty.offer(self.tr("Load the demo day"), self._context.navigator.load_demo)
        return empty

    def look_for_controllers(self) -> FirstRun:
        """Open the first run where it looks for controllers."""
        dialog = FirstRun(self._context, self.window(), FIND)
        dialog.open()
        return dialog

    def _connect_detail(self) -> None:
        operations, at_machine = self._context.operations, self.at_machine
        detail, buttons, about = self.detail, self.detail.buttons, self.detail.about
        for button, on_machine in (
            (buttons.clear_button, at_machine.clear),
            (buttons.position_button, at_machine.confirm_position),
            (buttons.unlock_button, partial(operations.act_on_machine, MachineAction.UNLOCK)),
        ):
            button.clicked.connect(lambda _=False, do=on_machine: self._with_machine(do))
        for asks, on_job in (
            (buttons.set_up_button, at_machine.set_up),
            (buttons.finish_button, at_machine.finish),
            (buttons.hold_button, partial(self._act_on_job, JobAction.HOLD)),
            (buttons.go_on_button, partial(self._act_on_job, JobAction.CONTINUE)),
            (detail.job_button, self._context.navigator.to_job),
        ):
            asks.clicked.connect(lambda _=False, do=on_job: self._with_job(do))
        abort = partial(self._act_on_job, JobAction.ABORT)
        remove = partial(operations.act_on_machine, MachineAction.REMOVE)
        buttons.abort_button.held.connect(lambda: self._with_job(abort))
        about.remove_button.held.connect(lambda: self._with_machine(remove))
        buttons.reconnect_button.clicked.connect(self._reconnect)
        about.maintenance_button.clicked.connect(self._change_maintenance)
        about.edit_button.clicked.connect(self.edit)
        detail.log_button.clicked.connect(self.open_log)

    def arrived(self) -> None:
        super().arrived()
        self.detail.buttons.opened()

    def key_of(self, row: MachineRow) -> int:
        return row.id

    def follow(self, notice: Notice) -> None:
        if notice.machines or notice.tells_of(ABOUT_STATIONS):
            self._refresh.request()

    async def read(self) -> Sequence[MachineRow]:
        self._machines = await self._context.door.ask(ListMachines())
        wanted = self._text.lower().split()
        return [m for m in self._machines if all(word in _searched(m) for word in wanted)]

    def instead(self) -> QWidget | None:
        return super().instead() if self._machines else self.empty

    def summary(self) -> str:
        return self.tr("{count} in this shop").format(count=self.rows.total)

    def show_row(self, row: MachineRow) -> None:
        self.detail.show_machine(row)
        super().show_row(row)

    async def load_detail(self, row: MachineRow) -> None:
        latest = ListEvents(machine_id=row.id, limit=_LATEST, newest=True)
        events = await self._context.door.ask(latest)
        ids = {event.job_id for event in events if event.job_id is not None}
        if row.job_id is not None:
            ids.add(row.job_id)
        jobs = await self._context.door.ask(JobsById(sorted(ids)))
        if self.is_chosen(row):
            self.detail.show_events(events, {job.id: job.title for job in jobs})

    def tick(self) -> None:
        self.detail.clock_moved()

    def _with_machine(self, do: Callable[[int], object]) -> None:
        machine = self.table.current
        if machine is not None:
            do(machine.id)

    def _with_job(self, do: Callable[[int], object]) -> None:
        machine = self.table.current
        if machine is not None and machine.job_id is not None:
            do(machine.job_id)

    def _act_on_job(self, action: JobAction, job_id: int) -> None:
        self._context.operations.act(action, [job_id])

    def _change_maintenance(self) -> None:
        machine = self.detail.shown
        if machine is not None:
            over = machine.state is MachineState.MAINTENANCE
            action = MachineAction.MAINTENANCE_OFF if over else MachineAction.MAINTENANCE_ON
            self._context.operations.act_on_machine(action, machine.id)

    def _reconnect(self) -> None:
        machine = self.table.current
        if machine is not None:
            self._context.operations.reconnect(machine.id, machine.spec.name)

    def add(self) -> MachineForm:
        return self._open(None)

    def edit(self) -> MachineForm | None:
        machine = self.table.current
        return None if machine is None else self._open(machine)

    def _open(self, machine: MachineRow | None) -> MachineForm:
        form = MachineForm(self._context, self, machine)
        form.open()
        return form

    def open_log(self) -> MachineLogDialog | None:
        machine = self.table.current
        if machine is None:
            return None
        station = self._context.door.peek(AboutStation()).station
        log = MachineLogDialog(self._context, machine, station, self)
        log.show()
        return log


def _searched(machine: MachineRow) -> str:
    spec = machine.spec
    return f"{spec.name} {spec.machine_type} {spec.model} {machine.station}".lower()
