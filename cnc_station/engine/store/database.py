"""Opening a database, and the few things dialects do differently: the only file that names one."""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import (
    Connection,
    FromClause,
    Select,
    Table,
    bindparam,
    create_engine,
    event,
    func,
    select,
    text,
    type_coerce,
)
from sqlalchemy.engine import URL, Engine, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool, QueuePool
from sqlalchemy.types import TypeEngine

from cnc_station.engine.domain.errors import Unavailable

READERS = 3

# What SQLite's own words mean to the person in front of the screen.
_SENTENCES = (
    ("database or disk is full", "The disk is full: nothing was saved. Free some space."),
    (
        "readonly database",
        "The database file can't be written: the file or its folder is read-only.",
    ),
    ("unable to open", "The database file can't be opened: its folder is missing or read-only."),
    ("not a database", "The file is no CNC Station database; it was left as it is."),
    ("malformed", "The database file is damaged. It was left as it is: restore a copy."),
    ("disk i/o error", "The disk reports an error: nothing was saved."),
    ("database is locked", "The database is busy with another program; try again."),
)


class Sqlite:
    """What SQLite does in its own way. A singleton: statements are compiled once per dialect."""

    @staticmethod
    def now(_connection: Connection) -> int:
        """The database's own clock (ms); for an embedded file that is this machine's."""
        return time.time_ns() // 1_000_000

    @staticmethod
    def reserve(connection: Connection, table: Table, count: int) -> range:
        """Ids for `count` new rows, to be used in this transaction; never given twice.

        The pen holds SQLite's write lock, so counting on from the last id is safe.
        """
        last = connection.execute(
            text("SELECT seq FROM sqlite_sequence WHERE name = :table"), {"table": table.name}
        ).scalar()
        return range((last or 0) + 1, (last or 0) + 1 + count)

    @staticmethod
    def changed_elsewhere(connection: Connection) -> int:
        """A number that moves when another process has committed. Opens no transaction."""
        cursor = connection.connection.cursor()
        try:
            cursor.execute("PRAGMA data_version")
            row = cursor.fetchone()
        finally:
            cursor.close()
        return int(row[0]) if row else 0

    @staticmethod
    def items(name: str, **columns: type[TypeEngine[Any]]) -> FromClause:
        """Rows handed to a set-based statement as one parameter, whatever their number.

        Bind `packed(rows)` to `name`; the columns stand in the order given here.
        """
        row = func.json_each(bindparam(name)).table_valued("value", name=f"{name}_row")
        query: Select[Any] = select(
            *(
                type_coerce(func.json_extract(row.c.value, f"$[{place}]"), kind).label(column)
                for place, (column, kind) in enumerate(columns.items())
            )
        )
        return query.subquery(name)


SQLITE = Sqlite()


class Database:
    """One database: connections for the pen and for readers, and its dialect's expressions.

    Synchronous; its callers bring the threads.
    """

    def __init__(self, url: str, *, synchronous: str = "FULL") -> None:
        self.url: URL = make_url(url)
        self.dialect = SQLITE
        self.path = Path(self.url.database) if self.url.database else None
        self._synchronous = synchronous
        self._pen = self._engine(NullPool, reader=False)
        self._readers = self._engine(QueuePool, reader=True)

    def _engine(self, pool: type[NullPool] | type[QueuePool], *, reader: bool) -> Engine:
        size: dict[str, Any] = {"pool_size": READERS} if pool is QueuePool else {}
        engine = create_engine(
            self.url,
            poolclass=pool,
            connect_args={"timeout": 10, "isolation_level": None, "check_same_thread": False},
            json_serializer=json.dumps,
            **size,
        )
        opening = "BEGIN" if reader else "BEGIN IMMEDIATE"

        @event.listens_for(engine, "connect")
        def configure(connection: Any, _record: object) -> None:
            for pragma in (
                "journal_mode=WAL",
                f"synchronous={self._synchronous}",
                "foreign_keys=ON",
                "cache_size=-32000",
                "temp_store=MEMORY",
                f"query_only={'ON' if reader else 'OFF'}",
            ):
                connection.execute(f"PRAGMA {pragma}")

        @event.listens_for(engine, "begin")
        def begin(connection: Connection) -> None:
            connection.exec_driver_sql(opening)

        return engine

    def connect_pen(self) -> Connection:
        """The connection of the one writer thread."""
        with said_plainly():
            return self._pen.connect()

    def read(self, query: Callable[[Connection], Any]) -> Any:
        """Run a query on one consistent snapshot."""
        with said_plainly(), self._readers.connect() as connection, connection.begin():
            return query(connection)

    def close(self) -> None:
        """Give all connections back."""
        self._readers.dispose()
        self._pen.dispose()


def packed(rows: Sequence[Sequence[object]]) -> str:
    """Rows in the form that a dialect's `items` unpacks."""
    return json.dumps(rows, separators=(",", ":"))


@contextmanager
def said_plainly() -> Iterator[None]:
    """Turns the driver's complaints about the environment into Unavailable with a sentence.

    Broken constraints pass through: they are for the writer, which answers for each item.
    """
    try:
        yield
    except DBAPIError as error:
        if plain := unavailable(error):
            raise plain from error
        raise


def unavailable(error: DBAPIError) -> Unavailable | None:
    """The plain sentence for a driver's complaint about the environment; None for a bug.

    A complaint may come up again, in other words, where a transaction is cleaned up after it: the
    errors before this one are asked as well.
    """
    before: BaseException | None = error
    while before is not None:
        complaint = str(before.orig).lower() if isinstance(before, DBAPIError) else ""
        for words, sentence in _SENTENCES:
            if words in complaint:
                return Unavailable(sentence)
        before = before.__context__
    return None
