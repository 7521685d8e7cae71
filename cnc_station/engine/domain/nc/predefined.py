"""The parameters that the control itself sets: LinuxCNC's predefined names and numbers ("Predefined
Named Parameters", "Numbered Parameters" in its G-code reference), and the system variables of Fanuc
and Haas (#4001 ..., #5001 ..., chapter "System variables" of their manuals)."""

from collections.abc import Callable
from functools import partial

from cnc_station.engine.domain.nc import codes
from cnc_station.engine.domain.nc.arcs import Plane
from cnc_station.engine.domain.nc.machine import FeedMode, Machine
from cnc_station.engine.domain.nc.parameters import (
    LOCAL_IN_MACRO_B,
    VACANT,
    Parameter,
)
from cnc_station.engine.domain.nc.preconditions import Mode
from cnc_station.engine.domain.nc.program import Units

AXES = "XYZABC"
PLANES = {Plane.XY: 17, Plane.ZX: 18, Plane.YZ: 19}
FEED_MODES = {FeedMode.INVERSE_TIME: 93, FeedMode.PER_MINUTE: 94, FeedMode.PER_REVOLUTION: 95}
PROBED, PROBE_SUCCEEDED = range(5061, 5070), 5070
POSITIONS = range(5420, 5429)  # of LinuxCNC, in work coordinates
END_POINTS, MACHINE_POSITIONS, WORK_POSITIONS = 5000, 5020, 5040  # of Fanuc
COORDINATE_SYSTEM, SELECTED_TOOL, LOADED_TOOL = 5220, 5399, 5400
CLOCK_MS, CLOCK_HOURS = 3001, 3002
MODAL_GROUPS, MODAL_WORDS = range(4001, 4031), range(4101, 4131)


def coordinate(machine: Machine, axis: int) -> float:
    """Return where the tool stands in the units of the program, in the order X Y Z A B C."""
    if axis >= len(AXES):
        return 0.0
    if axis > 2:
        return machine.rotary[axis - 3]
    return (machine.position[axis] - machine.offset[axis]) / machine.scales[axis]


def _spindle(machine: Machine) -> float:
    """Return S as the program stated it."""
    if not machine.constant_surface:
        return machine.speed
    return machine.surface_mm_min / (304.8 if machine.units is Units.INCH else 1000.0)


def _feed(machine: Machine) -> float:
    """Return F as the program stated it."""
    scale = 1.0 if machine.feed_mode is FeedMode.INVERSE_TIME else machine.scale
    return (machine.feed or 0.0) / scale


def _selected(machine: Machine) -> float:
    return float(machine.selected or 0)


