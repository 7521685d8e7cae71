"""Open a database in its dialect, and lock a file for one engine."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from sqlalchemy import Connection, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError

from cnc_station import private_files
from cnc_station.engine.domain.errors import Unavailable
from cnc_station.engine.store.dialect import Dialect
from cnc_station.engine.store.file_lock import FileItself
from cnc_station.engine.store.postgres import Postgres
from cnc_station.engine.store.sqlite import Sqlite

_FILE = "sqlite:///"
SQLITE = Sqlite()
POSTGRES = Postgres()


class Database:
    """One database: connections for the writer and for readers, and its dialect. Synchronous; the
    callers bring the threads."""

    def __init__(self, url: str, *, synchronous: str = "FULL") -> None:
        # A file's path is used as it is; only the address of a server has escapes.
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
        with self.translate_errors():
            return self._writer.connect()

    def read(self, query: Callable[[Connection], Any]) -> Any:
        """Run a query on one consistent snapshot."""
        with self.translate_errors(), self._readers.connect() as connection, connection.begin():
            return query(connection)

    def break_off(self) -> None:
        """End every wait for a server's answer, on any thread, with Unavailable."""
        for connection in tuple(self._open):
            self.dialect.break_off(connection)

    def close(self) -> None:
        self._readers.dispose()
        self._writer.dispose()

    @contextmanager
    def translate_errors(self) -> Iterator[None]:
        """Raise Unavailable with a sentence for errors of the environment.

        Violated constraints pass: the writer answers them for each command.
        """
        try:
            yield
        except DBAPIError as error:
            if plain := self.dialect.unavailable(error):
                raise plain from error
            raise


class EngineLock:
    """Held while an engine runs; the operating system releases it if the process dies. `path` is
    the locked file beside the database. The database itself is locked too: its names may differ.
    """

    def __init__(self, database: Path) -> None:
        self._database = database = database.resolve()  # links to one file share its lock
        self.path = database.with_name(database.name + ".lock")
        self._holder = database.with_name(database.name + ".holder")
        self._lock = FileLock(self.path, mode=private_files.FILE_MODE)
        self._file = FileItself(database)

    def acquire(self, station: str) -> None:
        """Lock it, or raise Unavailable with the name of the holder. Creates the database if it is
        missing, empty and private."""
        try:
            private_files.make_folder(self.path.parent)
            self._lock.acquire(timeout=0)
            private_files.create(self._database)
            if not self._file.acquire():
                self._lock.release()
                raise Unavailable(
                    "Another CNC Station already works on this database, which has two names: "
                    f"{self._database} is a hard link. Use its window, or close it first."
                )
            self._holder.unlink(missing_ok=True)  # perhaps a link that somebody placed there
            private_files.create_new(self._holder)
            self._holder.write_text(f"{station}, process {os.getpid()}", encoding="utf-8")
        except Timeout:
            raise Unavailable(
                f"Another CNC Station ({self.holder()}) already works on this database. "
                "Use its window, or close it first."
            ) from None
        except OSError as error:
            self._file.release()
            self._lock.release()
            place = error.filename or self.path.parent
            raise Unavailable(f"{place} can't be written: {error.strerror}.") from error

    def release(self) -> None:
        if self._lock.is_locked:
            self._holder.unlink(missing_ok=True)
            self._file.release()
            self._lock.release()

    def holder(self) -> str:
        """The holder, if its name can be read."""
        try:
            return self._holder.read_text(encoding="utf-8") or "unknown"
        except OSError:
            return "unknown"
