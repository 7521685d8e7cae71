"""The commands for all jobs that match a filter, listed or not."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QMenu, QWidget

from cnc_station.engine.domain.actions import BULK_ACTIONS, JobAction, allowed
from cnc_station.engine.domain.machine import MachineSpec
from cnc_station.engine.domain.states import JobState
from cnc_station.engine.views import JobFilter
from cnc_station.ui.dialogs.bulk_confirm import BulkConfirm
from cnc_station.ui.dialogs.when import fill_delays
from cnc_station.ui.job_commands import Command
from cnc_station.ui.page_context import PageContext
from cnc_station.ui.widgets.literal import caption

A = JobAction
WITHOUT_UNDO = frozenset({A.DISCARD, A.DELETE})


@dataclass(frozen=True, slots=True)
class Matching:
    """The jobs of a filter: how many they are, and the states they may be in."""

    chosen: JobFilter
    count: int
    states: frozenset[JobState]


class BulkCommands(QObject):
    """Finds the commands that at least some of the jobs allow. The others are refused, each with
    its reason. `begun`: one was started."""

    begun = Signal()

    def __init__(self, context: PageContext, window: QWidget) -> None:
        super().__init__(window)
        self._context = context
        self._window = window
        self.machines: Mapping[int, MachineSpec] = {}
        """The machines to assign jobs to, by id; the owner keeps it current."""

    def of(self, jobs: Matching) -> Sequence[Command]:
        decidable = jobs.states - {JobState.INTERRUPTED}
        can = frozenset[JobAction]().union(*map(allowed, decidable)) & BULK_ACTIONS
        again = self.tr("Queue again") if JobState.CANCELLED in decidable else self.tr("Retry")
        found = [
            self._command(jobs, action, words)
            for action, words in (
                (A.SUBMIT, self.tr("Submit")),
                (A.RETRY, again),
                (A.RESUME, self.tr("Resume")),
                (A.PAUSE, self.tr("Pause")),
            )
            if action in can
        ]
        if A.PIN in can:
            fill = partial(self._machines, jobs)
            found.append(Command("assign", self.tr("Assign to"), fill=fill))
        if A.DELAY in can:
            found.append(Command("delay", self.tr("Delay"), fill=partial(self._delays, jobs)))
        failed_only = decidable == {JobState.NEEDS_ATTENTION}
        return found + [
            self._command(jobs, action, words)
            for action, words in (
                (A.DISCARD, self.tr("Discard")),
                (A.CANCEL, self.tr("Cancel")),
                (A.DELETE, self.tr("Delete")),
            )
            if action in can and not (action is A.CANCEL and failed_only)
        ]

    def _command(self, jobs: Matching, action: JobAction, words: str) -> Command:
        run: Callable[[], object] = partial(self.act, action, jobs)
        if action in WITHOUT_UNDO:
            run = partial(self.confirm, action, words, jobs)
        return Command(action.value, words, run, loses=action in WITHOUT_UNDO | {A.CANCEL})

    def act(self, action: JobAction, jobs: Matching, **arguments: Any) -> None:
        """Do it to all of them; refused if their number has changed."""
        chosen = jobs.chosen
        if chosen == JobFilter():
            chosen = replace(chosen, states=frozenset(JobState))
        self._context.operations.bulk.act(action, chosen, jobs.count, **arguments)
        self.begun.emit()

    def confirm(self, action: JobAction, words: str, jobs: Matching) -> BulkConfirm:
        """Ask first."""
        dialog = BulkConfirm(words, jobs.count, partial(self.act, action, jobs), self._window)
        dialog.open()
        return dialog

    def _machines(self, jobs: Matching, menu: QMenu) -> None:
        types = jobs.chosen.machine_types
        pin = partial(self.act, A.PIN, jobs)
        for number, machine in self.machines.items():
            if not types or machine.machine_type in types:
                menu.addAction(caption(machine.name), partial(pin, machine_id=number))
        menu.addSeparator()
        menu.addAction(self.tr("Any machine that fits"), partial(pin, machine_id=None))

    def _delays(self, jobs: Matching, menu: QMenu) -> None:
        act = partial(self.act, A.DELAY, jobs)
        fill_delays(menu, self._context.now(), self._window, lambda until: act(until=until))
