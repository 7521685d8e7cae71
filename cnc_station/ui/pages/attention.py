"""Needs attention: jobs that failed for good or were interrupted, and what to do about each."""

from collections.abc import Sequence

from PySide6.QtCore import QTimer
from PySide6.QtGui import QAction, QHideEvent, QShowEvent
from PySide6.QtWidgets import QWidget

from cnc_station.engine.domain.actions import JobAction
from cnc_station.engine.domain.notice import Notice
from cnc_station.engine.domain.states import JobState
from cnc_station.engine.views import JobFilter, JobRow, Sort, SortKey
from cnc_station.ui import formatting
from cnc_station.ui.coalesced_task import CoalescedTask
from cnc_station.ui.dialogs.job_form import JobForm
from cnc_station.ui.models.row_list import ListColumn, RowList
from cnc_station.ui.page_context import PageContext
from cnc_station.ui.pages.attention_detail import AttentionDetail, line_of
from cnc_station.ui.theme import Ink, Role
from cnc_station.ui.widgets.buttons import Button
from cnc_station.ui.widgets.empty import EmptyState
from cnc_station.ui.widgets.hold_button import HoldButton
from cnc_station.ui.widgets.list_panes import ListPanes
from cnc_station.ui.widgets.list_table import ListTable
from cnc_station.ui.widgets.state_look import look_of
from cnc_station.ui.widgets.text import ElidedLabel

LISTED = 500
_AT_ONCE = 1000
_OLDEST_FIRST = (Sort(SortKey.CHANGED),)
# The worst first: a part is half-way in a machine.
_WORST_FIRST = (JobState.INTERRUPTED, JobState.NEEDS_ATTENTION)
_SINCE = 4  # the column
_REST_MS = 60


