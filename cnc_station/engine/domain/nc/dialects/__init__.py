"""One table for each dialect, with the manual that it follows."""

from cnc_station.engine.domain.nc.dialect import Dialect
from cnc_station.engine.domain.nc.dialects.fanuc_lathe import FANUC_LATHE_A, FANUC_LATHE_B
from cnc_station.engine.domain.nc.dialects.fanuc_mill import FANUC_MILL
from cnc_station.engine.domain.nc.dialects.haas_lathe import HAAS_LATHE
from cnc_station.engine.domain.nc.dialects.haas_mill import HAAS_MILL
from cnc_station.engine.domain.nc.dialects.linuxcnc import LINUXCNC
from cnc_station.engine.domain.nc.dialects.pc_controls import GRBL, MACH, TORMACH
from cnc_station.engine.domain.nc.dialects.siemens_iso import SIEMENS_ISO

ALL: tuple[Dialect, ...] = (
    LINUXCNC,
    GRBL,
    FANUC_MILL,
    HAAS_MILL,
    SIEMENS_ISO,
    FANUC_LATHE_A,
    FANUC_LATHE_B,
    HAAS_LATHE,
    MACH,
    TORMACH,
)
BY_NAME = {dialect.name: dialect for dialect in ALL}

__all__ = [
    "ALL",
    "BY_NAME",
    "FANUC_LATHE_A",
    "FANUC_LATHE_B",
    "FANUC_MILL",
    "GRBL",
    "HAAS_LATHE",
    "HAAS_MILL",
    "LINUXCNC",
    "MACH",
    "SIEMENS_ISO",
    "TORMACH",
]
