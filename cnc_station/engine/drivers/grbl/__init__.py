"""GRBL 1.1 and grblHAL, over a serial port or TCP."""

from cnc_station.engine.domain.nc.dialects import GRBL
from cnc_station.engine.drivers.base import DriverKind
from cnc_station.engine.drivers.grbl.driver import Grbl
from cnc_station.engine.views import DriverInfo, Setting

_PORT_HINT = "/dev/ttyUSB0, COM3, or 192.168.5.1:23"
_TOLERANCE_HINT = "distance in mm between tool and program end"

KIND = DriverKind(
    DriverInfo(
        "grbl",
        "GRBL / grblHAL",
        settings=(
            Setting("port", "Port or address", "", _PORT_HINT, wanted=True),
            Setting("baud", "Baud rate", "115200", "for a serial port"),
            Setting("tolerance_mm", "End tolerance", "0.1", _TOLERANCE_HINT),
        ),
        abilities=Grbl.abilities,
        dialect=GRBL.name,
    ),
    Grbl.make,
)

__all__ = ["KIND", "Grbl"]
