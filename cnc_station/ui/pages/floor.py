"""The floor: what runs, what needs me, what is next, how long still."""

from collections.abc import Callable
from functools import partial
from time import perf_counter

from PySide6.QtCore import QTimer
from PySide6.QtGui import QHideEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QStackedLayout, QWidget

from cnc_station.engine.domain.actions import JobAction, MachineAction
from cnc_station.engine.domain.notice import ABOUT_LINKS, ABOUT_STATIONS, Notice
from cnc_station.engine.queries import FloorNow, JobsById, ListLinks
from cnc_station.engine.views import Floor, NeedsYou, Remedy
from cnc_station.ui.at_machine import AtMachine
from cnc_station.ui.coalesced_task import CoalescedTask
from cnc_station.ui.floor.activity_panel import ActivityPanel
from cnc_station.ui.floor.card_feed import CardFeed
from cnc_station.ui.floor.card_text import CardAction
from cnc_station.ui.floor.charts import ChartShelf
from cnc_station.ui.floor.column import FloorColumn
from cnc_station.ui.floor.summary import Summary
from cnc_station.ui.needs import is_cut_off, link_needs
from cnc_station.ui.page_context import SLOW_LOOK_MS, PageContext
from cnc_station.ui.theme import theme
from cnc_station.ui.widgets.empty import EmptyState
from cnc_station.ui.widgets.layout import hbox

_REST_MS = 50
_REST_FACTOR = 3  # times a query's duration: it spares the engine of a busy shop
_LEAST_SIDE, _MOST_SIDE = 284, 380
_ON_JOB = {
    CardAction.HOLD: JobAction.HOLD,
    CardAction.CONTINUE: JobAction.CONTINUE,
    CardAction.ABORT: JobAction.ABORT,
}
_ON_MACHINE = {
    CardAction.UNLOCK: MachineAction.UNLOCK,
    CardAction.END_MAINTENANCE: MachineAction.MAINTENANCE_OFF,
}


