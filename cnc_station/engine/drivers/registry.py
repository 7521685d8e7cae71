"""Which drivers there are. Explicit, so that a frozen bundle finds them too; others may join by
the entry point group `cnc_station.drivers`, each a `DriverFactory`."""

from importlib.metadata import entry_points

from cnc_station.engine.domain.errors import FieldError, InvalidInput
from cnc_station.engine.drivers.base import Driver, DriverFactory, OnLoss
from cnc_station.engine.drivers.simulator import Simulator

_OWN: dict[str, DriverFactory] = {"simulator": Simulator.make}
_RETRIED = frozenset({"simulator"} if Simulator.on_loss is OnLoss.RETRY else ())
GROUP = "cnc_station.drivers"


def names() -> tuple[str, ...]:
    """The drivers that can be chosen."""
    return tuple(sorted({*_OWN, *(entry.name for entry in entry_points(group=GROUP))}))


def make(name: str, settings: dict[str, object]) -> Driver:
    """A driver for one machine; raises InvalidInput if there is none of that name, or if it can't
    work with these settings."""
    try:
        return _factory(name)(settings)
    except ValueError as error:
        raise InvalidInput(FieldError("settings", str(error))) from error


def _factory(name: str) -> DriverFactory:
    if name in _OWN:
        return _OWN[name]
    for entry in entry_points(group=GROUP, name=name):
        factory: DriverFactory = entry.load()
        return factory
    raise InvalidInput(FieldError("driver", f"there is no driver {name!r}"))


def retried() -> frozenset[str]:
    """The drivers whose runs may be tried again blindly when their station is gone. One that the
    leader does not know is not among them."""
    return _RETRIED
