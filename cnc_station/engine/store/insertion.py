"""Many rows at once for a driver that counts its parameters."""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, partial
from itertools import chain
from operator import eq, itemgetter
from typing import Any

from sqlalchemy import Connection, Table, insert
from sqlalchemy.engine import Dialect
from sqlalchemy.sql.compiler import SQLCompiler

Rows = Sequence[Mapping[str, Any]]
_ROWS_TOGETHER = (64, 16)  # few sizes, so that each is prepared once; SQLite takes 32,766 values


def insert_many(connection: Connection, table: Table, rows: Rows) -> None:
    """Insert rows that all have the same columns, many in each statement."""
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
    """The values that all rows have, and the rows without them."""
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
