"""The available drivers. The list is explicit, so that a frozen bundle finds them too. Other
packages add drivers by the entry point group `cnc_station.drivers`, each a `DriverKind`."""

from collections.abc import Mapping
from functools import cache
from importlib.metadata import entry_points

from cnc_station.engine.domain.errors import FieldError, InvalidInput
from cnc_station.engine.domain.nc import Dialect
from cnc_station.engine.drivers import dialects, grbl, linuxcnc, mtconnect, opcua, simulator
from cnc_station.engine.drivers.base import Driver, DriverKind
from cnc_station.engine.views import Abilities, DriverInfo

_KINDS = (simulator.KIND, grbl.KIND, linuxcnc.KIND, mtconnect.KIND, opcua.KIND)
OWN: dict[str, DriverKind] = {kind.info.name: kind for kind in _KINDS}
GROUP = "cnc_station.drivers"


def infos() -> tuple[DriverInfo, ...]:
    """Return the descriptions of all drivers, by name."""
    found = {kind.info.name: kind.info for kind in (*_joined(), *OWN.values())}
    return tuple(found[name] for name in sorted(found))


@cache
def _joined() -> tuple[DriverKind, ...]:
    """Return all drivers. Cached, because searching the installed packages takes a while."""
    return tuple(entry.load() for entry in entry_points(group=GROUP))


def info(name: str) -> DriverInfo:
    """Return the description of a driver. Raises InvalidInput for an unknown name."""
    return _load(name).info


def make(name: str, settings: dict[str, object]) -> Driver:
    """Make a driver for one machine. Raises InvalidInput for an unknown name or bad settings."""
    try:
        dialects.stated(settings)
        return _load(name).make(settings)
    except ValueError as error:
        raise InvalidInput(FieldError("settings", str(error))) from error


def dialect(name: str, settings: Mapping[str, object]) -> Dialect | None:
    """Return the dialect of a machine; None: it is guessed from each program, as for a driver that
    is not installed here."""
    try:
        return dialects.of_machine(_load(name).info, settings)
    except InvalidInput:
        return None


def _load(name: str) -> DriverKind:
    if name in OWN:
        return OWN[name]
    for entry in entry_points(group=GROUP, name=name):
        kind: DriverKind = entry.load()
        return kind
    raise InvalidInput(FieldError("driver", f"there is no driver {name!r}"))


def abilities() -> dict[str, Abilities]:
    """Return what each driver's controllers can do, by driver name."""
    return {info.name: info.abilities for info in infos()}


def retried() -> frozenset[str]:
    """Return the drivers whose runs can be retried without inspection when their station is gone. A
    driver that the leader does not know is not included."""
    return frozenset(name for name, kind in OWN.items() if not kind.info.real)
