"""Opening a database, and the few things dialects do differently: the only file that names one."""

import json
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import (
    JSON,
    ColumnElement,
    Connection,
    FromClause,
    Select,
    Table,
    Text,
    bindparam,
    cast,
    create_engine,
    event,
    func,
    select,
    text,
    type_coerce,
)
from sqlalchemy.engine import URL, Engine, make_url
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.pool import NullPool, QueuePool
from sqlalchemy.types import TypeEngine

from cnc_station.engine.domain.errors import Unavailable
from cnc_station.engine.store.complaints import of_a_file, of_a_server
from cnc_station.engine.store.driver import driver_of
from cnc_station.engine.store.insertion import Rows, insert_many, shared_values

READERS = 3
_FILE = "sqlite:///"
LOG_PAGES = 4_000  # 16 MB until they go to their places: a round of 1,000 machines fills 6 MB
IDLE_MS = 3_000
LOCK_MS = 2_000


class Dialect(ABC):
    """What databases do differently. Singletons: statements are compiled once for each."""

    embedded: bool

    @abstractmethod
    def engine(self, url: URL, *, reader: bool, synchronous: str) -> Engine:
        """Connections for the pen, or for readers: those see one snapshot and can't write."""

    @abstractmethod
    def now(self, connection: Connection) -> int:
        """The database's own clock (ms); the pen's is read when its transaction begins."""

    @contextmanager
    def together(self, connection: Connection) -> Iterator[None]:  # noqa: ARG002 - as below
        """Around prepared statements whose answers are read only afterwards. Where a server is
        asked, all of them go there in one way."""
        yield

    @contextmanager
    def last(self, connection: Connection) -> Iterator[None]:  # noqa: ARG002 - nothing to save here
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
    def lower(self, text: ColumnElement[str]) -> ColumnElement[str]:
        """In lower case, whatever the letters."""

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
    def passing(self, error: DBAPIError) -> bool:
        """Whether the same transaction may succeed when it is tried again at once."""


_LAST_ID = text("SELECT seq FROM sqlite_sequence WHERE name = :table")


class Sqlite(Dialect):
    """One file, one writer. Its snapshot and its lock are the file's own."""

    embedded = True

    def engine(self, url: URL, *, reader: bool, synchronous: str) -> Engine:
        """Transactions are begun by hand: the driver's own habits would hide locks."""
        pool: dict[str, Any] = (
            {"poolclass": QueuePool, "pool_size": READERS} if reader else {"poolclass": NullPool}
        )
        arguments = {"timeout": 10, "isolation_level": None, "check_same_thread": False}
        engine = create_engine(url, connect_args=arguments, hide_parameters=True, **pool)
        opening = "BEGIN" if reader else "BEGIN IMMEDIATE"

        @event.listens_for(engine, "connect")
        def configure(connection: Any, _record: object) -> None:
            for pragma in (
                *(() if reader else ("journal_mode=WAL",)),  # it writes into the file
                f"synchronous={synchronous}",
                f"wal_autocheckpoint={LOG_PAGES}",
                "foreign_keys=ON",
                "cache_size=-32000",
                "temp_store=MEMORY",
                f"query_only={'ON' if reader else 'OFF'}",
            ):
                connection.execute(f"PRAGMA {pragma}")
            connection.create_function("lower_any", 1, _lower, deterministic=True)

        @event.listens_for(engine, "begin")
        def begin(connection: Connection) -> None:
            connection.exec_driver_sql(opening)

        return engine

    def now(self, connection: Connection) -> int:  # noqa: ARG002 - a file has its machine's clock
        """This machine's clock."""
        return time.time_ns() // 1_000_000

    def reserve(
        self,
        connection: Connection,
        table: Table,
        count: int,
        *,
        ahead: int = 0,  # noqa: ARG002 - to count on costs nothing
    ) -> range:
        """The pen holds the write lock, so counting on from the last id is safe."""
        last = connection.execute(_LAST_ID, {"table": table.name}).scalar()
        return range((last or 0) + 1, (last or 0) + 1 + count)

    def insert(self, connection: Connection, table: Table, rows: Rows) -> None:
        """Many rows in a statement: each statement has its own cost, for a run as much as that of
        storing it."""
        insert_many(connection, table, rows)

    def changed_elsewhere(self, connection: Connection, station: str) -> int:  # noqa: ARG002 - as above
        """SQLite counts foreign commits for each connection."""
        cursor = connection.connection.cursor()
        try:
            cursor.execute("PRAGMA data_version")
            row = cursor.fetchone()
        finally:
            cursor.close()
        return int(row[0]) if row else 0

    def items(self, name: str, **columns: type[TypeEngine[Any]]) -> FromClause:
        """Unpacked by json_each."""
        row = func.json_each(bindparam(name)).table_valued("value", name=f"{name}_row")
        query: Select[Any] = select(
            *(
                type_coerce(func.json_extract(row.c.value, f"$[{place}]"), kind).label(column)
                for place, (column, kind) in enumerate(columns.items())
            )
        )
        return query.subquery(name)

    def lower(self, text: ColumnElement[str]) -> ColumnElement[str]:
        """By Python: SQLite's own knows ASCII only."""
        return func.lower_any(text, type_=Text)

    def unavailable(self, error: DBAPIError) -> Unavailable | None:
        """By SQLite's own words. They may come up again, in others, where a transaction is
        cleaned up after them: the errors before this one are asked as well."""
        before: BaseException | None = error
        while before is not None:
            complaint = str(before.orig).lower() if isinstance(before, DBAPIError) else ""
            if sentence := of_a_file(complaint):
                return Unavailable(sentence)
            before = before.__context__
        return None

    def encryption(self, connection: Connection) -> str:  # noqa: ARG002 - there is no way
        """A file is here."""
        return ""

    def claim_schema(self, connection: Connection) -> None:
        """The pen's transactions are alone as it is."""

    def passing(self, error: DBAPIError) -> bool:  # noqa: ARG002 - one pen meets no other
        """Never: nobody else writes."""
        return False


