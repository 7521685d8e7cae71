"""Statements compiled once for all the databases of a test process, instead of once for each.

SQLAlchemy keeps what it has compiled for each engine apart, and almost every test opens a database
of its own: a third of the store's tests went into compiling what the test before had compiled.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest
import sqlalchemy

from cnc_station.engine.store import postgres, sqlite


class _Compiled(dict[tuple[Any, ...], Any]):
    """What SQLAlchemy looks up by (dialect, statement, …), shared by all dialects of a kind."""

    def get(self, key: tuple[Any, ...], default: Any = None) -> Any:
        return super().get((type(key[0]), *key[1:]), default)

    def __setitem__(self, key: tuple[Any, ...], value: Any) -> None:
        super().__setitem__((type(key[0]), *key[1:]), value)


@contextmanager
def compiled_once() -> Iterator[None]:
    """Every database opened meanwhile uses what another has compiled."""
    with pytest.MonkeyPatch.context() as patch:
        for dialect in (sqlite, postgres):
            patch.setattr(dialect, "create_engine", partial(_create_engine, _Compiled()))
        yield


def _create_engine(compiled: _Compiled, *arguments: Any, **options: Any) -> sqlalchemy.Engine:
    execution = {**options.pop("execution_options", {}), "compiled_cache": compiled}
    return sqlalchemy.create_engine(*arguments, execution_options=execution, **options)
