"""The Jobs page: which jobs, in what order, what to do with them, and one of them in detail."""

from dataclasses import replace

from PySide6.QtCore import QModelIndex, QTimer
from PySide6.QtGui import QHideEvent, QResizeEvent
from PySide6.QtWidgets import QFrame, QSizePolicy, QStackedWidget, QWidget

from cnc_station.engine.commands import SaveSettings
from cnc_station.engine.domain.notice import ABOUT_LINKS, ABOUT_STATIONS, MISSED, Notice
from cnc_station.engine.domain.states import OPEN_JOBS, JobState
from cnc_station.engine.queries import CountJobs, LatestTelemetry, ListMachines, StoredSettings
from cnc_station.engine.views import JobFilter, JobRow, Sort, Telemetry
from cnc_station.ui.bulk_commands import BulkCommands, Matching
from cnc_station.ui.coalesced_task import CoalescedTask
from cnc_station.ui.drivers import unattended
from cnc_station.ui.job_commands import JobCommands
from cnc_station.ui.job_menus import JobList, JobMenus
from cnc_station.ui.job_order import BY_STATE_AND_QUEUE, QueueMoves
from cnc_station.ui.models.job_columns import SHOWN_AT_FIRST
from cnc_station.ui.models.job_feed import JobFeed
from cnc_station.ui.models.job_groups import normal
from cnc_station.ui.models.job_selection import SelectedRows
from cnc_station.ui.models.job_table import JobTableModel
from cnc_station.ui.page_context import PageContext
from cnc_station.ui.pages.list_page import Page
from cnc_station.ui.theme import theme
from cnc_station.ui.widgets.empty import NoJobs
from cnc_station.ui.widgets.job_actions import BulkBar
from cnc_station.ui.widgets.job_detail import JobDetailPanel
from cnc_station.ui.widgets.job_filters import JobFilterBar
from cnc_station.ui.widgets.job_table_view import JobTableView
from cnc_station.ui.widgets.layout import hbox, vbox

ORDER = BY_STATE_AND_QUEUE  # the default
SETTING = "jobs.columns"
_COUNT_EVERY_MS = 400
_TYPING_MS = 120
_NARROW_PX = 900


