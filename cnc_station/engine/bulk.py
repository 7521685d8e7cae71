"""One action on many items, batch by batch: its progress can be watched, and it can be stopped.

Each batch is committed before the next begins. What was done when it stops, for whatever reason,
is done; nothing is half done.
"""

import json
import time
import zlib
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from cnc_station.engine.commands import (
    MOST_IN_BATCH,
    ActOnMatchingJobs,
    Command,
    ReplayMatchingDeliveries,
    UndoJobActions,
)
from cnc_station.engine.domain.errors import CncStationError
from cnc_station.engine.domain.states import FAILED_RUNS, LIVE_RUNS, JobState, RunState
from cnc_station.engine.door import Asks
from cnc_station.engine.queries import ListRuns
from cnc_station.engine.views import Answer, JobFilter, RunFilter, Undo

MOST_REFUSALS = 1_000
FEWEST_IN_BATCH = 100
MOST_LIVE = 10_000  # runs at a time in a shop
BATCH_S = 0.05  # a batch takes about so long, in which others wait for the writer


@dataclass(frozen=True, slots=True)
class BulkProgress:
    """How far it is: items that were changed, that were refused, and all that were counted."""

    done: int
    refused: int
    total: int


@dataclass(frozen=True, slots=True)
class BulkSummary:
    """What became of it. `refusals` are the first answers of items that were refused, `stopped` is
    whether a person has stopped it, `error` what ended it early. `undo` is packed: see
    `undo_steps`. `changed` are the ids that were changed, of an action on known ids."""

    done: int
    refused: int
    total: int
    refusals: tuple[Answer, ...] = ()
    stopped: bool = False
    error: str = ""
    undo: tuple[bytes, ...] = ()
    changed: tuple[int, ...] = ()

    @property
    def complete(self) -> bool:
        return not (self.stopped or self.error)

    @property
    def left_alone(self) -> int:
        """How many had changed meanwhile, so that they no longer matched."""
        return max(0, self.total - self.done - self.refused) if self.complete else 0


class Batches(Protocol):
    """Yields the answers of one batch after the other."""

    def __call__(self, door: Asks) -> AsyncIterator[Sequence[Answer]]: ...


class Bulk:
    """Runs the batches of one action on `total` items."""

    def __init__(self, total: int, batches: Batches, *, keeps_ids: bool = False) -> None:
        self._total = total
        self._batches = batches
        self._keeps_ids = keeps_ids
        self._stopped = False

    @classmethod
    def matching(cls, command: ActOnMatchingJobs | ReplayMatchingDeliveries) -> "Bulk":
        """The action on all jobs or deliveries of a filter."""

        async def batches(door: Asks) -> AsyncIterator[Sequence[Answer]]:
            left, limit = command, min(command.limit, FEWEST_IN_BATCH)
            while True:
                begun = time.monotonic()
                step = await door.execute(replace(left, limit=limit))
                limit = min(command.limit, _next_limit(limit, time.monotonic() - begun))
                yield step.answers
                if step.cursor is None:
                    return
                left = replace(left, cursor=step.cursor)

        return cls(command.expected_count, batches)

    @classmethod
    def each(
        cls, ids: Sequence[int], command: Callable[[tuple[int, ...]], Command[tuple[Answer, ...]]]
    ) -> "Bulk":
        """The action on known items; `command` makes the command for some of them."""

        async def batches(door: Asks) -> AsyncIterator[Sequence[Answer]]:
            for at in range(0, len(ids), FEWEST_IN_BATCH):
                yield await door.execute(command(tuple(ids[at : at + FEWEST_IN_BATCH])))

        return cls(len(ids), batches, keeps_ids=True)

    @classmethod
    def undoing(cls, summary: BulkSummary) -> "Bulk":
        """Take back what an action did, where the jobs have not changed since."""

        async def batches(door: Asks) -> AsyncIterator[Sequence[Answer]]:
            for packed in summary.undo:
                yield await door.execute(UndoJobActions(tuple(undo_steps(packed))))

        return cls(summary.done, batches)

    def stop(self) -> None:
        """End after the batch that is being written."""
        self._stopped = True

    async def run(
        self, door: Asks, tell: Callable[[BulkProgress], None] = lambda _: None
    ) -> BulkSummary:
        """Run all batches; `tell` hears of each. Raises what the first batch raises: then nothing
        was changed."""
        done = refused = 0
        refusals: list[Answer] = []
        undo: list[bytes] = []
        changed: list[int] = []
        error = ""
        batches = self._batches(door)
        try:
            async for answers in batches:
                wrong = [answer for answer in answers if not answer.applied]
                refused += len(wrong)
                done += len(answers) - len(wrong)
                refusals += wrong[: MOST_REFUSALS - len(refusals)]
                if self._keeps_ids:
                    changed += [answer.id for answer in answers if answer.applied]
                if steps := [answer.undo for answer in answers if answer.undo]:
                    undo.append(_packed(steps))
                tell(BulkProgress(done, refused, self._total))
                if self._stopped:
                    break
        except CncStationError as problem:
            if not done and not refused:
                raise
            error = str(problem)
        stopped = self._stopped and done + refused < self._total
        return BulkSummary(
            done=done,
            refused=refused,
            total=self._total,
            refusals=tuple(refusals),
            stopped=stopped,
            error=error,
            undo=tuple(undo),
            changed=tuple(changed),
        )


def counted(count: int, noun: str) -> str:
    """`1 job`, `1,234 deliveries`."""
    return f"1 {noun}" if count == 1 else f"{count:,} {plural(noun)}"


def plural(noun: str) -> str:
    """`jobs`, `deliveries`."""
    return f"{noun.removesuffix('y')}ies" if noun.endswith("y") else f"{noun}s"


def undo_steps(packed: bytes) -> Iterator[Undo]:
    """Return the steps that undo one batch, at most `MOST_IN_BATCH`."""
    for action, job_id, details in json.loads(zlib.decompress(packed)):
        yield Undo(action, job_id, details)


def jobs_to_retry(runs: RunFilter) -> JobFilter | None:
    """Select the failed jobs whose last run is one of these; the cancelled ones only where
    cancelled runs are asked for. None if no job of these runs can be retried."""
    if runs.states == {RunState.CANCELLED}:
        return JobFilter(states=frozenset({JobState.CANCELLED}), last_run=runs)
    if runs.states and not runs.states & FAILED_RUNS:
        return None
    return JobFilter(states=frozenset({JobState.NEEDS_ATTENTION}), last_run=runs)


async def runs_to_cancel(door: Asks, runs: RunFilter) -> tuple[int, ...]:
    """Return the jobs of those of these runs that handlers are doing now. A machine is stopped
    alone."""
    states = (runs.states or LIVE_RUNS) & LIVE_RUNS
    if not states:
        return ()
    found = await door.ask(ListRuns.of(replace(runs, states=states), MOST_LIVE))
    return tuple(row.job_id for row in found if row.handler)


def _next_limit(limit: int, took_s: float) -> int:
    """How many items the next batch should have, if one of `limit` items took so long."""
    wanted = round(limit * BATCH_S / max(took_s, 0.001))
    return max(FEWEST_IN_BATCH, min(wanted, 2 * limit, MOST_IN_BATCH))


def _packed(steps: Sequence[Undo]) -> bytes:
    """A hundred thousand steps take some megabytes, a tenth of what they take as values."""
    assert len(steps) <= MOST_IN_BATCH
    told = [[step.action, step.job_id, dict(step.details)] for step in steps]
    return zlib.compress(json.dumps(told).encode(), 1)
