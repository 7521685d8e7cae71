"""Delete what the retention settings allow: the leader a little at a time, the handler at once."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from cnc_station.engine.domain.errors import Unavailable
from cnc_station.engine.domain.policies import Retention
from cnc_station.engine.services.context import ServiceContext
from cnc_station.engine.services.reader import Reader
from cnc_station.engine.services.retrying_writer import RetryingWriter
from cnc_station.engine.services.service import Service, When
from cnc_station.engine.store.archive import write_sheets
from cnc_station.engine.store.once import DeleteExpiredKeys
from cnc_station.engine.store.retention import (
    MOST_AT_ONCE,
    DeleteEndedRuns,
    DeleteExpired,
    DeleteFinishedJobs,
    DeleteOldEvents,
    DeleteUnusedPrograms,
    Removed,
)
from cnc_station.engine.store.retention_records import (
    DeleteEndedAlerts,
    DeleteEndedDeliveries,
    DeleteOldFirings,
)

FIRST_REST_S = 60.0  # a station that starts has other things to do
IDLE_S = 600.0  # when nothing is left to delete
SHORTEST_REST_S = 1.0
SHARE = 0.05  # of the writer's time
AIM_S = 0.025  # for one write
FIRST_BITE = 10
_DAY_MS = 86_400_000
_NOTHING = Removed(0, anything=False)

_RULES: Mapping[str, type[DeleteExpired]] = {
    "jobs": DeleteFinishedJobs,
    "deliveries": DeleteEndedDeliveries,
    "runs": DeleteEndedRuns,
    "firings": DeleteOldFirings,
    "alerts": DeleteEndedAlerts,
    "events": DeleteOldEvents,
    "programs": DeleteUnusedPrograms,
}


def rules_of(retention: Retention) -> Mapping[str, int]:
    """Return for how many days each kind is kept, without those that are kept for ever."""
    days = {
        "jobs": retention.jobs_days,
        "deliveries": retention.deliveries_days,
        "runs": retention.runs_days,
        "firings": retention.firings_days,
        "alerts": retention.alerts_days,
        "events": retention.events_days,
        "programs": retention.programs_days,
    }
    return {kind: kept_days for kind, kept_days in days.items() if kept_days}


@dataclass(slots=True)
class ExpiredHistory:
    """Deletes what was kept for as long as the settings say, after it is in the archive."""

    writer: RetryingWriter
    reader: Reader
    retention: Retention
    archive_folder: Path | None
    _archived: dict[str, frozenset[Any]] = field(default_factory=dict)

    async def bite(self, kind: str, days: int, most: int) -> tuple[Removed, float]:
        """Delete at most `most` of a kind. Return what was deleted, and how many seconds the writer
        took. Raises Unavailable, also if the archive can't be written: then nothing is deleted."""
        take = partial(self._take, kind=kind, days=days, most=most)
        command = await self.reader.read_now(take)
        if not command.ids:
            return _NOTHING, 0.0
        begun = time.monotonic()
        return await self.writer.write(command), time.monotonic() - begun

    def _take(
        self, connection: Connection, now: int, *, kind: str, days: int, most: int
    ) -> DeleteExpired:
        rule = _RULES[kind]
        before = now - days * _DAY_MS
        ids = rule.find(connection, before, most)
        if ids and self.archive_folder is not None:
            self._archive(connection, now, kind, ids)
        return rule(before, ids)

    def _archive(self, connection: Connection, now: int, kind: str, ids: tuple[Any, ...]) -> None:
        """Write what was not written before the last bite, which may have been too small for it."""
        assert self.archive_folder is not None
        before = self._archived.get(kind, frozenset())
        new = [one for one in ids if one not in before]
        try:
            if new:
                write_sheets(connection, now, self.archive_folder, _RULES[kind].sheets, new)
        except OSError as error:
            raise Unavailable(
                f"The archive {self.archive_folder} can't be written ({error.strerror or error}): "
                "nothing is deleted until it can."
            ) from error
        self._archived[kind] = frozenset(ids)


async def clean_up(history: ExpiredHistory) -> Mapping[str, int]:
    """Delete all that may be deleted, in small transactions. Return how many of each kind; a kind
    that is kept for ever is left out. Expired idempotency keys are deleted too, and not counted.
    Raises Unavailable."""
    while await history.writer.write(DeleteExpiredKeys(MOST_AT_ONCE)) == MOST_AT_ONCE:
        pass
    deleted: dict[str, int] = {}
    for kind, days in rules_of(history.retention).items():
        deleted[kind] = 0
        removed = Removed(0, anything=True)
        while removed.anything:
            removed, _ = await history.bite(kind, days, MOST_AT_ONCE)
            deleted[kind] += removed.subjects
    return deleted


class HistoryCleaner(Service):
    """Deletes expired history while this station leads, and never takes more than `SHARE` of the
    writer's time."""

    when = When.LEADING

    def __init__(
        self, context: ServiceContext, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__()
        config = context.config
        self._history = ExpiredHistory(
            context.writer, context.reader, config.retention, config.archive_folder
        )
        self._most = dict.fromkeys(_RULES, FIRST_BITE)
        self._clock = clock
        self._begin_at = 0.0

    async def start(self) -> None:
        """Start, and let the station begin its work first."""
        self._begin_at = self._clock() + FIRST_REST_S
        await super().start()

    async def run_once(self) -> float:
        """Delete a little of the first kind of which anything expired. Return the rest after it."""
        early_s = self._begin_at - self._clock()
        if early_s > 0.0:
            return early_s
        for kind, days in rules_of(self._history.retention).items():
            removed, took_s = await self._history.bite(kind, days, self._most[kind])
            if removed.anything:
                self._most[kind] = _next_bite(self._most[kind], took_s)
                return max(SHORTEST_REST_S, took_s * (1 / SHARE - 1))
        await self._history.writer.write(DeleteExpiredKeys(FIRST_BITE))
        return IDLE_S


def _next_bite(most: int, took_s: float) -> int:
    """Return how many to delete at once: what takes about `AIM_S`, at most twice as many."""
    factor = min(2.0, AIM_S / max(took_s, 1e-6))
    return min(MOST_AT_ONCE, max(1, int(most * factor)))
