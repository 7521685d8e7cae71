"""The few things that databases do differently."""

import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, FromClause, Table
from sqlalchemy.engine import URL, Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.types import TypeEngine

from cnc_station.engine.domain.errors import Unavailable
from cnc_station.engine.store.prepared import NOTHING, Rows, Statement, TransactionPreload

READERS = 3


class Dialect(ABC):
    """What databases do differently. Singletons: statements are compiled once for each."""

    embedded: bool

    @abstractmethod
    def engine(self, url: URL, *, reader: bool, synchronous: str) -> Engine:
        """Connections for the writer, or for readers: those see one snapshot and can't write."""

    @abstractmethod
    def now(self, connection: Connection) -> int:
        """The database's own clock (ms); the writer's is read when its transaction begins."""

    @contextmanager
    def transaction(
        self,
        connection: Connection,
        preload: TransactionPreload = NOTHING,  # noqa: ARG002 - nothing to save here
    ) -> Iterator[dict[Statement, Any]]:
        """Around a transaction of the writer, with the answers that came as it began: to all the
        questions that it opens with, or to none."""
        with connection.begin():
            yield {}

    @contextmanager
    def pipeline(self, connection: Connection) -> Iterator[None]:  # noqa: ARG002 - as below
        """Around prepared statements whose answers are read only afterwards. Where a server is
        asked, all of them go there in one way."""
        yield

    @contextmanager
    def final_flush(self, connection: Connection) -> Iterator[None]:  # noqa: ARG002 - nothing to save here
        """The same around the last writes of a transaction, with the commit behind them."""
        yield

    @abstractmethod
    def reserve(
        self, connection: Connection, table: Table, count: int, *, ahead: int = 0
    ) -> Sequence[int]:
        """Ids for `count` new rows, to be used in this transaction; never given twice. With
        `ahead` so many more may be kept for the next time: their numbers will have gaps."""

    @abstractmethod
    def insert(self, connection: Connection, table: Table, rows: Rows) -> None:
        """Insert rows that all have the same columns, in plain values of the database's types:
        for thousands of rows a second, looking up each value's type costs as much as storing it."""

    @abstractmethod
    def changed_elsewhere(self, connection: Connection, station: str) -> object:
        """A value that changes when another process than `station` has written something worth a
        look. Leaves no transaction open."""

    @abstractmethod
    def items(self, name: str, **columns: type[TypeEngine[Any]]) -> FromClause:
        """Rows handed to a set-based statement as one parameter, whatever their number.

        Bind `packed(rows)` to `name`; the columns stand in the order given here.
        """

    @abstractmethod
    def unavailable(self, error: DBAPIError) -> Unavailable | None:
        """The plain sentence for a complaint about the environment; None for a bug."""

    @abstractmethod
    def encryption(self, connection: Connection) -> str:
        """How the connection is protected on its way: `TLSv1.3`; "" if it is not."""

    @abstractmethod
    def claim_schema(self, connection: Connection) -> None:
        """Keep everybody else from changing the schema until this transaction ends."""

    @abstractmethod
    def break_off(self, connection: Any) -> None:
        """Let who waits for an answer on this connection of the driver's have none."""

    @abstractmethod
    def is_transient(self, error: DBAPIError) -> bool:
        """Whether the same transaction may succeed when it is tried again at once."""


def packed(rows: Sequence[Sequence[object]]) -> str:
    """Rows in the form that a dialect's `items` unpacks."""
    return json.dumps(rows, separators=(",", ":"))
