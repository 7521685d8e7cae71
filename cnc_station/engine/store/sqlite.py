"""One file on the station's own PC."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Select,
    Table,
    bindparam,
    create_engine,
    event,
    func,
    literal_column,
    select,
    text,
    type_coerce,
)
from sqlalchemy.engine import URL, Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool, QueuePool
from sqlalchemy.types import TypeEngine

from cnc_station.engine.domain.errors import Unavailable
from cnc_station.engine.domain.event_cursor import EventCursor
from cnc_station.engine.store.dialect import READERS, Dialect
from cnc_station.engine.store.prepared import Rows, insert_many
from cnc_station.engine.timing import now_ms

LOG_PAGES = 4_000  # 16 MB between checkpoints: a round of 1,000 machines fills 6 MB
_LAST_ID = text("SELECT seq FROM sqlite_sequence WHERE name = :table")
_UNREAD_EVENTS = text(
    "SELECT id FROM event WHERE id > :after AND id <= :until ORDER BY id LIMIT :most"
)
_ALL = 2**63 - 1

# By SQLite's messages.
_FILE_MESSAGES = (
    ("database or disk is full", "The disk is full: nothing was saved. Free some space."),
    (
        "readonly database",
        "The database file can't be written: the file or its folder is read-only.",
    ),
    ("unable to open", "The database file can't be opened: its folder is missing or read-only."),
    ("not a database", "The file is not a CNC Station database; it was left as it is."),
    ("malformed", "The database file is damaged. It was left as it is: restore a copy."),
    ("disk i/o error", "The disk reports an error: nothing was saved."),
    ("database is locked", "The database is busy with another program; try again."),
)


class Sqlite(Dialect):
    """One file, one writer. Snapshot and lock are those of the file."""

    embedded = True

    def engine(self, url: URL, *, reader: bool, synchronous: str) -> Engine:
        """Transactions are begun explicitly: the driver's own rules would hide locks."""
        pool: dict[str, Any] = (
            {"poolclass": QueuePool, "pool_size": READERS} if reader else {"poolclass": NullPool}
        )
        arguments = {"timeout": 10, "isolation_level": None, "check_same_thread": False}
        engine = create_engine(url, connect_args=arguments, hide_parameters=True, **pool)
        opening = "BEGIN" if reader else "BEGIN IMMEDIATE"

        @event.listens_for(engine, "connect")
        def configure(connection: Any, _record: object) -> None:
            for pragma in (
                *(() if reader else ("journal_mode=WAL",)),  # this writes to the file
                f"synchronous={synchronous}",
                f"wal_autocheckpoint={LOG_PAGES}",
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

    def now(self, connection: Connection) -> int:  # noqa: ARG002 - this computer's clock
        return now_ms()

    def reserve(
        self,
        connection: Connection,
        table: Table,
        count: int,
        *,
        ahead: int = 0,  # noqa: ARG002 - counting on costs nothing
    ) -> range:
        """The writer holds the write lock, so counting on from the last id is safe."""
        last = connection.execute(_LAST_ID, {"table": table.name}).scalar()
        return range((last or 0) + 1, (last or 0) + 1 + count)

    def insert(self, connection: Connection, table: Table, rows: Rows) -> None:
        """Many rows in a statement: a statement costs as much as storing a run."""
        insert_many(connection, table, rows)

    def changed_elsewhere(self, connection: Connection, station: str) -> int:  # noqa: ARG002 - for servers
        """SQLite counts foreign commits for each connection."""
        cursor = connection.connection.cursor()
        try:
            cursor.execute("PRAGMA data_version")
            row = cursor.fetchone()
        finally:
            cursor.close()
        return int(row[0]) if row else 0

    def snapshot(self, connection: Connection) -> None:  # noqa: ARG002 - there is one writer
        return None

    def forget_foreign_commits(self, connection: Connection) -> None:
        """The ids of a copy are in order, too."""

    def unread_events(
        self, connection: Connection, cursor: EventCursor, until: EventCursor | None, most: int
    ) -> Sequence[int]:
        last = _ALL if until is None else until.after
        values = {"after": cursor.after, "until": last, "most": most}
        return connection.execute(_UNREAD_EVENTS, values).scalars().all()

    def webhook_mark(self, connection: Connection) -> int:
        """The writer holds the lock of the file. The number changes with each foreign commit."""
        driver: Any = connection.connection.driver_connection
        mark: int = driver.execute("PRAGMA data_version").fetchone()[0]
        return mark

    def lock_webhooks(self, connection: Connection) -> None:
        """The writer's transactions hold the lock of the file anyway."""

    def lock_table(self, connection: Connection, table: Table) -> None:
        """As for `lock_webhooks`."""

    def items(self, name: str, **columns: type[TypeEngine[Any]]) -> FromClause:
        row = func.json_each(bindparam(name)).table_valued("value", name=f"{name}_row")
        query: Select[Any] = select(
            *(
                type_coerce(func.json_extract(row.c.value, f"$[{place}]"), kind).label(column)
                for place, (column, kind) in enumerate(columns.items())
            )
        )
        return query.subquery(name)

    def text_in_json(
        self, document: ColumnElement[str], field: ColumnElement[str]
    ) -> ColumnElement[str]:
        return func.json_extract(document, literal_column("'$.'") + field)

    def unavailable(self, error: DBAPIError) -> Unavailable | None:
        """By SQLite's message. The clean-up after an error may raise another one: the errors before
        it are checked too."""
        before: BaseException | None = error
        while before is not None:
            complaint = str(before.orig).lower() if isinstance(before, DBAPIError) else ""
            if sentence := sqlite_message(complaint):
                return Unavailable(sentence)
            before = before.__context__
        return None

    def encryption(self, connection: Connection) -> str:  # noqa: ARG002 - for servers
        return ""

    def claim_schema(self, connection: Connection) -> None:
        """The writer's transactions hold the write lock anyway."""

    def break_off(self, connection: Any) -> None:
        """A file always answers."""

    def is_transient(self, error: DBAPIError) -> bool:  # noqa: ARG002 - there is one writer
        return False


def sqlite_message(complaint: str) -> str | None:
    """The sentence for an error (in lower case) of a file; None if the environment is not its
    cause."""
    return next((sentence for part, sentence in _FILE_MESSAGES if part in complaint), None)
