"""What the benchmarks use of the product: claims, made one by one on a connection of their own."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection

from cnc_station.config import Config
from cnc_station.engine.domain.policies import RankPolicy
from cnc_station.engine.domain.states import JobState
from cnc_station.engine.domain.transitions import CREATED
from cnc_station.engine.store.claims import Claim
from cnc_station.engine.store.database import Database
from cnc_station.engine.store.dialect import Dialect
from cnc_station.engine.store.prepared import Rows
from cnc_station.engine.store.transaction import Tx
from cnc_station.engine.store.webhook_listeners import Item, WebhookListeners

STATION = "bench"
BATCH = Config(Path(), "").claim_batch


@dataclass(frozen=True, slots=True)
class Claiming:
    """A database with a writing connection, on which claims are made one by one."""

    database: Database
    connection: Connection

    def claim(self, machines: int) -> None:
        """Give so many idle machines a job each, in the open transaction."""
        self._claimed(machines).flush()

    def claim_and_finish(self, machines: int) -> None:
        """The same, with all that a transaction writes before its commit."""
        self._claimed(machines).finish()

    def _claimed(self, machines: int) -> Tx:
        dialect = self.database.dialect
        tx = Tx(dialect, self.connection, dialect.now(self.connection), STATION, RankPolicy())
        (claimed,) = Claim.apply(tx, [Claim(30.0, at_most=machines)])
        if isinstance(claimed, Exception) or len(claimed) != machines:
            raise AssertionError(f"claimed {claimed}")
        return tx


@contextmanager
def claiming(url: str) -> Iterator[Claiming]:
    database = Database(url)
    with database.connect_writer() as connection:
        yield Claiming(database, connection)
    database.close()


class _Deaf(WebhookListeners):
    """As if there were no webhooks."""

    def refresh(self, dialect: Dialect, connection: Connection, rows: Rows) -> None:
        """Look for nothing."""

    def items(self, rows: Rows) -> list[Item]:  # noqa: ARG002 - nobody listens
        return []


def event_costs(url: str, events: int) -> tuple[float, float]:
    """What a transaction with one event takes, in ms; and how much of it goes to see that no
    endpoint listens, as CPU time of this thread: with and without it by turns."""
    hearing, deaf = WebhookListeners(), _Deaf()
    took: dict[WebhookListeners, float] = dict.fromkeys((hearing, deaf), 0.0)
    with claiming(url) as opened:
        for listeners in (hearing, deaf) * 100:
            _store_event(opened, listeners)
        begun = time.perf_counter()
        for _ in range(events):
            for listeners in (hearing, deaf):
                before = time.thread_time()
                _store_event(opened, listeners)
                took[listeners] += time.thread_time() - before
        both = time.perf_counter() - begun
    return both / events / 2 * 1000, (took[hearing] - took[deaf]) / events * 1000


def _store_event(opened: Claiming, listeners: WebhookListeners) -> None:
    dialect = opened.database.dialect
    with opened.connection.begin():
        now = dialect.now(opened.connection)
        tx = Tx(dialect, opened.connection, now, STATION, RankPolicy(), listeners=listeners)
        listeners.begin()
        tx.record(CREATED, actor="benchmark", job_id=1, job_state=JobState.QUEUED)
        tx.finish()
