"""A machine has made something: what came of it, counted by the one who takes it out."""

from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from cnc_station.engine.domain.actions import MachineAction
from cnc_station.engine.domain.states import RunState
from cnc_station.engine.views import JobRow, MachineRow, RunRow
from cnc_station.ui import words
from cnc_station.ui.desk import Desk
from cnc_station.ui.dialogs.machine_dialog import MachineDialog
from cnc_station.ui.theme import Ink, Role, Tone, theme
from cnc_station.ui.widgets.buttons import PrimaryButton
from cnc_station.ui.widgets.field import Field
from cnc_station.ui.widgets.filter_chip import FilterChip
from cnc_station.ui.widgets.state_look import look_of
from cnc_station.ui.widgets.stepper import Stepper
from cnc_station.ui.widgets.text import Text

MOST = 1_000_000
_SIZE = (560, 420)
_SIZE_TOUCH = (720, 560)
_LONGEST = 400


class ClearingDialog(MachineDialog):
    """For `machine`, on which `job` lies, the part or parts of `run`; None where nothing is known
    of a run: then there is nothing to count."""

    def __init__(
        self,
        desk: Desk,
        machine: MachineRow,
        job: JobRow | None,
        run: RunRow | None,
        parent: QWidget | None,
    ) -> None:
        title = self.tr("{machine}: is it clear?").format(machine=machine.spec.name)
        super().__init__(desk, title, self._about(desk, job, run), parent)
        self._machine = machine
        self._counts = run is not None
        made = job is not None and run is not None and run.state is RunState.SUCCEEDED
        self.good = Stepper(self.tr("Good"), job.quantity if job and made else 0, MOST)
        self.scrap = Stepper(self.tr("Scrap"), 0 if made else 1, MOST)
        self.reason = QLineEdit(run.error if run and not made else "")
        self.reason.setMaxLength(_LONGEST)
        self.reason.setPlaceholderText(self.tr("in your own words"))
        self.clear = PrimaryButton(self.tr("Machine is clear"), tone=Tone.OPERATOR)
        self.clear.clicked.connect(self._clear)
        if self._counts:
            self.body.addLayout(self._counting())
            self.body.addWidget(self._why())
        self.body.addStretch(1)
        self.offer_closing()
        self.offer(self.clear, stretch=1)
        self.scrap.changed.connect(self.refresh)
        self.reason.textChanged.connect(self.refresh)
        self.refresh()
        self.resize(*(_SIZE_TOUCH if theme().metrics.touch else _SIZE))

    def _about(self, desk: Desk, job: JobRow | None, run: RunRow | None) -> str:
        if job is None or run is None:
            return self.tr("Look at the table: the next job starts when you say that it is clear.")
        ended = words.moment(run.ended_at, desk.now())
        return self.tr("{job}: {outcome}, {time}. Count the parts as you take them out.").format(
            job=job.title, outcome=look_of(run.state).word.lower(), time=ended
        )

    def _counting(self) -> QHBoxLayout:
        line = QHBoxLayout()
        line.setSpacing(2 * theme().metrics.gap)
        line.addWidget(Field(self.tr("Good parts"), self.good), 1)
        line.addWidget(Field(self.tr("Scrap"), self.scrap), 1)
        return line

    def _why(self) -> QWidget:
        self._reasons = QWidget()
        chips = QHBoxLayout()
        chips.setSpacing(theme().metrics.gap)
        self.choices: list[FilterChip] = []
        for reason in (
            self.tr("tool broke"),
            self.tr("out of tolerance"),
            self.tr("clamping"),
            self.tr("surface"),
        ):
            chip = FilterChip(reason)
            chip.setCheckable(False)
            chip.clicked.connect(lambda _=False, reason=reason: self.reason.setText(reason))
            self.choices.append(chip)
            chips.addWidget(chip)
        chips.addStretch(1)
        box = QVBoxLayout(self._reasons)
        box.setContentsMargins(0, 8, 0, 0)
        box.setSpacing(8)
        box.addWidget(Text(self.tr("Why is it scrap?"), Role.NOTE, Ink.MUTED))
        box.addLayout(chips)
        box.addWidget(self.reason)
        self.reason.setAccessibleName(self.tr("Why is it scrap?"))
        return self._reasons

    def refresh(self) -> None:
        """Scrap wants a reason."""
        scrapped = self._counts and self.scrap.value > 0
        if self._counts:
            self._reasons.setVisible(scrapped)
        self.clear.setEnabled(not scrapped or bool(self.reason.text().strip()))

    def _clear(self) -> None:
        name = self._machine.spec.name
        self.do(self._say(), self.tr("{machine} is clear").format(machine=name))

    async def _say(self) -> None:
        scrapped = self._counts and self.scrap.value > 0
        await self._desk.engine.act_on_machine(
            MachineAction.CLEAR,
            self._machine.id,
            self._desk.operations.actor,
            reason=self.reason.text().strip() if scrapped else "",
            good=self.good.value if self._counts else None,
            scrap=self.scrap.value if self._counts else None,
        )
