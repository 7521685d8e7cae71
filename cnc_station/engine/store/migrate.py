"""Bringing a database to the schema of this program, never losing what is in it.

A file that is newer, damaged or somebody else's is refused before anything is written. Before an
upgrade a copy of the file is made beside it. A database that is up to date costs one query.
"""

import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import DBAPIError

from cnc_station.engine.domain.errors import Unavailable
from cnc_station.engine.store.database import Database

if TYPE_CHECKING:
    from alembic.config import Config

REVISION = "0001"  # the newest migration; a test holds it to that
_SQLITE_MAGIC = b"SQLite format 3\x00"


def bring_up_to_date(database: Database) -> Path | None:
    """Create or upgrade the schema; returns the copy made before an upgrade, if one was.

    Raises Unavailable with a sentence where that can't be done safely.
    """
    if database.path is not None:
        _look_at_file(database.path)
    with database.said_plainly(), closing(database.connect_pen()) as connection:
        found = _revision(connection)
        connection.rollback()
        if found == REVISION:
            return None
        known = _known_revisions()
        if found is not None and found not in known:
            raise Unavailable(
                f"The database was made by a newer CNC Station (schema {found}; this one knows "
                f"{REVISION}). Nothing was changed: install the newer program."
            )
        copy = _copy(database.path) if found is not None and database.path else None
        try:
            _upgrade(connection)
        except DBAPIError as error:
            raise Unavailable(
                f"The database could not be upgraded and was left as it was: {error.orig}"
            ) from error
        return copy


def _look_at_file(path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            raise Unavailable(f"{path} is a folder, not a database file.")
        if path.exists() and path.stat().st_size:
            with path.open("rb") as file:
                if file.read(16) != _SQLITE_MAGIC:
                    raise Unavailable(
                        f"{path} is no CNC Station database, or it is damaged. It was left as it "
                        "is: choose another file, or restore a copy."
                    )
    except OSError as error:
        raise Unavailable(f"{path} can't be used: {error.strerror}.") from error


def _revision(connection: Connection) -> str | None:
    """The schema's revision; None for an empty database."""
    tables = set(inspect(connection).get_table_names())
    if "alembic_version" in tables:
        found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
        if found is not None:
            return str(found)
    if tables - {"alembic_version"}:
        raise Unavailable("The file holds another program's data. It was left as it is.")
    return None


def _configuration() -> "Config":
    from alembic.config import Config  # noqa: PLC0415 - 100 ms that only an upgrade needs

    configuration = Config()
    configuration.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return configuration


def _known_revisions() -> set[str]:
    from alembic.script import ScriptDirectory  # noqa: PLC0415 - as above

    scripts = ScriptDirectory.from_config(_configuration())
    return {script.revision for script in scripts.walk_revisions()}


def _upgrade(connection: Connection) -> None:
    from alembic import command  # noqa: PLC0415 - as above

    configuration = _configuration()
    configuration.attributes["connection"] = connection
    with connection.begin():
        command.upgrade(configuration, "head")


def _copy(path: Path) -> Path:
    """A consistent copy of an embedded database, write-ahead log included."""
    copy = path.with_name(f"{path.name}.before-{REVISION}-{time.strftime('%Y%m%d-%H%M%S')}")
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
    return copy
