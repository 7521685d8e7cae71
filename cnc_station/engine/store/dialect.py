"""What the databases do differently."""

import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import ColumnElement, Connection, FromClause, Table
from sqlalchemy.engine import URL, Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.types import TypeEngine

from cnc_station.engine.domain.errors import Unavailable
from cnc_station.engine.domain.event_cursor import EventCursor, Snapshot
from cnc_station.engine.store.prepared import NOTHING, Rows, Statement, TransactionPreload

READERS = 3


class Dialect(ABC):
    """The operations that differ between databases. Singletons: statements are compiled once for
    each."""

    embedded: bool

    @abstractmethod
    def engine(self, url: URL, *, reader: bool, synchronous: str) -> Engine:
        """Connections for the writer, or for readers: those read one snapshot and can't write."""

    @abstractmethod
    def now(self, connection: Connection) -> int:
        """The database's clock (ms); for the writer the time when its transaction began."""

    @contextmanager
    def transaction(
        self,
        connection: Connection,
        preload: TransactionPreload = NOTHING,  # noqa: ARG002 - for servers
    ) -> Iterator[dict[Statement, Any]]:
        """Run a transaction of the writer. Yields the answers to the preloaded queries: to all of
        them, or to none."""
        with connection.begin():
            yield {}

    @contextmanager
    def pipeline(self, connection: Connection) -> Iterator[None]:  # noqa: ARG002 - for servers
        """Send the prepared statements inside at once; their rows are read afterwards."""
        yield

    @contextmanager
    def final_flush(self, connection: Connection) -> Iterator[None]:  # noqa: ARG002 - for servers
        """The same for the last writes of a transaction, followed by the commit."""
        yield

    @abstractmethod
    def reserve(
        self, connection: Connection, table: Table, count: int, *, ahead: int = 0
    ) -> Sequence[int]:
        """Ids for `count` new rows of this transaction; none is given twice. Up to `ahead` more may
        be fetched for later: unused ones leave gaps."""

    @abstractmethod
    def insert(self, connection: Connection, table: Table, rows: Rows) -> None:
        """Insert rows with the same columns and plain values of the database's types: for thousands
        of rows a second, looking up each value's type costs as much as storing it."""

    @abstractmethod
    def changed_elsewhere(self, connection: Connection, station: str) -> object:
        """A value that changes when another process than `station` has written something that
        matters. Leaves no transaction open."""

    @abstractmethod
    def snapshot(self, connection: Connection) -> Snapshot | None:
        """What a reader sees; None where ids are in the order of commits."""

    @abstractmethod
    def forget_foreign_commits(self, connection: Connection) -> None:
        """After a restore on another server: events whose commits are not of this one are old, and
        must not count as new when it comes to the same numbers."""

    @abstractmethod
    def unread_events(
        self, connection: Connection, cursor: EventCursor, until: EventCursor | None, most: int
    ) -> Sequence[int]:
        """The ids of the events after a cursor with its batch in their order, at most `most`. Of a
        database without snapshots, up to `until`."""

    @abstractmethod
    def webhook_mark(self, connection: Connection) -> object:
        """In a transaction of the writer: a value that is another one if another process may have
        changed the endpoints of webhooks. No transaction of another process that began earlier can
        change them afterwards (see `lock_webhooks`)."""

    @abstractmethod
    def lock_webhooks(self, connection: Connection) -> None:
        """Before the endpoints are changed: wait for the writers of all other processes, and let
        none of them begin a transaction before this one ends. Their marks change."""

    @abstractmethod
    def lock_table(self, connection: Connection, table: Table) -> None:
        """Wait for all others who write rows of a table, and let none until this transaction
        ends."""

    @abstractmethod
    def items(self, name: str, **columns: type[TypeEngine[Any]]) -> FromClause:
        """The rows of a set-based statement, passed as one parameter.

        Bind `packed(rows)` to `name`; the columns have the order given here.
        """

    @abstractmethod
    def text_in_json(
        self, document: ColumnElement[str], field: ColumnElement[str]
    ) -> ColumnElement[str]:
        """The text of a field of a JSON object that is stored as text."""

    @abstractmethod
    def unavailable(self, error: DBAPIError) -> Unavailable | None:
        """The sentence for an error of the environment; None for a bug."""

    @abstractmethod
    def encryption(self, connection: Connection) -> str:
        """The protection of the connection, such as `TLSv1.3`; "" if it has none."""

    @abstractmethod
    def claim_schema(self, connection: Connection) -> None:
        """Lock the schema until this transaction ends."""

    @abstractmethod
    def break_off(self, connection: Any) -> None:
        """End any wait for an answer on this connection of the driver."""

    @abstractmethod
    def is_transient(self, error: DBAPIError) -> bool:
        """Whether the same transaction may succeed if it is retried at once."""


def packed(rows: Sequence[Sequence[object]]) -> str:
    """Encode rows for a dialect's `items`."""
    return json.dumps(rows, separators=(",", ":"))
