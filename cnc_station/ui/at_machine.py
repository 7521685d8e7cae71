"""The dialogs for a person at a machine: query what each needs, then open it."""

from collections.abc import Coroutine
from typing import Any

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from cnc_station.engine.domain.states import LIVE_RUNS, MachineState
from cnc_station.engine.queries import (
    ControllerStatus,
    JobById,
    JobsById,
    ListEvents,
    ListMachines,
)
from cnc_station.engine.views import JobRow, MachineRow, RunRow
from cnc_station.ui.dialogs.accept_database import AcceptDatabaseDialog
from cnc_station.ui.dialogs.clearing import ClearingDialog
from cnc_station.ui.dialogs.confirm_position import ConfirmPositionDialog
from cnc_station.ui.dialogs.finish import FinishDialog
from cnc_station.ui.dialogs.machine_dialog import MachineDialog
from cnc_station.ui.dialogs.set_up import SetUpDialog
from cnc_station.ui.drivers import Drivers, wants_position
from cnc_station.ui.page_context import PageContext
from cnc_station.ui.set_up.content import of_job

_EVENTS = 60


class AtMachine(QObject):
    """Opens one dialog at a time; a second tap while it loads or is open does nothing."""

    def __init__(self, context: PageContext, window: QWidget) -> None:
        super().__init__(window)
        self._context = context
        self._window = window
        self._opening = False
        self.drivers = Drivers(context.door)
        self.dialog: MachineDialog | None = None

    def set_up(self, job_id: int) -> None:
        self._ask(self._set_up(job_id))

    def finish(self, job_id: int) -> None:
        self._ask(self._finish(job_id))

    def clear(self, machine_id: int) -> None:
        self._ask(self._clear(machine_id))

    def confirm_position(self, machine_id: int) -> None:
        self._ask(self._confirm_position(machine_id))

    def accept_database(self) -> None:
        self._ask(self._accept_database())

    def _ask(self, work: Coroutine[Any, Any, MachineDialog | None]) -> None:
        if self._opening or self.dialog is not None:
            work.close()
            return
        self._opening = True
        self._context.operations.run(self._open(work))

    async def _open(self, work: Coroutine[Any, Any, MachineDialog | None]) -> None:
        try:
            self.dialog = await work
        finally:
            self._opening = False
        if self.dialog is not None:
            self.dialog.finished.connect(self._closed)
            self.dialog.open()

    def _closed(self) -> None:
        self.dialog = None

    async def _set_up(self, job_id: int) -> MachineDialog | None:
        content = await of_job(self._context.door, job_id)
        if content is None or content.job is None or content.job.row.machine_id is None:
            return None
        machine = await self._machine(content.job.row.machine_id)
        if machine is None:
            return None
        watched = not self.drivers.abilities(machine.spec.driver).starts
        return SetUpDialog(self._context, content, machine, self._window, watched=watched)

    async def _finish(self, job_id: int) -> MachineDialog | None:
        job, machine = await self._job_at(job_id)
        if job is None or machine is None:
            return None
        status = self._context.door.peek(ControllerStatus(machine.id))
        return FinishDialog(self._context, job, machine, status, self._window)

    async def _clear(self, machine_id: int) -> MachineDialog | None:
        machine = await self._machine(machine_id)
        if machine is None or machine.state is not MachineState.NEEDS_CLEARING:
            return None
        job, run = await self._last_run(machine_id)
        return ClearingDialog(self._context, machine, job, run, self._window)

    async def _confirm_position(self, machine_id: int) -> MachineDialog | None:
        machine = await self._machine(machine_id)
        if machine is None or not wants_position(machine):
            return None
        return ConfirmPositionDialog(self._context, machine, self._window)

    async def _accept_database(self) -> MachineDialog | None:
        machines = await self._context.door.ask(ListMachines())
        held = [machine for machine in machines if machine.from_elsewhere]
        return AcceptDatabaseDialog(self._context, held, self._window) if held else None

    async def _job_at(self, job_id: int) -> tuple[JobRow | None, MachineRow | None]:
        rows = await self._context.door.ask(JobsById([job_id]))
        if not rows or rows[0].machine_id is None:
            return None, None
        return rows[0], await self._machine(rows[0].machine_id)

    async def _machine(self, machine_id: int) -> MachineRow | None:
        machines = await self._context.door.ask(ListMachines())
        return next((machine for machine in machines if machine.id == machine_id), None)

    async def _last_run(self, machine_id: int) -> tuple[JobRow | None, RunRow | None]:
        """The job and the ended run whose parts still lie on a machine."""
        door = self._context.door
        events = await door.ask(ListEvents(machine_id=machine_id, limit=_EVENTS, newest=True))
        job_id = next((e.job_id for e in reversed(events) if e.job_id is not None), None)
        job = await door.ask(JobById(job_id)) if job_id is not None else None
        if job is None:
            return None, None
        here = [run for run in job.runs if run.machine_id == machine_id]
        run = max(here, key=lambda run: run.attempt, default=None)
        if run is None or run.started_at is None or run.state in LIVE_RUNS:
            return None, None
        return job.row, run
