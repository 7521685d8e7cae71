"""Needs attention: jobs that failed for good or were interrupted, and what to do about each."""

from collections.abc import Sequence
from functools import partial

from PySide6.QtWidgets import QMenu, QWidget

from cnc_station.engine.domain.actions import JobAction
from cnc_station.engine.domain.notice import ABOUT_WEBHOOKS, Notice
from cnc_station.engine.domain.states import JobState
from cnc_station.engine.queries import ControllerStatus, JobById, ListJobs, ProgramByHash
from cnc_station.engine.views import JobFilter, JobRow, Sort, SortKey
from cnc_station.ui import formatting
from cnc_station.ui.bulk_commands import BulkCommands, Matching
from cnc_station.ui.dialogs.job_form import JobForm
from cnc_station.ui.models.row_model import Column
from cnc_station.ui.page_context import PageContext
from cnc_station.ui.pages.attention_detail import AttentionDetail, line_of
from cnc_station.ui.pages.dead_deliveries import DeadDeliveries
from cnc_station.ui.pages.list_page import ListPage
from cnc_station.ui.theme import Ink
from cnc_station.ui.widgets.buttons import Button, MenuButton, add_key
from cnc_station.ui.widgets.empty import EmptyState
from cnc_station.ui.widgets.hold_button import HoldButton
from cnc_station.ui.widgets.literal import caption, set_tip
from cnc_station.ui.widgets.state_look import look_of

LISTED = 500
_OLDEST_FIRST = (Sort(SortKey.CHANGED),)
# The worst first: a part is half-way in a machine.
_WORST_FIRST = (JobState.INTERRUPTED, JobState.NEEDS_ATTENTION)
_SINCE = 4  # the column
_REST_MS = 60


