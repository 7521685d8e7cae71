"""Claims on a long backlog: a million jobs on PostgreSQL; a thousand machines on both databases."""

import sqlite3
import statistics
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from sqlalchemy import Connection, text

from cnc_station.config import Config
from cnc_station.engine.domain.rank import RankPolicy
from cnc_station.engine.store.claims import Claim
from cnc_station.engine.store.database import Database
from cnc_station.engine.store.transaction import Tx
from cnc_station.servers import Postgres
from tests.benchmarks.bare import bare_round
from tests.benchmarks.figures import Effort, Figure, compared, limited, turns
from tests.benchmarks.fleet_bare import assign
from tests.benchmarks.shop import STATION, fill_database, folder
from tests.benchmarks.shop import url as file_url

SIZES = (1_000, 10_000, 100_000, 1_000_000)
MACHINES = 20
CLAIMS = 60
FLEETS = (1, 10, 100, 1_000)
BACKLOG = 100_000
BATCH = Config(Path(), "").claim_batch


@dataclass(frozen=True, slots=True)
class _Shop:
    """A filled database with its pen."""

    database: Database
    pen: Connection

    def claim_ms(self, machines: int) -> float:
        """So many machines get a job each; it is taken back, so that the next claim finds the
        same."""
        with self.pen.begin() as transaction:
            begun = time.perf_counter()
            self._claim(machines).flush()
            took = time.perf_counter() - begun
            transaction.rollback()
        return took * 1000

    def round_ms(self, given: int) -> float:
        """Of all its idle machines so many get a job, with the commit."""
        begun = time.perf_counter()
        with self.pen.begin():
            self._claim(given).finish()
        took = time.perf_counter() - begun
        self._done(given)
        return took * 1000

    def bare_round_ms(self, machines: int) -> float:
        """The same rows by hand, by the pen's own client: with its settings, and with what it
        keeps in memory."""
        client = self.pen.connection.driver_connection
        begun = time.perf_counter()
        if isinstance(client, sqlite3.Connection):
            bare_round(client, machines)
        else:
            assert isinstance(client, psycopg.Connection)
            with client.transaction():
                assign(client, machines)
        took = time.perf_counter() - begun
        self._done(machines)
        return took * 1000

    def _done(self, machines: int) -> None:
        """So many jobs are done, and the machines idle: the next round finds the same."""
        with self.pen.begin():
            for statement in _DONE:
                assert self.pen.execute(statement).rowcount == machines

    def _claim(self, given: int) -> Tx:
        dialect = self.database.dialect
        tx = Tx(dialect, self.pen, dialect.now(self.pen), STATION, RankPolicy())
        (claimed,) = Claim.apply(tx, [Claim(30.0, at_most=given)])
        if isinstance(claimed, Exception) or len(claimed) != given:
            raise AssertionError(f"claimed {claimed}")
        return tx


_DONE = (
    text("UPDATE run SET state = 'succeeded', ended_at = 1 WHERE state = 'assigned'"),
    text("UPDATE job SET state = 'completed', finished_at = 1 WHERE state = 'assigned'"),
    text("UPDATE machine SET state = 'idle', job_id = NULL, run_id = NULL WHERE job_id > 0"),
)


@contextmanager
def _shop(where: str, jobs: int, machines: int, *, one_type: bool = False) -> Iterator[_Shop]:
    fill_database(where, jobs, machines, one_type=one_type)
    database = Database(where)
    if not database.dialect.embedded:
        with psycopg.connect(where, autocommit=True) as connection:
            connection.execute("VACUUM ANALYZE")  # as the server does by itself after such a day
    with database.connect_writer() as pen:
        yield _Shop(database, pen)
    database.close()


def claims(effort: Effort) -> list[Figure]:
    """Twenty idle machines of three types; the sizes take turns."""
    with ExitStack() as stack:
        server = stack.enter_context(Postgres(durable=True))
        shops = {}
        for size in (effort.of(size) for size in SIZES):
            where = stack.enter_context(server.new_database())
            shops[size] = stack.enter_context(_shop(where, size, MACHINES))
        times: dict[int, list[float]] = {size: [] for size in shops}
        for _ in range(CLAIMS * effort.repeats):
            for size, shop in shops.items():
                times[size].append(shop.claim_ms(MACHINES))
    medians = {size: statistics.median(values) for size, values in times.items()}
    first, *_, last = medians
    return [
        compared(
            f"fleet: claim for {MACHINES} machines, {size:,} jobs",
            median,
            "ms",
            medians[first],
            f"{first:,} jobs",
            at_most=1.5 if size == last else None,
        )
        for size, median in medians.items()
    ]


def rounds(effort: Effort) -> list[Figure]:
    """A dispatch round that gives a whole fleet of mills a job each, on a backlog of 100,000 jobs:
    of the largest one beside the rows that it stores, of the others beside that for one machine.
    A station does the largest one in batches: what one of them takes stands there too."""
    figures: list[Figure] = []
    with Postgres(durable=True) as server:
        for count in FLEETS:
            with folder() as path, server.new_database() as on_server:
                for kind, where in (("SQLite", file_url(path)), ("PostgreSQL", on_server)):
                    jobs = max(effort.of(BACKLOG), 10 * count)
                    took, bare, batch = _rounds(where, jobs, count, effort.repeats)
                    name = f"fleet: round for {count:,} machines, {kind}"
                    if count < FLEETS[-1]:
                        first = next((f.value for f in figures if f.name.endswith(kind)), took)
                        figures.append(compared(name, took, "ms", first, "1 machine"))
                        continue
                    figures += [
                        limited(name, took, "ms", bare, "bare round", at_most=30.0),
                        compared(f"{name}, a batch of {BATCH}", batch, "ms", took, "all of it"),
                    ]
    return figures


def _rounds(where: str, jobs: int, machines: int, repeats: int) -> list[float]:
    """The medians of so many rounds, bare ones and batches; the first two prepare the
    statements."""
    with _shop(where, jobs, machines, one_type=True) as shop:
        took = turns(
            2 + 2 * repeats,
            lambda: shop.round_ms(machines),
            lambda: shop.bare_round_ms(machines),
            lambda: shop.round_ms(min(BATCH, machines)),
        )
        return [statistics.median(times[2:]) for times in took]
