"""How long a claim takes, with a thousand and with a million jobs waiting, on both databases."""

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager

import psycopg

from tests.benchmarks.figures import Effort, Figure, compared
from tests.benchmarks.product_store import Claiming, claiming
from tests.benchmarks.shop import fill_database, folder
from tests.benchmarks.shop import url as file_url
from tests.tools.servers import Postgres

SIZES = (1_000, 10_000, 100_000, 1_000_000)
MACHINES = 20
CLAIMS = 60

NewDatabase = Callable[[], AbstractContextManager[str]]


@contextmanager
def filled(url: str, jobs: int, machines: int, *, one_type: bool = False) -> Iterator[Claiming]:
    """A shop's database, ready for claims."""
    fill_database(url, jobs, machines, one_type=one_type)
    if not url.startswith("sqlite"):
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("VACUUM ANALYZE")  # as the server does by itself after such a day
    with claiming(url) as shop:
        yield shop


def _claim_ms(shop: Claiming) -> float:
    """All machines get a job; it is taken back, so that the next claim finds the same."""
    with shop.connection.begin() as transaction:
        begun = time.perf_counter()
        shop.claim(MACHINES)
        took = time.perf_counter() - begun
        transaction.rollback()
    return took * 1000


def _figures(effort: Effort, prefix: str, new_database: NewDatabase) -> list[Figure]:
    """Twenty idle machines of three types; the sizes take turns."""
    with ExitStack() as stack:
        shops = {}
        for size in SIZES:
            url = stack.enter_context(new_database())
            shops[size] = stack.enter_context(filled(url, effort.of(size), MACHINES))
        times: dict[int, list[float]] = {size: [] for size in shops}
        for _ in range(effort.of(CLAIMS, at_least=5) * effort.repeats):
            for size, shop in shops.items():
                times[size].append(_claim_ms(shop))
    medians = {size: statistics.median(values) for size, values in times.items()}
    first, *_, last = medians
    return [
        compared(
            f"{prefix}claim for {MACHINES} machines, {size:,} jobs",
            median,
            "ms",
            medians[first],
            f"{first:,} jobs",
            at_most=1.5 if size == last else None,
        )
        for size, median in medians.items()
    ]


@contextmanager
def _new_file() -> Iterator[str]:
    with folder() as path:
        yield file_url(path)


def claims(effort: Effort) -> list[Figure]:
    """On SQLite."""
    return _figures(effort, "", _new_file)


def fleet_claims(effort: Effort) -> list[Figure]:
    """On PostgreSQL."""
    with Postgres(durable=True) as server:
        return _figures(effort, "fleet: ", server.new_database)
