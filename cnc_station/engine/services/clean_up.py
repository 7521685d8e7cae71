"""Delete what the retention settings allow, in small transactions beside the shop's work."""

from collections.abc import Callable, Mapping

from cnc_station.engine.domain.policies import Retention
from cnc_station.engine.services.retrying_writer import RetryingWriter
from cnc_station.engine.store.once import DeleteExpiredKeys
from cnc_station.engine.store.retention import (
    MOST_AT_ONCE,
    DeleteEndedAlerts,
    DeleteEndedDeliveries,
    DeleteEndedRuns,
    DeleteFinishedJobs,
    DeleteOldFirings,
)
from cnc_station.engine.store.transaction import OneByOne

_RULES: Mapping[str, Callable[[int], OneByOne[int]]] = {
    "jobs": DeleteFinishedJobs,
    "deliveries": DeleteEndedDeliveries,
    "runs": DeleteEndedRuns,
    "firings": DeleteOldFirings,
    "alerts": DeleteEndedAlerts,
}


async def clean_up(writer: RetryingWriter, retention: Retention) -> Mapping[str, int]:
    """Return how many of each kind were deleted; a kind that is kept for ever is left out. Expired
    idempotency keys are deleted too, and not counted. Raises Unavailable."""
    days = {
        "jobs": retention.jobs_days,
        "deliveries": retention.deliveries_days,
        "runs": retention.runs_days,
        "firings": retention.firings_days,
        "alerts": retention.alerts_days,
    }
    while await writer.write(DeleteExpiredKeys(MOST_AT_ONCE)) == MOST_AT_ONCE:
        pass
    deleted: dict[str, int] = {}
    for kind, kept_days in days.items():
        if not kept_days:
            continue
        deleted[kind] = 0
        while count := await writer.write(_RULES[kind](kept_days)):
            deleted[kind] += count
            if count < MOST_AT_ONCE:
                break
    return deleted
