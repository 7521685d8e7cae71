"""The known codes, what they set, and which of them exclude each other."""

from typing import Any

from cnc_station.engine.domain.nc.arcs import Plane
from cnc_station.engine.domain.nc.machine import FeedMode
from cnc_station.engine.domain.nc.preconditions import Mode
from cnc_station.engine.domain.nc.program import Units

RAPID, FEED, ARC_CW, ARC_CCW = 0, 10, 20, 30
SINGLE_THREAD, SYNCHRONISED, RIGID_TAP, THREADING, CANCEL = 320, 330, 331, 760, 800
ARCS = frozenset({ARC_CW, ARC_CCW})
PROBES = frozenset({310, 382, 383, 384, 385})
# Codes that a dialect writes as other ones (`Dialect.means`). No program can write these numbers.
NEUTRAL, FINE_BORE = 1_000_000, 1_000_761
TURN_CYCLE, THREAD_CYCLE, FACE_CYCLE = 1_000_900, 1_000_920, 1_000_940
FACE_DRILL, SIDE_DRILL, SIDE_TAP, SIDE_BORE = 1_000_830, 1_000_870, 1_000_880, 1_000_890
FINISH, ROUGH_TURN, ROUGH_FACE, ROUGH_PATTERN = 1_000_700, 1_000_710, 1_000_720, 1_000_730
PECK_FACE, PECK_GROOVE, MULTI_THREAD = 1_000_740, 1_000_750, 1_000_760
HAAS_SYSTEMS = {1_001_100 + number: number for number in range(1, 21)}

PROFILED = frozenset({FINISH, ROUGH_TURN, ROUGH_FACE, ROUGH_PATTERN})
REPETITIVE = PROFILED | {PECK_FACE, PECK_GROOVE, MULTI_THREAD}
PASSES = frozenset({TURN_CYCLE, THREAD_CYCLE, FACE_CYCLE})
SIDE_CYCLES = frozenset({SIDE_DRILL, SIDE_TAP, SIDE_BORE})
CYCLES = SIDE_CYCLES.union({730, 740, 810, 820, 830, 840, 850, 860, 890, FINE_BORE, FACE_DRILL})
SYNCHRONISED_MOTIONS = frozenset({SINGLE_THREAD, SYNCHRONISED, RIGID_TAP})
MOTIONS = (
    frozenset({RAPID, FEED}) | ARCS | SYNCHRONISED_MOTIONS | {THREADING} | PROBES | CYCLES | PASSES
)

ABSOLUTE = 900
DWELL, SET_DATA, MACHINE_COORDINATES = 40, 100, 530
HOMES = frozenset({280, 300})
STORE_HOME = {281: 280, 301: 300}
LOCAL_SHIFT = 520
SHIFT, FORGET_SHIFT, SUSPEND_SHIFT, RESTORE_SHIFT = 920, 921, 922, 923
SHIFTS = frozenset({LOCAL_SHIFT, SHIFT, FORGET_SHIFT, SUSPEND_SHIFT, RESTORE_SHIFT})
CONSTANT_SURFACE, SPINDLE_CAP = 960, 500
COMPENSATION = frozenset({410, 411, 420, 421})
SYSTEMS = (540, 550, 560, 570, 580, 590, 591, 592, 593)
EXTENDED_SYSTEMS = frozenset({541, 1540})  # G54.1 P (Fanuc), G154 P (Haas)

# Codes that set one field of the machine's state.
SETS: dict[int, tuple[str, Any]] = {
    70: ("diameter", True),
    80: ("diameter", False),
    170: ("plane", Plane.XY),
    180: ("plane", Plane.ZX),
    190: ("plane", Plane.YZ),
    200: ("units", Units.INCH),
    210: ("units", Units.MM),
    900: ("absolute", True),
    901: ("arc_absolute", True),
    910: ("absolute", False),
    911: ("arc_absolute", False),
    930: ("feed_mode", FeedMode.INVERSE_TIME),
    940: ("feed_mode", FeedMode.PER_MINUTE),
    950: ("feed_mode", FeedMode.PER_REVOLUTION),
    960: ("constant_surface", True),
    970: ("constant_surface", False),
    980: ("retract_to_level", True),
    990: ("retract_to_level", False),
} | {code: ("system", number) for number, code in enumerate(SYSTEMS)}
SETS |= {code: ("system", 100 + number) for code, number in HAAS_SYSTEMS.items()}

