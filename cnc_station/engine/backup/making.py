"""Make a back-up of the database that the settings name."""

import errno
import json
import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex

from filelock import FileLock, Timeout
from sqlalchemy import Connection, func, select
from sqlalchemy.engine import make_url

from cnc_station import __version__, addresses, private_files, secrets
from cnc_station.config import Config
from cnc_station.engine.backup import archive
from cnc_station.engine.domain.backup import SETTINGS, Content, Manifest, file_name
from cnc_station.engine.domain.errors import Conflict, Unavailable
from cnc_station.engine.store import migrate
from cnc_station.engine.store.copies import OnPart, copy_database, untold
from cnc_station.engine.store.database import Database
from cnc_station.engine.store.integrity import check_file, damaged
from cnc_station.engine.store.migrate import Fit
from cnc_station.engine.store.schema import job, machine, program
from cnc_station.engine.store.server_tools import dump
from cnc_station.engine.timing import now_ms

FILE_MEMBER, DUMP_MEMBER = "station.db", "database.dump"
LOCK = "backup.lock"
_STAGE = "backup-"
_RESERVE = 32 << 20  # bytes that a station at work needs beside the copy
_STALE_S = 3600.0  # of a draft that nobody writes any more
_COPIED = 0.4  # the part of the time that the copy takes
_WITH_PASSWORD = ("database_url", "redis_url", "http_proxy")
_SECRET = ("webhook_url",)  # such an address is a password by itself


@dataclass(frozen=True, slots=True)
class Made:
    """A back-up that was made."""

    path: Path
    size: int
    manifest: Manifest


def back_up(config: Config, folder: Path, on_part: OnPart = untold) -> Made:
    """Write a back-up into a folder and verify it there. The folder may be a network share or a
    drive without permissions. Raises Unavailable, Conflict: nothing is left then of a half one."""
    with _one_at_a_time(config) as stage, told(folder):
        require_folder(folder)
        _sweep(folder)
        at = now_ms()
        copied, manifest = _copy(config, stage, at, lambda part: on_part(part * _COPIED))
        path = _free_name(folder, series(config), at)
        total, done = copied.stat().st_size or 1, 0

        def count(size: int) -> None:
            nonlocal done
            done += size
            on_part(_COPIED + (1 - _COPIED) * min(done / total, 1.0))

        parts: list[tuple[str, Path | bytes]] = [
            (manifest.database, copied),
            (SETTINGS, settings_text(config).encode()),
        ]
        try:
            manifest = archive.write(path, manifest, parts, count)
        except archive.BackupRefused as error:
            raise Unavailable(f"{folder} does not keep what is written to it: {error}.") from error
        return Made(path, path.stat().st_size, manifest)


def series(config: Config) -> str:
    """Return whose back-ups belong together: a station's with a file, or those of a server's
    database, whichever station makes them."""
    if config.database_path is not None:
        return config.station
    url = make_url(config.database_url)
    return f"{url.host or 'local'} {url.database}"


@contextmanager
def _one_at_a_time(config: Config) -> Iterator[Path]:
    """Yield a private folder on the disk of the database. Those of back-ups that died are
    removed."""
    home = (config.database_path or config.data_folder / LOCK).resolve().parent
    lock = FileLock(home / LOCK, mode=private_files.FILE_MODE)
    try:
        private_files.make_folder(home)
        lock.acquire(timeout=0)
    except Timeout:
        raise Conflict("Another back-up of this station is being made at the moment.") from None
    except OSError as error:
        raise Unavailable(f"{home} can't be written: {error.strerror}.") from error
    try:
        for left in home.glob(f"{_STAGE}*/"):
            shutil.rmtree(left, ignore_errors=True)
        stage = home / f"{_STAGE}{token_hex(8)}"
        private_files.make_folder(stage)
        try:
            yield stage
        finally:
            shutil.rmtree(stage, ignore_errors=True)
    except OSError as error:
        raise Unavailable(_why(home, error)) from error
    finally:
        lock.release()


def _copy(config: Config, stage: Path, at: int, on_part: OnPart) -> tuple[Path, Manifest]:
    """Copy the database as it is now, and look into the copy."""
    path = config.database_path
    if path is None:
        return _dump(config, stage, at, on_part)
    copied = stage / FILE_MEMBER
    check_file(path)
    if not path.exists() or not path.stat().st_size:
        raise Conflict(f"There is nothing to back up: {path} is missing or empty.")
    _refuse_without_room(path, stage)
    try:
        copy_database(path, copied, on_part)
    except sqlite3.Error as error:
        raise Unavailable(f"{path} can't be copied: {error}.") from error
    check_all(copied, path)
    revision, content = look_into(f"sqlite:///{copied}")
    return copied, _manifest(config, at, FILE_MEMBER, revision, content)


def _dump(config: Config, stage: Path, at: int, on_part: OnPart) -> tuple[Path, Manifest]:
    """Dump the database of a server by its own tool."""
    dumped = stage / DUMP_MEMBER
    private_files.create_new(dumped)
    with closing(Database(config.database_url)) as database:
        revision = _revision(database)
        content = dump(database, dumped, _content, lambda: on_part(0.0))
    return dumped, _manifest(config, at, DUMP_MEMBER, revision, content)


