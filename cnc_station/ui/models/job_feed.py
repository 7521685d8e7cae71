"""Loads the rows of the job table: pages while scrolling, visible rows when jobs change."""

import time
from collections.abc import Sequence

from PySide6.QtCore import QObject, QTimer, Signal

from cnc_station.engine.domain.errors import CncStationError
from cnc_station.engine.domain.states import JobState
from cnc_station.engine.queries import ListJobs
from cnc_station.engine.views import JobFilter, JobPage, Sort
from cnc_station.ui.coalesced_task import CoalescedTask
from cnc_station.ui.models.job_table import JobTableModel
from cnc_station.ui.page_context import PageContext

PAGE = 200
MARGIN = 24
_MIN_REST_MS, _MAX_REST_MS = 30, 250
_TIMED_STATES = frozenset({JobState.HELD, JobState.DELAYED})


class JobFeed(QObject):
    """Queries the engine for the visible rows (`show_rows`), one query at a time. `refresh` reloads
    the visible rows and MARGIN rows around them, then rests as long as the query took, so that a
    slow order cannot keep the database busy. Scrolling near the end of the loaded rows loads a page
    more."""

    started_over = Signal()  # the first page of another list is loaded

    def __init__(self, context: PageContext, model: JobTableModel, order: Sequence[Sort]) -> None:
        super().__init__(model)
        self._context = context
        self._model = model
        self.chosen = JobFilter()
        self.order = tuple(order)
        self._first = 0
        self._last = 30
        self._downwards = True
        self._start_over = False
        self._stale = False
        self._refresh = CoalescedTask(context.operations, self._answer, self)
        self._rest = QTimer(self, singleShot=True)
        self._rest.timeout.connect(self._refresh_after_rest)

    @property
    def settled(self) -> bool:
        """Whether everything requested is on view."""
        return not (self._refresh.busy or self._start_over or self._stale)

    def choose(self, chosen: JobFilter) -> None:
        """Show the jobs of another filter, from the first."""
        self.chosen = chosen
        self.start_over()

    def sort(self, order: Sequence[Sort]) -> None:
        self.order = tuple(order)
        self.start_over()

    def start_over(self) -> None:
        self._start_over = True
        self._refresh.request()

    def refresh(self) -> None:
        """Reload the visible rows after a change."""
        self._stale = True
        if not self._rest.isActive():
            self._refresh.request()

    def _refresh_after_rest(self) -> None:
        if self._stale:
            self._refresh.request()

    def stop(self) -> None:
        self._rest.stop()
        self._refresh.stop()

    def show_rows(self, first: int, last: int) -> None:
        """Set the range of visible rows."""
        if first != self._first:
            self._downwards = first > self._first
        self._first, self._last = first, last
        if not self._start_over and self._missing() is not None:
            self._refresh.request()

    def waits_for_the_clock(self) -> bool:
        """Whether a visible row shows something that changes with time alone."""
        rows = (self._model.row(at) for at in range(self._first, self._last + 1))
        return any(row is not None and row.state in _TIMED_STATES for row in rows)

    async def _answer(self) -> None:
        if self._start_over:
            await self._fetch_first()
        elif self._stale:
            await self._fetch_again()
        elif (gap := self._missing()) is not None:
            page = await self._fetch(gap)
            if page is not None and not self._model.extend(page):
                self._stale = True
        stale = self._stale and not self._rest.isActive()
        if self._start_over or stale or self._missing() is not None:
            self._refresh.request()

    async def _fetch_first(self) -> None:
        self._start_over = self._stale = False
        try:
            page = await self._fetch(range(self._last - self._first + 1 + 2 * MARGIN))
        except CncStationError:
            self._start_over = True  # so that the next request loads it
            raise
        if page is not None:
            self._model.take(page)
            self.started_over.emit()

    async def _fetch_again(self) -> None:
        self._stale = False
        began = time.monotonic()
        page = await self._fetch(self._near())
        took = round((time.monotonic() - began) * 1000)
        self._rest.start(min(max(took, _MIN_REST_MS), _MAX_REST_MS))
        if page is not None:
            self._model.take(page)

    async def _fetch(self, wanted: range) -> JobPage | None:
        """The rows at these positions; None if the filter or order has changed meanwhile."""
        asked = self.chosen, self.order
        page = await self._context.door.ask(
            ListJobs(*asked, wanted.start, len(wanted), with_next=True)
        )
        return page if asked == (self.chosen, self.order) else None

    def _near(self) -> range:
        return range(max(0, self._first - MARGIN), self._last + 1 + MARGIN)

    def _missing(self) -> range | None:
        """The next page to load around the visible rows, next to the known rows if possible."""
        near = self._near()
        known, end = self._model.known, min(near.stop, self._model.total)
        if near.start >= end or (known.start <= near.start and end <= known.stop):
            return None
        if known.start <= near.start <= known.stop:
            return range(known.stop, known.stop + PAGE)
        if known.start <= end <= known.stop:
            return range(max(0, known.start - PAGE), known.start)
        start = near.start if self._downwards else max(0, near.stop - PAGE)
        return range(start, start + PAGE)
