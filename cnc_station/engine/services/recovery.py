"""Before anything new starts: put right what the last life of this station left behind."""

import logging
from collections.abc import Callable, Collection, Mapping

from cnc_station.engine.domain import transitions as t
from cnc_station.engine.domain.errors import Conflict, Fenced
from cnc_station.engine.domain.retry import RetryPolicy
from cnc_station.engine.domain.states import RunState
from cnc_station.engine.drivers.base import Driver, OnLoss
from cnc_station.engine.services.pen import Pen
from cnc_station.engine.services.reader import Reader
from cnc_station.engine.store.moves import MoveRun
from cnc_station.engine.store.recovery import LeftOver, left_over_runs

log = logging.getLogger(__name__)

ACTOR = "recovery"
REASON = "the station went down while it ran"


async def recover(
    pen: Pen,
    reader: Reader,
    drivers: Mapping[int, Driver],
    *,
    station: str,
    retry: RetryPolicy,
    chance: Callable[[], float],
    only: Collection[int] | None = None,
) -> int:
    """Settle every live run of this station, or `only` these; returns how many there were.

    Assigned only: back to the queue. Started on something that cuts nothing: tried again like
    any failure. Started on a real controller: interrupted, a person decides.
    """
    found = await reader.read(lambda connection: left_over_runs(connection, station))
    left = [run for run in found if only is None or run.run_id in only]
    for run in left:
        transition, backoff_s = _settle(run, drivers.get(run.machine_id), retry, chance)
        log.warning(
            "run %s of job %s was left %s: %s", run.run_id, run.job_id, run.state, transition.name
        )
        try:
            await pen.write(
                MoveRun(
                    transition,
                    run.run_id,
                    run.token,
                    run.job_id,
                    run.machine_id,
                    ACTOR,
                    reason=REASON,
                    backoff_s=backoff_s,
                )
            )
        except (Fenced, Conflict) as error:  # the leader was quicker, or the run had an end
            log.info("run %s is settled already: %s", run.run_id, error)
    return len(left)


def _settle(
    run: LeftOver, driver: Driver | None, retry: RetryPolicy, chance: Callable[[], float]
) -> tuple[t.Transition, float]:
    if run.state is RunState.ASSIGNED:
        return t.RETURNED, 0.0
    if driver is None or driver.on_loss is OnLoss.INTERRUPT:
        return t.INTERRUPTED, 0.0
    failures = run.failures + 1
    if failures > retry.limit(run.retry_limit, automation=False):
        return t.FAILED_FINAL, 0.0
    return t.FAILED_RETRY, retry.backoff_s(failures, chance())
