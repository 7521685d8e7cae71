"""A person reports that the job on a watched machine is done."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from cnc_station.engine.domain.actions import JobAction
from cnc_station.engine.queries import LatestTelemetry
from cnc_station.engine.views import JobRow, MachineRow, Status
from cnc_station.ui import formatting
from cnc_station.ui.dialogs.machine_dialog import MachineDialog
from cnc_station.ui.page_context import PageContext
from cnc_station.ui.theme import Role, Tone
from cnc_station.ui.widgets.buttons import PrimaryButton
from cnc_station.ui.widgets.chip import StateChip
from cnc_station.ui.widgets.facts import KeyValue
from cnc_station.ui.widgets.layout import STRETCH, fill
from cnc_station.ui.widgets.state_look import look_of
from cnc_station.ui.widgets.text import Text

_SIZE = (520, 360)
_SIZE_TOUCH = (640, 440)


class FinishDialog(MachineDialog):
    """For all parts of `job` on `machine`; `status` is the controller's status now."""

    def __init__(
        self,
        context: PageContext,
        job: JobRow,
        machine: MachineRow,
        status: Status | None,
        parent: QWidget | None,
    ) -> None:
        title = self.tr("{machine}: is {job} done?")
        title = title.format(machine=machine.spec.name, job=job.title)
        about = self.tr("This machine is only watched: the job is done when you confirm it.")
        super().__init__(context, title, about, parent, (job.id, job.state))
        self._title = job.title
        if status is not None:
            fill(
                self.body,
                Text(self.tr("Controller status"), Role.STRONG),
                (StateChip(look_of(status.doing)), 0, Qt.AlignmentFlag.AlignLeft),
            )
        self.facts = KeyValue()
        self.facts.set_pairs(self._pairs(job, machine, status))
        fill(self.body, self.facts, STRETCH)
        self.finish = PrimaryButton(self.tr("It is done"), tone=Tone.OPERATOR, clicked=self._finish)
        self.offer(self.cancel_button())
        self.offer(self.finish, stretch=1)
        self.fit(_SIZE, _SIZE_TOUCH)

    def _pairs(
        self, job: JobRow, machine: MachineRow, status: Status | None
    ) -> list[tuple[str, str]]:
        pairs = [(self.tr("Wanted"), formatting.parts(job.quantity))]
        live = self._context.door.peek(LatestTelemetry(machine.id))
        if live is not None and live.parts > 1:
            in_hand = self.tr("part {n:,} of {m:,}").format(n=live.part, m=live.parts)
            pairs.append((self.tr("In hand"), in_hand))
        if status is not None and status.parts is not None:
            pairs.append((self.tr("Its part counter"), f"{status.parts:,}"))
        if status is not None and status.program:
            pairs.append((self.tr("Its program"), status.program))
        if status is not None and status.why:
            pairs.append((self.tr("Its message"), status.why))
        begun = machine.run_started_at
        if begun is not None:
            pairs.append((self.tr("Running for"), formatting.lasted(begun, self._context.now())))
        return pairs

    def _finish(self) -> None:
        self.act(JobAction.FINISH, "", self.tr("{job}: completed").format(job=self._title))
