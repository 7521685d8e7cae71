"""A server that several stations share."""

import json
import re
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from sqlalchemy import (
    JSON,
    Connection,
    FromClause,
    Select,
    Table,
    bindparam,
    cast,
    create_engine,
    event,
    func,
    select,
    text,
)
from sqlalchemy.engine import URL, Engine
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.pool import NullPool
from sqlalchemy.types import TypeEngine

from cnc_station.engine.domain.errors import Unavailable
from cnc_station.engine.store import prepared
from cnc_station.engine.store.dialect import READERS, Dialect
from cnc_station.engine.store.pipelines import pipeline_without_flush
from cnc_station.engine.store.prepared import (
    NOTHING,
    Rows,
    Statement,
    TransactionPreload,
    driver_of,
    shared_values,
)

CONNECT_S = 3
IDLE_MS = 3_000
LOCK_MS = 2_000
_BEGUN = "begun"
_OPENING, _OPENED = "preload", "preloaded"
_KEPT = "numbers kept"
_SEEN = "newest event seen"
_LATE = 200  # so far behind the newest event one may still be committed
_NUMBERS = "SELECT nextval('{}_id_seq') FROM generate_series(1, %s)"
_CLOCK = "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint"
_ELSEWHERE = text(
    "SELECT sum(id) FILTER (WHERE station <> :station) AS of_others, max(id) AS newest, "
    "(SELECT sum(id) FROM remote_command) AS remote_commands "
    "FROM event WHERE id > coalesce(:seen, (SELECT max(id) FROM event)) - :late"
)
_DURABLE = {"NORMAL": "off"}
_NO_BUGS = {"25006", "25P03", "25P04"}  # it is read-only, or has ended what stood still for long
_SCHEMA_LOCK = 0x434E43  # any number, the same in every version of the program

AWAY = "The database server can't be reached."
# What PostgreSQL says, in English; in another language the last sentence has to do.
_OF_A_SERVER = (
    (
        r"password authentication failed|no password supplied",
        (
            "The database server refuses this station's name or password: set it with "
            "`cnc-station secret set database`."
        ),
    ),
    (
        r"certificate|does not support ssl|ssl error: .* alert",
        (
            "No secure connection to the database server: look at its certificate and at sslmode, "
            "sslrootcert, sslcert and sslkey in the address."
        ),
    ),
    (r"pg_hba\.conf", "The database server does not let this computer in (its pg_hba.conf)."),
    (
        r"read-only transaction",
        "The database server takes no changes: it is a standby, or was made read-only.",
    ),
    (
        r"no space left on device|could not extend file",
        "The disk of the database server is full: nothing was saved.",
    ),
    (
        r"too many (clients|connections)|connection slots are reserved",
        "The database server has no connection left for this station: raise its max_connections.",
    ),
    (r'database ".*" does not exist', "The database server has no database of that name."),
)