class AttentionPage(QWidget):
    """Oldest and worst first; each item one tap from its remedy."""

    def __init__(self, context: PageContext) -> None:
        super().__init__()
        self._context = context
        self._text = ""
        self._total = 0
        self._wanted: int | None = None
        self.rows = RowList(self._columns(), lambda row: row.id, self, checkable=True)
        self.rows.ticked.connect(self._show_bulk)
        self.table = ListTable(self.rows, self.tr("Jobs that need you"))
        self.table.chosen.connect(self._chosen)
        self.table.opened.connect(lambda row: context.ways.to_job(row.id))
        self.detail = AttentionDetail(context.now)
        self.table.picked.connect(lambda row: self.detail.picked(row.id))
        self._connect_detail()
        self._refresh = CoalescedTask(context.operations, self._load, self, interval_ms=_REST_MS)
        self._asking_detail = CoalescedTask(context.operations, self._load_detail, self)
        self._clock = QTimer(self, interval=1000)
        self._clock.timeout.connect(self._tick)
        context.bridge.changed.connect(self._follow)
        self._place()
        self._add_actions()

    def _columns(self) -> tuple[ListColumn[JobRow], ...]:
        return (
            ListColumn(self.tr("Job"), lambda row: row.title, 230, strong=True),
            ListColumn(
                self.tr("State"),
                lambda row: look_of(row.state).word,
                156,
                look=lambda row: look_of(row.state),
            ),
            ListColumn(self.tr("Machine"), lambda row: row.machine or formatting.NONE, 84),
            ListColumn(self.tr("Tries"), lambda row: str(row.attempt), 60, right=True),
            ListColumn(
                self.tr("Since"),
                lambda row: formatting.lasted(row.state_since, self._context.now()),
                88,
                right=True,
            ),
            ListColumn(
                self.tr("What happened"),
                lambda row: row.last_error or formatting.NONE,
                ink=lambda _: Ink.MUTED,
            ),
        )

    def _place(self) -> None:
        self.detail.setMinimumWidth(380)
        self.empty = EmptyState(
            "check",
            self.tr("No job failed or was interrupted"),
            self.tr(
                "Jobs that failed for good and runs that stopped half-way wait here. What machines "
                "and stations need from you is on the floor."
            ),
        )
        self.nothing_found = EmptyState(
            "search", self.tr("Nothing found"), self.tr("No job that needs you matches the search.")
        )
        instead = (self.empty, self.nothing_found)
        self._panes = ListPanes(self, self._bulk_bar(), self.table, self.detail, (2, 1), instead)

    def _bulk_bar(self) -> tuple[QWidget, ...]:
        self.count = ElidedLabel("", Role.STRONG)
        self.retry_all = Button(self.tr("Retry all"))
        self.retry_all.clicked.connect(
            lambda: self._context.operations.run(self._retry_all(), self.tr("Retrying …"))
        )
        self.retry_selected = Button("")
        self.retry_selected.clicked.connect(lambda: self._act(JobAction.RETRY, self._failed()))
        self.discard_selected = HoldButton("", seconds=1.0)
        self.discard_selected.held.connect(lambda: self._discard(self.rows.checked))
        self._show_bulk()
        self.count.setText(self.tr("Nothing read yet"))
        return (self.count, self.retry_selected, self.discard_selected, self.retry_all)

    def _connect_detail(self) -> None:
        detail = self.detail
        detail.retry.connect(lambda: self._on_current(JobAction.RETRY))
        detail.scrap.connect(lambda: self._on_current(JobAction.SCRAP))
        detail.accept.connect(lambda: self._on_current(JobAction.ACCEPT))
        detail.discard.connect(self._discard_current)
        detail.edit.connect(self._edit)
        detail.more.connect(self._to_job)

    def _add_actions(self) -> None:
        for words_, key, slot in (
            (self.tr("Retry the job"), "R", lambda: self._on_settled(JobAction.RETRY)),
            (self.tr("Edit the job, then retry"), "E", self._edit),
        ):
            action = QAction(words_, self)
            action.setShortcut(key)
            action.setAutoRepeat(False)
            action.triggered.connect(slot)
            self.addAction(action)

    # what is on view

    def arrived(self) -> None:
        """Looks again: much may have happened. The keys are for the list, not for a button."""
        self.table.setFocus()
        self.detail.opened()
        self._refresh.request()

    def go_back(self) -> bool:
        """Takes the ticks away, if there are any."""
        ticked = [row.id for row in self.rows.checked]
        self.rows.check(ticked, on=False)
        return bool(ticked)

    def search(self, text: str) -> None:
        """Shows only jobs that match."""
        self._text = text
        self._refresh.request()

    def select(self, job_id: int) -> None:
        """Chooses a job, now or as soon as it is listed."""
        self._wanted = job_id
        self._refresh.request()

    def _follow(self, notice: Notice) -> None:
        if self.isVisible() and (notice.jobs or notice.missed):
            self._refresh.request()

    async def _load(self) -> None:
        found: list[JobRow] = []
        total = 0
        for state in _WORST_FIRST:
            page = await self._context.engine.jobs(self._filter(state), _OLDEST_FIRST, 0, LISTED)
            found += page.rows
            total += page.total
        self._total = total
        self.rows.take(found[:LISTED])
        place = None if self._wanted is None else self.rows.position(self._wanted)
        self._wanted = None
        if place is not None or (found and self.table.current is None):
            self.table.choose(place or 0)
        nothing = self.nothing_found if self._text else self.empty
        self._panes.show_list(unless=None if found else nothing)
        self._show_bulk()
        self._asking_detail.request()

    def _filter(self, state: JobState) -> JobFilter:
        return JobFilter(states=frozenset({state}), text=self._text)

    def _chosen(self, row: JobRow | None) -> None:
        if row is not None:
            self._asking_detail.request()

    async def _load_detail(self) -> None:
        row = self.table.current
        if row is None:
            return
        job = await self._context.engine.job(row.id)
        program = None
        if job is not None and job.row.program and line_of(job.row.last_error):
            program = await self._context.engine.program(job.row.program)
        current = self.table.current
        if job is not None and current is not None and current.id == job.row.id:
            machine = job.runs[0].machine_id if job.runs else None
            status = self._context.engine.status(machine) if machine is not None else None
            self.detail.show_job(job, program, status)

    def _show_bulk(self) -> None:
        ticked, failed = len(self.rows.checked), len(self._failed())
        listed = len(self.rows.rows)
        more = self.tr(", the first {listed} listed").format(listed=listed)
        self.count.setText(
            self.tr("Waiting for you: {total}").format(total=f"{self._total:,}")
            + (more if self._total > listed else "")
        )
        self.retry_selected.setText(self.tr("Retry selected ({count})").format(count=failed))
        self.retry_selected.setEnabled(failed > 0)
        self.retry_selected.setToolTip(
            self.tr("What stopped half-way is decided one by one, at the part.")
        )
        self.discard_selected.setText(
            self.tr("Discard selected ({count}): hold").format(count=ticked)
        )
        self.discard_selected.setEnabled(ticked > 0)
        self.retry_all.setEnabled(
            any(row.state is JobState.NEEDS_ATTENTION for row in self.rows.rows)
        )

    def _tick(self) -> None:
        self.rows.clock_moved(_SINCE)
        self.detail.clock_moved()

    def showEvent(self, event: QShowEvent) -> None:
        """Lets the clock run."""
        super().showEvent(event)
        self._clock.start()

    def hideEvent(self, event: QHideEvent) -> None:
        """Stops the clock: nobody looks."""
        super().hideEvent(event)
        self._clock.stop()

    # what can be done

    def _failed(self) -> tuple[JobRow, ...]:
        return tuple(row for row in self.rows.checked if row.state is JobState.NEEDS_ATTENTION)

    def _act(self, action: JobAction, rows: Sequence[JobRow]) -> None:
        if rows:
            self._context.operations.act(action, [row.id for row in rows])

    def _on_settled(self, action: JobAction) -> None:
        """A key, which is as quick on the next job as a finger."""
        if self.detail.is_settled:
            self._on_current(action)

    def _current(self) -> JobRow | None:
        """The job chosen, once it is also the one in full view: it is what a person means."""
        row, shown = self.table.current, self.detail.shown
        return row if row is not None and shown is not None and shown.row.id == row.id else None

    def _on_current(self, action: JobAction) -> None:
        row = self._current()
        if row is not None:
            self._act(action, (row,))

    def _discard_current(self) -> None:
        row = self._current()
        if row is not None:
            self._discard((row,))

    def _discard(self, rows: Sequence[JobRow]) -> None:
        """A failed job is discarded, an interrupted one cancelled: the same to a person."""
        failed = [row for row in rows if row.state is JobState.NEEDS_ATTENTION]
        self._act(JobAction.DISCARD, failed)
        self._act(JobAction.CANCEL, [row for row in rows if row not in failed])

    async def _retry_all(self) -> None:
        """Every failed job, listed or not; never what stopped half-way in a machine."""
        ids: list[int] = []
        chosen = JobFilter(states=frozenset({JobState.NEEDS_ATTENTION}), text=self._text)
        while True:
            page = await self._context.engine.jobs(chosen, _OLDEST_FIRST, len(ids), _AT_ONCE)
            ids += [row.id for row in page.rows]
            if not page.rows or len(ids) >= page.total:
                break
        if ids:
            self._context.operations.act(JobAction.RETRY, ids)

    def _edit(self) -> JobForm | None:
        """Opens the form of the job on view; saving it retries the job."""
        job = self.detail.shown
        if job is None or self._current() is None or not self.detail.is_settled:
            return None
        form = JobForm.change(self._context, self, job, retry=True)
        form.open()
        return form

    def _to_job(self) -> None:
        row = self.table.current
        if row is not None:
            self._context.ways.to_job(row.id)
