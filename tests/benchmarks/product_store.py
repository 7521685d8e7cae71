"""What the benchmarks use of the product: claims, made one by one on a connection of their own."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection

from cnc_station.config import Config
from cnc_station.engine.domain.policies import RankPolicy
from cnc_station.engine.domain.transitions import CREATED
from cnc_station.engine.store.claims import Claim
from cnc_station.engine.store.database import Database
from cnc_station.engine.store.transaction import Tx
from cnc_station.engine.store.webhook_listeners import WebhookListeners

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


def look_ms(url: str, looks: int) -> float:
    """What a transaction with one event takes to see that no endpoint listens to it."""
    listeners, rows = WebhookListeners(), [{"type": CREATED.name}]
    with claiming(url) as opened, opened.connection.begin():
        begun = time.perf_counter()
        for _ in range(looks):
            listeners.begin()
            listeners.refresh(opened.database.dialect, opened.connection, rows)
            listeners.items(rows)
        return (time.perf_counter() - begun) / looks * 1000
