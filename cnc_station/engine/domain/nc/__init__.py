"""Reads NC programs (G-code): what is wrong with them, how long they take, and the path they drive.

The dialect is what Fanuc, Haas, LinuxCNC and Grbl share. Where they differ, this follows the NIST
report "The NIST RS274NGC Interpreter - Version 3" (NISTIR 6556) and LinuxCNC's G-code reference:

- G4's P and the dwell of a cycle are seconds;
- drilling cycles retract to where they began (G98) until G99, peck with 0.254 mm clearance;
- parameters, expressions, O-word loops and subs, M98 and M99 within the file; no macro statements;
- a number without a point means whole units (X10 is 10 mm), never the control's smallest step;
- X on a lathe is a radius until G7 makes it a diameter;
- a line starting with `/` is left out (`Limits.skip_deleted`);
- G20 and G21 hold for the whole of their block, its F included (as Fanuc, Haas and Grbl do).

Work offsets and tool lengths are set at the machine, so positions are work coordinates: G54's zero,
moved by what the program itself sets (G10 L2/L20, G52, G92). Cutter compensation is not applied.
Times are those of constant feed and rapid rates along each move: a real machine brakes in corners
and takes a little longer.
"""

from cnc_station.engine.domain.nc.arcs import Arc, Plane
from cnc_station.engine.domain.nc.findings import Finding, Severity
from cnc_station.engine.domain.nc.limits import DEFAULT, Limits
from cnc_station.engine.domain.nc.preconditions import Assumption, Mode
from cnc_station.engine.domain.nc.program import Bounds, Kind, Move, Moves, Program, Units
from cnc_station.engine.domain.nc.reader import read
from cnc_station.engine.domain.nc.replay import Polyline, Position, at, polyline

__all__ = [
    "DEFAULT",
    "Arc",
    "Assumption",
    "Bounds",
    "Finding",
    "Kind",
    "Limits",
    "Mode",
    "Move",
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
