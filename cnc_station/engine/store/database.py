"""Opening a database: the only place that knows which dialects there are; and the lock that lets
one engine serve a file."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from sqlalchemy import Connection, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError

from cnc_station.engine.domain.errors import Unavailable
from cnc_station.engine.store.dialect import Dialect
from cnc_station.engine.store.postgres import Postgres
from cnc_station.engine.store.sqlite import Sqlite

_FILE = "sqlite:///"
SQLITE = Sqlite()
POSTGRES = Postgres()


class Database:
    """One database: connections for the writer and for readers, and its dialect.

    Synchronous; its callers bring the threads.
    """

    def __init__(self, url: str, *, synchronous: str = "FULL") -> None:
        # A file's path is what it is; only an address has signs that stand for others.
        file = url.removeprefix(_FILE)
        self.url = make_url(url) if file == url else URL.create("sqlite", database=file)
        self.dialect: Dialect = SQLITE if self.url.get_backend_name() == "sqlite" else POSTGRES
        self.path = Path(self.url.database or "") if self.dialect.embedded else None
        self._writer = self.dialect.engine(self.url, reader=False, synchronous=synchronous)
        self._readers = self.dialect.engine(self.url, reader=True, synchronous=synchronous)
        self._open: set[Any] = set()  # the driver's own connections
        for engine in (self._writer, self._readers):
            event.listen(engine, "connect", lambda opened, _: self._open.add(opened))
            event.listen(engine, "close", lambda closed, _: self._open.discard(closed))

    def connect_writer(self) -> Connection:
        """The connection of the one writer thread."""
        with self.translate_errors():
            return self._writer.connect()

    def read(self, query: Callable[[Connection], Any]) -> Any:
        """Run a query on one consistent snapshot."""
        with self.translate_errors(), self._readers.connect() as connection, connection.begin():
            return query(connection)

    def break_off(self) -> None:
        """Whoever waits for a server's answer, on whichever thread, gets Unavailable instead."""
        for connection in tuple(self._open):
            self.dialect.break_off(connection)

    def close(self) -> None:
        """Give all connections back."""
        self._readers.dispose()
        self._writer.dispose()

    @contextmanager
    def translate_errors(self) -> Iterator[None]:
        """Turns complaints about the environment into Unavailable with a sentence.

        Broken constraints pass through: they are for the writer, which answers for each item.
        """
        try:
            yield
        except DBAPIError as error:
            if plain := self.dialect.unavailable(error):
                raise plain from error
            raise


class EngineLock:
    """Held while an engine runs; the operating system gives it back if the process dies. `path` is
    the file that is locked."""

    def __init__(self, database: Path) -> None:
        database = database.resolve()  # links lead to one file, which has one lock
        self.path = database.with_name(database.name + ".lock")
        self._holder = database.with_name(database.name + ".holder")
        self._lock = FileLock(self.path)

    def acquire(self, station: str) -> None:
        """Take it or raise Unavailable, naming who has it."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._lock.acquire(timeout=0)
            self._holder.write_text(f"{station}, process {os.getpid()}", encoding="utf-8")
        except Timeout:
            raise Unavailable(
                f"Another CNC Station ({self.holder()}) already works on this database. "
                "Use its window, or close it first."
            ) from None
        except OSError as error:
            self._lock.release()
            place = error.filename or self.path.parent
            raise Unavailable(f"{place} can't be written: {error.strerror}.") from error

    def release(self) -> None:
        """Give it back."""
        if self._lock.is_locked:
            self._holder.unlink(missing_ok=True)
            self._lock.release()

    def holder(self) -> str:
        """Who holds it, as far as can be read."""
        try:
            return self._holder.read_text(encoding="utf-8") or "unknown"
        except OSError:
            return "unknown"
