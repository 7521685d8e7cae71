"""Which drivers there are. Explicit, so that a frozen bundle finds them too; others may join by
the entry point group `cnc_station.drivers`, each a `DriverKind`."""

from functools import cache
from importlib.metadata import entry_points

from cnc_station.engine.domain.errors import FieldError, InvalidInput
from cnc_station.engine.drivers import grbl, linuxcnc, mtconnect, opcua, simulator
from cnc_station.engine.drivers.base import Driver, DriverKind
from cnc_station.engine.views import Abilities, DriverInfo

_KINDS = (simulator.KIND, grbl.KIND, linuxcnc.KIND, mtconnect.KIND, opcua.KIND)
_OWN: dict[str, DriverKind] = {kind.info.name: kind for kind in _KINDS}
GROUP = "cnc_station.drivers"


def infos() -> tuple[DriverInfo, ...]:
    """The drivers that can be chosen, by name."""
    found = {kind.info.name: kind.info for kind in (*_joined(), *_OWN.values())}
    return tuple(found[name] for name in sorted(found))


@cache
def _joined() -> tuple[DriverKind, ...]:
    """Read once: every look at the shop asks, and to search what is installed takes a while."""
    return tuple(entry.load() for entry in entry_points(group=GROUP))


def info(name: str) -> DriverInfo:
    """One of them; raises InvalidInput if there is none of that name."""
    return _load(name).info


def make(name: str, settings: dict[str, object]) -> Driver:
    """A driver for one machine; raises InvalidInput if there is none of that name, or if it can't
    work with these settings."""
    try:
        return _load(name).make(settings)
    except ValueError as error:
        raise InvalidInput(FieldError("settings", str(error))) from error


def _load(name: str) -> DriverKind:
    if name in _OWN:
        return _OWN[name]
    for entry in entry_points(group=GROUP, name=name):
        kind: DriverKind = entry.load()
        return kind
    raise InvalidInput(FieldError("driver", f"there is no driver {name!r}"))


def abilities() -> dict[str, Abilities]:
    """What can be asked of controllers, by driver."""
    return {info.name: info.abilities for info in infos()}


def retried() -> frozenset[str]:
    """The drivers whose runs may be tried again blindly when their station is gone. One that the
    leader does not know is not among them."""
    return frozenset(name for name, kind in _OWN.items() if not kind.info.real)