class AttentionPage(ListPage[JobRow]):
    """Lists the worst and oldest first; each remedy is one tap away."""

    def __init__(self, context: PageContext) -> None:
        name = self.tr("Jobs that need you")
        super().__init__(context, name, interval_ms=_REST_MS, checkable=True)
        self._total = self._failed_total = 0
        self._bulk = BulkCommands(context, self)
        self.rows.ticked.connect(self._show_bulk)
        self.table.opened.connect(lambda row: context.navigator.to_job(row.id))
        self.detail = AttentionDetail(context.now)
        self.table.picked.connect(lambda row: self.detail.picked(row.id))
        self._connect_detail()
        no_match = self.tr("No job that needs you matches the search.")
        head = self._bulk_buttons()
        self.dead_deliveries = DeadDeliveries(context)
        self.lay_out(
            self.detail,
            (2, 1),
            self._nothing_listed(),
            no_match,
            *head,
            least=380,
            banner=self.dead_deliveries,
        )
        add_key(self, self.tr("Retry the job"), "R", self._retry_by_key, repeats=False)
        add_key(self, self.tr("Edit the job, then retry"), "E", self.edit, repeats=False)

    def columns(self) -> Sequence[Column[JobRow]]:
        return (
            Column(self.tr("Job"), lambda row: row.title, 230, strong=True),
            Column(
                self.tr("State"),
                lambda r: look_of(r.state).word,
                156,
                look=lambda r: look_of(r.state),
            ),
            Column(self.tr("Machine"), lambda row: row.machine or formatting.NONE, 96),
            Column(self.tr("Attempts"), lambda row: str(row.attempt), 60, right=True),
            Column(self.tr("Since"), self._since, 88, right=True),
            Column(
                self.tr("What happened"),
                lambda row: row.last_error or formatting.NONE,
                ink=lambda _: Ink.MUTED,
            ),
        )

    def _since(self, row: JobRow) -> str:
        return formatting.lasted(row.state_since, self._context.now())

    def _nothing_listed(self) -> EmptyState:
        return EmptyState(
            "check",
            self.tr("No job failed or was interrupted"),
            self.tr(
                "Jobs that failed for good and runs that stopped half-way wait here. What machines "
                "and stations need from you is on the floor."
            ),
        )

    def _bulk_buttons(self) -> tuple[QWidget, ...]:
        self.retry_all = Button("", clicked=lambda: self._bulk.act(JobAction.RETRY, self._all()))
        self.retry_selected = Button("", clicked=lambda: self._act(JobAction.RETRY, self._failed()))
        single = self.tr("Decide about interrupted jobs one by one, at the part.")
        set_tip(self.retry_selected, single)
        self.discard_selected = HoldButton(
            "", seconds=1.0, held=lambda: self._discard(self.rows.checked)
        )
        self.more = MenuButton("⋯", self.tr("More to do"), self._fill_more)
        self._show_bulk()
        return (self.retry_selected, self.discard_selected, self.retry_all, self.more)

    def _fill_more(self, menu: QMenu) -> None:
        menu.clear()
        ids = [row.id for row in self.rows.rows]
        menu.addAction(self.tr("Select all listed"), lambda: self.rows.check(ids))
        failed = self._all()
        words = self.tr("Discard all {count} that failed…").format(count=f"{failed.count:,}")
        discard = partial(self._bulk.confirm, JobAction.DISCARD, self.tr("Discard"), failed)
        menu.addAction(caption(words), discard).setEnabled(failed.count > 0)

    def _all(self) -> Matching:
        """Every failed job that matches the search, listed or not; never an interrupted one."""
        states = frozenset({JobState.NEEDS_ATTENTION})
        return Matching(JobFilter(states=states, text=self._text), self._failed_total, states)

    def _connect_detail(self) -> None:
        detail = self.detail
        detail.retry_button.clicked.connect(lambda: self._on_current(JobAction.RETRY))
        detail.scrap_button.clicked.connect(lambda: self._on_current(JobAction.SCRAP))
        detail.accept_button.held.connect(lambda: self._on_current(JobAction.ACCEPT))
        detail.discard_button.held.connect(lambda: self._on_current(JobAction.DISCARD))
        detail.edit_button.clicked.connect(self.edit)
        detail.more_button.clicked.connect(self._to_job)

    def arrived(self) -> None:
        super().arrived()
        self.dead_deliveries.count()
        self.detail.opened()

    def go_back(self) -> bool:
        """Clear the ticks, if there are any."""
        ticked = [row.id for row in self.rows.checked]
        self.rows.check(ticked, on=False)
        return bool(ticked)

    def key_of(self, row: JobRow) -> int:
        return row.id

    def follow(self, notice: Notice) -> None:
        if notice.jobs or notice.missed:
            self._refresh.request()
        if notice.tells_of(ABOUT_WEBHOOKS):
            self.dead_deliveries.count()

    async def read(self) -> Sequence[JobRow]:
        found: list[JobRow] = []
        self._total = 0
        for state in _WORST_FIRST:
            chosen = JobFilter(states=frozenset({state}), text=self._text)
            page = await self._context.door.ask(ListJobs(chosen, _OLDEST_FIRST, 0, LISTED))
            found += page.rows
            self._total += page.total
            if state is JobState.NEEDS_ATTENTION:
                self._failed_total = page.total
        return found[:LISTED]

    async def _load(self) -> None:
        await super()._load()
        self._show_bulk()

    def summary(self) -> str:
        listed = self.rows.total
        more = self.tr(", the first {listed} listed").format(listed=listed)
        waiting = self.tr("{total} need attention").format(total=f"{self._total:,}")
        return waiting + (more if self._total > listed else "")

    async def load_detail(self, row: JobRow) -> None:
        job = await self._context.door.ask(JobById(row.id))
        program = None
        if job is not None and job.row.program and line_of(job.row.last_error):
            program = await self._context.door.ask(ProgramByHash(job.row.program))
        if job is not None and self.is_chosen(row):
            machine = job.runs[0].machine_id if job.runs else None
            status = (
                self._context.door.peek(ControllerStatus(machine)) if machine is not None else None
            )
            self.detail.show_job(job, program, status)

    def _show_bulk(self) -> None:
        ticked, failed = len(self.rows.checked), len(self._failed())
        self.retry_selected.setText(self.tr("Retry selected ({count})").format(count=failed))
        self.retry_selected.setEnabled(failed > 0)
        self.retry_selected.setVisible(ticked > 0)
        discard = self.tr("Discard selected ({count}): hold")
        self.discard_selected.setText(discard.format(count=ticked))
        self.discard_selected.setEnabled(ticked > 0)
        self.discard_selected.setVisible(ticked > 0)
        every = self.tr("Retry all ({count})").format(count=f"{self._failed_total:,}")
        self.retry_all.setText(every)
        self.retry_all.setEnabled(self._failed_total > 0)

    def tick(self) -> None:
        self.rows.clock_moved(_SINCE)
        self.detail.clock_moved()

    def _failed(self) -> tuple[JobRow, ...]:
        return tuple(row for row in self.rows.checked if row.state is JobState.NEEDS_ATTENTION)

    def _act(self, action: JobAction, rows: Sequence[JobRow]) -> None:
        if rows:
            self._context.operations.act(action, [row.id for row in rows])

    def _retry_by_key(self) -> None:
        if self.detail.is_settled:
            self._on_current(JobAction.RETRY)

    def _current(self) -> JobRow | None:
        """The chosen job, once the detail shows it too."""
        row, shown = self.table.current, self.detail.shown
        return row if row is not None and shown is not None and shown.row.id == row.id else None

    def _on_current(self, action: JobAction) -> None:
        row = self._current()
        if row is not None and action is JobAction.DISCARD:
            self._discard((row,))
        elif row is not None:
            self._act(action, (row,))

    def _discard(self, rows: Sequence[JobRow]) -> None:
        """Discard failed jobs and cancel interrupted ones."""
        failed = [row for row in rows if row.state is JobState.NEEDS_ATTENTION]
        self._act(JobAction.DISCARD, failed)
        self._act(JobAction.CANCEL, [row for row in rows if row not in failed])

    def edit(self) -> JobForm | None:
        """Open the form of the job on view; saving it retries the job."""
        job = self.detail.shown
        if job is None or self._current() is None or not self.detail.is_settled:
            return None
        form = JobForm.change(self._context, self, job, retry=True)
        form.open()
        return form

    def _to_job(self) -> None:
        row = self.table.current
        if row is not None:
            self._context.navigator.to_job(row.id)