# The mode group that a code states. G50 is not listed: with S it limits the spindle speed.
STATES: dict[int, Mode] = {
    **dict.fromkeys((200, 210), Mode.UNITS),
    **dict.fromkeys((900, 910), Mode.DISTANCE),
    **dict.fromkeys((170, 180, 190), Mode.PLANE),
    **dict.fromkeys((*SYSTEMS, *EXTENDED_SYSTEMS, *HAAS_SYSTEMS), Mode.WORK_OFFSET),
    **dict.fromkeys((930, 940, 950), Mode.FEED),
    **dict.fromkeys((901, 911), Mode.ARC_CENTRES),
    **dict.fromkeys((400, *COMPENSATION), Mode.CUTTER_COMPENSATION),
    **dict.fromkeys((430, 431, 432, 440, 490), Mode.TOOL_LENGTH),
    **dict.fromkeys((70, 80), Mode.DIAMETER),
    690: Mode.ROTATION,
    **dict.fromkeys((960, 970), Mode.SPINDLE),
    **dict.fromkeys((980, 990), Mode.RETRACT),
    **dict.fromkeys((610, 611, 640), Mode.PATH),
}

# Accepted codes that do not change the path in work coordinates or, noticeably, the time.
QUIET = frozenset(
    {NEUTRAL, 51, 90, 110, 150, 400, 430, 431, 432, 440, 490, 501, 610, 611, 640, 690, 1030, 1870}
)
UNSUPPORTED = {
    50: "a spline",
    52: "a NURBS curve",
    61: "a curve",
    62: "a NURBS curve",
    63: "a NURBS curve",
    120: "circular pocket milling",
    130: "circular pocket milling",
    160: "polar coordinates",
    340: "threading with a varying lead",
    510: "scaling",
    650: "a macro call",
    660: "a macro call",
    680: "a rotated coordinate system",
    700: "a turning cycle or a hole pattern",
    710: "a turning cycle or a hole pattern",
    720: "a turning cycle or a hole pattern",
    750: "a grooving cycle",
    870: "a back-boring cycle",
    880: "a boring cycle with a manual retract",
}

# G codes of one group exclude each other in a block. G80 is in no group: it is common in the safety
# line, together with G0.
GROUPS = (
    MOTIONS,
    frozenset({170, 180, 190}),
    frozenset({200, 210}),
    frozenset({900, 910}),
    frozenset({901, 911}),
    frozenset({930, 940, 950}),
    frozenset({960, 970}),
    frozenset({980, 990}),
    frozenset({70, 80}),
    frozenset({400}) | COMPENSATION,
    frozenset({430, 431, 432, 440, 490}),
    EXTENDED_SYSTEMS.union(SYSTEMS, HAAS_SYSTEMS),
    frozenset({DWELL, SET_DATA, MACHINE_COORDINATES, *HOMES, *STORE_HOME, *SHIFTS, *REPETITIVE}),
)
GROUP_OF = {code: number for number, group in enumerate(GROUPS) for code in group}

SPINDLE_ON = frozenset({3, 4, 13, 14})
SPINDLE_ON_WITH_COOLANT = frozenset({13, 14})
SPINDLE_OFF, ORIENT = 5, 19
# M88 and M89 switch the high-pressure coolant through the spindle (Haas).
COOLANT_ON = frozenset({7, 8, 88}) | SPINDLE_ON_WITH_COOLANT
COOLANT_OFF = frozenset({9, 89})
STOP, OPTIONAL_STOP, PALLET_STOP = 0, 1, 60
ENDS = frozenset({2, 30})
TOOL_CHANGE, TOOL_IS = 6, 61
CALL_LINES, CALL, RETURN = 97, 98, 99
M_QUIET = frozenset(
    {7, 8, 9, 10, 11, 19, 21, 22, 23, 24, 29, 31, 33, 34, 35, 36, 41, 42, 43, 44, 48, 49, 50, 51}
    | {52, 53, 62, 63, 64, 65, 66, 67, 68, 82, 83, 84, 85, 86, 88, 89}
)
ANALOG_OUTPUTS = frozenset({67, 68})
M_RESTORING = frozenset({70, 71, 72, 73})
M_USER = range(100, 200)
