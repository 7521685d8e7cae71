"""Read NC programs (G-code): report what is wrong with them, how long they take and the tool path.

How a control reads its programs is a `Dialect`, a table for each control in `dialects/`. It is the
one of the machine (`Limits.dialect`), or guessed from the program (`guess`). Without any mark, the
program is read as LinuxCNC and the NIST report read it. The same for all dialects:

- drilling cycles peck with 0.254 mm clearance;
- a number without a decimal point means whole units (X10 is 10 mm), never the smallest input
  increment of the control, except P, Q and D in the turning cycles of Fanuc (`increments`);
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
