"""Statements that go straight to the database driver, compiled once.

SQLAlchemy writes every statement; but for each execution it makes some twenty objects, and on its
way only one statement waits for its answer at a time. A claim and the moves of a run are written
thousands of times in a minute and while somebody waits for the machine: they go past it.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Select, Update
from sqlalchemy.engine import Dialect
from sqlalchemy.sql.compiler import SQLCompiler

from cnc_station.engine.store.driver import driver_of

Statement = Select[Any] | Update


def execute(connection: Connection, statement: Statement, values: Mapping[str, Any]) -> Any:
    """The driver's own cursor. `statement` must be one that is made once and kept; `values` are
    plain ones of the database's types, and so are those of its rows: SQLite has 0 and 1 for false
    and true. Complains as SQLAlchemy would."""
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
