"""Run an action on all that a filter selects, and show its progress, its result and its undo."""

from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from cnc_station.engine.bulk import Bulk, BulkProgress, BulkSummary
from cnc_station.engine.commands import (
    ActOnJobs,
    ActOnMatchingJobs,
    ActOnSchedules,
    ReplayDeliveries,
    ReplayMatchingDeliveries,
)
from cnc_station.engine.domain.actions import JobAction, ScheduleAction
from cnc_station.engine.door import Door
from cnc_station.engine.views import Answer, JobFilter
from cnc_station.engine.views.webhooks import DeliveryFilter
from cnc_station.ui import outcome_text

if TYPE_CHECKING:
    from cnc_station.ui.operations import Notifier

ONE_AT_A_TIME = "Another change of many jobs is under way. Wait until it is done, or stop it."
ShowRefused = Callable[[Sequence[Answer], int, str], None]


Undo = Callable[[], None]
UndoOf = Callable[[BulkSummary], Undo | None]


@dataclass(frozen=True, slots=True)
class _Words:
    """What is shown while it is done, when it is done, and what it is done to."""

    doing: str
    done: str
    noun: str = "job"

    def progress(self, count: int, total: int) -> str:
        return outcome_text.progress(self.doing, count, total, self.noun)


class BulkDisplay(Protocol):
    """Where the window shows how far it is, with a button that stops it."""

    def start(self, words: str, stop: Callable[[], None]) -> None: ...

    def advance(self, words: str, fraction: float) -> None: ...

    def finish(self) -> None: ...


class BulkOperations:
    """Runs one at a time. `run` starts a task that the window owns; `show_refused` lists what was
    refused: the first answers, their number in all, and what they are about."""

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
        words = _Words(outcome_text.doing(action), outcome_text.DONE[action])
        self._begin(Bulk.matching(command), words, count, self._undo_of_jobs)

    def cancel_runs(self, job_ids: Sequence[int]) -> None:
        """Cancel the runs of these jobs that are under way."""
        words = _Words(outcome_text.doing(JobAction.CANCEL), outcome_text.DONE[JobAction.CANCEL])
        bulk = Bulk.each(job_ids, partial(ActOnJobs, JobAction.ABORT))
        self._begin(bulk, words, len(job_ids), self._undo_of_jobs)

    def act_on_schedules(self, action: ScheduleAction, schedule_ids: Sequence[int]) -> None:
        """Do one thing to all these schedules, and offer to take back a pause or its end."""
        done = outcome_text.SCHEDULE_DONE[action]
        words = _Words(outcome_text.doing(action), done, noun="schedule")
        bulk = Bulk.each(schedule_ids, partial(ActOnSchedules, action))
        self._begin(bulk, words, len(schedule_ids), partial(self._undo_of_schedules, action))

    def replay(self, chosen: DeliveryFilter, count: int) -> None:
        """Send all `count` deliveries that match and can be replayed again."""
        self._replay(Bulk.matching(ReplayMatchingDeliveries(chosen, count)), count)

    def replay_each(self, delivery_ids: Sequence[int]) -> None:
        """Send these deliveries again."""
        self._replay(Bulk.each(delivery_ids, ReplayDeliveries), len(delivery_ids))

    def _replay(self, bulk: Bulk, count: int) -> None:
        words = _Words(outcome_text.REPLAYING, outcome_text.REPLAYED, noun="delivery")
        self._begin(bulk, words, count, lambda _: None)

    def _undo_of_jobs(self, summary: BulkSummary) -> Undo | None:
        return partial(self._take_back, summary) if summary.undo else None

    def _undo_of_schedules(self, action: ScheduleAction, summary: BulkSummary) -> Undo | None:
        back = outcome_text.OPPOSITE.get(action)
        if back is None or not summary.changed:
            return None
        return partial(self.act_on_schedules, back, summary.changed)

    def _take_back(self, summary: BulkSummary) -> None:
        words = _Words(outcome_text.UNDOING, outcome_text.AS_BEFORE)
        self._begin(Bulk.undoing(summary), words, summary.done, self._undo_of_jobs)

    def _begin(self, bulk: Bulk, words: _Words, count: int, undo: UndoOf) -> None:
        if self._under_way is not None:
            self._notifier.fail(ONE_AT_A_TIME)
            return
        self._under_way = bulk
        self._run(self._do(bulk, words, count, undo))

    async def _do(self, bulk: Bulk, words: _Words, count: int, undo: UndoOf) -> None:
        self._display.start(words.progress(0, count), bulk.stop)
        try:
            summary = await bulk.run(self._door, partial(self._advance, words))
        finally:
            self._under_way = None
            self._display.finish()
        self._report(summary, words, undo(summary))

    def _advance(self, words: _Words, progress: BulkProgress) -> None:
        count, total = progress.done + progress.refused, progress.total
        self._display.advance(words.progress(count, total), count / max(1, total))

    def _report(self, summary: BulkSummary, words: _Words, undo: Undo | None) -> None:
        told = outcome_text.summary(summary, words.done, words.noun)
        if summary.error:
            self._notifier.fail(f"{told}. Then: {summary.error}")
        elif summary.done or not summary.refused:
            self._notifier.say(told, undo)
        if summary.refused:
            refused = outcome_text.refused(summary.refusals[0].error, summary.refused)
            show = partial(self._show_refused, summary.refusals, summary.refused, words.noun)
            self._notifier.fail(refused, more=show if summary.refused > 1 else None)
