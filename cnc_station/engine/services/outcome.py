"""How a run ended, and what becomes of its job."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cnc_station.engine.domain import transitions as t
from cnc_station.engine.domain.policies import RetryPolicy
from cnc_station.engine.store.moves import MoveRun
from cnc_station.engine.store.new_runs import Claimed

RUNNER = "runner"


def move_of(
    claimed: Claimed, transition: t.Transition, actor: str = RUNNER, **more: Any
) -> MoveRun:
    """The change that moves a claimed run."""
    run_id, token, job_id, machine_id = (
        claimed.run_id,
        claimed.token,
        claimed.job_id,
        claimed.machine_id,
    )
    return MoveRun(transition, run_id, token, job_id, machine_id, actor, **more)


@dataclass(frozen=True, slots=True)
class Outcome:
    """The transition that ends a run. `alarm`: its machine needs unlocking; `refused`: it would
    not start, and would refuse again just now."""

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

    def failed(self, claimed: Claimed, reason: str, *, alarm: bool = False) -> Outcome:
        """Another attempt after a pause, or a person has to look."""
        failures = claimed.failures + 1
        if failures > self.retry.limit(claimed.retry_limit, automation=False):
            return Outcome(t.FAILED_FINAL, reason, alarm=alarm)
        backoff = self.retry.backoff_s(failures, self.chance())
        return Outcome(t.FAILED_RETRY, reason, backoff_s=backoff, alarm=alarm)
