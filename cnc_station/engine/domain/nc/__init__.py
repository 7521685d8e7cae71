"""Read NC programs (G-code): report what is wrong with them, how long they take and the tool path.

The dialect is what Fanuc, Haas, LinuxCNC and Grbl share. Where they differ, this follows the NIST
report "The NIST RS274NGC Interpreter - Version 3" (NISTIR 6556) and LinuxCNC's G-code reference:

- the P of G4 and the dwell of a cycle are in seconds;
- drilling cycles retract to the initial level (G98) until G99; they peck with 0.254 mm clearance;
- parameters, expressions, O-word loops and subs, M98 and M99 within the file; macro statements are
  not supported;
- a number without a decimal point means whole units (X10 is 10 mm), never the smallest input
  increment of the control;
- X on a lathe is a radius until G7 makes it a diameter;
- a line that starts with `/` is skipped (`Limits.skip_deleted`);
- G20 and G21 apply to their whole block, its F included (as on Fanuc, Haas and Grbl).

Work offsets and tool lengths are set at the machine. Positions are therefore work coordinates: the
zero of G54, moved by what the program itself sets (G10 L2/L20, G52, G92). Cutter compensation is
not applied. Times assume constant feed and rapid rates along each move. A real machine slows down
in corners and takes a little longer.
"""

from cnc_station.engine.domain.nc.arcs import Arc, Plane
from cnc_station.engine.domain.nc.dialect import Dialect, Family
from cnc_station.engine.domain.nc.findings import Finding, Severity
from cnc_station.engine.domain.nc.preconditions import Assumption, Mode
from cnc_station.engine.domain.nc.program import (
    DEFAULT,
    Bounds,
    Kind,
    Limits,
    Moves,
    Program,
    Units,
)
from cnc_station.engine.domain.nc.reader import read
from cnc_station.engine.domain.nc.replay import Polyline, Position, at, polyline

__all__ = [
    "DEFAULT",
    "Arc",
    "Assumption",
    "Bounds",
    "Dialect",
    "Family",
    "Finding",
    "Kind",
    "Limits",
    "Mode",
    "Moves",
    "Plane",
    "Polyline",
    "Position",
    "Program",
    "Severity",
    "Units",
    "at",
    "polyline",
    "read",
]
