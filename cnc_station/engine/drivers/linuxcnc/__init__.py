"""LinuxCNC, over the network protocol of its linuxcncrsh."""

from cnc_station.engine.drivers.linuxcnc.driver import KIND, LinuxCnc

__all__ = ["KIND", "LinuxCnc"]