def _manifest(config: Config, at: int, name: str, revision: str, content: Content) -> Manifest:
    return Manifest(
        version=__version__,
        schema=revision,
        station=config.station,
        created_at=at,
        database=name,
        content=content,
        left_out=left_out(config),
        members=(),
    )


def check_all(path: Path, shown: Path) -> None:
    """Check each page and index of a copy. Raises Unavailable."""
    try:
        with closing(sqlite3.connect(path, isolation_level=None)) as opened:
            found = opened.execute("PRAGMA integrity_check(1)").fetchone()[0]
            orphan = opened.execute("PRAGMA foreign_key_check").fetchone()
    except sqlite3.DatabaseError as error:
        raise damaged(shown, str(error)) from error
    if found != "ok":
        raise damaged(shown, " ".join(str(found).split()))
    if orphan is not None:
        raise damaged(shown, f"a row of {orphan[0]} refers to a missing one of {orphan[2]}")


def look_into(url: str) -> tuple[str, Content]:
    """Return the schema and the content of a database. Raises Unavailable if it is not one of this
    program, Conflict if it has no tables."""
    with closing(Database(url)) as database:
        return _revision(database), database.read(_content)


def _revision(database: Database) -> str:
    found = migrate.look(database)
    if found.revision is None:
        raise Conflict("There is nothing to back up: the database is empty.")
    if found.fit is Fit.NEWER:
        raise Unavailable(
            f"The database was made by a newer CNC Station (schema {found.revision}; this one "
            f"knows {migrate.REVISION}). Nothing was changed: install the newer program."
        )
    return found.revision


def _content(connection: Connection) -> Content:
    """Only columns that every schema has."""
    jobs = connection.execute(select(job.c.state, func.count()).group_by(job.c.state)).all()
    return Content(
        {state: count for state, count in sorted(jobs)},  # noqa: C416 - rows are not pairs to mypy
        connection.execute(select(func.count()).select_from(machine)).scalar_one(),
        connection.execute(select(func.count()).select_from(program)).scalar_one(),
    )


def settings_text(config: Config) -> str:
    """Return the settings in force that are not defaults as a TOML file, without secrets."""
    lines = ["# The settings of this station when the back-up was made, without its secrets."]
    for name, text in config.given.items():
        if name in _SECRET:
            continue
        value = (
            addresses.without_password(text) if name in _WITH_PASSWORD and "://" in text else text
        )
        lines.append(f"{name} = {json.dumps(value, ensure_ascii=False)}")
    return "\n".join(lines) + "\n"


def left_out(config: Config) -> tuple[str, ...]:
    """Name the secrets that a back-up does not hold."""
    names = []
    if config.database_path is None:
        names.append("the password of the database")
    if config.redis_url:
        names.append("the password of Redis")
    if config.webhook_url:
        names.append("the address and the secret of the webhook in the settings")
    if config.smtp_user:
        names.append("the password of the mail server")
    if config.http_proxy and addresses.password(config.http_proxy) is not None:
        names.append("the password of the proxy")
    if config.api_key is not None:
        names.append("the key of the API's certificate")
    if (config.data_folder / secrets.FILE_NAME).exists():
        names.append(f"the file {secrets.FILE_NAME}")
    return tuple(names)


def require_folder(folder: Path) -> None:
    """The folder must be there: below a share or a drive that is away, one would be made on this
    computer's own disk."""
    if not folder.is_dir():
        missing = "is not a folder" if folder.exists() else "is not there"
        raise Unavailable(f"{folder} {missing}: connect the drive or share, or make the folder.")


def _sweep(folder: Path) -> None:
    """Remove drafts of back-ups that were killed."""
    old = time.time() - _STALE_S
    for draft in folder.glob(f"cnc-station_*{private_files.DRAFT_ENDING}"):
        with suppress(OSError):
            if draft.stat().st_mtime < old:
                draft.unlink()


def _free_name(folder: Path, name: str, at: int) -> Path:
    """Two back-ups of one second have names a second apart."""
    while (path := folder / file_name(name, at)).exists():
        at += 1000
    return path


def _refuse_without_room(path: Path, stage: Path) -> None:
    log = path.with_name(f"{path.name}-wal")
    needed = path.stat().st_size + (log.stat().st_size if log.exists() else 0) + _RESERVE
    if shutil.disk_usage(stage).free < needed:
        raise Unavailable(
            f"The disk of {path.parent} has no room for a copy of the database: free "
            f"{needed // 1_000_000:,} MB. Nothing was changed."
        )


@contextmanager
def told(folder: Path) -> Iterator[None]:
    """Turn errors of the folder into sentences."""
    try:
        yield
    except OSError as error:
        raise Unavailable(_why(folder, error)) from error


def _why(folder: Path, error: OSError) -> str:
    kept = "No back-up was made; earlier ones stay as they are"
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return f"{folder} is full. {kept}: free some space, or choose another folder."
    if error.errno == errno.EFBIG:
        return (
            f"{folder} takes no file as large as this back-up (a drive with FAT32: 4 GB). {kept}: "
            "format the drive as exFAT or NTFS, or choose another folder."
        )
    if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
        return f"{folder} can't be written: {error.strerror}. {kept}."
    return f"{folder} is gone or fails: {error.strerror or error}. {kept}."
