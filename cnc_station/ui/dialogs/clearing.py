"""Clear a machine: the person who takes the parts out counts good parts, scrap and rework."""

from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QWidget

from cnc_station.engine.commands import ActOnMachine
from cnc_station.engine.domain.actions import MachineAction
from cnc_station.engine.domain.errors import CncStationError, InvalidInput
from cnc_station.engine.domain.job import PartCount
from cnc_station.engine.domain.states import RunState
from cnc_station.engine.views import JobRow, MachineRow, RunRow
from cnc_station.ui import formatting
from cnc_station.ui.dialogs.machine_dialog import MachineDialog
from cnc_station.ui.page_context import PageContext
from cnc_station.ui.theme import Ink, Role, Tone, theme
from cnc_station.ui.widgets.buttons import PrimaryButton
from cnc_station.ui.widgets.fields import Field, Stepper
from cnc_station.ui.widgets.filter_chip import FilterChip
from cnc_station.ui.widgets.layout import STRETCH, fill, hbox, vbox
from cnc_station.ui.widgets.state_look import look_of
from cnc_station.ui.widgets.text import Note, Text

_SIZE = (620, 460)
_SIZE_TOUCH = (820, 600)
_LONGEST = 400


class ClearingDialog(MachineDialog):
    """For `machine`, with `job` and the parts of `run` on it; with None there is nothing to count.
    Good, scrap and rework add up to the parts of a completed run."""

    def __init__(
        self,
        context: PageContext,
        machine: MachineRow,
        job: JobRow | None,
        run: RunRow | None,
        parent: QWidget | None,
    ) -> None:
        title = self.tr("Is {machine} unloaded?").format(machine=machine.spec.name)
        super().__init__(context, title, self._about(context, job, run), parent)
        self._machine = machine
        self._counts = run is not None
        self.parts = job.quantity if job is not None else 1
        self._completed = run is not None and run.state is RunState.SUCCEEDED
        self.scrap = Stepper(self.tr("Scrap"), 0 if self._completed else 1, self.parts)
        self.rework = Stepper(self.tr("Rework"), 0, self.parts)
        self.good = Stepper(self.tr("Good parts"), self.parts * self._completed, self.parts)
        self.reason = QLineEdit(run.error if run and not self._completed else "")
        self.reason.setMaxLength(_LONGEST)
        self.reason.setPlaceholderText(self.tr("in your own words"))
        clear = self.tr("Machine is clear")
        self.clear = PrimaryButton(clear, tone=Tone.OPERATOR, clicked=self._clear)
        if self._counts:
            self.body.addLayout(self._counting())
            self.sum = Note()
            fill(self.body, self.sum, self._why())
        self.body.addStretch(1)
        self.offer(self.cancel_button())
        self.offer(self.clear, stretch=1)
        for count in (self.scrap, self.rework):
            count.changed.connect(self._follow_others)
        self.good.changed.connect(self._follow_good)
        self.reason.textChanged.connect(self.refresh)
        self._follow_others()
        self.fit(_SIZE, _SIZE_TOUCH)

    def _about(self, context: PageContext, job: JobRow | None, run: RunRow | None) -> str:
        if job is None or run is None:
            return self.tr(
                "Look at the table: the next job starts when you confirm that it is clear."
            )
        ended = formatting.moment(run.ended_at, context.now())
        outcome = look_of(run.state).word.lower()
        count = self.tr("{job}: {outcome}, {time}. Count the parts as you take them out.")
        return count.format(job=job.title, outcome=outcome, time=ended)

    def _counting(self) -> QHBoxLayout:
        self.fields = {
            "good": Field(self.tr("Good parts"), self.good),
            "scrap": Field(self.tr("Scrap"), self.scrap),
            "rework": Field(self.tr("Rework"), self.rework),
        }
        return hbox(*((field, 1) for field in self.fields.values()), gap=2 * theme().metrics.gap)

    def _why(self) -> QWidget:
        self._reasons = QWidget()
        self.choices: list[FilterChip] = []
        tr = self.tr
        for reason in (tr("tool broke"), tr("out of tolerance"), tr("clamping"), tr("surface")):
            chip = FilterChip(reason)
            chip.setCheckable(False)
            chip.clicked.connect(lambda _=False, reason=reason: self.reason.setText(reason))
            self.choices.append(chip)
        chips = hbox(*self.choices, STRETCH, gap=theme().metrics.gap)
        self._question = Text("", Role.NOTE, Ink.MUTED)
        vbox(self._question, chips, self.reason, on=self._reasons, gap=8, margins=(0, 8, 0, 0))
        return self._reasons

    @property
    def count(self) -> PartCount:
        return PartCount(self.good.value, self.scrap.value, self.rework.value)

    def _follow_others(self) -> None:
        """More scrap or rework means fewer good parts."""
        self.scrap.set_most(self.parts - self.rework.value)
        self.rework.set_most(self.parts - self.scrap.value)
        left = self.parts - self.scrap.value - self.rework.value
        if self._completed or self.good.value > left:
            self.good.set_value(left)
        self.refresh()

    def _follow_good(self) -> None:
        """More good parts mean less scrap and rework."""
        for count in (self.scrap, self.rework):
            total = self.good.value + self.scrap.value + self.rework.value
            if total > self.parts:
                count.set_value(count.value - (total - self.parts))
        self.refresh()

    def refresh(self) -> None:
        """Every part must be counted, and scrap or rework needs a reason."""
        if not self._counts:
            return
        mismatch = self.count.mismatch(self.parts, completed=self._completed)
        made = self.tr("The run made {parts}: each counts as good, scrap or rework.")
        unknown = self.tr("The run was to make {parts}. Count what it has made.")
        told = (made if self._completed else unknown).format(parts=formatting.parts(self.parts))
        self.sum.setText(mismatch or told)
        self.sum.set_ink(Ink.ALARM if mismatch else Ink.MUTED)
        not_good = self.scrap.value + self.rework.value > 0
        self._reasons.setVisible(not_good)
        scrap, rework = self.tr("Why is it scrap?"), self.tr("Why does it need rework?")
        question = scrap if self.scrap.value else rework
        self._question.setText(question)
        self.reason.setAccessibleName(question)
        explained = not not_good or bool(self.reason.text().strip())
        self.clear.setEnabled(not mismatch and explained)

    def complain(self, error: CncStationError) -> None:
        super().complain(error)
        if isinstance(error, InvalidInput) and self._counts:
            said = {each.field: each.reason for each in error.errors}
            for name, field in self.fields.items():
                field.set_error(said.get(name, ""))
            self.trouble.setVisible(not said.keys() <= self.fields.keys())

    def _clear(self) -> None:
        not_good = self._counts and self.scrap.value + self.rework.value > 0
        clear = ActOnMachine(
            MachineAction.CLEAR,
            self._machine.id,
            reason=self.reason.text().strip() if not_good else "",
            **(self.count.known if self._counts else {}),
        )
        done = self.tr("{machine} is clear").format(machine=self._machine.spec.name)
        self.ask(self._context.door.execute(clear), done)
