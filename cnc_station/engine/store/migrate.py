"""Bring a database to the schema of this program without losing data.

A newer, damaged or foreign database is refused before anything is written. An older embedded one is
upgraded at the start, after the file was copied. A shared one is upgraded only on request, since
other stations may be at work on it.
"""

import logging
import os
import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import DBAPIError

from cnc_station import private_files
from cnc_station.engine.domain.errors import Conflict, Unavailable
from cnc_station.engine.store.copies import copy_database
from cnc_station.engine.store.database import Database
from cnc_station.engine.store.integrity import check_file
from cnc_station.engine.store.restore_mark import refuse_marked
from cnc_station.engine.store.schema import metadata

if TYPE_CHECKING:
    from alembic.config import Config

log = logging.getLogger(__name__)

REVISION = "0024"  # the newest migration; checked by a test
MIGRATIONS = Path(__file__).parent / "migrations"
SILENCE_S = 60.0  # a station with a sign of life in this time counts as at work
_VERSION_TABLE = "alembic_version"


class Fit(StrEnum):
    """How a database's schema compares to this program's."""

    EMPTY = "empty"
    CURRENT = "current"
    OLDER = "older"
    NEWER = "newer"


@dataclass(frozen=True, slots=True)
class Schema:
    """The schema of a database; `revision` is None if it is empty."""

    revision: str | None
    fit: Fit


def look(database: Database) -> Schema:
    """Read the schema's version without writing. Raises Unavailable if the database can't be read
    or holds something else."""
    path = database.path
    if path is not None:
        if interrupted_restore(path).exists():
            raise Unavailable(
                f"A restore of {path} was interrupted. Nothing is lost: run cnc-station restore "
                "again, with the same back-up."
            )
        check_file(path)
        if not path.exists() or not path.stat().st_size:
            return Schema(None, Fit.EMPTY)
    else:
        database.read(refuse_marked)
    return _schema(database.read(_revision))


def interrupted_restore(path: Path) -> Path:
    """Return the file that stands beside a database while a restore replaces it."""
    return path.with_name(f"{path.name}.restoring")


def bring_up_to_date(database: Database, found: Schema | None = None) -> Path | None:
    """Create the schema, or upgrade an embedded database, at the start of a station.

    `found` is the result of an earlier `look`. Returns the copy made before an upgrade, if any.
    Raises Unavailable if the database must be left as it is.
    """
    found = found or look(database)
    if found.fit is Fit.OLDER and not database.dialect.embedded:
        raise Unavailable(
            f"The database has schema {found.revision}, this CNC Station needs {REVISION}. Nothing "
            "was changed: stop all stations, then run `cnc-station db upgrade`."
        )
    return _create_or_upgrade(database, found)


def upgrade(database: Database) -> Path | None:
    """Create or upgrade the schema on request; otherwise as `bring_up_to_date`. Raises Conflict
    while stations are at work on a shared database."""
    return _create_or_upgrade(database, look(database))


def upgrade_marked(database: Database) -> None:
    """Upgrade a shared database that is being restored."""
    _create_or_upgrade(database, _schema(database.read(_revision)))


def _create_or_upgrade(database: Database, found: Schema) -> Path | None:
    if found.fit is Fit.CURRENT:
        return None
    if found.fit is Fit.NEWER:
        raise Unavailable(
            f"The database was made by a newer CNC Station (schema {found.revision}; this one "
            f"knows {REVISION}). Nothing was changed: install the newer program."
        )
    copy = None if database.path is None else _prepare(database.path, found)
    with database.translate_errors(), closing(database.connect_writer()) as connection:
        try:
            _upgrade(database, connection, found)
        except DBAPIError as error:
            raise Unavailable(
                f"The database could not be upgraded and was left as it was: {error.orig}"
            ) from error
    if found.fit is Fit.OLDER:
        beside = f", a copy is {copy}" if copy else ""
        said = "the database was upgraded from schema %s to %s%s"
        log.info(said, found.revision, REVISION, beside)
    return copy


