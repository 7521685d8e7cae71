"""Check the database file. It is only read."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from filelock import FileLock, Timeout

from cnc_station.cli.doctor_servers import database as server
from cnc_station.cli.invocation import Call, Diagnosis, Verdict
from cnc_station.cli.output import clock
from cnc_station.engine.store.database import EngineLock
from cnc_station.engine.store.migrate import REVISION
from cnc_station.engine.timing import now_ms

_SUBJECT = "database"
_AHEAD_MS = 60_000


def database(call: Call) -> Iterator[Diagnosis]:
    """Check the file, its schema, its integrity, its station and its times."""
    path = call.config.database_path
    if path is None:
        yield from server(call)
        return
    if not path.exists():
        yield Diagnosis(_SUBJECT, Verdict.GOOD, f"{path} will be created at the first start")
        return
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as opened:
            yield from _contents(opened, path, call)
    except sqlite3.Error as error:
        yield Diagnosis(
            _SUBJECT,
            Verdict.BAD,
            f"{path} can't be read: {error}",
            _remedy(error),
        )
    yield _holder(path)


def _contents(opened: sqlite3.Connection, path: Path, call: Call) -> Iterator[Diagnosis]:
    ((state,), *_) = opened.execute("PRAGMA integrity_check(1)").fetchall()
    if state != "ok":
        yield Diagnosis(
            _SUBJECT, Verdict.BAD, f"{path} is damaged: {state}", "Restore a copy of the file."
        )
        return
    tables = {name for (name,) in opened.execute("SELECT name FROM sqlite_master")}
    if "alembic_version" not in tables:
        yield Diagnosis(
            _SUBJECT,
            Verdict.BAD if tables else Verdict.GOOD,
            f"{path} contains data of another program" if tables else f"{path} is empty",
            "Name another file with --database." if tables else "",
        )
        return
    (revision,) = opened.execute("SELECT version_num FROM alembic_version").fetchone()
    jobs, newest = opened.execute(
        "SELECT (SELECT count(*) FROM job), (SELECT max(at) FROM event)"
    ).fetchone()
    size = path.stat().st_size / 1_000_000
    text = f"{path} is sound: {jobs:,} jobs, {size:,.1f} MB, schema {revision}"
    if revision == REVISION:
        yield Diagnosis(_SUBJECT, Verdict.GOOD, text)
    elif revision < REVISION:
        yield Diagnosis(
            _SUBJECT, Verdict.GOOD, f"{text}; it is upgraded to {REVISION} at the next start"
        )
    else:
        yield Diagnosis(
            _SUBJECT,
            Verdict.BAD,
            f"{text}, which is newer than this program's {REVISION}",
            "Install the newer program.",
        )
    yield from _times(newest, call)


def _times(newest: int | None, call: Call) -> Iterator[Diagnosis]:
    now = now_ms()
    if newest is not None and newest > now + _AHEAD_MS:
        yield Diagnosis(
            "clock",
            Verdict.BAD,
            f"the last event happened at {clock(newest, call.config.time_zone)}, in the future",
            "Set this computer's clock: it was ahead then, or is behind now.",
        )


def _remedy(error: sqlite3.Error) -> str:
    """Return what to do.

    A backup is older, so it is only for a damaged file. A file that cannot be reached may be sound.
    """
    if getattr(error, "sqlite_errorname", "").startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
        return "Restore a copy of the file, or name another one with --database."
    return (
        "The file may be sound: check that the disk has free space and that this account may read "
        "and write there."
    )


def _holder(path: Path) -> Diagnosis:
    """Return which station uses the file.

    Creates no lock file, because it would belong to this account, not to that of the station.
    """
    file = EngineLock(path).path
    if not file.exists():
        return Diagnosis("station", Verdict.GOOD, "none is at work on it")
    lock = FileLock(file)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return Diagnosis("station", Verdict.GOOD, f"at work: {EngineLock(path).holder()}")
    except OSError:
        return Diagnosis("station", Verdict.WARNING, "can't tell whether one is at work")
    lock.release()
    return Diagnosis("station", Verdict.GOOD, "none is at work on it")
