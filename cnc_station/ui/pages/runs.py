"""The runs of all jobs: what was tried, where, and what came of it."""

from collections.abc import Iterable, Sequence
from functools import partial

from cnc_station.engine.domain.actions import JobAction
from cnc_station.engine.domain.notice import Notice
from cnc_station.engine.domain.states import LIVE_RUNS, RunState
from cnc_station.engine.queries import JobsById, ListRuns, RunById
from cnc_station.engine.views import RunFilter, RunRow
from cnc_station.ui import formatting
from cnc_station.ui.models.row_model import Column
from cnc_station.ui.page_context import PageContext
from cnc_station.ui.pages.list_page import ListPage
from cnc_station.ui.pages.matching_runs import MatchingRuns
from cnc_station.ui.pages.run_detail import RunDetailCard, took
from cnc_station.ui.pages.ticked_bar import TickedBar
from cnc_station.ui.theme import Ink
from cnc_station.ui.widgets.buttons import add_key
from cnc_station.ui.widgets.empty import EmptyState
from cnc_station.ui.widgets.filter_chip import MenuChip
from cnc_station.ui.widgets.state_look import look_of

_PAGE_ROWS = 500
_INTERVAL_MS = 500


class RunsPage(ListPage[RunRow]):
    """A list of the latest runs, one of them in detail with its output, which grows while it
    runs."""

    def __init__(self, context: PageContext) -> None:
        super().__init__(
            context,
            self.tr("Runs"),
            interval_ms=_INTERVAL_MS,
            page_rows=_PAGE_ROWS,
            checkable=True,
        )
        self._outcome: RunState | None = None
        self._handler: str | None = None
        self._station: str | None = None
        self._handlers: set[str] = set()
        self._stations: set[str] = set()
        self.outcome = MenuChip(self.tr("Outcome"))
        self.handler = MenuChip(self.tr("Handler"))
        self.station = MenuChip(self.tr("Station"))
        self.detail = RunDetailCard(context.now)
        self.detail.cancel_button.clicked.connect(partial(self._act, JobAction.ABORT))
        self.detail.retry_button.clicked.connect(partial(self._act, JobAction.RETRY))
        self.detail.job_button.clicked.connect(self.show_job)
        self.table.opened.connect(lambda _: self.show_job())
        no_match = self.tr("No run matches the search and the filters.")
        self.matching = MatchingRuns(context, self, lambda: self._filter)
        head = (self.outcome, self.handler, self.station, self.matching.button)
        self.ticked = TickedBar(*head)
        self.ticked.add(JobAction.RETRY, self.tr("Retry jobs"), self._retry_ticked)
        self.ticked.add(JobAction.ABORT, self.tr("Cancel runs"), self._cancel_ticked, loses=True)
        self.rows.ticked.connect(self._show_ticked)
        self.lay_out(self.detail, (3, 2), self._no_runs(), no_match, self.ticked, *head, least=400)
        add_key(self, self.tr("Show the job of the run"), "J", self.show_job)

    def columns(self) -> Sequence[Column[RunRow]]:
        now = self._context.now
        return (
            Column(self.tr("Job"), lambda r: r.job, 200, strong=True),
            Column(
                self.tr("State"),
                lambda r: look_of(r.state).word,
                116,
                look=lambda r: look_of(r.state),
            ),
            Column(self.tr("Try"), lambda r: str(r.attempt), 40, right=True),
            Column(self.tr("On"), lambda r: r.machine, 96),
            Column(
                self.tr("Started"),
                lambda r: formatting.moment(r.started_at or r.assigned_at, now()),
                84,
                ink=lambda _: Ink.MUTED,
            ),
            Column(self.tr("Took"), lambda r: took(r, now()), 56, right=True),
            Column(
                self.tr("Result"),
                lambda r: r.error or r.result or "",
                ink=lambda r: Ink.ALARM if r.error else Ink.MUTED,
            ),
        )

    def _no_runs(self) -> EmptyState:
        empty = EmptyState(
            "list",
            self.tr("No job has run yet"),
            self.tr("Each attempt to do a job is listed here, with its result and its output."),
            self.tr("Show the jobs"),
        )
        empty.step.connect(lambda: self._context.navigator.to_page("jobs"))
        return empty

    def key_of(self, row: RunRow) -> int:
        return row.id

    def follow(self, notice: Notice) -> None:
        if notice.jobs or notice.missed:
            self._refresh.request()

    def tick(self) -> None:
        """A live run's output and time grow without a notice."""
        row = self.table.current
        if row is not None and row.state in LIVE_RUNS:
            self._detail_query.request()

    @property
    def is_filtered(self) -> bool:
        return any((self._outcome, self._handler, self._station))

    @property
    def _filter(self) -> RunFilter:
        outcome = frozenset() if self._outcome is None else frozenset({self._outcome})
        return RunFilter(
            states=outcome, handler=self._handler, station=self._station, text=self._text
        )

    async def read(self) -> Sequence[RunRow]:
        """The latest runs that the filters select and whose texts contain the search."""
        found = await self._context.door.ask(ListRuns.of(self._filter, self.limit))
        self._handlers |= {row.handler for row in found if row.handler}
        self._stations |= {row.station for row in found}
        self._offer()
        return found

    def _offer(self) -> None:
        """Offer what was seen, with the present choice."""
        outcomes = [(look_of(state).word, state) for state in RunState]
        names = [(name, name) for name in sorted(self._handlers)]
        stations = [(name, name) for name in sorted(self._stations)]
        self.outcome.offer(outcomes, self._outcome, self.choose_outcome)
        self.handler.offer(names, self._handler, self.choose_handler)
        self.station.offer(stations, self._station, self.choose_station)

    def choose_outcome(self, outcome: RunState | None) -> None:
        self._outcome = outcome
        self.outcome.show_value("" if outcome is None else look_of(outcome).word)
        self.narrow()

    def choose_handler(self, handler: str | None) -> None:
        self._handler = handler
        self.handler.show_value(handler or "")
        self.narrow()

    def choose_station(self, station: str | None) -> None:
        self._station = station
        self.station.show_value(station or "")
        self.narrow()

    def summary(self) -> str:
        """A full page may have more below it, which come when the list is scrolled to its end."""
        total = self.rows.total
        if total >= self.limit:
            return self.tr("The latest {count} runs, scroll for more").format(count=f"{total:,}")
        one, many = self.tr("1 run"), self.tr("{count} runs")
        return one if total == 1 else many.format(count=f"{total:,}")

    def show_row(self, row: RunRow) -> None:
        self.detail.show_run(row)
        super().show_row(row)

    async def load_detail(self, row: RunRow) -> None:
        door = self._context.door
        detail = await door.ask(RunById(row.id))
        jobs = await door.ask(JobsById([row.job_id]))
        if detail is not None and self.is_chosen(row):
            self.detail.show_detail(detail, jobs[0] if jobs else None)

    async def _load(self) -> None:
        await super()._load()
        self._show_ticked()

    def _show_ticked(self) -> None:
        counts = (len(self._failed()), len(self._cancellable()))
        self.ticked.show_counts(len(self.rows.checked), counts)

    def _failed(self) -> tuple[int, ...]:
        """The jobs of ticked runs that failed or were cancelled. An interrupted one is decided
        about alone, at its part."""
        again = {RunState.FAILED, RunState.CANCELLED}
        return _jobs_of(row for row in self.rows.checked if row.state in again)

    def _cancellable(self) -> tuple[int, ...]:
        """The jobs of ticked runs of handlers that are under way. A machine is stopped alone."""
        return _jobs_of(r for r in self.rows.checked if r.state in LIVE_RUNS and r.handler)

    def _retry_ticked(self) -> None:
        self._context.operations.act(JobAction.RETRY, self._failed())

    def _cancel_ticked(self) -> None:
        self._context.operations.act(JobAction.ABORT, self._cancellable())

    def go_back(self) -> bool:
        """Clear the ticks, if there are any."""
        ticked = [row.id for row in self.rows.checked]
        self.rows.check(ticked, on=False)
        return bool(ticked)

    def _act(self, action: JobAction) -> None:
        if (row := self.table.current) is not None:
            self._context.operations.act(action, [row.job_id])

    def show_job(self) -> None:
        if (row := self.table.current) is not None:
            self._context.navigator.to_job(row.job_id)


def _jobs_of(rows: Iterable[RunRow]) -> tuple[int, ...]:
    return tuple(dict.fromkeys(row.job_id for row in rows))
