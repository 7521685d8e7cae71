"""The selected jobs with what is known of them, so that it is clear what can be done to all."""

from PySide6.QtCore import QObject, Signal

from cnc_station.engine.domain.notice import Notice
from cnc_station.engine.views import JobFilter, JobRow
from cnc_station.ui.coalesced_task import CoalescedTask
from cnc_station.ui.models.job_feed import JobFeed
from cnc_station.ui.models.job_selection import JobSelection
from cnc_station.ui.models.job_table import JobTableModel
from cnc_station.ui.page_context import PageContext

MOST = 2000
"""So many jobs can be selected at once; `cut` tells when there were more."""


class SelectedRows(QObject):
    """Follows the selection: `changed` when its jobs, or what can be done to them, changed.

    A job that is deleted or leaves the states of the filter is no longer selected: nobody should
    act on a job that cannot be found in the list.
    """

    changed = Signal()
    cut = Signal(int)

    def __init__(
        self, context: PageContext, feed: JobFeed, model: JobTableModel, selection: JobSelection
    ) -> None:
        super().__init__(model)
        self._context = context
        self._feed = feed
        self._model = model
        self._selection = selection
        self._rows: dict[int, JobRow] = {}
        self._stale: set[int] = set()
        self._stretch: tuple[int, int] | None = None
        self._refresh = CoalescedTask(context.operations, self._look, self)
        self._gathering = CoalescedTask(context.operations, self._gather, self)
        selection.chosen_changed.connect(self._changed_by_hand)
        selection.unknown.connect(self._select_stretch)
        model.taken.connect(self._take_from_view)

    @property
    def rows(self) -> tuple[JobRow, ...]:
        """The selected jobs that are known."""
        return tuple(self._rows[i] for i in self._selection.chosen if i in self._rows)

    @property
    def count(self) -> int:
        """How many are selected."""
        return len(self._selection.chosen)

    def follow(self, notice: Notice) -> None:
        """Look again at selected jobs that changed."""
        chosen = set(self._selection.chosen)
        if stale := chosen if notice.missed else chosen & notice.jobs:
            self._stale |= stale
            self._refresh.request()

    def _changed_by_hand(self) -> None:
        chosen = set(self._selection.chosen)
        on_view = {row.id: row for _, row in self._model.rows() if row.id in chosen}
        self._rows = {i: row for i, row in self._rows.items() if i in chosen} | on_view
        self._stale = chosen - self._rows.keys()
        if self._stale:
            self._refresh.request()
        self.changed.emit()

    def _take_from_view(self) -> None:
        """A page came in: what it says of selected jobs is the newest."""
        chosen = set(self._selection.chosen)
        if not chosen:
            return
        fresh = {row.id: row for _, row in self._model.rows() if row.id in chosen}
        if any(self._rows.get(i) != row for i, row in fresh.items()):
            self._rows |= fresh
            self.changed.emit()

    async def _look(self) -> None:
        wanted, self._stale = tuple(self._stale), set()
        found = {row.id: row for row in await self._context.engine.jobs_by_id(wanted)}
        states = self._feed.chosen.states
        gone = {i for i in wanted if i not in found or (states and found[i].state not in states)}
        self._rows |= found
        if gone:
            self._selection.choose(i for i in self._selection.chosen if i not in gone)
        else:
            self.changed.emit()

    # selecting rows nobody has looked at

    def _select_stretch(self, first: int, last: int) -> None:
        self._stretch = (first, last)
        self._gathering.request()

    async def _gather(self) -> None:
        if self._stretch is None:
            return
        (first, last), self._stretch = self._stretch, None
        asked: tuple[JobFilter, object] = (self._feed.chosen, self._feed.order)
        page = await self._context.engine.jobs(
            self._feed.chosen, self._feed.order, first, min(last + 1 - first, MOST)
        )
        if asked != (self._feed.chosen, self._feed.order):
            return
        self._rows |= {row.id: row for row in page.rows}
        self._selection.choose(
            dict.fromkeys((*self._selection.chosen, *(row.id for row in page.rows)))
        )
        if last + 1 - first > MOST:
            self.cut.emit(MOST)
