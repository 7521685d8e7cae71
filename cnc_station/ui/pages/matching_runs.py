"""What can be done to all runs that match the filters of the Runs page, listed or not."""

from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QMenu, QWidget

from cnc_station.engine.bulk import jobs_to_retry, runs_to_cancel
from cnc_station.engine.domain.actions import JobAction
from cnc_station.engine.queries import ListJobs
from cnc_station.engine.views import JobFilter, RunFilter
from cnc_station.ui.dialogs.bulk_confirm import BulkConfirm
from cnc_station.ui.page_context import PageContext
from cnc_station.ui.widgets.buttons import MenuButton


class MatchingRuns(QObject):
    """Retries the jobs of all runs that match, or cancels the runs. Their number is shown first;
    a person confirms it."""

    def __init__(
        self, context: PageContext, window: QWidget, chosen: Callable[[], RunFilter]
    ) -> None:
        super().__init__(window)
        self._context = context
        self._window = window
        self._chosen = chosen
        self.button = MenuButton("⋯", self.tr("More to do"), self._fill)

    def _fill(self, menu: QMenu) -> None:
        menu.clear()
        chosen = self._chosen()
        retried = jobs_to_retry(chosen)
        retry = menu.addAction(self.tr("Retry the jobs of all that match…"))
        retry.setEnabled(retried is not None)
        if retried is not None:
            retry.triggered.connect(lambda: self._run(self._count_jobs(retried)))
        cancel = menu.addAction(self.tr("Cancel all that match and are under way…"))
        cancel.triggered.connect(lambda: self._run(self._count_runs(chosen)))

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        self._context.operations.run(work, self.tr("Counting…"))

    async def _count_jobs(self, chosen: JobFilter) -> None:
        page = await self._context.door.ask(ListJobs(chosen, (), 0, 0))
        if not page.total:
            self._context.operations.fail(self.tr("No job of these runs waits to be retried."))
            return
        act = partial(self._context.operations.bulk.act, JobAction.RETRY, chosen, page.total)
        BulkConfirm(self.tr("Retry"), page.total, act, self._window).open()

    async def _count_runs(self, chosen: RunFilter) -> None:
        """Runs at machines are not among them: a machine is stopped alone."""
        jobs = await runs_to_cancel(self._context.door, chosen)
        if not jobs:
            self._context.operations.fail(self.tr("None of these runs is under way in a handler."))
            return
        cancel = partial(self._context.operations.bulk.cancel_runs, jobs)
        words = self.tr("Cancel")
        BulkConfirm(words, len(jobs), cancel, self._window, noun="run", listed=True).open()
