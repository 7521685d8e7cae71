"""Rows as plain named tuples."""

from collections import namedtuple
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Executable


@lru_cache(maxsize=64)
def _kind(names: tuple[str, ...]) -> Any:
    return namedtuple("PlainRow", names)


def plain_rows(connection: Connection, query: Executable) -> list[Any]:
    """All rows of a query whose columns are read many times over: naming a column of the
    library's own rows costs ten times as much, which was most of the time of a page."""
    result = connection.execute(query)
    make = _kind(tuple(result.keys()))._make
    return [make(row) for row in result.all()]
