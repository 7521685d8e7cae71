"""Opening a database: the only place that knows which dialects there are."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError

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
