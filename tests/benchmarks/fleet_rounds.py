"""Dispatch rounds: a fleet of up to a thousand machines is given a job each, on both databases."""

import sqlite3
import statistics
import time

import psycopg
from sqlalchemy import text

from tests.benchmarks.bare import bare_round
from tests.benchmarks.claims import filled
from tests.benchmarks.figures import Effort, Figure, compared, turns
from tests.benchmarks.fleet_bare import assign
from tests.benchmarks.product_store import BATCH, Claiming
from tests.benchmarks.shop import folder
from tests.benchmarks.shop import url as file_url
from tests.tools.servers import Postgres

FLEETS = (1, 10, 100, 1_000)
BACKLOG = 100_000
MOST = {"SQLite": 2.5, "PostgreSQL": 2.0}  # a bare round has no guards: 2.1 and 1.5 today


def round_ms(shop: Claiming, given: int) -> float:
    """Of all its idle machines so many get a job, with the commit."""
    begun = time.perf_counter()
    with shop.connection.begin():
        shop.claim_and_finish(given)
    took = time.perf_counter() - begun
    _finish(shop, given)
    return took * 1000


def bare_round_ms(shop: Claiming, machines: int) -> float:
    """The same rows by hand, on the same connection: with its settings, and with what it keeps in
    memory."""
    client = shop.connection.connection.driver_connection
    begun = time.perf_counter()
    if isinstance(client, sqlite3.Connection):
        bare_round(client, machines)
    else:
        assert isinstance(client, psycopg.Connection)
        with client.transaction():
            assign(client, machines)
    took = time.perf_counter() - begun
    _finish(shop, machines)
    return took * 1000


def _finish(shop: Claiming, machines: int) -> None:
    """So many jobs are done, and the machines idle: the next round finds the same."""
    with shop.connection.begin():
        for statement in _DONE:
            assert shop.connection.execute(statement).rowcount == machines


_DONE = (
    text("UPDATE run SET state = 'succeeded', ended_at = 1 WHERE state = 'assigned'"),
    text("UPDATE job SET state = 'completed', finished_at = 1 WHERE state = 'assigned'"),
    text("UPDATE machine SET state = 'idle', job_id = NULL, run_id = NULL WHERE job_id > 0"),
)


def rounds(effort: Effort) -> list[Figure]:
    """A dispatch round that gives a whole fleet of mills a job each, on a backlog of 100,000 jobs:
    of the largest one beside the rows that it stores, of the others beside that for one machine.
    A station does the largest one in batches: what one of them takes stands there too."""
    figures: list[Figure] = []
    with Postgres(durable=True) as server:
        for count in FLEETS:
            with folder() as path, server.new_database() as on_server:
                for kind, where in (("SQLite", file_url(path)), ("PostgreSQL", on_server)):
                    jobs = max(effort.of(BACKLOG), 10 * (effort.repeats + 1) * count)
                    took, bare, batch = _rounds(where, jobs, count, effort.repeats)
                    name = f"fleet: round for {count:,} machines, {kind}"
                    if count < FLEETS[-1]:
                        first = next((f.value for f in figures if f.name.endswith(kind)), took)
                        figures.append(compared(name, took, "ms", first, "1 machine"))
                        continue
                    figures += [
                        compared(name, took, "ms", bare, "bare round", at_most=MOST[kind]),
                        compared(f"{name}, a batch of {BATCH}", batch, "ms", took, "all of it"),
                    ]
    return figures


def _rounds(where: str, jobs: int, machines: int, repeats: int) -> list[float]:
    """The medians of so many rounds, bare ones and batches; the first two prepare the
    statements."""
    with filled(where, jobs, machines, one_type=True) as shop:
        took = turns(
            2 + 2 * repeats,
            lambda: round_ms(shop, machines),
            lambda: bare_round_ms(shop, machines),
            lambda: round_ms(shop, min(BATCH, machines)),
        )
        return [statistics.median(times[2:]) for times in took]
