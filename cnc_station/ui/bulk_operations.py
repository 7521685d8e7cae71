"""Run an action on all jobs of a filter, and show its progress, its result and its undo."""

from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from cnc_station.engine.bulk import Bulk, BulkProgress, BulkSummary
from cnc_station.engine.commands import ActOnMatchingJobs
from cnc_station.engine.domain.actions import JobAction
from cnc_station.engine.door import Door
from cnc_station.engine.views import Answer, JobFilter
from cnc_station.ui import outcome_text

if TYPE_CHECKING:
    from cnc_station.ui.operations import Notifier

ONE_AT_A_TIME = "Another change of many jobs is under way. Wait until it is done, or stop it."
ShowRefused = Callable[[Sequence[Answer], int], None]


class BulkDisplay(Protocol):
    """Where the window shows how far it is, with a button that stops it."""

    def start(self, words: str, stop: Callable[[], None]) -> None: ...

    def advance(self, words: str, fraction: float) -> None: ...

    def finish(self) -> None: ...


class BulkOperations:
    """Runs one at a time. `run` starts a task that the window owns; `show_refused` lists jobs that
    were refused, of the number that it is given."""

    def __init__(
        self,
        door: Door,
        notifier: "Notifier",
        display: BulkDisplay,
        show_refused: ShowRefused,
        run: Callable[[Coroutine[Any, Any, None]], object],
    ) -> None:
        self._door = door
        self._notifier = notifier
        self._display = display
        self._show_refused = show_refused
        self._run = run
        self._under_way: Bulk | None = None

    def act(self, action: JobAction, chosen: JobFilter, count: int, **arguments: Any) -> None:
        """Do one thing to all `count` jobs that match."""
        command = ActOnMatchingJobs(action, chosen, count, **arguments)
        doing, done = outcome_text.doing(action), outcome_text.DONE[action]
        self._begin(Bulk.matching(command), doing, done, count)

    def _take_back(self, summary: BulkSummary) -> None:
        undoing, done = Bulk.undoing(summary), outcome_text.AS_BEFORE
        self._begin(undoing, outcome_text.UNDOING, done, summary.done)

    def _begin(self, bulk: Bulk, doing: str, done: str, count: int) -> None:
        if self._under_way is not None:
            self._notifier.fail(ONE_AT_A_TIME)
            return
        self._under_way = bulk
        self._run(self._do(bulk, doing, done, count))

    async def _do(self, bulk: Bulk, doing: str, done: str, count: int) -> None:
        self._display.start(outcome_text.progress(doing, 0, count), bulk.stop)
        try:
            summary = await bulk.run(self._door, partial(self._advance, doing))
        finally:
            self._under_way = None
            self._display.finish()
        self._report(summary, done)

    def _advance(self, doing: str, progress: BulkProgress) -> None:
        count, total = progress.done + progress.refused, progress.total
        words = outcome_text.progress(doing, count, total)
        self._display.advance(words, count / max(1, total))

    def _report(self, summary: BulkSummary, done: str) -> None:
        words = outcome_text.summary(summary, done)
        if summary.error:
            self._notifier.fail(f"{words}. Then: {summary.error}")
        elif summary.done or not summary.refused:
            undo = partial(self._take_back, summary) if summary.undo else None
            self._notifier.say(words, undo)
        if summary.refused:
            refused = outcome_text.refused(summary.refusals[0].error, summary.refused)
            show = partial(self._show_refused, summary.refusals, summary.refused)
            self._notifier.fail(refused, more=show if summary.refused > 1 else None)