class Postgres(Dialect):
    """A server that several stations share."""

    embedded = False

    def engine(self, url: URL, *, reader: bool, synchronous: str) -> Engine:
        """`jit` costs the dispatcher's statements far more than it saves, and rows are found by
        their ids, most of them in memory: no page is four times as dear as its neighbour. Readers
        take one snapshot for a whole look, and are short: a long one would hold up the clean-up
        of rows.

        A station that stands still or is cut off in the middle of a transaction must not hold
        its locks, on which the others' pens wait. Nor does a pen wait for a lock for long: its
        station's leases wait behind it.
        """
        arguments = {
            "connect_timeout": 3,
            "options": "-c jit=off -c random_page_cost=1.1 "
            f"-c synchronous_commit={_DURABLE.get(synchronous, 'on')} "
            f"-c idle_in_transaction_session_timeout={IDLE_MS} -c lock_timeout={LOCK_MS}",
            "keepalives_idle": 5,
            "keepalives_interval": 2,
            "keepalives_count": 3,
            "tcp_user_timeout": 10_000,  # ms without an acknowledgement until it counts as lost
        }
        url = url.set(drivername="postgresql+psycopg")
        if not reader:
            arguments["autocommit"] = True  # its transactions are begun by hand, as `begin` says
            engine = create_engine(
                url, connect_args=arguments, hide_parameters=True, poolclass=NullPool
            )
            event.listen(engine, "begin", _begin)
            return engine
        return create_engine(
            url,
            connect_args=arguments,
            hide_parameters=True,
            pool_size=READERS,
            pool_pre_ping=True,
            isolation_level="REPEATABLE READ",
            execution_options={"postgresql_readonly": True},
        )

    def now(self, connection: Connection) -> int:
        """The server's clock; the pen has it from where its transaction began."""
        begun = connection.info.get(_BEGUN)
        return int(connection.execute(text(_CLOCK)).scalar_one() if begun is None else begun)

    @contextmanager
    def together(self, connection: Connection) -> Iterator[None]:
        """Sent one after the other without waiting."""
        with driver_of(connection) as driver, driver.pipeline():
            yield

    @contextmanager
    def last(self, connection: Connection) -> Iterator[None]:
        """Sent in the same way."""
        with driver_of(connection) as driver, driver.pipeline():
            yield
            driver.execute("COMMIT")

    def reserve(
        self, connection: Connection, table: Table, count: int, *, ahead: int = 0
    ) -> Sequence[int]:
        """From the table's own sequence. What is kept is this connection's."""
        kept: list[int] = connection.info.setdefault((_KEPT, table.name), [])
        if len(kept) < count:
            more = {"table": table.name, "count": count - len(kept) + ahead}
            kept += connection.execute(_RESERVE, more).scalars()
        ids, kept[:] = kept[:count], kept[count:]
        return ids

    def insert(self, connection: Connection, table: Table, rows: Rows) -> None:
        """All as one parameter, bound one by one they cost three times as much; and what they
        share as another: of an event's thirteen values few differ."""
        if rows:
            columns = ", ".join(rows[0])
            shared, own = shared_values(rows)
            connection.exec_driver_sql(
                f"INSERT INTO {table.name} ({columns}) SELECT {columns} FROM "
                f"json_populate_recordset(json_populate_record(NULL::{table.name}, %s), %s)",
                (json.dumps(shared), json.dumps(own, separators=(",", ":"))),
            )

    def changed_elsewhere(self, connection: Connection, station: str) -> object:
        """From the last events of others, as ids are not in commit order, and from what is
        written without an event. Heartbeats and locks are none: who looks because another one
        looked would keep a whole fleet awake."""
        with connection.begin():
            return connection.execute(_ELSEWHERE, {"station": station}).one()

    def items(self, name: str, **columns: type[TypeEngine[Any]]) -> FromClause:
        """Unpacked by json_array_elements."""
        rows = func.json_array_elements(cast(bindparam(name), JSON)).column_valued(f"{name}_row")
        query: Select[Any] = select(
            *(
                cast(rows.op("->>")(place), kind).label(column)
                for place, (column, kind) in enumerate(columns.items())
            )
        )
        return query.subquery(name)

    def lower(self, text: ColumnElement[str]) -> ColumnElement[str]:
        """The server's own."""
        return func.lower(text)

    def unavailable(self, error: DBAPIError) -> Unavailable | None:
        """What the server or the way to it complains about; broken statements stay bugs."""
        if error.connection_invalidated or isinstance(error, OperationalError | InterfaceError):
            return Unavailable(of_a_server(str(error.orig).lower()))
        return None

    def encryption(self, connection: Connection) -> str:
        """As the server sees it."""
        own = text("SELECT version FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
        return str(connection.execute(own).scalar() or "")

    def claim_schema(self, connection: Connection) -> None:
        """A lock of the transaction's: who else comes waits, and then finds the work done."""
        connection.execute(text("SET LOCAL lock_timeout = 0"))
        connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
        connection.execute(select(func.pg_advisory_xact_lock(_SCHEMA_LOCK)))

    def passing(self, error: DBAPIError) -> bool:
        """Deadlocks, serialization failures and locks that took too long, by their SQLSTATE."""
        return getattr(error.orig, "sqlstate", None) in {"40P01", "40001", "55P03"}


def _begin(connection: Connection) -> None:
    """With a look at the server's clock on the same way."""
    with driver_of(connection) as driver:
        answer = driver.execute(f"BEGIN; {_CLOCK}", prepare=False)
        answer.nextset()
        (connection.info[_BEGUN],) = answer.fetchone()


_BEGUN = "begun"
_KEPT = "numbers kept"
_RESERVE = text(
    "SELECT nextval((SELECT pg_get_serial_sequence(:table, 'id')::regclass)) "
    "FROM generate_series(1, :count)"
)
_CLOCK = "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint"
_ELSEWHERE = text(
    "SELECT sum(id), (SELECT max(id) FROM errand), (SELECT count(*) FROM program) "
    "FROM (SELECT id, station FROM event ORDER BY id DESC LIMIT 200) AS last "
    "WHERE station <> :station"
)
_DURABLE = {"NORMAL": "off"}
_SCHEMA_LOCK = 0x434E43  # any number, the same in every version of the program
SQLITE = Sqlite()
POSTGRES = Postgres()


class Database:
    """One database: connections for the pen and for readers, and its dialect.

    Synchronous; its callers bring the threads.
    """

    def __init__(self, url: str, *, synchronous: str = "FULL") -> None:
        # A file's path is what it is; only an address has signs that stand for others.
        file = url.removeprefix(_FILE)
        self.url = make_url(url) if file == url else URL.create("sqlite", database=file)
        self.dialect: Dialect = SQLITE if self.url.get_backend_name() == "sqlite" else POSTGRES
        self.path = Path(self.url.database or "") if self.dialect.embedded else None
        self._pen = self.dialect.engine(self.url, reader=False, synchronous=synchronous)
        self._readers = self.dialect.engine(self.url, reader=True, synchronous=synchronous)

    def connect_pen(self) -> Connection:
        """The connection of the one writer thread."""
        with self.said_plainly():
            return self._pen.connect()

    def read(self, query: Callable[[Connection], Any]) -> Any:
        """Run a query on one consistent snapshot."""
        with self.said_plainly(), self._readers.connect() as connection, connection.begin():
            return query(connection)

    def close(self) -> None:
        """Give all connections back."""
        self._readers.dispose()
        self._pen.dispose()

    @contextmanager
    def said_plainly(self) -> Iterator[None]:
        """Turns complaints about the environment into Unavailable with a sentence.

        Broken constraints pass through: they are for the writer, which answers for each item.
        """
        try:
            yield
        except DBAPIError as error:
            if plain := self.dialect.unavailable(error):
                raise plain from error
            raise


def _lower(text: str | None) -> str | None:
    return None if text is None else text.lower()


def packed(rows: Sequence[Sequence[object]]) -> str:
    """Rows in the form that a dialect's `items` unpacks."""
    return json.dumps(rows, separators=(",", ":"))
