"""Restore a back-up: all of it is checked first, and what was there is put aside.

While files are exchanged a marker stands beside the database. A station does not start then, and
the restore can be run again: see `migrate.interrupted_restore`.
"""

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex

from cnc_station import private_files
from cnc_station.config import Config
from cnc_station.engine.backup import archive
from cnc_station.engine.backup.archive import Archive, BackupRefused
from cnc_station.engine.backup.loading import load_into_server
from cnc_station.engine.backup.making import FILE_MEMBER, check_all, look_into
from cnc_station.engine.domain.backup import SETTINGS, Manifest
from cnc_station.engine.domain.errors import Conflict, Unavailable
from cnc_station.engine.store import migrate
from cnc_station.engine.store.copies import OnPart, untold
from cnc_station.engine.store.database import Database, EngineLock
from cnc_station.engine.store.home import forget_home
from cnc_station.engine.store.integrity import check_file

_STAGE = "restore-"
_BESIDE = ("", "-wal", "-shm", "-journal")
_COPIED = 0.8  # the part of the time that the extraction takes
_RESERVE = 8 << 20


@dataclass(frozen=True, slots=True)
class Restored:
    """What was restored, where the files are that were there before, and where the settings of the
    back-up are, if it has any: they are not applied."""

    manifest: Manifest
    database: str
    put_aside: tuple[Path, ...]
    settings: Path | None


def inspect(path: Path) -> Manifest:
    """Check every byte of a back-up, and return what it holds. Raises BackupRefused."""
    with archive.opened(path) as found:
        _refuse_newer(path, found.manifest)
        found.check()
        return found.manifest


def restore(config: Config, path: Path, on_part: OnPart = untold) -> Restored:
    """Replace the database by that of a back-up. Raises BackupRefused, Conflict, Unavailable: then
    nothing was changed."""
    with archive.opened(path) as found:
        _refuse_newer(path, found.manifest)
        database = config.database_path
        of_file = found.manifest.database == FILE_MEMBER
        if of_file is not (database is not None):
            raise Conflict(
                "The back-up is of a database file, and the settings name a server."
                if of_file
                else "The back-up is of a PostgreSQL database, and the settings name a file."
            )
        if database is None:
            load_into_server(config, found, on_part)
            return Restored(found.manifest, config.database_shown, (), _settings(config, found))
        database = database.resolve()
        with _locked(database) as stage:
            restored = stage / FILE_MEMBER
            _extract(found, restored, on_part)
            _make_ready(path, restored)
            put_aside = _exchange(path, database, restored)
        return Restored(found.manifest, str(database), put_aside, _settings(config, found))


def _refuse_newer(path: Path, manifest: Manifest) -> None:
    if manifest.schema not in migrate.known_revisions():
        raise BackupRefused(
            path,
            f"was made by a newer CNC Station ({manifest.version}, schema {manifest.schema}; this "
            f"one knows {migrate.REVISION}): install that first",
        )


@contextmanager
def _locked(database: Path) -> Iterator[Path]:
    """Keep stations out, and yield a private folder on the disk of the database."""
    lock = EngineLock(database)
    was_there = database.exists()
    lock.acquire("cnc-station restore")  # this makes an empty file where none is
    try:
        for left in database.parent.glob(f"{_STAGE}*/"):
            shutil.rmtree(left, ignore_errors=True)
        stage = database.parent / f"{_STAGE}{token_hex(8)}"
        private_files.make_folder(stage)
        try:
            yield stage
        finally:
            shutil.rmtree(stage, ignore_errors=True)
    except OSError as error:
        raise Unavailable(
            f"The back-up can't be restored, nothing was changed: {error.filename or database}: "
            f"{error.strerror or error}."
        ) from error
    finally:
        if not was_there and database.exists() and not database.stat().st_size:
            database.unlink()
        lock.release()


def _extract(found: Archive, restored: Path, on_part: OnPart) -> None:
    size = found.member(FILE_MEMBER).size
    if shutil.disk_usage(restored.parent).free < size + _RESERVE:
        raise Unavailable(
            f"The disk of {restored.parent.parent} has no room for the database: free "
            f"{(size + _RESERVE) // 1_000_000:,} MB. Nothing was changed."
        )
    done = 0

    def count(written: int) -> None:
        nonlocal done
        done += written
        on_part(_COPIED * done / max(size, 1))

    private_files.create_new(restored)
    with restored.open("r+b") as file:
        found.extract(FILE_MEMBER, file, count)


def _make_ready(path: Path, restored: Path) -> None:
    """Check the database, upgrade it to this program's schema and take its home. Only the copy is
    touched."""
    try:
        check_file(restored)
        check_all(restored, path)
        look_into(f"sqlite:///{restored}")
        with closing(Database(f"sqlite:///{restored}")) as database:
            migrate.bring_up_to_date(database)
            with (
                database.translate_errors(),
                closing(database.connect_writer()) as connection,
                connection.begin(),
            ):
                forget_home(connection)
    except (Conflict, Unavailable) as error:
        raise BackupRefused(path, f"can't be restored: {error}") from error
    with restored.open("rb+") as file:
        os.fsync(file.fileno())


def _exchange(path: Path, database: Path, restored: Path) -> tuple[Path, ...]:
    """Put the old files aside and the restored one into their place, or leave all as it was."""
    aside = database.with_name(f"{database.name}.before-restore-{time.strftime('%Y%m%d-%H%M%S')}")
    while aside.exists():
        aside = aside.with_name(f"{aside.name}-again")
    marker = migrate.interrupted_restore(database)
    interrupted = marker.exists()
    private_files.replace(marker, f"{path}\n".encode())
    private_files.sync_folder(database.parent)
    moved: list[tuple[Path, Path]] = []
    try:
        for ending in _BESIDE:
            old = database.with_name(database.name + ending)
            if old.exists() and (ending or old.stat().st_size):
                new = aside.with_name(aside.name + ending)
                old.rename(new)
                moved.append((old, new))
        restored.replace(database)
    except OSError:
        for old, new in reversed(moved):
            new.rename(old)
        if not interrupted:
            marker.unlink()
        raise
    private_files.sync_folder(database.parent)
    marker.unlink()
    private_files.sync_folder(database.parent)
    return tuple(new for _, new in moved)


def _settings(config: Config, found: Archive) -> Path | None:
    """Keep the settings of the back-up beside the database, to be compared."""
    if not found.has(SETTINGS):
        return None
    path = config.data_folder / f"restored-settings-{time.strftime('%Y%m%d-%H%M%S')}.toml"
    try:
        private_files.make_folder(path.parent)
        with private_files.draft_of(path, mode=private_files.FILE_MODE) as file:
            found.extract(SETTINGS, file, lambda _size: None)
    except OSError:  # the database is restored all the same
        return None
    return path
