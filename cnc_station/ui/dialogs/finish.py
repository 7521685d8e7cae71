"""A machine that is only watched: a person says that its job is done."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from cnc_station.engine.domain.actions import JobAction
from cnc_station.engine.views import JobRow, MachineRow, Status
from cnc_station.ui import words
from cnc_station.ui.desk import Desk
from cnc_station.ui.dialogs.machine_dialog import MachineDialog
from cnc_station.ui.theme import Role, Tone
from cnc_station.ui.widgets.buttons import PrimaryButton
from cnc_station.ui.widgets.chip import StateChip
from cnc_station.ui.widgets.key_value import KeyValue
from cnc_station.ui.widgets.state_look import look_of
from cnc_station.ui.widgets.text import Text

_SIZE = (520, 340)


class FinishDialog(MachineDialog):
    """For the part in hand of `job` on `machine`: the last one ends the job. `status` is what the
    controller says meanwhile."""

    def __init__(
        self,
        desk: Desk,
        job: JobRow,
        machine: MachineRow,
        status: Status | None,
        parent: QWidget | None,
    ) -> None:
        title = self.tr("{machine}: is {job} done?").format(
            machine=machine.spec.name, job=job.title
        )
        about = self.tr("This machine is only watched: it is done when you say so.")
        live = desk.engine.telemetry(machine.id)
        part = ""
        if live is not None and live.parts > 1:
            part = self.tr("part {n:,} of {m:,}").format(n=live.part, m=live.parts)
            title = self.tr("{machine}: is {part} done?").format(
                machine=machine.spec.name, part=part
            )
            about = f"{job.title}. {about}"
        super().__init__(desk, title, about, parent, (job.id, job.state))
        self._done = ", ".join(word for word in (job.title, part) if word)
        if status is not None:
            self.body.addWidget(Text(self.tr("Its controller says"), Role.STRONG))
            self.body.addWidget(StateChip(look_of(status.doing)), 0, Qt.AlignmentFlag.AlignLeft)
        self.facts = KeyValue()
        self.facts.set_pairs(self._pairs(job, machine, status))
        self.body.addWidget(self.facts)
        self.body.addStretch(1)
        self.finish = PrimaryButton(self.tr("It is done"), tone=Tone.OPERATOR)
        self.finish.clicked.connect(self._finish)
        self.offer_closing()
        self.offer(self.finish, stretch=1)
        self.resize(*_SIZE)

    def _pairs(
        self, job: JobRow, machine: MachineRow, status: Status | None
    ) -> list[tuple[str, str]]:
        pairs = [(self.tr("Wanted"), words.parts(job.quantity))]
        if status is not None and status.parts is not None:
            pairs.append((self.tr("Its part counter"), f"{status.parts:,}"))
        if status is not None and status.program:
            pairs.append((self.tr("Its program"), status.program))
        if status is not None and status.why:
            pairs.append((self.tr("In its words"), status.why))
        begun = machine.run_started_at
        if begun is not None:
            pairs.append((self.tr("Running for"), words.lasted(begun, self._desk.now())))
        return pairs

    def _finish(self) -> None:
        done = self.tr("{what}: done").format(what=self._done)
        self.act(JobAction.FINISH, "", done)
