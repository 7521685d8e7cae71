"""The panel of one job: its progress, its commands, and everything known of it."""

from collections.abc import Mapping

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QWidget

from cnc_station.engine.domain.actions import JobAction
from cnc_station.engine.domain.notice import Notice
from cnc_station.engine.domain.states import LIVE_JOBS, UNDECIDED_JOBS, JobState
from cnc_station.engine.queries import (
    JobById,
    LatestTelemetry,
    ListEvents,
    ProgramByHash,
    ToolpathByHash,
)
from cnc_station.engine.views import JobDetail, JobRow
from cnc_station.ui import formatting
from cnc_station.ui.coalesced_task import CoalescedTask
from cnc_station.ui.job_commands import JobCommands
from cnc_station.ui.models.job_columns import look, machine
from cnc_station.ui.page_context import PageContext
from cnc_station.ui.theme import Ink, Role, theme
from cnc_station.ui.widgets.buttons import CloseButton
from cnc_station.ui.widgets.card import scrolling
from cnc_station.ui.widgets.chip import StateChip
from cnc_station.ui.widgets.job_actions import JobActionRow
from cnc_station.ui.widgets.job_preview import JobPreview
from cnc_station.ui.widgets.job_tabs import PROGRAM, JobTabs
from cnc_station.ui.widgets.layout import hbox, vbox
from cnc_station.ui.widgets.literal import set_tip
from cnc_station.ui.widgets.state_look import JOB_LOOKS
from cnc_station.ui.widgets.text import ElidedLabel, Text

WIDTH = 396
_WIDTH_TOUCH = 460
_SIDES = 28
_TABS_MIN_HEIGHT = 190


