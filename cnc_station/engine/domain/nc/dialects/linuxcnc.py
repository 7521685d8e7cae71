"""LinuxCNC and the NIST report: what the other dialects are described against."""

from cnc_station.engine.domain.nc.dialect import Dialect, Family

LINUXCNC = Dialect(
    name="linuxcnc",
    label="LinuxCNC / NIST RS274",
    family=Family.EITHER,
    manual="LinuxCNC 2.9, G-code reference; NISTIR 6556, chapters 3.5 to 3.7",
)
