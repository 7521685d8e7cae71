"""How long a claim takes, with a thousand and with a million jobs waiting."""

import statistics
import time
from contextlib import ExitStack
from dataclasses import dataclass

from sqlalchemy import Connection

from cnc_station.engine.domain.rank import RankPolicy
from cnc_station.engine.store.claims import Claim
from cnc_station.engine.store.database import Database
from cnc_station.engine.store.transaction import Tx
from tests.benchmarks.figures import Effort, Figure, compared
from tests.benchmarks.shop import STATION, fill, folder, url

SIZES = (1_000, 10_000, 100_000, 1_000_000)
MACHINES = 20
CLAIMS = 60


@dataclass(frozen=True, slots=True)
class _Shop:
    database: Database
    pen: Connection

    def claim_ms(self) -> float:
        """All machines get a job; it is taken back, so that the next claim finds the same."""
        with self.pen.begin() as transaction:
            dialect = self.database.dialect
            tx = Tx(dialect, self.pen, dialect.now(self.pen), STATION, RankPolicy())
            begun = time.perf_counter()
            (claimed,) = Claim.apply(tx, [Claim(30.0)])
            tx.flush()
            took = time.perf_counter() - begun
            transaction.rollback()
        if isinstance(claimed, Exception) or len(claimed) != MACHINES:
            raise AssertionError(f"claimed {claimed}")
        return took * 1000


def claims(effort: Effort) -> list[Figure]:
    """Twenty idle machines of three types; the sizes take turns."""
    with ExitStack() as stack:
        shops = {}
        for size in (effort.of(size) for size in SIZES):
            path = stack.enter_context(folder())
            fill(path, size, MACHINES)
            database = Database(url(path))
            stack.callback(database.close)
            pen = database.connect_writer()
            stack.callback(pen.close)
            shops[size] = _Shop(database, pen)
        times: dict[int, list[float]] = {size: [] for size in shops}
        for _ in range(CLAIMS * effort.repeats):
            for size, shop in shops.items():
                times[size].append(shop.claim_ms())
    medians = {size: statistics.median(values) for size, values in times.items()}
    first, *_, last = medians
    return [
        compared(
            f"claim for {MACHINES} machines, {size:,} jobs",
            median,
            "ms",
            medians[first],
            f"{first:,} jobs",
            at_most=1.5 if size == last else None,
        )
        for size, median in medians.items()
    ]
