"""Controls on a PC or a small board whose language is close to LinuxCNC's."""

from dataclasses import replace

from cnc_station.engine.domain.nc import codes
from cnc_station.engine.domain.nc.dialect import Dialect, Family
from cnc_station.engine.domain.nc.dialects.linuxcnc import LINUXCNC

GRBL = Dialect(
    name="grbl",
    label="Grbl, grblHAL",
    family=Family.EITHER,
    manual="Grbl 1.1 wiki, Commands and Interface; gcode.c (1.1h): power-on modes, G4, G53",
    rapid_at_start=True,
)
MACH = Dialect(
    name="mach",
    label="Mach3, Mach4",
    family=Family.EITHER,
    manual="Using Mach3Mill (ArtSoft), chapter 10; Mach4 Mill G-code reference",
    rapid_at_start=True,
    macro_b=True,
)
TORMACH: Dialect = replace(
    LINUXCNC,
    name="tormach",
    label="Tormach PathPilot",
    manual="Tormach PathPilot operator's manual, chapter 7 (G and M codes)",
    means={370: codes.NEUTRAL},  # G37 measures a tool
    warned={470: "the time of text engraving is not known"},
)
