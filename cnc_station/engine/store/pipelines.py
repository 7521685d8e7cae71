"""Pipelines that end without a flush: the only code that depends on psycopg's internals.

A pipeline sends statements one after the other without waiting. Without pipelines the claim, start
and completion of a job took 1.33 times as long, those of 20 jobs at once 1.20 times (PostgreSQL on
the same computer; over a network each wait is longer).

psycopg ends a pipeline with a flush request behind the last statement. A server that gets one stops
counting `idle_in_transaction_session_timeout`, so a station that stands still in a transaction
would hold its locks for good. There is no public way to end a pipeline without it: pyproject.toml
limits psycopg to the versions that this was written for.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def pipeline_without_flush(driver: Any) -> Iterator[None]:
    """Around statements of a psycopg connection whose answers are read only afterwards."""
    from psycopg.generators import send  # noqa: PLC0415 - fleets only

    with driver.pipeline() as pipeline:
        yield
        fetch = pipeline._fetch_gen  # noqa: SLF001 - see above

        def fetch_all(*, flush: bool) -> Iterator[Any]:
            if flush:
                yield from send(pipeline.pgconn)
            yield from fetch(flush=False)

        pipeline._fetch_gen = fetch_all  # noqa: SLF001 - see above
