"""Whether a station could work on the database of a fleet. Nothing is written there."""

import re
from contextlib import closing

from sqlalchemy import Connection, text

from cnc_station.engine.domain.errors import FieldError, InvalidInput, Unavailable
from cnc_station.engine.store.database import Database
from cnc_station.engine.store.migrate import REVISION, SILENCE_S, Fit, Schema, look
from cnc_station.engine.store.queries.stations import stations
from cnc_station.engine.views import Presence

OLDEST_SERVER = 13  # the first with transaction ids of 64 bits
_ADDRESS, _PASSWORD = "database_url", "database_password"
# The first match counts; by PostgreSQL's messages in English.
_COMPLAINTS = (
    (r"no password supplied", _PASSWORD, "is missing: the server asks for one"),
    (
        r"password authentication failed",
        _PASSWORD,
        "the server refuses it: is it wrong, or the user's name in the address?",
    ),
    (
        r'role ".*" does not exist|peer authentication failed',
        _ADDRESS,
        "the server does not know this user: postgresql://user@server/database",
    ),
    (
        r'database ".*" does not exist',
        _ADDRESS,
        "the server has no database of that name: create it there, or correct the address",
    ),
    (
        r"does not match host name",
        _ADDRESS,
        "the server's certificate is for another name: write the name that is in it",
    ),
    (r"certificate has expired", _ADDRESS, "the server's certificate has expired"),
    (
        r"root certificate file .* does not exist",
        _ADDRESS,
        "to verify the server, add its certificate: &sslrootcert=/path/to/ca.crt",
    ),
    (
        r"certificate verify failed|self.signed|unable to get local issuer",
        _ADDRESS,
        "the server's certificate is not of the authority in sslrootcert",
    ),
    (
        r"does not support ssl",
        _ADDRESS,
        "the server has no encryption: switch ssl on in its postgresql.conf",
    ),
    (
        r"pg_hba\.conf",
        _ADDRESS,
        "the server does not let this computer in: add it to its pg_hba.conf",
    ),
    (r"too many (clients|connections)|slots are reserved", _ADDRESS, "the server is full"),
)


def check(url: str, station: str) -> str:
    """Return what the database is, as a sentence. Raises InvalidInput with the field that is wrong
    and why. Blocks."""
    try:
        with closing(Database(url)) as opened:
            version = opened.read(_server_version)
            if version < OLDEST_SERVER:
                raise _wrong(
                    f"the server is PostgreSQL {version}: CNC Station needs {OLDEST_SERVER} or "
                    "newer"
                )
            found = look(opened)
            if found.fit is Fit.EMPTY:
                return _check_empty(opened, version)
            return _check_shop(opened, found, station, version)
    except Unavailable as error:
        raise _refusal(error) from error


def _check_empty(opened: Database, version: int) -> str:
    if not opened.read(_may_create):
        raise _wrong(
            "the database is empty and this user may not create its tables: make the user its owner"
        )
    _check_writable(opened)
    return f"PostgreSQL {version} answers. The database is empty: a new fleet begins."


def _check_shop(opened: Database, found: Schema, station: str, version: int) -> str:
    if found.fit is Fit.OLDER:
        raise _wrong(
            f"the fleet's database has schema {found.revision}, this CNC Station needs {REVISION}: "
            "update the other stations first, then run cnc-station db upgrade"
        )
    if found.fit is Fit.NEWER:
        raise _wrong(
            f"the fleet's database was made by a newer CNC Station (schema {found.revision}, this "
            f"one knows {REVISION}): install the newer program here"
        )
    _check_writable(opened)
    known = opened.read(lambda c: stations(c, station, opened.dialect.now))
    others = [row for row in known if row.presence is not Presence.LEFT]
    for row in known:
        if row.name == station and row.heard_s is not None and row.heard_s < SILENCE_S:
            reason = f"a station of this name is at work already, on {row.host}"
            raise InvalidInput(FieldError("station", reason))
    count = f"{len(others)} station{'' if len(others) == 1 else 's'}"
    return f"PostgreSQL {version} answers. The fleet has {count}; its schema fits."


def _check_writable(opened: Database) -> None:
    if opened.read(_is_standby):
        raise _wrong("the server takes no changes: it is a standby, or was made read-only")


def _server_version(connection: Connection) -> int:
    number = connection.execute(text("SELECT current_setting('server_version_num')")).scalar_one()
    return int(number) // 10_000


def _may_create(connection: Connection) -> bool:
    own = text("SELECT has_schema_privilege(coalesce(current_schema(), 'public'), 'CREATE')")
    return bool(connection.execute(own).scalar())


def _is_standby(connection: Connection) -> bool:
    own = text(
        "SELECT pg_is_in_recovery() OR current_setting('default_transaction_read_only')::boolean"
    )
    return bool(connection.execute(own).scalar())


def _wrong(reason: str) -> InvalidInput:
    return InvalidInput(FieldError(_ADDRESS, reason))


def _refusal(error: Unavailable) -> InvalidInput:
    complaint = str(getattr(error.__cause__, "orig", "") or "").lower()
    for pattern, field, reason in _COMPLAINTS:
        if re.search(pattern, complaint):
            return InvalidInput(FieldError(field, reason))
    return _wrong(str(error))