def _upgrade(database: Database, connection: Connection, found: Schema) -> None:
    """Upgrade in one transaction, unless another process has done so since the first look."""
    from alembic import command  # noqa: PLC0415 - takes 100 ms

    configuration = _configuration()
    configuration.attributes["connection"] = connection
    with connection.begin():
        database.dialect.claim_schema(connection)
        now = _schema(_revision(connection))
        if now.fit is Fit.CURRENT:
            return
        if now != found:
            raise Unavailable("Another process changes the database: try again.", transient=True)
        if found.fit is Fit.OLDER and not database.dialect.embedded:
            _refuse_while_stations_work(database, connection)
        command.upgrade(configuration, "head")
        if found.fit is Fit.OLDER:  # fences a station that slept meanwhile
            connection.execute(text("UPDATE station SET incarnation = ''"))


def _refuse_while_stations_work(database: Database, connection: Connection) -> None:
    heard = text(
        "SELECT name FROM station WHERE left_at IS NULL AND abs(heard_at - :now) < :silence "
        "ORDER BY 1"
    )
    values = {"now": database.dialect.now(connection), "silence": round(SILENCE_S * 1000)}
    names = connection.execute(heard, values).scalars().all()
    if names:
        raise Conflict(
            f"Stations are at work on the database: {', '.join(names)}. Stop them first; one that "
            f"has died counts as stopped {SILENCE_S:.0f} seconds after its last sign of life."
        )


def _revision(connection: Connection) -> str | None:
    tables = set(inspect(connection).get_table_names())
    if not tables - {_VERSION_TABLE}:
        return None
    if not tables >= {_VERSION_TABLE, "job", "run", "machine", "event"}:
        raise Unavailable("The database holds another program's data. It was left as it is.")
    revision = connection.execute(text(f"SELECT version_num FROM {_VERSION_TABLE}")).scalar()
    missing = sorted(metadata.tables.keys() - tables) if revision == REVISION else []
    if revision is None or missing:
        what = f"the table {missing[0]}" if missing else "the number of its schema"
        raise Unavailable(
            f"The database is damaged: {what} is missing. It was left as it is: restore a copy."
        )
    return str(revision)


def _schema(revision: str | None) -> Schema:
    if revision is None:
        return Schema(None, Fit.EMPTY)
    if revision == REVISION:
        return Schema(revision, Fit.CURRENT)
    return Schema(revision, Fit.OLDER if revision in known_revisions() else Fit.NEWER)


def _configuration() -> "Config":
    from alembic.config import Config  # noqa: PLC0415 - as above

    configuration = Config()
    configuration.set_main_option("script_location", str(MIGRATIONS))
    return configuration


def known_revisions() -> set[str]:
    """Return the revisions that this version has a migration for."""
    from alembic.script import ScriptDirectory  # noqa: PLC0415 - as above

    scripts = ScriptDirectory.from_config(_configuration())
    return {script.revision for script in scripts.walk_revisions()}


def _prepare(path: Path, found: Schema) -> Path | None:
    """Make the file's folder, or a consistent copy of the file with its write-ahead log."""
    if found.fit is Fit.EMPTY:
        try:
            private_files.make_folder(path.parent)
            private_files.create(path)  # its log takes over its mode
        except OSError as error:
            raise Unavailable(f"{path} can't be made: {error.strerror}.") from error
        return None
    copy = path.with_name(f"{path.name}.before-{REVISION}-{time.strftime('%Y%m%d-%H%M%S')}")
    while copy.exists():
        copy = copy.with_name(f"{copy.name}-again")
    draft = path.with_name(f"{path.name}.half-copied")
    try:
        draft.unlink(missing_ok=True)  # of an upgrade that was killed
        copy_database(path, draft)
        with draft.open("rb+") as file:
            os.fsync(file.fileno())
        draft.rename(copy)
        private_files.sync_folder(path.parent)
    except (sqlite3.Error, OSError) as error:
        draft.unlink(missing_ok=True)
        raise Unavailable(
            f"No copy of the database could be made, so it was not upgraded: {error}."
        ) from error
    return copy