# What does not change here: the machine's own switches, and LinuxCNC's version.
FIXED = {
    **dict.fromkeys(("_U", "_V", "_W", "_VALUE", "_VALUE_RETURNED", "_TOOL_OFFSET"), 0.0),
    **dict.fromkeys(("_MIST", "_ADAPTIVE_FEED", "_CALL_LEVEL", "_REMAP_LEVEL"), 0.0),
    **dict.fromkeys(("_SPEED_OVERRIDE", "_FEED_OVERRIDE", "_FEED_HOLD", "_TASK"), 1.0),
    "_VMAJOR": 2.9,
    "_VMINOR": 0.0,
}
NAMED: dict[str, Callable[[Machine], float]] = {
    **{f"_{axis}": partial(coordinate, axis=number) for number, axis in enumerate(AXES)},
    "_LINE": lambda m: float(m.line),
    "_MOTION_MODE": lambda m: float(m.motion),
    "_PLANE": lambda m: PLANES[m.plane] * 10.0,
    "_CCOMP": lambda m: float(m.modes.in_force.get(Mode.CUTTER_COMPENSATION, 400)),
    "_METRIC": lambda m: float(m.units is not Units.INCH),
    "_IMPERIAL": lambda m: float(m.units is Units.INCH),
    "_ABSOLUTE": lambda m: float(m.absolute),
    "_INCREMENTAL": lambda m: float(not m.absolute),
    "_INVERSE_TIME": lambda m: float(m.feed_mode is FeedMode.INVERSE_TIME),
    "_UNITS_PER_MINUTE": lambda m: float(m.feed_mode is FeedMode.PER_MINUTE),
    "_UNITS_PER_REV": lambda m: float(m.feed_mode is FeedMode.PER_REVOLUTION),
    "_COORD_SYSTEM": lambda m: float(codes.SYSTEMS[min(m.system, len(codes.SYSTEMS) - 1)]),
    "_RETRACT_R_PLANE": lambda m: float(not m.retract_to_level),
    "_RETRACT_OLD_Z": lambda m: float(m.retract_to_level),
    "_SPINDLE_RPM_MODE": lambda m: float(not m.constant_surface),
    "_SPINDLE_CSS_MODE": lambda m: float(m.constant_surface),
    "_IJK_ABSOLUTE_MODE": lambda m: float(m.arc_absolute),
    "_LATHE_DIAMETER_MODE": lambda m: float(bool(m.diameter)),
    "_LATHE_RADIUS_MODE": lambda m: float(not m.diameter),
    "_SPINDLE_ON": lambda m: float(m.turning),
    "_SPINDLE_CW": lambda m: float(m.turning),
    "_FLOOD": lambda m: float("coolant" in m.running),
    "_FEED": _feed,
    "_RPM": _spindle,
    "_CURRENT_TOOL": lambda m: float(m.tool),
    "_CURRENT_POCKET": lambda m: float(m.tool),
    "_SELECTED_TOOL": _selected,
    "_SELECTED_POCKET": lambda m: -1.0 if m.selected is None else float(m.selected),
}


def lookup(machine: Machine, key: Parameter) -> float | None:
    """Return what the control sets a parameter to; None if only a program can set it."""
    if isinstance(key, str):
        value = NAMED.get(key)
        return FIXED.get(key) if value is None else value(machine)
    if key <= LOCAL_IN_MACRO_B:
        return None
    if machine.parameters.macro_b:
        return _in_macro_b(machine, key)
    return _in_linuxcnc(machine, key)


def _in_linuxcnc(machine: Machine, key: int) -> float | None:
    """Return a numbered parameter that LinuxCNC sets."""
    if key in PROBED:
        return machine.probed[key - PROBED.start] if machine.probed else 0.0
    if key in POSITIONS:
        return coordinate(machine, key - POSITIONS.start)
    return {
        PROBE_SUCCEEDED: float(machine.probed is not None),
        COORDINATE_SYSTEM: machine.system + 1.0,
        SELECTED_TOOL: float(machine.tool),
        LOADED_TOOL: float(machine.tool),
    }.get(key)


def _in_macro_b(machine: Machine, key: int) -> float | None:
    """Return a system variable of Fanuc or Haas. Warn about one that only the machine knows."""
    for first in (END_POINTS, MACHINE_POSITIONS, WORK_POSITIONS):
        if first < key <= first + len(AXES):
            return coordinate(machine, key - first - 1)
    if key in PROBED:
        return coordinate(machine, key - PROBED.start)
    if key == CLOCK_MS:
        return machine.clock_s * 1000.0
    if key == CLOCK_HOURS:
        return machine.clock_s / 3600.0
    if key in MODAL_GROUPS or key in MODAL_WORDS:
        return _modal(machine, key)
    machine.findings.doubt_once(
        machine.line,
        f"#{key} is not set by the program: read as empty, so what depends on it is not certain",
    )
    return VACANT


def _modal(machine: Machine, key: int) -> float:
    """Return the G code in force of a group (#4001 ...) or the last value of a word (#4101 ...)."""
    known: dict[int, float] = {
        4001: machine.motion / 10,
        4002: PLANES[machine.plane],
        4003: 90.0 if machine.absolute else 91.0,
        4005: FEED_MODES[machine.feed_mode],
        4006: 20.0 if machine.units is Units.INCH else 21.0,
        4007: 40.0,
        4008: 49.0,
        4010: 98.0 if machine.retract_to_level else 99.0,
        4014: 54.0 + min(machine.system, 5),
        4109: _feed(machine),
        4119: _spindle(machine),
        4120: float(machine.tool),
    }
    return float(known.get(key, 0.0))
