"""The commands for selected jobs: one list for the bar, the menus and the panel."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QMenu, QWidget

from cnc_station.engine.commands import DuplicateJob
from cnc_station.engine.domain.actions import JobAction, allowed
from cnc_station.engine.domain.job import PRIORITIES
from cnc_station.engine.domain.machine import MachineSpec
from cnc_station.engine.domain.states import LIVE_JOBS, JobState
from cnc_station.engine.views import JobRow
from cnc_station.ui.at_machine import AtMachine
from cnc_station.ui.dialogs.when import fill_delays
from cnc_station.ui.page_context import PageContext
from cnc_station.ui.widgets.literal import caption

A = JobAction


@dataclass(frozen=True, slots=True)
class Command:
    """One command: `run` does it, or `fill` fills a submenu first. `loses` marks what ends a job,
    `aside` what is rarely wanted."""

    key: str
    words: str
    run: Callable[[], object] | None = None
    fill: Callable[[QMenu], None] | None = None
    loses: bool = False
    aside: bool = False


# Only the machine's station can do these.
_AT_MACHINES = frozenset({A.START, A.FINISH, A.HOLD, A.CONTINUE, A.ABORT, A.DEFER})


class JobCommands(QObject):
    """Finds the commands that jobs have in common and runs them."""

    form_wanted = Signal(int, str)  # job id; "edit", "duplicate" or "retry" (edit, then retry)

    def __init__(self, context: PageContext, window: QWidget) -> None:
        super().__init__(window)
        self._context = context
        self._window = window
        self.at_machine = AtMachine(context, window)
        self.machines: Mapping[int, MachineSpec] = {}
        """The machines to assign jobs to, by id; the owner keeps it current."""
        self.unattended: Mapping[int, str] = {}
        """Why some of them can't be operated: their stations are offline."""

    def of(self, rows: Sequence[JobRow]) -> list[Command]:
        """What can be done to all of these jobs, the most useful first."""
        if not rows:
            return []
        common = frozenset.intersection(*map(self._can, rows))
        ids = [row.id for row in rows]
        act = self._context.operations.act
        found = [
            Command(action.value, words, partial(act, action, ids), loses=loses)
            for action, words, loses in (
                (A.HOLD, self.tr("Hold"), False),
                (A.CONTINUE, self.tr("Continue"), False),
                (A.SUBMIT, self.tr("Submit"), False),
                (A.RETRY, self._retry_words(rows), False),
                (A.SCRAP, self.tr("Scrap, make another"), False),
                (A.ACCEPT, self.tr("It is complete"), False),
                (A.RESUME, self.tr("Resume"), False),
                (A.RUN_NOW, self.tr("Run now"), False),
                (A.PAUSE, self.tr("Pause"), False),
            )
            if action in common
        ]
        found += self._with_menus(common, rows)
        found += [
            Command(action.value, words, partial(act, action, ids), loses=True)
            for action, words in (
                (A.DISCARD, self.tr("Discard")),
                (A.CANCEL, self.tr("Cancel")),
                (A.DELETE, self.tr("Delete")),
            )
            if action in common and not (action is A.CANCEL and A.DISCARD in common)
        ]
        return found

    def _can(self, row: JobRow) -> frozenset[JobAction]:
        """What the job's state allows and its machine can do."""
        can = allowed(row.state)
        machine = self.machines.get(row.machine_id or 0)
        if machine is not None and row.state in LIVE_JOBS:
            of_driver = self.at_machine.drivers.abilities(machine.driver)
            can -= frozenset() if of_driver.holds else {A.HOLD}
            can -= frozenset() if of_driver.goes_on else {A.CONTINUE}
            can -= frozenset() if of_driver.aborts else {A.ABORT}
        if row.machine_id is None and row.state in LIVE_JOBS:  # a handler can only be aborted
            can -= {A.HOLD, A.CONTINUE}
        if self.why_not(row):
            can -= _AT_MACHINES
        return can if A.ACCEPT in can else can - {A.SCRAP}

    def why_not(self, row: JobRow) -> str:
        """Why the machine of a job can't be operated; "" if it can."""
        return self.unattended.get(row.machine_id or 0, "") if row.state in LIVE_JOBS else ""

    def can_abort(self, row: JobRow) -> bool:
        """Whether its run can be aborted from here."""
        return A.ABORT in self._can(row)

    def _at_machine(self, row: JobRow) -> list[Command]:
        """What a person at the machine reports."""
        machine = self.machines.get(row.machine_id or 0)
        if machine is None or self.why_not(row):
            return []
        watched = not self.at_machine.drivers.abilities(machine.driver).starts
        if row.state is JobState.ASSIGNED and (watched or machine.operator_starts):
            run = partial(self.at_machine.set_up, row.id)
            return [Command(A.START, self.tr("Set up…"), run)]
        if row.state in {JobState.RUNNING, JobState.HELD} and watched:
            return [Command(A.FINISH, self.tr("Done…"), partial(self.at_machine.finish, row.id))]
        return []

    def of_one(self, row: JobRow) -> list[Command]:
        """What can be done to one job: as for many, and editing and reporting at its machine."""
        found = self._at_machine(row) + self.of([row])
        can = self._can(row)
        edit = partial(self.form_wanted.emit, row.id, "edit")
        if can & {A.DISCARD, A.ACCEPT}:
            again = partial(self.form_wanted.emit, row.id, "retry")
            place = 1 + next(at for at, command in enumerate(found) if command.key == A.RETRY)
            command = Command("edit", self.tr("Edit and retry"), again, aside=A.ACCEPT in can)
            found.insert(place, command)
        elif can & {A.PIN, A.SUBMIT}:
            found.insert(min(2, len(found)), Command("edit", self.tr("Edit…"), edit))
        return found

    def _retry_words(self, rows: Sequence[JobRow]) -> str:
        if all(row.state is JobState.INTERRUPTED for row in rows):
            return self.tr("Run again from line 1")
        again = all(allowed(row.state) & {A.DISCARD, A.ACCEPT} for row in rows)
        return self.tr("Retry") if again else self.tr("Queue again")

    def _with_menus(self, common: frozenset[JobAction], rows: Sequence[JobRow]) -> list[Command]:
        found = []
        if A.PIN in common:
            assign = partial(self._machines, rows)
            found.append(Command("assign", self.tr("Assign to"), fill=assign))
        if A.DELAY in common:
            found.append(Command("delay", self.tr("Delay"), fill=partial(self._delays, rows)))
        if A.PIN in common or common & {A.SUBMIT, A.DISCARD}:
            prioritise = partial(self._priorities, rows)
            found.append(Command("priority", self.tr("Priority"), fill=prioritise))
        again = partial(self._duplicate, rows)
        found.append(Command("duplicate", self.tr("Duplicate"), again, aside=bool(common)))
        return found

    def _machines(self, rows: Sequence[JobRow], menu: QMenu) -> None:
        types = {row.machine_type for row in rows}
        pin = partial(self._context.operations.act, A.PIN, [row.id for row in rows])
        for number, machine in self.machines.items():
            if types == {machine.machine_type}:
                menu.addAction(caption(machine.name), partial(pin, machine_id=number))
        if menu.isEmpty():
            words = (
                self.tr("These jobs need different types of machine")
                if len(types) > 1
                else self.tr("There is no {type}").format(type=next(iter(types)))
            )
            menu.addAction(caption(words)).setEnabled(False)
        if any(row.pinned_machine_id is not None for row in rows):
            menu.addSeparator()
            menu.addAction(self.tr("Any machine that fits"), partial(pin, machine_id=None))

    def _delays(self, rows: Sequence[JobRow], menu: QMenu) -> None:
        act = partial(self._context.operations.act, A.DELAY, [row.id for row in rows])
        fill_delays(menu, self._context.now(), self._window, lambda until: act(until=until))

    def _priorities(self, rows: Sequence[JobRow], menu: QMenu) -> None:
        words = {"low": self.tr("Low"), "medium": self.tr("Medium"), "high": self.tr("High")}
        for key, value in sorted(PRIORITIES.items(), key=lambda pair: -pair[1]):
            run = partial(self._prioritise, rows, value)
            menu.addAction(caption(f"{words[key]} · {value}"), run)

    def _prioritise(self, rows: Sequence[JobRow], value: int) -> None:
        before = {row.id: {"priority": row.priority} for row in rows if row.priority != value}
        after = {job_id: {"priority": value} for job_id in before}
        done = self.tr("priority {value}").format(value=value)
        self._context.operations.edit(after, before, done)

    def _duplicate(self, rows: Sequence[JobRow]) -> None:
        if len(rows) == 1:
            self.form_wanted.emit(rows[0].id, "duplicate")
        else:
            self._context.operations.run(self._copy(rows), self.tr("Duplicating…"))

    async def _copy(self, rows: Sequence[JobRow]) -> None:
        for row in rows:
            await self._context.door.execute(DuplicateJob(row.id))
