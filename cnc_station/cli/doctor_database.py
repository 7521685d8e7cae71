"""Check the database and the servers of a fleet. They are only read."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from filelock import FileLock, Timeout

from cnc_station import addresses, secrets
from cnc_station.cli.invocation import Call, Diagnosis, Verdict
from cnc_station.cli.output import clock
from cnc_station.engine.domain.errors import Unavailable
from cnc_station.engine.domain.machine import FROM_ELSEWHERE
from cnc_station.engine.drivers import registry
from cnc_station.engine.store import integrity, migrate
from cnc_station.engine.store.computer import Place
from cnc_station.engine.store.database import Database, EngineLock
from cnc_station.engine.timing import now_ms
from cnc_station.peers.limits import LONGEST_SENTENCE, PROBE
from cnc_station.peers.probing import MALFORMED
from cnc_station.peers.values import text

_SUBJECT = "database"
_AHEAD_MS = 60_000
_SOUND = (
    "The file may be sound: check that the disk has free space and that this account may read and "
    "write there."
)
_SECURE = (
    "Use sslmode=verify-full and sslrootcert (PostgreSQL), rediss:// and ssl_ca_certs (Redis)."
)


def database(call: Call) -> Iterator[Diagnosis]:
    """Check the file, its schema, its integrity, its station and its times."""
    path = call.config.database_path
    if path is None:
        yield from server_database(call)
        return
    try:
        integrity.check_kinds(path)
    except FileNotFoundError:
        yield Diagnosis.good(_SUBJECT, f"{path} will be created at the first start")
        return
    except Unavailable as error:
        remedy = "Name another file with --database."
        if path.is_file():
            remedy = "The file may be sound: move away what is beside it."
        yield Diagnosis.bad(_SUBJECT, str(error), remedy)
        return
    except OSError as error:
        yield Diagnosis.bad(_SUBJECT, f"{path} can't be read: {error.strerror}", _SOUND)
        return
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as opened:
            yield from _contents(opened, path, call)
    except sqlite3.Error as error:
        yield Diagnosis.bad(_SUBJECT, f"{path} can't be read: {error}", _remedy(error))
    names = path.stat().st_nlink
    if names > 1:
        yield Diagnosis.warning(
            _SUBJECT,
            f"{path} has {names} names (hard links): after a power cut another one misses its log",
            "Open it by one name only, and make back-ups that are copies.",
        )
    yield _holder(path)


def _contents(opened: sqlite3.Connection, path: Path, call: Call) -> Iterator[Diagnosis]:
    ((state,), *_) = opened.execute("PRAGMA integrity_check(1)").fetchall()
    if state != "ok":
        yield Diagnosis.bad(_SUBJECT, f"{path} is damaged: {state}", "Restore a copy of the file.")
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
    if revision == migrate.REVISION:
        yield Diagnosis.good(_SUBJECT, text)
    elif revision < migrate.REVISION:
        yield Diagnosis.good(_SUBJECT, f"{text}; the next start upgrades it to {migrate.REVISION}")
    else:
        yield Diagnosis.bad(
            _SUBJECT,
            f"{text}, which is newer than this program's {migrate.REVISION}",
            "Install the newer program.",
        )
    yield from _times(newest, call)
    if "home" in tables:
        yield from _home(opened, path)


def _home(opened: sqlite3.Connection, path: Path) -> Iterator[Diagnosis]:
    """Check whether the file was used last here, and holds no machines of another place."""
    known = [Place(*row) for row in opened.execute("SELECT computer, name, path, file FROM home")]
    at_home = all(one.is_home(Place.of(path)) for one in known)
    machines = opened.execute("SELECT driver, state_reason FROM machine WHERE NOT removed")
    held = sum(
        reason.startswith(FROM_ELSEWHERE) or not (at_home or driver in registry.retried())
        for driver, reason in machines
    )
    if held:
        yield Diagnosis.warning(
            _SUBJECT,
            f"it was used last on {known[0].name}, at another place: it has {held} "
            f"machine{'s' if held > 1 else ''} of another place, held until you agree",
            "If no other computer runs them: cnc-station db accept.",
        )


def _times(newest: int | None, call: Call) -> Iterator[Diagnosis]:
    now = now_ms()
    if newest is not None and newest > now + _AHEAD_MS:
        yield Diagnosis.bad(
            "clock",
            f"the last event happened at {clock(newest, call.config.time_zone)}, in the future",
            "Set this computer's clock: it was ahead then, or is behind now.",
        )


def _remedy(error: sqlite3.Error) -> str:
    """Return what to do.

    A backup is older, so it is only for a damaged file. A file that cannot be reached may be sound.
    """
    if getattr(error, "sqlite_errorname", "").startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
        return "Restore a copy of the file, or name another one with --database."
    return _SOUND


def _holder(path: Path) -> Diagnosis:
    """Return which station uses the file.

    Creates no lock file, because it would belong to this account, not to that of the station.
    """
    file = EngineLock(path).path
    if not file.exists():
        return Diagnosis.good("station", "none is at work on it")
    lock = FileLock(file)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return Diagnosis.good("station", f"at work: {EngineLock(path).holder()}")
    except OSError:
        return Diagnosis.warning("station", "can't tell whether one is at work")
    lock.release()
    return Diagnosis.good("station", "none is at work on it")


def server_database(call: Call) -> Iterator[Diagnosis]:
    """Check that the server accepts this station, over a secure connection, with a matching
    schema."""
    config = call.config
    if why := secrets.clear_text(config, "database"):
        yield Diagnosis.bad("database", why, _SECURE)
        return
    try:
        kept = _kept(call, "database")
        with closing(Database(secrets.database_address(config))) as opened:
            found = migrate.look(opened)
            encryption = opened.read(opened.dialect.encryption)
    except Unavailable as error:
        yield _bad("database", f"{config.database_shown}: {error}")
        return
    text = f"{config.database_shown} answers, {kept}; schema {found.revision or 'none yet'}"
    if found.fit is migrate.Fit.OLDER:
        remedy = "Stop all stations, then run cnc-station db upgrade."
        yield Diagnosis.bad("database", f"{text}, needed: {migrate.REVISION}", remedy)
    elif found.fit is migrate.Fit.NEWER:
        remedy = "Install the newer program."
        yield Diagnosis.bad("database", f"{text}, known: {migrate.REVISION}", remedy)
    else:
        yield Diagnosis.good("database", text)
    yield from _way("database", config.database_url, encryption)


def redis(call: Call) -> Iterator[Diagnosis]:
    """Check that it answers, over a secure connection."""
    if not call.config.redis_url:
        return
    from redis import AuthenticationError, Redis, RedisError  # noqa: PLC0415 - fleets only

    if why := secrets.clear_text(call.config, "redis"):
        yield Diagnosis.bad("redis", why, _SECURE)
        return
    shown = addresses.shown(call.config.redis_url)
    try:
        kept = _kept(call, "redis")
        url = secrets.complete(call.config).redis_url
        patience = {
            "socket_timeout": PROBE.first_byte_s,
            "socket_connect_timeout": PROBE.first_byte_s,
        }
        with Redis.from_url(url, **patience) as client:
            if not client.ping():
                yield _bad("redis", f"{shown} is not a Redis server")
                return
    except AuthenticationError:
        remedy = "Set the password with cnc-station secret set redis."
        yield Diagnosis.bad("redis", f"{shown} refuses the password", remedy)
    except (RedisError, OSError, Unavailable) as error:
        yield _bad("redis", f"{shown}: {text(str(error), LONGEST_SENTENCE)}")
    except MALFORMED:
        yield _bad("redis", f"{shown} is not a Redis server")
    else:
        yield Diagnosis.good("redis", f"{shown} answers, {kept}")
        encryption = "TLS" if addresses.is_secured(call.config.redis_url) else ""
        yield from _way("redis", call.config.redis_url, encryption)


def _kept(call: Call, server: secrets.Server) -> str:
    if addresses.password(secrets.address(call.config, server)) is not None:
        return "with the password in its address"
    _, place = secrets.find(call.config, server)
    return f"with the password in {place}" if place else "without a password"


def _bad(subject: str, text: str) -> Diagnosis:
    return Diagnosis.bad(subject, text, "Check the server, the network and the address.")


def _way(subject: str, url: str, encryption: str) -> Iterator[Diagnosis]:
    if addresses.is_here(url) or (encryption and addresses.is_secured(url)):
        return
    how = "can be faked" if encryption else "can be read and changed"
    yield Diagnosis.warning(
        subject,
        f"the data between this station and {addresses.account(url)} {how} on the network",
        _SECURE,
    )