class Postgres(Dialect):
    """A server that several stations share."""

    embedded = False

    def engine(self, url: URL, *, reader: bool, synchronous: str) -> Engine:
        """`jit` costs the dispatcher's statements far more than it saves, and rows are found by
        their ids, most of them in memory: no page is four times as dear as its neighbour. Readers
        take one snapshot for a whole look, and are short: a long one would hold up the clean-up
        of rows.

        A station that stands still or is cut off in the middle of a transaction must not hold
        its locks, on which the others' writers wait. Nor does a writer wait for a lock for long:
        its station's leases wait behind it.
        """
        arguments = {
            "connect_timeout": CONNECT_S,
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
        """The server's clock; the writer has it from where its transaction began."""
        begun = connection.info.get(_BEGUN)
        return int(connection.execute(text(_CLOCK)).scalar_one() if begun is None else begun)

    @contextmanager
    def transaction(
        self, connection: Connection, preload: TransactionPreload = NOTHING
    ) -> Iterator[dict[Statement, Any]]:
        """All of it goes with its BEGIN."""
        connection.info[_OPENING] = preload
        with connection.begin():
            yield connection.info.pop(_OPENED)

    @contextmanager
    def pipeline(self, connection: Connection) -> Iterator[None]:
        """Sent one after the other without waiting."""
        with driver_of(connection) as driver, pipeline_without_flush(driver):
            yield

    @contextmanager
    def final_flush(self, connection: Connection) -> Iterator[None]:
        """Sent in the same way."""
        with driver_of(connection) as driver, driver.pipeline():
            yield
            driver.execute("COMMIT")

    def reserve(
        self, connection: Connection, table: Table, count: int, *, ahead: int = 0
    ) -> Sequence[int]:
        """From the table's own sequence. What is kept is this connection's."""
        kept = _kept(connection, table)
        if len(kept) < count:
            with driver_of(connection) as driver:
                more = driver.execute(*_numbers(table, count - len(kept) + ahead))
                kept += [number for (number,) in more]
        ids, kept[:] = kept[:count], kept[count:]
        return ids

    def insert(self, connection: Connection, table: Table, rows: Rows) -> None:
        """All as one parameter, bound one by one they cost three times as much; and what they
        share as another: of an event's thirteen values few differ."""
        if rows:
            columns = ", ".join(rows[0])
            shared, own = shared_values(rows)
            with driver_of(connection) as driver:
                driver.execute(
                    f"INSERT INTO {table.name} ({columns}) SELECT {columns} FROM "
                    f"json_populate_recordset(json_populate_record(NULL::{table.name}, %s), %s)",
                    (json.dumps(shared), json.dumps(own, separators=(",", ":"))),
                )

    def changed_elsewhere(self, connection: Connection, station: str) -> object:
        """From the events of others since the last look, and some before that, as ids are not in
        commit order; and from what is written without an event. Heartbeats and locks are none: who
        looks because another one looked would keep a whole fleet awake.

        Where it counts from moves seldom: each time, it has to be taken for a change.
        """
        seen = connection.info.get(_SEEN)
        with connection.begin():
            values = {"station": station, "seen": seen, "late": _LATE}
            found = connection.execute(_ELSEWHERE, values).one()
        if seen is None or (found.newest or 0) > seen + _LATE:
            connection.info[_SEEN] = found.newest or 0
        return found.of_others, found.remote_commands

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

    def unavailable(self, error: DBAPIError) -> Unavailable | None:
        """What the server or the way to it complains about; broken statements stay bugs."""
        of_the_server = getattr(error.orig, "sqlstate", None) in _NO_BUGS
        of_the_server |= isinstance(error, OperationalError | InterfaceError)
        if error.connection_invalidated or of_the_server:
            words = postgres_message(str(error.orig).lower())
            return Unavailable(words, transient=words == AWAY)
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

    def break_off(self, connection: Any) -> None:
        """The end of its socket is heard by the thread that waits there."""
        with suppress(OSError, connection.OperationalError):  # closed meanwhile
            line = socket.socket(fileno=connection.fileno())
            try:
                line.shutdown(socket.SHUT_RDWR)
            finally:
                line.detach()

    def is_transient(self, error: DBAPIError) -> bool:
        """Deadlocks, serialization failures and locks that took too long, by their SQLSTATE."""
        return getattr(error.orig, "sqlstate", None) in {"40P01", "40001", "55P03"}


def _begin(connection: Connection) -> None:
    """With a look at the server's clock on the same way, and all that the transaction opens with.
    Numbers are kept whatever becomes of it: a server gives none twice."""
    preload: TransactionPreload = connection.info.pop(_OPENING, NOTHING)
    wanted = {
        table: count - len(_kept(connection, table)) for table, count in preload.numbers.items()
    }
    with driver_of(connection) as driver:
        try:
            with pipeline_without_flush(driver):
                driver.execute("BEGIN")
                clock = driver.execute(_CLOCK)
                numbers = {t: driver.execute(*_numbers(t, n)) for t, n in wanted.items() if n > 0}
                answers = {
                    question: prepared.execute(connection, question, values)
                    for question, values in preload.questions.items()
                }
        except Exception:
            if not driver.closed:  # nobody else knows that it had begun
                driver.rollback()
            raise
    for table, found in numbers.items():
        _kept(connection, table).extend(number for (number,) in found)
    (connection.info[_BEGUN],) = clock.fetchone()
    connection.info[_OPENED] = answers


def _kept(connection: Connection, table: Table) -> list[int]:
    numbers: list[int] = connection.info.setdefault((_KEPT, table.name), [])
    return numbers


def _numbers(table: Table, count: int) -> tuple[str, tuple[int]]:
    """From the sequence that a server makes for a serial column."""
    return _NUMBERS.format(table.name), (count,)


def postgres_message(complaint: str) -> str:
    """What it means that a server, or the way to it, complains (in lower case)."""
    found = (sentence for words, sentence in _OF_A_SERVER if re.search(words, complaint))
    return next(found, AWAY)
