"""One machine: its state, what can be done about it, what it takes, what happened lately."""

from collections.abc import Callable, Mapping, Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout, QHBoxLayout

from cnc_station.engine.domain.event import Event
from cnc_station.engine.domain.machine import Capability
from cnc_station.engine.domain.states import BUSY_MACHINES, MachineState
from cnc_station.engine.views import MachineRow
from cnc_station.ui import words
from cnc_station.ui.event_words import by_and_why, told, tone_of
from cnc_station.ui.theme import Ink, Role, Tone
from cnc_station.ui.widgets.buttons import Button, PrimaryButton
from cnc_station.ui.widgets.card import Card, rule
from cnc_station.ui.widgets.chip import StateChip
from cnc_station.ui.widgets.hold_button import HoldButton
from cnc_station.ui.widgets.key_value import KeyValue
from cnc_station.ui.widgets.state_look import look_of
from cnc_station.ui.widgets.text import ElidedLabel, Text
from cnc_station.ui.widgets.timeline import Timeline, TimelineEntry


def takes_in_short(capability: Capability, tr: Callable[[str], str]) -> str:
    """What a machine takes, for a column: `≤ 4 · any · 3 axes · 762 × 406 × 508`."""
    size = capability.envelope
    parts = [
        f"≤ {capability.max_complexity}",
        ", ".join(sorted(capability.materials)) or tr("any"),
        tr("{count} axes").format(count=capability.axes),
        words.size(size) if size else "",
    ]
    return " · ".join(part for part in parts if part)


def takes(capability: Capability, tr: Callable[[str], str]) -> str:
    """What a machine takes, in a sentence."""
    size = capability.envelope
    parts = [
        tr("complexity to {most}").format(most=capability.max_complexity),
        ", ".join(sorted(capability.materials)) or tr("any material"),
        tr("{count} axes").format(count=capability.axes),
        f"{words.size(size)} mm" if size else "",
    ]
    return " · ".join(part for part in parts if part)


class MachineDetail(Card):
    """Shows a machine; its buttons say what the person wants, the page does it."""

    clear = Signal()
    unlock = Signal()
    maintenance = Signal(bool)
    edit = Signal()
    remove = Signal()
    to_job = Signal()

    def __init__(self, now: Callable[[], int]) -> None:
        super().__init__()
        self._now = now
        self._shown: MachineRow | None = None
        self._name = ElidedLabel("", Role.CARD_TITLE)
        self._chip = StateChip(look_of(MachineState.IDLE))
        self._why = Text("", Role.NOTE, Ink.MUTED)
        self._why.setWordWrap(True)
        self.facts = KeyValue()
        self.timeline = Timeline()
        head = QHBoxLayout()
        head.addWidget(self._name, 1)
        head.addWidget(self._chip)
        self.body.addLayout(head)
        self.body.addWidget(self._why)
        self.body.addSpacing(8)
        self.body.addLayout(self._buttons())
        self.body.addSpacing(8)
        self.body.addWidget(self.facts)
        self.body.addSpacing(4)
        self.body.addWidget(rule())
        self.body.addWidget(Text(self.tr("Lately"), Role.STRONG))
        self.body.addWidget(self.timeline, 1)

    def _buttons(self) -> QGridLayout:
        self.clear_button = PrimaryButton(self.tr("Cleared"), tone=Tone.OPERATOR)
        self.unlock_button = PrimaryButton(self.tr("Unlock"), tone=Tone.OPERATOR)
        self.job_button = Button(self.tr("The job at work"))
        self.maintenance_button = Button("")
        self.edit_button = Button(self.tr("Edit…"))
        self.remove_button = HoldButton(self.tr("Remove: hold 2 s"))
        self.clear_button.clicked.connect(self.clear)
        self.unlock_button.clicked.connect(self.unlock)
        self.job_button.clicked.connect(self.to_job)
        self.maintenance_button.clicked.connect(self._ask_maintenance)
        self.edit_button.clicked.connect(self.edit)
        self.remove_button.held.connect(self.remove)
        grid = QGridLayout()
        grid.setSpacing(8)
        whole = (self.clear_button, self.unlock_button, self.job_button, self.maintenance_button)
        for row, button in enumerate(whole):
            grid.addWidget(button, row, 0, 1, 2)
        grid.addWidget(self.edit_button, len(whole), 0)
        grid.addWidget(self.remove_button, len(whole), 1)
        return grid

    @property
    def shown(self) -> MachineRow | None:
        """The machine on view."""
        return self._shown

    def show_machine(self, machine: MachineRow) -> None:
        """Shows a machine."""
        self._shown = machine
        spec, state = machine.spec, machine.state
        self._name.setText(spec.name)
        busy = state in BUSY_MACHINES
        self._why.setText(self._said(machine))
        self._why.setVisible(bool(self._why.text()))
        self.clear_button.setVisible(state is MachineState.NEEDS_CLEARING)
        self.unlock_button.setVisible(state is MachineState.ALARM)
        self.job_button.setVisible(machine.job_id is not None)
        self._show_maintenance(machine, busy=busy)
        self.remove_button.setEnabled(not busy)
        self.facts.set_pairs(
            (
                (self.tr("Type"), " · ".join(p for p in (spec.machine_type, spec.model) if p)),
                (self.tr("Takes"), takes(spec.capability, self.tr)),
                (self.tr("Driver"), spec.driver),
                (
                    self.tr("After a run"),
                    self.tr("a person clears it")
                    if spec.operator_clears
                    else self.tr("the next one may start"),
                ),
                (self.tr("Runs"), f"{machine.runs_done:,}"),
                (self.tr("At work"), words.duration(machine.run_seconds)),
                (self.tr("Station"), machine.station),
            )
        )
        self.clock_moved()

    def _said(self, machine: MachineRow) -> str:
        if machine.maintenance_due:
            return self.tr("Maintenance begins after this run.")
        return machine.state_reason

    def _show_maintenance(self, machine: MachineRow, *, busy: bool) -> None:
        button = self.maintenance_button
        if machine.state is MachineState.MAINTENANCE:
            button.setText(self.tr("Maintenance is over"))
        elif machine.maintenance_due:
            button.setText(self.tr("Maintenance follows"))
        elif busy:
            button.setText(self.tr("Maintenance after this run"))
        else:
            button.setText(self.tr("Maintenance"))
        button.setEnabled(not machine.maintenance_due)

    def _ask_maintenance(self) -> None:
        if self._shown is not None:
            self.maintenance.emit(self._shown.state is not MachineState.MAINTENANCE)

    def show_events(self, events: Sequence[Event], jobs: Mapping[int, str]) -> None:
        """Shows what happened lately, the newest on view; `jobs` are the titles of its jobs."""
        now = self._now()
        self.timeline.set_entries(
            [
                TimelineEntry(
                    told(event),
                    " · ".join(p for p in (jobs.get(event.job_id or 0), by_and_why(event)) if p),
                    words.moment(event.at, now),
                    tone_of(event),
                )
                for event in events
            ]
        )
        self.timeline.scrollToBottom()
        if self._shown is not None and self._shown.job_id is not None:
            self.job_button.setText(jobs.get(self._shown.job_id, self.tr("The job at work")))

    def clock_moved(self) -> None:
        """Says anew how long it has been in its state."""
        if self._shown is not None:
            lasted = words.lasted(self._shown.state_since, self._now())
            self._chip.set_look(look_of(self._shown.state), lasted)