class JobsPage(Page):
    """Other pages come in by `apply(filter)` and `open_job(id)`."""

    def __init__(self, context: PageContext) -> None:
        super().__init__(context)
        self._text = ""
        self._chosen = JobFilter(states=OPEN_JOBS)
        self._restored = False
        self._tenants: set[str] = set()
        self._jobs_of_all_states = 0
        self._states: frozenset[JobState] = frozenset(JobState)
        self._all_matching = False  # the commands are for all jobs that match
        self.commands = JobCommands(context, self)
        self.matching = BulkCommands(context, self)
        self.model = JobTableModel(SHOWN_AT_FIRST, context.now, self._telemetry)
        self.model.setParent(self)
        self.feed = JobFeed(context, self.model, ORDER)
        self.view = JobTableView(self.model)
        self.view.set_order(ORDER)
        self.selected = SelectedRows(context, self.feed, self.model, self.view.selection)
        self.filters = JobFilterBar()
        self.bulk = BulkBar()
        self.detail = JobDetailPanel(context, self.commands)
        self.detail.hide()
        jobs = JobList(self.view, self.feed, self.selected, self.commands)
        self.menus = JobMenus(context, self, jobs, QueueMoves(context, self.model))
        self._counts = CoalescedTask(
            context.operations, self._count, self, interval_ms=_COUNT_EVERY_MS
        )
        self._values = CoalescedTask(
            context.operations, self._load_values, self, interval_ms=_COUNT_EVERY_MS
        )
        self._typed = QTimer(self, singleShot=True, interval=_TYPING_MS)
        self._typed.timeout.connect(self._search)
        self._place()
        self._connect()

    def _place(self) -> None:
        self._bar = QStackedWidget()
        self._bar.addWidget(self.filters)
        self._bar.addWidget(self.bulk)
        self._bar.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.nothing = NoJobs()
        self._stack = QStackedWidget()
        self._stack.addWidget(self.view)
        self._stack.addWidget(self.nothing)
        card = QFrame()
        card.setProperty("part", "card")
        vbox(self._stack, on=card, margins=1)
        self.left = QWidget()
        vbox(self._bar, (card, 1), on=self.left, gap=theme().metrics.page_margin)
        hbox((self.left, 1), self.detail, on=self, gap=16, margins=(16, 14, 16, 0))

    def _connect(self) -> None:
        self.view.rows_on_view.connect(self.feed.show_rows)
        self.view.order_wanted.connect(self.sort)
        self.view.columns_changed.connect(self._remember_columns)
        self.view.clicked.connect(self._clicked)
        self.view.activated.connect(self._clicked)
        self.view.selection.currentChanged.connect(self._current_changed)
        self.menus.sort_wanted.connect(self.sort)
        self.model.taken.connect(self._taken)
        self.feed.started_over.connect(self.view.scrollToTop)
        self.feed.started_over.connect(self._counts.request)  # the rows come first
        self.selected.changed.connect(self._show_selection)
        self.filters.chosen.connect(self._choose)
        self.filters.menu_opens.connect(self.menus.fill_more)
        self.bulk.cleared.connect(self._select_none)
        self.bulk.all_wanted.connect(self._take_all)
        self.view.selection.by_hand.connect(self._take_selected)
        self.matching.begun.connect(self._select_none)
        self.nothing.chosen.connect(self._context.navigator.to_jobs)
        self.nothing.new_job.connect(self._context.navigator.new_job)
        self.nothing.import_wanted.connect(self._context.navigator.import_files)
        self.detail.closed.connect(self._fit)
        self._context.bridge.telemetry.connect(self._show_telemetry)

    def arrived(self) -> None:
        if self._restored:
            self.follow(MISSED)
        else:
            self._restored = True
            self._context.operations.run(self._restore_columns())
            self.feed.choose(self._chosen)
        self._values.request()
        self._show_filter()
        self.view.setFocus()

    def apply(self, chosen: JobFilter) -> None:
        """Show these jobs, replacing the present filter."""
        self._text = chosen.text
        self._choose(normal(chosen))

    def open_job(self, job_id: int) -> None:
        """Show a job in detail, and its row if it is on view."""
        self.view.show_job(job_id)
        self._open(job_id)

    def search(self, text: str) -> None:
        self._text = text
        self._typed.start()

    def go_back(self) -> bool:
        """Close the panel, or clear the selection."""
        if self.detail.job_id is not None:
            self.detail.close_panel()
            self.view.setFocus()
            return True
        if self.selected.count > 1 or self._all_matching:
            self._select_none()
            return True
        return False

    def _choose(self, chosen: JobFilter) -> None:
        self._chosen = replace(chosen, text=self._text)
        self._take_selected()
        self.feed.choose(self._chosen)
        self._show_filter()

    def _show_filter(self) -> None:
        self.filters.show_filter(self._chosen, self._context.now())

    def _search(self) -> None:
        if self._text != self._chosen.text:
            self._choose(self._chosen)

    def sort(self, order: tuple[Sort, ...]) -> None:
        """Show the jobs in this order; empty means the default order."""
        order = order or ORDER
        self.view.set_order(order)
        self.feed.sort(order)

    async def _count(self) -> None:
        chosen = self._chosen
        counts = await self._context.door.ask(CountJobs(chosen))
        if chosen == self._chosen:
            self.filters.show_counts(counts)
            self._jobs_of_all_states = sum(counts.by_state.values())
            self._states = frozenset(state for state, n in counts.by_state.items() if n)
            self._explain_nothing()
            if self._all_matching:
                self._show_selection()

    async def _load_values(self) -> None:
        machines = await self._context.door.ask(ListMachines())
        self.commands.machines = self.matching.machines = {m.id: m.spec for m in machines}
        away = {m.id: why for m in machines if (why := unattended(m))}
        if away != self.commands.unattended:
            self.commands.unattended = away
            self.detail.commands_changed()
        names = {m.id: m.spec.name for m in machines}
        self.detail.machines = names
        types = sorted({m.spec.machine_type for m in machines})
        self.filters.set_values(types, names, sorted(self._tenants))
        self._show_filter()

    def follow(self, notice: Notice) -> None:
        if notice.jobs or notice.tells_of(ABOUT_LINKS):
            self.feed.refresh()
            self._counts.request()
        if notice.machines or notice.tells_of(ABOUT_STATIONS):
            self._values.request()
        self.selected.follow(notice)
        self.detail.follow(notice)

    def _show_telemetry(self, machines: frozenset[int]) -> None:
        if self.isVisible():
            self.model.telemetry_changed(machines)
            self.detail.follow_telemetry(machines)

    def _taken(self) -> None:
        self._stack.setCurrentWidget(self.view if self.model.total else self.nothing)
        self._explain_nothing()
        if self._bar.currentWidget() is self.bulk:
            self._show_selection()
        tenants = {row.tenant for _, row in self.model.placed() if row.tenant}
        if not tenants <= self._tenants:
            self._tenants |= tenants
            self._values.request()

    def _explain_nothing(self) -> None:
        plain = self._chosen == JobFilter(states=OPEN_JOBS)
        self.nothing.explain(self._chosen, shop_is_empty=plain and self._jobs_of_all_states == 0)

    def tick(self) -> None:
        if self.feed.waits_for_the_clock():
            self.feed.refresh()
        self.detail.tick()

    def _clicked(self, index: QModelIndex) -> None:
        row = self.model.row(index.row())
        if row is not None and self.selected.count <= 1 and not self.view.taps_select:
            self._open(row.id, row)

    def _current_changed(self, index: QModelIndex) -> None:
        row = self.model.row(index.row()) if index.isValid() else None
        if row is not None and self.detail.job_id is not None and not self.model.taking:
            self._open(row.id, row)

    def _open(self, job_id: int, row: JobRow | None = None) -> None:
        if job_id != self.detail.job_id:
            self.detail.open_job(job_id, row)
            self._fit()

    def _show_selection(self) -> None:
        several = self.selected.count > (0 if self.view.taps_select else 1)
        if self._all_matching:
            states = self._chosen.states or frozenset(JobState)
            jobs = Matching(self._chosen, self.model.total, states & self._states)
            self.bulk.show_matching(jobs.count, self.matching.of(jobs))
        elif several:
            commands = self.menus.commands()
            self.bulk.show_selection(self.selected.count, commands, self.model.total)
        self._bar.setCurrentWidget(self.bulk if several or self._all_matching else self.filters)

    def _take_all(self) -> None:
        """Offer the commands for all jobs that match, until a person selects otherwise."""
        self.view.selectAll()
        self._all_matching = True
        self._show_selection()

    def _take_selected(self) -> None:
        if self._all_matching:
            self._all_matching = False
            self._show_selection()

    def _select_none(self) -> None:
        self._take_selected()
        self.view.selection.clearSelection()

    async def _restore_columns(self) -> None:
        self.view.restore((await self._context.door.ask(StoredSettings())).get(SETTING))

    def _remember_columns(self, columns: dict[str, object]) -> None:
        save = SaveSettings({SETTING: columns})
        self._context.operations.run(self._context.door.execute(save))

    def _telemetry(self, machine_id: int) -> Telemetry | None:
        return self._context.door.peek(LatestTelemetry(machine_id))

    def _fit(self) -> None:
        """On a narrow window the panel replaces the table."""
        narrow = self.width() < _NARROW_PX and self.detail.job_id is not None
        self.left.setVisible(not narrow)
        if narrow:
            self.detail.setMinimumWidth(0)
            self.detail.setMaximumWidth(16_777_215)
        else:
            self.detail.setFixedWidth(self.detail.preferred_width())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.feed.stop()