class JobDetailPanel(QFrame):
    """Shows job `job_id` and follows it while visible; `closed` after the user closed it."""

    closed = Signal()
    gone = Signal()  # the job was deleted

    def __init__(self, context: PageContext, commands: JobCommands) -> None:
        super().__init__()
        self.setProperty("part", "card")
        self._context = context
        self._commands = commands
        self.machines: Mapping[int, str] = {}
        self.job_id: int | None = None
        self.row: JobRow | None = None
        self._program_shown: str | None = None
        self.title = Text("", Role.PAGE_TITLE, wrap=True)
        self.chip = StateChip(JOB_LOOKS[JobState.QUEUED])
        self.second = ElidedLabel("", Role.NOTE, Ink.MUTED)
        self.preview = JobPreview()
        self.trouble = Text("", Role.NOTE, Ink.ALARM, wrap=True)
        self.actions_row = JobActionRow(WIDTH - _SIDES)
        self.actions_row.aborted.connect(self._abort)
        self.tabs = JobTabs(context)
        self.tabs.program.opened.connect(self._open_program)
        self._detail = CoalescedTask(context.operations, self._load, self)
        self._path = CoalescedTask(context.operations, self._load_path, self)
        self._program = CoalescedTask(context.operations, self._load_program, self)
        self.tabs.program_wanted.connect(self._program.request)
        self._place()

    def _place(self) -> None:
        close = CloseButton(self.tr("Close (Esc)"), clicked=self.close_panel)
        close.setFixedWidth(36)
        set_tip(close, close.accessibleName())
        head = hbox(
            (self.title, 1),
            (self.chip, 0, Qt.AlignmentFlag.AlignVCenter),
            (close, 0, Qt.AlignmentFlag.AlignVCenter),
            gap=8,
        )
        inside = QWidget()
        vbox(scrolling(inside, right=0), on=self, margins=1)
        self.tabs.setMinimumHeight(_TABS_MIN_HEIGHT)
        vbox(
            head,
            self.second,
            self.trouble,
            self.preview,
            self.actions_row,
            (self.tabs, 1),
            on=inside,
            gap=8,
            margins=(16, 8, _SIDES - 16, 8),
        )

    def open_job(self, job_id: int, row: JobRow | None = None) -> None:
        """Show a job: the data of `row` at once, the rest when it is loaded."""
        if self.isVisible():
            self.actions_row.forget()
        else:
            self.actions_row.opened()
        self.job_id = job_id
        self.tabs.set_up.show_job(job_id)
        self.row = None
        if row is not None:
            self._show_row(row)
        self.show()
        self._detail.request()

    def close_panel(self) -> None:
        if self.job_id is not None:
            self.job_id = None
            self.hide()
            self.closed.emit()

    def follow(self, notice: Notice) -> None:
        """Reload the job if the notice concerns it."""
        if self.job_id is not None and (notice.missed or self.job_id in notice.jobs):
            self._detail.request()

    def follow_telemetry(self, machines: frozenset[int]) -> None:
        """Show the telemetry of the job's machine if that is among `machines`."""
        row = self.row
        if self.job_id is not None and row is not None and row.machine_id in machines:
            self._show_telemetry(row)

    def tick(self) -> None:
        """Renew texts that depend on the time."""
        if self.row is not None:
            self._show_second_line(self.row)

    def commands_changed(self) -> None:
        """Renew the buttons: the allowed commands changed, the job did not."""
        if self.row is not None:
            self._show_row(self.row)

    @property
    def settled(self) -> bool:
        """Whether everything requested is on view."""
        return not (self._detail.busy or self._path.busy or self._program.busy)

    async def _load(self) -> None:
        job_id = self.job_id
        if job_id is None:
            return
        detail = await self._context.door.ask(JobById(job_id))
        if detail is None:
            if job_id == self.job_id:
                self.close_panel()
                self.gone.emit()
            return
        events = await self._context.door.ask(ListEvents(job_id=job_id))
        if job_id == self.job_id:
            self._show_row(detail.row)
            self.tabs.show_events(events, detail, self.machines, self._context.now())
            self._show_trouble(detail)

    async def _load_path(self) -> None:
        sha256 = self.preview.program
        if sha256 is not None:
            path = await self._context.door.ask(ToolpathByHash(sha256))
            if sha256 == self.preview.program:
                self.preview.show_path(path)

    async def _load_program(self) -> None:
        sha256 = self.row.program if self.row else None
        if sha256 is not None and sha256 != self._program_shown:
            program = await self._context.door.ask(ProgramByHash(sha256))
            if self.row is not None and sha256 == self.row.program:
                self._program_shown = sha256
                self.tabs.program.show_program(program)

    def _show_row(self, row: JobRow) -> None:
        self.row = row
        self.title.setText(row.title)
        self.setAccessibleName(row.title)
        self.chip.set_look(look(row))
        self._show_second_line(row)
        self.actions_row.show_commands(
            self._commands.of_one(row), can_abort=self._commands.can_abort(row)
        )
        if self.preview.show_job(row):
            self._path.request()
        if row.program != self._program_shown and self.tabs.tabs.current == PROGRAM:
            self._program.request()
        self.trouble.setVisible(row.state in UNDECIDED_JOBS)
        self._show_telemetry(row)

    def _show_telemetry(self, row: JobRow) -> None:
        if row.machine_id is None or row.state not in LIVE_JOBS:
            return
        now = self._context.door.peek(LatestTelemetry(row.machine_id))
        self.preview.show_telemetry(now)
        if self.tabs.tabs.current == PROGRAM:
            self.tabs.show_telemetry(now)

    def _show_second_line(self, row: JobRow) -> None:
        now = self._context.now()
        parts = [
            machine(row) or row.machine_type,
            self.tr("quantity {number:,}").format(number=row.quantity),
            self.tr("priority {number}").format(number=row.priority),
        ]
        if row.due_at is not None:
            late = self.tr("late since") if row.late else self.tr("due")
            parts.append(f"{late} {formatting.due(row.due_at, now)}")
        if row.state not in LIVE_JOBS | UNDECIDED_JOBS and row.next:
            parts.insert(0, row.next)
        if away := self._commands.why_not(row):
            parts.insert(0, away)
        self.second.setText(" · ".join(parts))

    def _show_trouble(self, detail: JobDetail) -> None:
        what = detail.row.last_error or detail.row.next
        if detail.row.state is JobState.INTERRUPTED:
            advice = self.tr(
                "Inspect the part, then choose. Run again starts the program from line 1."
            )
        else:
            advice = self.tr("Fix the cause, then retry, or discard the job.")
        self.trouble.setText(f"{what}\n{advice}" if what else advice)

    def _abort(self) -> None:
        if self.job_id is not None:
            self._context.operations.act(JobAction.ABORT, [self.job_id])

    def _open_program(self) -> None:
        if self.row is not None and self.row.program is not None:
            self._context.navigator.to_program(self.row.program)

    def preferred_width(self) -> int:
        return _WIDTH_TOUCH if theme().metrics.touch else WIDTH
