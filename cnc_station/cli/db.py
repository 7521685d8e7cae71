"""`db`: the schema of the database, and where it is at home."""

from contextlib import closing
from pathlib import Path

from cnc_station.cli.client import client
from cnc_station.cli.invocation import Call, Exit
from cnc_station.cli.output import print_fields, print_json, say
from cnc_station.config import Config
from cnc_station.engine.commands import AcceptDatabase
from cnc_station.engine.store import migrate
from cnc_station.engine.store.database import Database, EngineLock
from cnc_station.engine.store.migrate import Fit, Schema
from cnc_station.secrets import complete, refuse_clear_text

_MEANING = {
    Fit.EMPTY: "it is empty: the first station that starts creates its tables",
    Fit.CURRENT: "it fits this program",
    Fit.OLDER: "it is older than this program: stop all stations, then run cnc-station db upgrade",
    Fit.NEWER: "it is newer than this program: install the newer program",
}
_FILE_OLDER = "it is older than this program, which copies and upgrades it at the next start"


def status(call: Call) -> int:
    """Compare the schema with that of this program. Unavailable if no station could start."""
    schema = _look(call.config)
    itself = schema.fit is Fit.OLDER and call.config.database_path is not None
    if call.json:
        print_json({"database": call.config.database_shown, "schema": schema})
    else:
        print_fields(
            [
                ("Database", call.config.database_shown),
                ("Schema", schema.revision or "none"),
                ("This program's", migrate.REVISION),
                ("So", _FILE_OLDER if itself else _MEANING[schema.fit]),
            ]
        )
    return Exit.OK if itself or schema.fit in {Fit.EMPTY, Fit.CURRENT} else Exit.UNAVAILABLE


def upgrade(call: Call) -> int:
    """Create or upgrade the schema."""
    before = _look(call.config)
    copied = _upgrade(call.config)
    if call.json:
        print_json(
            {"before": before.revision, "after": migrate.REVISION, "copy": copied and str(copied)}
        )
    elif before.fit is Fit.CURRENT:
        say(f"The database has schema {migrate.REVISION} already.")
    else:
        say(f"The database has schema {migrate.REVISION} now.")
        if copied:
            say(f"The earlier content is in {copied}.")
    return Exit.OK


async def accept(call: Call) -> int:
    """Agree that the machines of the database are run from this computer."""
    async with client(call.config) as door:
        await door.execute(AcceptDatabase())
    if call.json:
        print_json({"accepted": True})
    else:
        say("The machines of the database are run from this computer now.")
    return Exit.OK


def _look(config: Config) -> Schema:
    with closing(_open(config)) as database:
        return migrate.look(database)


def _open(config: Config) -> Database:
    refuse_clear_text(config)
    return Database(complete(config).database_url)


def _upgrade(config: Config) -> Path | None:
    lock = EngineLock(config.database_path) if config.database_path else None
    if lock:
        lock.acquire("cnc-station db upgrade")
    try:
        with closing(_open(config)) as database:
            return migrate.upgrade(database)
    finally:
        if lock:
            lock.release()
