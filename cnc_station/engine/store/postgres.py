"""A PostgreSQL server that several stations share."""

import json
import re
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from sqlalchemy import (
    JSON,
    ColumnElement,
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
from cnc_station.engine.domain.event_cursor import EventCursor, Snapshot
from cnc_station.engine.store import prepared
from cnc_station.engine.store.dialect import READERS, Dialect
from cnc_station.engine.store.prepared import (
    NOTHING,
    Rows,
    Statement,
    TransactionPreload,
    driver_of,
    pipeline_without_flush,
    shared_values,
)

CONNECT_S = 3
IDLE_MS = 3_000
LOCK_MS = 2_000
GIVEN_UP_MS = 10_000  # what was sent is not acknowledged
_BEGAN_AT = "began at"
_PRELOAD, _PRELOADED = "preload", "preloaded"
_WEBHOOK_MARK = "webhook mark"
_SPARE_IDS = "spare ids"
_NEWEST_SEEN = "newest event seen"
_LATE_EVENTS = 200  # an event may be committed after so many newer ones
_FETCH_IDS = "SELECT nextval('{}_id_seq') FROM generate_series(1, %s)"
_CLOCK = "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint"
# For the writer, in one statement: it also locks the table against `lock_webhooks`.
_CLOCK_AND_MARK = f"{_CLOCK}, (SELECT revision FROM webhook_revision)"
_FOREIGN_CHANGES = text(
    "SELECT sum(id) FILTER (WHERE station <> :station) AS of_others, max(id) AS newest, "
    "(SELECT sum(id) FROM remote_command) AS remote_commands "
    "FROM event WHERE id > coalesce(:seen, (SELECT max(id) FROM event)) - :late"
)
_SNAPSHOT = text("SELECT CAST(pg_current_snapshot() AS text)")
# In two parts, each by the index. Not by id first: a planner could read the whole table for that.
_UNREAD_EVENTS = text(
    "WITH fresh AS MATERIALIZED ("
    "SELECT id, xid FROM event WHERE xid >= CAST(:seen_end AS xid8) "
    "AND xid < pg_snapshot_xmax(CAST(:batch AS pg_snapshot)) UNION ALL "
    "SELECT id, xid FROM event WHERE xid = ANY (CAST(:seen_open AS xid8[]))) "
    "SELECT id FROM fresh WHERE id > :after "
    "AND pg_visible_in_snapshot(xid, CAST(:batch AS pg_snapshot)) ORDER BY id LIMIT :most"
)
# Transactions that have not begun yet: the rows were copied from another server.
_FORGET_FOREIGN = text(
    "UPDATE event SET xid = NULL WHERE xid >= pg_snapshot_xmax(pg_current_snapshot()) "
    "AND xid <> pg_current_xact_id()"
)
_DURABLE = {"NORMAL": "off"}
# SQLSTATEs that are not bugs: a read-only server, or a transaction that timed out
_ENVIRONMENT = {"25006", "25P03", "25P04"}
_SCHEMA_LOCK = 0x434E43  # arbitrary, the same in every version of the program

AWAY = "The database server can't be reached."
# By PostgreSQL's messages in English; for other languages `AWAY` is shown.
_SERVER_MESSAGES = (
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
        """`jit` costs the dispatcher's statements far more than it saves. Rows are found by id,
        mostly in memory, so a random page costs little more than the next one. Readers take one
        short snapshot: a long one would delay the clean-up of rows.

        A station that hangs or is cut off in a transaction must not keep its locks, which block the
        writers of the others. While a server waits for the rest of a pipeline, none of its limits
        counts, and only its own keep-alives and unacknowledged answers end the session. A writer
        waits only briefly for a lock: the leases of its station wait behind it.
        """
        arguments = {
            "connect_timeout": CONNECT_S,
            "options": "-c jit=off -c random_page_cost=1.1 "
            f"-c synchronous_commit={_DURABLE.get(synchronous, 'on')} "
            f"-c idle_in_transaction_session_timeout={IDLE_MS} -c lock_timeout={LOCK_MS} "
            "-c tcp_keepalives_idle=5 -c tcp_keepalives_interval=2 -c tcp_keepalives_count=3 "
            f"-c tcp_user_timeout={GIVEN_UP_MS}",
            "keepalives_idle": 5,
            "keepalives_interval": 2,
            "keepalives_count": 3,
            "tcp_user_timeout": GIVEN_UP_MS,
        }
        url = url.set(drivername="postgresql+psycopg")
        if not reader:
            arguments["autocommit"] = True  # see `_begin`
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
        begun = connection.info.get(_BEGAN_AT)
        return int(connection.execute(text(_CLOCK)).scalar_one() if begun is None else begun)

    @contextmanager
    def transaction(
        self, connection: Connection, preload: TransactionPreload = NOTHING
    ) -> Iterator[dict[Statement, Any]]:
        """The preload is sent together with BEGIN."""
        connection.info[_PRELOAD] = preload
        with connection.begin():
            yield connection.info.pop(_PRELOADED)

    @contextmanager
    def pipeline(self, connection: Connection) -> Iterator[None]:
        with driver_of(connection) as driver, pipeline_without_flush(driver):
            yield

    @contextmanager
    def final_flush(self, connection: Connection) -> Iterator[None]:
        with driver_of(connection) as driver, driver.pipeline():
            yield
            driver.execute("COMMIT")

    def reserve(
        self, connection: Connection, table: Table, count: int, *, ahead: int = 0
    ) -> Sequence[int]:
        """From the table's sequence; numbers fetched ahead stay with this connection."""
        kept = _spare_ids(connection, table)
        if len(kept) < count:
            with driver_of(connection) as driver:
                more = driver.execute(*_fetch_ids(table, count - len(kept) + ahead))
                kept += [number for (number,) in more]
        ids, kept[:] = kept[:count], kept[count:]
        return ids

    def insert(self, connection: Connection, table: Table, rows: Rows) -> None:
        """All rows are one parameter, bound one by one they cost three times as much; values that
        all rows share are another: of an event's thirteen values few differ."""
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
        """From the events of others since the last look, and some before that, since ids are not in
        commit order; and from rows that have no event. Heartbeats and locks do not count: a look
        caused by another look would keep a whole fleet awake.

        The start of the count moves seldom: each move counts as a change.
        """
        seen = connection.info.get(_NEWEST_SEEN)
        with connection.begin():
            values = {"station": station, "seen": seen, "late": _LATE_EVENTS}
            found = connection.execute(_FOREIGN_CHANGES, values).one()
        if seen is None or (found.newest or 0) > seen + _LATE_EVENTS:
            connection.info[_NEWEST_SEEN] = found.newest or 0
        return found.of_others, found.remote_commands

    def snapshot(self, connection: Connection) -> Snapshot:
        return Snapshot.parse(connection.execute(_SNAPSHOT).scalar_one())

    def forget_foreign_commits(self, connection: Connection) -> None:
        connection.execute(_FORGET_FOREIGN)

    def unread_events(
        self,
        connection: Connection,
        cursor: EventCursor,
        until: EventCursor | None,  # noqa: ARG002 - its snapshot is the batch
        most: int,
    ) -> Sequence[int]:
        """What is not visible in `seen`: later transactions, and those that were open."""
        assert cursor.seen is not None
        values = {
            "seen_end": str(cursor.seen.end),
            "seen_open": f"{{{','.join(map(str, cursor.seen.open))}}}",
            "after": cursor.after,
            "batch": str(cursor.batch),
            "most": most,
        }
        return connection.execute(_UNREAD_EVENTS, values).scalars().all()

    def webhook_mark(self, connection: Connection) -> object:
        """As read when the transaction began."""
        return connection.info[_WEBHOOK_MARK]

    def lock_webhooks(self, connection: Connection) -> None:
        """Every transaction of a writer has a lock on this table, and then a new mark."""
        with driver_of(connection) as driver:
            driver.execute("LOCK TABLE webhook_revision IN ACCESS EXCLUSIVE MODE")
            driver.execute(
                "INSERT INTO webhook_revision (id, revision) VALUES (1, 1) ON CONFLICT (id) "
                "DO UPDATE SET revision = webhook_revision.revision + 1"
            )

    def lock_table(self, connection: Connection, table: Table) -> None:
        with driver_of(connection) as driver:
            driver.execute(f"LOCK TABLE {table.name} IN SHARE ROW EXCLUSIVE MODE".encode())

    def items(self, name: str, **columns: type[TypeEngine[Any]]) -> FromClause:
        rows = func.json_array_elements(cast(bindparam(name), JSON)).column_valued(f"{name}_row")
        query: Select[Any] = select(
            *(
                cast(rows.op("->>")(place), kind).label(column)
                for place, (column, kind) in enumerate(columns.items())
            )
        )
        return query.subquery(name)

    def text_in_json(
        self, document: ColumnElement[str], field: ColumnElement[str]
    ) -> ColumnElement[str]:
        return cast(document, JSON).op("->>")(field)

    def unavailable(self, error: DBAPIError) -> Unavailable | None:
        """Errors of the server and of the connection to it; broken statements stay bugs."""
        of_the_server = getattr(error.orig, "sqlstate", None) in _ENVIRONMENT
        of_the_server |= isinstance(error, OperationalError | InterfaceError)
        if error.connection_invalidated or of_the_server:
            sentence = postgres_message(str(error.orig).lower())
            return Unavailable(sentence, transient=sentence == AWAY)
        return None

    def encryption(self, connection: Connection) -> str:
        own = text("SELECT version FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
        return str(connection.execute(own).scalar() or "")

    def claim_schema(self, connection: Connection) -> None:
        """A lock of the transaction: others wait, and then find the work done."""
        connection.execute(text("SET LOCAL lock_timeout = 0"))
        connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
        connection.execute(select(func.pg_advisory_xact_lock(_SCHEMA_LOCK)))

    def break_off(self, connection: Any) -> None:
        """The thread that waits there sees the end of its socket."""
        with suppress(OSError, connection.OperationalError):  # closed meanwhile
            line = socket.socket(fileno=connection.fileno())
            try:
                line.shutdown(socket.SHUT_RDWR)
            finally:
                line.detach()

    def is_transient(self, error: DBAPIError) -> bool:
        """Deadlocks, serialization failures and lock timeouts, by SQLSTATE."""
        return getattr(error.orig, "sqlstate", None) in {"40P01", "40001", "55P03"}


def _begin(connection: Connection) -> None:
    """Send BEGIN with a query of the server's clock and the preload. Fetched numbers are kept even
    if the transaction fails: a server gives none twice."""
    of_the_writer = _PRELOAD in connection.info  # others come while there is no schema yet
    preload: TransactionPreload = connection.info.pop(_PRELOAD, NOTHING)
    wanted = {
        table: count - len(_spare_ids(connection, table))
        for table, count in preload.numbers.items()
    }
    with driver_of(connection) as driver:
        try:
            with pipeline_without_flush(driver):
                driver.execute("BEGIN")
                clock = driver.execute(_CLOCK_AND_MARK if of_the_writer else _CLOCK)
                numbers = {t: driver.execute(*_fetch_ids(t, n)) for t, n in wanted.items() if n > 0}
                answers = {
                    question: prepared.execute(connection, question, values)
                    for question, values in preload.questions.items()
                }
        except Exception:
            if not driver.closed:  # SQLAlchemy does not know that it has begun
                driver.rollback()
            raise
    for table, found in numbers.items():
        _spare_ids(connection, table).extend(number for (number,) in found)
    connection.info[_BEGAN_AT], *mark = clock.fetchone()
    connection.info[_WEBHOOK_MARK] = mark
    connection.info[_PRELOADED] = answers


def _spare_ids(connection: Connection, table: Table) -> list[int]:
    numbers: list[int] = connection.info.setdefault((_SPARE_IDS, table.name), [])
    return numbers


def _fetch_ids(table: Table, count: int) -> tuple[str, tuple[int]]:
    return _FETCH_IDS.format(table.name), (count,)


def postgres_message(complaint: str) -> str:
    """The sentence for an error (in lower case) of a server or of the connection to it."""
    found = (sentence for pattern, sentence in _SERVER_MESSAGES if re.search(pattern, complaint))
    return next(found, AWAY)
