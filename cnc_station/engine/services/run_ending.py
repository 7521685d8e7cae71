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
from cnc_station.engine.store.moves import MoveRun
from cnc_station.engine.store.new_runs import Claimed
from cnc_station.engine.store.readiness import SetReadiness

RUNNER = "runner"


def move_of(
    claimed: Claimed, transition: t.Transition, actor: str = RUNNER, **more: Any
) -> MoveRun:
    """The command that moves a claimed run."""
    run_id, token, job_id, machine_id = (
        claimed.run_id,
        claimed.token,
        claimed.job_id,
        claimed.machine_id,
    )
    return MoveRun(transition, run_id, token, job_id, machine_id, actor, **more)


@dataclass(frozen=True, slots=True)
class RunEnding:
    """The transition that ends a run, and why. `alarm`: its machine needs unlocking; `refused`: it
    would not start, and would refuse again just now."""

    transition: t.Transition
    reason: str = ""
    actor: str = RUNNER
    backoff_s: float = 0.0
    alarm: bool = False
    refused: bool = False


@dataclass(frozen=True, slots=True)
class Judge:
    """Decides between another attempt and a person's look."""

    retry: RetryPolicy
    chance: Callable[[], float] = random.random

    def failed(self, claimed: Claimed, reason: str, *, alarm: bool = False) -> RunEnding:
        """Another attempt after a pause, or a person has to look."""
        failures = claimed.failures + 1
        if failures > self.retry.limit(claimed.retry_limit, automation=claimed.machine_id is None):
            return RunEnding(t.FAILED_FINAL, reason, alarm=alarm)
        backoff = self.retry.backoff_s(failures, self.chance())
        return RunEnding(t.FAILED_RETRY, reason, backoff_s=backoff, alarm=alarm)


async def write_ending(
    writer: RetryingWriter, claimed: Claimed, ending: RunEnding, seconds: float, *, half_made: bool
) -> None:
    """Write how a run ended until it is written. `half_made`: a part lies on the machine that
    nobody knows to be good. Raises Fenced or Conflict when others have decided that."""
    machine_id = claimed.machine_id
    if ending.alarm and machine_id is not None:
        with contextlib.suppress(Conflict):  # somebody was quicker, or an answer was lost
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
        )
    )
    if not ending.refused or machine_id is None:
        await moved
        return
    # Asked for at once, so that no claim comes in between.
    refusal = SetReadiness(machine_id, ending.reason, RUNNER)
    await asyncio.gather(moved, writer.write_until_committed(refusal))
