"""Statements and rows that bypass SQLAlchemy and go straight to the database driver.

SQLAlchemy generates every statement, but it makes some twenty objects for each execution, and waits
for one answer at a time. Claims and the moves of a run are written thousands of times a minute,
while machines wait.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache, partial
from itertools import chain
from operator import eq, itemgetter
from typing import Any

from sqlalchemy import Connection, Insert, Select, Table, Update, insert
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.compiler import SQLCompiler


@contextmanager
def driver_of(connection: Connection) -> Iterator[Any]:
    """The driver's own connection; its errors are raised as SQLAlchemy raises them."""
    driver: Any = connection.connection.driver_connection
    errors: Any = connection.dialect.loaded_dbapi
    try:
        yield driver
    except errors.Error as error:
        # A statement sent behind a broken one fails as well, and may be read first.
        aborted = type(error).__name__ == "PipelineAborted"
        cause = (error.__context__ if aborted else None) or error
        if getattr(driver, "closed", False):
            connection.invalidate(cause)
        raise DBAPIError.instance(None, None, cause, errors.Error) from error


# The only code that depends on psycopg's internals; pyproject.toml limits psycopg to the versions
# that it was written for. Without pipelines the claim, start and completion of a job took 1.33
# times as long, those of 20 jobs at once 1.20 times (PostgreSQL on the same computer).
#
# psycopg ends a pipeline with a flush request behind the last statement. A server that receives
# one stops counting `idle_in_transaction_session_timeout`, so a station that hangs in a
# transaction would keep its locks for ever. psycopg has no public way to leave it out.
@contextmanager
def pipeline_without_flush(driver: Any) -> Iterator[None]:
    """Send psycopg statements without waiting and without a flush request at the end."""
    from psycopg.generators import send  # noqa: PLC0415 - PostgreSQL only

    with driver.pipeline() as pipeline:
        yield
        fetch = pipeline._fetch_gen  # noqa: SLF001 - see above

        def fetch_all(*, flush: bool) -> Iterator[Any]:
            if flush:
                yield from send(pipeline.pgconn)
            yield from fetch(flush=False)

        pipeline._fetch_gen = fetch_all  # noqa: SLF001 - see above


Statement = Select[Any] | Update | Insert


def execute(connection: Connection, statement: Statement, values: Mapping[str, Any]) -> Any:
    """Execute a statement and return the driver's cursor. The statement must be created once and
    kept; `values` and rows hold plain values of the database's types: SQLite has 0 and 1 for false
    and true. Raises the errors of SQLAlchemy."""
    text, bind = _prepared(connection.dialect, statement)
    with driver_of(connection) as driver:
        return driver.execute(text, bind(values))


@lru_cache(maxsize=256)
def _prepared(
    dialect: Dialect, statement: Statement
) -> tuple[str, Callable[[Mapping[str, Any]], Any]]:
    compiled = statement.compile(dialect=dialect)
    assert isinstance(compiled, SQLCompiler)
    constants = {name: value for name, value in compiled.params.items() if value is not None}
    places = compiled.positiontup
    if places is None:
        return compiled.string, lambda values: {**constants, **values}

    def placed(values: Mapping[str, Any]) -> tuple[Any, ...]:
        given = {**constants, **values}
        return tuple([given[name] for name in places])

    return compiled.string, placed


@dataclass(frozen=True, slots=True)
class TransactionPreload:
    """Numbers for new rows and queries with their values that a transaction will need first: a
    server receives them together with BEGIN."""

    numbers: Mapping[Table, int] = field(default_factory=dict)
    questions: Mapping[Statement, Mapping[str, Any]] = field(default_factory=dict)


NOTHING = TransactionPreload()


Rows = Sequence[Mapping[str, Any]]
_ROWS_TOGETHER = (64, 16)  # few sizes: each is prepared once; SQLite accepts 32,766 values


def insert_many(connection: Connection, table: Table, rows: Rows) -> None:
    """Insert rows with the same columns, many in each statement."""
    if not rows:
        return
    statement, columns = _insertion(connection.dialect, table, tuple(rows[0]))
    values = [columns(row) for row in rows]
    place = 0
    for size in _ROWS_TOGETHER:
        while len(values) - place >= size:
            together = tuple(chain.from_iterable(values[place : place + size]))
            connection.exec_driver_sql(_for_many(statement, size), together)
            place += size
    if values[place:]:
        connection.exec_driver_sql(statement, values[place:])


def shared_values(rows: Rows) -> tuple[Mapping[str, Any], Rows]:
    """Split off the values that all rows share; return them, and the rows without them."""
    first = rows[0]
    shared = {
        name: value
        for name, value in first.items()
        if all(map(partial(eq, value), map(itemgetter(name), rows)))
    }
    own = [name for name in first if name not in shared]
    return shared, [{name: row[name] for name in own} for row in rows]


@lru_cache(maxsize=64)
def _insertion(
    dialect: Dialect, table: Table, columns: tuple[str, ...]
) -> tuple[str, Callable[[Mapping[str, Any]], tuple[Any, ...]]]:
    compiled = insert(table).compile(dialect=dialect, column_keys=list(columns))
    assert isinstance(compiled, SQLCompiler)
    assert compiled.positiontup is not None
    return compiled.string, itemgetter(*compiled.positiontup)


@lru_cache(maxsize=64)
def _for_many(statement: str, count: int) -> str:
    start = statement.rindex("(")
    return f"{statement[:start]}{', '.join([statement[start:]] * count)}"
