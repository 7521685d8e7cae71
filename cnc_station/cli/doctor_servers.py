"""Check the servers of a fleet. They are only read."""

from collections.abc import Iterator
from contextlib import closing

from cnc_station import addresses, secrets
from cnc_station.cli.invocation import Call, Diagnosis, Verdict
from cnc_station.engine.domain.errors import Unavailable

_PATIENCE_S = 3.0


def database(call: Call) -> Iterator[Diagnosis]:
    """Check that the server accepts this station, over a secure connection, with a matching
    schema."""
    from cnc_station.engine.store import migrate  # noqa: PLC0415 - half a second
    from cnc_station.engine.store.database import Database  # noqa: PLC0415 - likewise

    config = call.config
    try:
        kept = _kept(call, "database")
        url = secrets.complete(config).database_url
        with closing(Database(url)) as opened:
            found = migrate.look(opened)
            encryption = opened.read(opened.dialect.encryption)
    except Unavailable as error:
        yield _bad("database", f"{config.database_shown}: {error}")
        return
    text = f"{config.database_shown} answers, {kept}; schema {found.revision or 'none yet'}"
    if found.fit is migrate.Fit.OLDER:
        remedy = "Stop all stations, then run cnc-station db upgrade."
        yield Diagnosis("database", Verdict.BAD, f"{text}, needed: {migrate.REVISION}", remedy)
    elif found.fit is migrate.Fit.NEWER:
        remedy = "Install the newer program."
        yield Diagnosis("database", Verdict.BAD, f"{text}, known: {migrate.REVISION}", remedy)
    else:
        yield Diagnosis("database", Verdict.GOOD, text)
    yield from _way("database", config.database_url, encryption)


def redis(call: Call) -> Iterator[Diagnosis]:
    """Check that it answers, over a secure connection."""
    if not call.config.redis_url:
        return
    from redis import AuthenticationError, Redis, RedisError  # noqa: PLC0415 - fleets only

    shown = addresses.shown(call.config.redis_url)
    try:
        kept = _kept(call, "redis")
        url = secrets.complete(call.config).redis_url
        patience = {"socket_timeout": _PATIENCE_S, "socket_connect_timeout": _PATIENCE_S}
        with Redis.from_url(url, **patience) as client:
            client.ping()
    except AuthenticationError:
        remedy = "Set the password with cnc-station secret set redis."
        yield Diagnosis("redis", Verdict.BAD, f"{shown} refuses the password", remedy)
    except (RedisError, OSError, Unavailable) as error:
        yield _bad("redis", f"{shown}: {error}")
    else:
        yield Diagnosis("redis", Verdict.GOOD, f"{shown} answers, {kept}")
        encryption = "TLS" if addresses.is_secured(call.config.redis_url) else ""
        yield from _way("redis", call.config.redis_url, encryption)


def _kept(call: Call, server: secrets.Server) -> str:
    if addresses.password(secrets.address(call.config, server)) is not None:
        return "with the password in its address"
    _, place = secrets.find(call.config, server)
    return f"with the password in {place}" if place else "without a password"


def _bad(subject: str, text: str) -> Diagnosis:
    return Diagnosis(subject, Verdict.BAD, text, "Check the server, the network and the address.")


def _way(subject: str, url: str, encryption: str) -> Iterator[Diagnosis]:
    if addresses.is_here(url) or (encryption and addresses.is_secured(url)):
        return
    how = "can be faked" if encryption else "can be read and changed"
    yield Diagnosis(
        subject,
        Verdict.WARNING,
        f"the data between this station and {addresses.account(url)} {how} on the network",
        "Use sslmode=verify-full and sslrootcert (PostgreSQL), rediss:// and ssl_ca_certs (Redis).",
    )
