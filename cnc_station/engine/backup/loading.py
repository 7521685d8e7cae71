"""Restore the dump of a PostgreSQL database into an empty one: all of it, or it is done again."""

import asyncio
import shutil
from contextlib import closing
from secrets import token_hex

from cnc_station import private_files
from cnc_station.config import Config
from cnc_station.engine.backup.archive import Archive
from cnc_station.engine.backup.making import DUMP_MEMBER
from cnc_station.engine.domain.errors import Unavailable
from cnc_station.engine.domain.policies import RankPolicy
from cnc_station.engine.drivers import registry
from cnc_station.engine.store import migrate
from cnc_station.engine.store.copies import OnPart
from cnc_station.engine.store.database import Database
from cnc_station.engine.store.home import HoldRestored, forget_stations
from cnc_station.engine.store.restore_mark import marked
from cnc_station.engine.store.server_tools import load, require
from cnc_station.engine.store.writer import Writer

_STAGE = "restore-"
_ACTOR = "cnc-station restore"
_EXTRACTED = 0.3  # the part of the time that it takes


def load_into_server(config: Config, found: Archive, on_part: OnPart) -> None:
    """Restore the database, upgrade it to this program's schema, and hold its real machines. Raises
    Conflict if the database is not empty, BackupRefused, Unavailable."""
    require("pg_restore")
    stage = config.data_folder / f"{_STAGE}{token_hex(8)}"
    with closing(Database(config.database_url)) as database, marked(database):
        for left in config.data_folder.glob(f"{_STAGE}*/"):  # of one that was killed
            shutil.rmtree(left, ignore_errors=True)
        try:
            private_files.make_folder(stage)
            dumped = stage / DUMP_MEMBER
            private_files.create_new(dumped)
            with dumped.open("r+b") as file:
                found.extract(DUMP_MEMBER, file, lambda _size: on_part(0.0))
            on_part(_EXTRACTED)
            load(database.url, dumped, lambda: on_part(_EXTRACTED))
        except OSError as error:
            raise Unavailable(
                f"The back-up can't be restored, nothing was changed: {error.strerror or error}."
            ) from error
        finally:
            shutil.rmtree(stage, ignore_errors=True)
        _bring_up(database)
        asyncio.run(_hold(database))
    on_part(1.0)


def _bring_up(database: Database) -> None:
    with (
        database.translate_errors(),
        closing(database.connect_writer()) as connection,
        connection.begin(),
    ):
        forget_stations(connection)
    migrate.upgrade_marked(database)


async def _hold(database: Database) -> None:
    writer = Writer(database, station=_ACTOR, ranking=RankPolicy())
    await writer.start()
    try:
        await writer.write(HoldRestored(registry.retried()))
    finally:
        await writer.stop()
