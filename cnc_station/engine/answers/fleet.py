"""Answers about joining a fleet: both servers are tried, and nothing is stored until both work."""

import asyncio
import contextlib
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from cnc_station import addresses, secrets
from cnc_station.config import Config
from cnc_station.engine import commands
from cnc_station.engine.answers.context import AnswerContext
from cnc_station.engine.domain.errors import Conflict, FieldError, InvalidInput, Unavailable
from cnc_station.engine.domain.fleet import FleetServers
from cnc_station.engine.drivers.unreachable import unreachable
from cnc_station.engine.store import fleet_check
from cnc_station.engine.views import FleetReport
from cnc_station.peers.limits import PROBE
from cnc_station.settings_file import store

_PORTS: dict[secrets.Server, int] = {"database": 5432, "redis": 6379}


@dataclass(frozen=True, slots=True)
class _Wish:
    """The settings that a station of the fleet would have, and its passwords apart."""

    config: Config
    passwords: dict[secrets.Server, str]

    def url(self, server: secrets.Server) -> str:
        """Return the address with its password."""
        own = self.config.redis_url if server == "redis" else self.config.database_url
        password = self.passwords.get(server)
        return addresses.with_password(own, password) if password else own


async def try_fleet(context: AnswerContext, command: commands.TryFleet, _actor: str) -> FleetReport:
    """See `TryFleet`."""
    return await _report(_wish(context.config, command.servers))


async def join_fleet(
    context: AnswerContext, command: commands.JoinFleet, _actor: str
) -> FleetReport:
    """See `JoinFleet`."""
    services = context.running()
    if services is not None and services.active_runs.shown():
        raise Conflict("A run is active here: join when it has ended.")
    config = context.config
    names = ("database_url", "redis_url", "station")
    if fixed := sorted(config.overridden & set(names)):
        raise Conflict(
            f"The environment or the command line sets {', '.join(fixed)}, which would override "
            "the settings file: remove it there first."
        )
    wish = _wish(config, command.servers)
    report = await _report(wish)
    await asyncio.to_thread(_store, wish)
    return report


def _wish(config: Config, servers: FleetServers) -> _Wish:
    """Raises InvalidInput with each field that is wrong."""
    errors: list[FieldError] = []
    passwords: dict[secrets.Server, str] = {}

    def address(server: secrets.Server, given: str, typed: str, read: Callable[[str], str]) -> str:
        try:
            url = read(given)
        except ValueError as error:
            errors.append(FieldError(f"{server}_url", str(error)))
            return given
        if password := typed or addresses.password(url):
            passwords[server] = password
        return addresses.without_password(url)

    database = servers.full_database_url()
    if not database:
        raise InvalidInput(FieldError("database_url", "is missing"))
    database = address("database", database, servers.database_password, addresses.database)
    redis = servers.full_redis_url()
    if redis:
        redis = address("redis", redis, servers.redis_password, addresses.redis)
    if errors:
        raise InvalidInput(*errors)
    station = servers.station.strip() or config.station
    wanted = replace(config, database_url=database, redis_url=redis, station=station)
    return _Wish(wanted, passwords)


async def _report(wish: _Wish) -> FleetReport:
    """Ask both servers. Raises InvalidInput with what is wrong at either."""
    database, redis = await asyncio.gather(
        asyncio.to_thread(_tried, wish, "database"),
        asyncio.to_thread(_tried, wish, "redis"),
    )
    errors = [error for one in (database, redis) if not isinstance(one, str) for error in one]
    if errors:
        raise InvalidInput(*errors)
    return FleetReport(str(database), str(redis))


def _tried(wish: _Wish, server: secrets.Server) -> str | tuple[FieldError, ...]:
    try:
        return _ask(wish, server)
    except InvalidInput as refused:
        return refused.errors


def _ask(wish: _Wish, server: secrets.Server) -> str:
    url = wish.url(server)
    if not url:
        return "Without Redis the stations notice work some seconds later."
    _reach(url, server)
    if why := secrets.clear_text(wish.config, server):
        raise InvalidInput(FieldError(f"{server}_url", why))
    if server == "redis":
        from cnc_station.engine.signals import redis_check  # noqa: PLC0415 - fleets only

        return redis_check.check(url)
    return fleet_check.check(url, wish.config.station)


def _reach(url: str, server: secrets.Server) -> None:
    """Raise InvalidInput if nothing listens there: the system says why better than a client."""
    parts = urlsplit(url)
    if not parts.hostname:
        return  # a socket of this computer
    port = parts.port or _PORTS[server]
    try:
        socket.create_connection((parts.hostname, port), PROBE.first_byte_s).close()
    except (OSError, UnicodeError) as error:
        words = str(unreachable(f"{parts.hostname} port {port}", error))
        raise InvalidInput(FieldError(f"{server}_url", words)) from error


def _store(wish: _Wish) -> None:
    """Store the passwords, then the settings: the station is of the fleet when these are written.
    Raises Unavailable, and keeps nothing then."""
    config = wish.config
    if config.settings_file is None:
        raise Conflict("This station has no settings file.")
    with _taken_back(config, wish.passwords):
        for server, password in wish.passwords.items():
            secrets.keep(config, server, password)
        values = {"database_url": config.database_url, "station": config.station}
        if config.redis_url:
            values["redis_url"] = config.redis_url
        store(config.settings_file, values)


@contextlib.contextmanager
def _taken_back(config: Config, servers: dict[secrets.Server, str]) -> Iterator[None]:
    before = {server: secrets.find(config, server)[0] for server in servers}
    try:
        yield
    except BaseException:
        for server, password in before.items():
            with contextlib.suppress(Unavailable, Conflict):
                if password is None:
                    secrets.forget(config, server)
                else:
                    secrets.keep(config, server, password)
        raise