class FloorPage(QWidget):
    """Queries the engine only while it is on view. `looks` counts its queries."""

    def __init__(self, context: PageContext) -> None:
        super().__init__()
        self._context = context
        self._titles: dict[int, str] = {}
        self.looks = 0
        self.at_machine = AtMachine(context, self)
        self.summary = Summary(context)
        self.charts = ChartShelf(context)
        self.column = FloorColumn(self.summary, self.charts)
        self.feed = CardFeed(self.column, context.door, self.at_machine.drivers, context.now, self)
        self.side = ActivityPanel()
        self.no_machines = EmptyState(
            "factory",
            self.tr("No machines yet"),
            self.tr(
                "The floor shows every machine of the shop with its job, its time left and what it "
                "needs. Add your first machine, or look around with a day of an example shop."
            ),
            self.tr("Add your first machine"),
        )
        self._refresh = CoalescedTask(context.operations, self._query, self, interval_ms=_REST_MS)
        self._seconds = QTimer(self, interval=1000)
        self._seconds.timeout.connect(self._tick)
        self._slow_look = QTimer(self, interval=SLOW_LOOK_MS)
        self._slow_look.timeout.connect(self._query_slowly)
        self._floor_needs: tuple[NeedsYou, ...] = ()
        self._place()
        self._connect()

    def _place(self) -> None:
        margin = theme().metrics.page_margin
        shop = QWidget()
        hbox((self.column, 1), self.side, on=shop, gap=margin, margins=(margin, 0, margin, 0))
        self._pages = QStackedLayout(self)
        self._pages.addWidget(shop)
        self._pages.addWidget(self.no_machines)

    def _connect(self) -> None:
        navigator = self._context.navigator
        self._context.bridge.changed.connect(self._follow)
        self._context.bridge.telemetry.connect(self._show_telemetry)
        self._context.alerts.feed.changed.connect(self._show_alerts)
        self.charts.machine_chosen.connect(navigator.to_machine)
        self.charts.jobs_chosen.connect(navigator.to_jobs)
        self.column.asked.connect(self._act)
        self.column.opened.connect(self._open_card)
        self.side.remedied.connect(self._remedy)
        self.side.needed.connect(self._open_need)
        self.side.job_chosen.connect(navigator.to_job)
        self.side.machine_chosen.connect(navigator.to_machine)
        self.side.first_jobs.form_wanted.connect(partial(navigator.new_job, None))
        self.side.first_jobs.import_wanted.connect(navigator.import_files)
        self.no_machines.step.connect(partial(navigator.to_page, "machines"))
        self.no_machines.offer(self.tr("Load the demo day"), navigator.load_demo)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.side.setFixedWidth(min(_MOST_SIDE, max(_LEAST_SIDE, self.width() // 5)))

    def showEvent(self, event: QShowEvent) -> None:
        self._show_alerts()
        self._tick()
        self._seconds.start()
        self._slow_look.start()
        self._refresh.request()
        self.charts.start()

    def hideEvent(self, event: QHideEvent) -> None:
        self._seconds.stop()
        self._slow_look.stop()
        self._refresh.stop()
        self.charts.stop()
        self.feed.stop()

    def _follow(self, notice: Notice) -> None:
        if not self.isVisible():
            return
        if notice.tells_of(ABOUT_LINKS):
            self.side.show_needs(self._needs(), self._context.now())
        if notice.jobs or notice.machines or notice.tells_of(ABOUT_STATIONS):
            self._refresh.request()
            self.charts.changed()

    def _show_alerts(self) -> None:
        self.side.show_alerts(self._context.alerts.feed.open_rows, self._context.now())

    def _show_telemetry(self, machines: frozenset[int]) -> None:
        if self.isVisible():
            self.feed.move(machines)

    def _query_slowly(self) -> None:
        """Skip the query while the database is down: its return requests one by itself."""
        if not is_cut_off(self._context.door.peek(ListLinks())):
            self._refresh.request()

    def _needs(self) -> tuple[NeedsYou, ...]:
        return (*link_needs(self._context.door.peek(ListLinks())), *self._floor_needs)

    async def _query(self) -> None:
        self.looks += 1
        begun = perf_counter()
        floor = await self._context.door.ask(FloorNow())
        took = perf_counter() - begun
        self._refresh.set_min_interval(max(_REST_MS, round(_REST_FACTOR * 1000 * took)))
        titles = _titles_in(floor)
        told = {event.job_id for event in floor.just_now if event.job_id is not None}
        unknown = sorted(told - titles.keys() - self._titles.keys())
        if unknown:
            rows = await self._context.door.ask(JobsById(unknown))
            titles |= {row.id: row.title for row in rows}
        kept = {job: title for job, title in self._titles.items() if job in told}
        self._titles = kept | titles
        self._show_floor(floor)

    def _show_floor(self, floor: Floor) -> None:
        self._pages.setCurrentIndex(0 if floor.cards else 1)
        now = self._context.now()
        self.summary.show_counts(floor.counts)
        self.feed.show(floor.cards)
        self._floor_needs = floor.needs_you
        self.side.show_floor(floor, self._needs(), self._titles, now)
        self.charts.show_machines({card.machine.id: card.machine.spec.name for card in floor.cards})

    def _tick(self) -> None:
        self.feed.tick()
        self.side.tick(self._context.now())

    def _act(self, machine: int, action: CardAction) -> None:
        card = self.feed.card(machine)
        if card is None:
            return
        if action is CardAction.DETAILS:
            self._open_card(machine)
        elif action is CardAction.CLEAR:
            self.at_machine.clear(machine)
        elif action is CardAction.CONFIRM_POSITION:
            self.at_machine.confirm_position(machine)
        elif action is CardAction.RECONNECT:
            self._reconnect(machine)
        elif action is CardAction.SET_UP and card.job is not None:
            self.at_machine.set_up(card.job.id)
        elif action is CardAction.FINISH and card.job is not None:
            self.at_machine.finish(card.job.id)
        elif action in _ON_MACHINE:
            self._context.operations.act_on_machine(_ON_MACHINE[action], machine)
        elif card.machine.job_id is not None:
            self._context.operations.act(_ON_JOB[action], [card.machine.job_id])

    def _open_card(self, machine: int) -> None:
        card = self.feed.card(machine)
        if card is not None and card.job is not None:
            self._context.navigator.to_job(card.job.id)
        else:
            self._context.navigator.to_machine(machine)

    def _remedy(self, item: NeedsYou) -> None:
        operations = self._context.operations
        on_machine: dict[Remedy, Callable[[int], None]] = {
            Remedy.CLEAR: self.at_machine.clear,
            Remedy.UNLOCK: partial(operations.act_on_machine, MachineAction.UNLOCK),
            Remedy.CONFIRM_POSITION: self.at_machine.confirm_position,
            Remedy.RECONNECT: self._reconnect,
        }
        on_job: dict[Remedy, Callable[[int], None]] = {
            Remedy.CONTINUE: lambda job_id: operations.act(JobAction.CONTINUE, [job_id]),
            Remedy.RETRY: lambda job_id: operations.act(JobAction.RETRY, [job_id]),
            Remedy.DECIDE: self._context.navigator.to_attention,
            Remedy.SET_UP: self.at_machine.set_up,
            Remedy.FINISH: self.at_machine.finish,
        }
        if item.remedy in on_machine and item.machine_id is not None:
            on_machine[item.remedy](item.machine_id)
        elif item.remedy in on_job and item.job_id is not None:
            on_job[item.remedy](item.job_id)
        elif item.remedy is Remedy.TRY_LINK:
            operations.try_database()
        elif item.remedy is Remedy.BACK_UP:
            self._context.navigator.to_backups()
        elif item.remedy is Remedy.FIND_STATION:
            operations.look_for_station(item.about)
        elif item.remedy is Remedy.ACCEPT_DATABASE:
            self.at_machine.accept_database()
        else:
            self._open_need(item)

    def _reconnect(self, machine: int) -> None:
        card = self.feed.card(machine)
        if card is not None:
            self._context.operations.reconnect(machine, card.machine.spec.name)

    def _open_need(self, item: NeedsYou) -> None:
        if item.remedy is Remedy.FIND_STATION:
            self._context.navigator.to_page("stations")
        elif item.remedy is Remedy.TRY_LINK:
            self._context.navigator.to_page("settings")
        elif item.remedy is Remedy.BACK_UP:
            self._context.navigator.to_backups()
        elif item.remedy is Remedy.ACCEPT_DATABASE:
            self._context.navigator.to_page("machines")
        elif item.job_id is not None:
            self._context.navigator.to_job(item.job_id)
        elif item.machine_id is not None:
            self._context.navigator.to_machine(item.machine_id)


def _titles_in(floor: Floor) -> dict[int, str]:
    rows = [*floor.next_up]
    for card in floor.cards:
        rows += [row for row in (card.job, card.next_job) if row is not None]
    return {row.id: row.title for row in rows}
