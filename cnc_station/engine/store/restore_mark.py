"""A restore on a server is complete, or is repeated: until its end a mark stands in the database.

A database with the mark is refused by stations and commands: what it holds may be incomplete, and
its machines are not held yet.
"""

from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress

from sqlalchemy import Connection, func, inspect, select, text
from sqlalchemy.exc import SQLAlchemyError

from cnc_station.engine.domain.errors import Conflict, Unavailable
from cnc_station.engine.store.database import Database

_MARK = "restore_under_way"
_LOCK = 0x434E435245535400  # of the session that restores


def refuse_marked(connection: Connection) -> None:
    """Raise Unavailable if a restore of this database was interrupted, or is at work."""
    if inspect(connection).has_table(_MARK):
        raise Unavailable(
            "A restore of this database was interrupted, or is at work. Nothing is lost: run "
            "cnc-station restore again, with the same back-up."
        )


@contextmanager
def marked(database: Database) -> Iterator[None]:
    """Mark an empty database while it is filled; first clear what an interrupted restore has left.
    After an error it is empty again. Raises Conflict if it holds anything else, or if another
    restore is at work."""
    with database.translate_errors(), closing(database.connect_writer()) as connection:
        with connection.begin():
            _begin(database, connection)
        try:
            yield
        except BaseException:
            with suppress(SQLAlchemyError), connection.begin():  # else the mark stays
                _clear(connection, keep="")
            raise
        with connection.begin():
            connection.execute(text(f"DROP TABLE {_MARK}"))


def _begin(database: Database, connection: Connection) -> None:
    if not connection.execute(select(func.pg_try_advisory_lock(_LOCK))).scalar():
        raise Conflict("Another restore is at work on the database.")
    database.dialect.claim_schema(connection)
    tables = inspect(connection).get_table_names()
    if _MARK in tables:
        _clear(connection, keep=_MARK)
    elif tables:
        raise Conflict(
            "The database is not empty, so nothing was restored. Make a new database on the "
            "server, and name it in the settings."
        )
    else:
        connection.execute(text(f"CREATE TABLE {_MARK} (started_at timestamptz DEFAULT now())"))


def _clear(connection: Connection, keep: str) -> None:
    quote = connection.dialect.identifier_preparer.quote
    for table in inspect(connection).get_table_names():
        if table != keep:
            connection.execute(text(f"DROP TABLE {quote(table)} CASCADE"))
