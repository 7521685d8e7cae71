"""One table for each dialect, with the manual that it follows."""

from cnc_station.engine.domain.nc.dialect import Dialect
from cnc_station.engine.domain.nc.dialects.linuxcnc import LINUXCNC

ALL: tuple[Dialect, ...] = (LINUXCNC,)
BY_NAME = {dialect.name: dialect for dialect in ALL}

__all__ = ["ALL", "BY_NAME", "LINUXCNC"]
