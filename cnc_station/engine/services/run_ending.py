"""How a run ended, what becomes of its job, and how that is written."""

import asyncio
import contextlib
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cnc_station.engine.domain import transitions as t
from cnc_station.engine.domain.errors import Conflict
from cnc_station.engine.domain.policies import RetryPolicy
from cnc_station.engine.services.retrying_writer import RetryingWriter
from cnc_station.engine.store.machines import MoveMachine
from cnc_station.engine.store.move_statements import RunResult
from cnc_station.engine.store.moves import MoveRun
from cnc_station.engine.store.new_runs import Claimed
from cnc_station.engine.store.readiness import SetReadiness

RUNNER = "runner"


def move_of(
    claimed: Claimed, transition: t.Transition, actor: str = RUNNER, **more: Any
) -> MoveRun:
    """Return the command that moves a claimed run."""
    run = claimed
    return MoveRun(transition, run.run_id, run.token, run.job_id, run.machine_id, actor, **more)


@dataclass(frozen=True, slots=True)
class RunEnding:
    """The transition that ends a run, and why. `alarm`: its machine needs unlocking. `refused`: the
    machine did not accept the start, and would not accept another one now."""

    transition: t.Transition
    reason: str = ""
    actor: str = RUNNER
    backoff_s: float = 0.0
    alarm: bool = False
    refused: bool = False


@dataclass(frozen=True, slots=True)
class Judge:
    """Decides whether a failed run is tried again or needs attention."""

    retry: RetryPolicy
    chance: Callable[[], float] = random.random

    def failed(
        self, claimed: Claimed, reason: str, *, alarm: bool = False, final: bool = False
    ) -> RunEnding:
        failures = claimed.failures + 1
        if final or failures > self.retry.limit(
            claimed.retry_limit, automation=claimed.machine_id is None
        ):
            return RunEnding(t.FAILED_FINAL, reason, alarm=alarm)
        backoff = self.retry.backoff_s(failures, self.chance())
        return RunEnding(t.FAILED_RETRY, reason, backoff_s=backoff, alarm=alarm)


async def write_ending(
    writer: RetryingWriter,
    claimed: Claimed,
    ending: RunEnding,
    seconds: float,
    *,
    half_made: bool,
    kept: RunResult | None = None,
) -> None:
    """Write how a run ended, until it is written. `half_made`: the part on the machine may not be
    good. `kept` is what remains of a handler's work. Raises Fenced or Conflict if another
    station has decided about the run."""
    machine_id = claimed.machine_id
    if ending.alarm and machine_id is not None:
        with contextlib.suppress(Conflict):  # it is in alarm already
            await writer.write_until_committed(
                MoveMachine((t.ALARMED,), machine_id, RUNNER, ending.reason, part_on_it=half_made)
            )
    moved = writer.write_until_committed(
        move_of(
            claimed,
            ending.transition,
            ending.actor,
            reason=ending.reason,
            backoff_s=ending.backoff_s,
            seconds=seconds,
            part_on_it=half_made,
            kept=kept,
        )
    )
    if not ending.refused or machine_id is None:
        await moved
        return
    # Written together, so that no claim comes in between.
    refusal = SetReadiness(machine_id, ending.reason, RUNNER)
    await asyncio.gather(moved, writer.write_until_committed(refusal))
