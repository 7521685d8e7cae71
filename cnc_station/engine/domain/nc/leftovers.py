"""What a program leaves switched on, and which of its modes stay in force, after its end.

M2 and M30 stop the spindle and the coolant and go back to G54, G17, G90, G94 and G40 in LinuxCNC
("M2, M30 Program End" in its M-code reference), in Grbl 1.1 (`gcode.c`, program flow) and, with the
usual parameters, on Fanuc and Haas. They keep G92 and G52 (LinuxCNC before 2.10, Grbl), the arc
centre mode, mm or inch, the tool length and the return level. A `%`, M99 or the end of the file
resets nothing.

No warning is given for what ordinary programs leave: mm or inch, the return level, the path mode, a
tool length after M2 or M30, and on a lathe its plane, diameter mode, feed per revolution and tool
offset.
"""

from collections.abc import Iterator

from cnc_station.engine.domain.nc import codes
from cnc_station.engine.domain.nc.machine import Machine
from cnc_station.engine.domain.nc.offsets import NO_OFFSET
from cnc_station.engine.domain.nc.preconditions import Mode

SPINDLE, COOLANT = "spindle", "coolant"
ENDED_BY = {SPINDLE: "M5 or M30", COOLANT: "M9 or M30"}
EXPECTED = frozenset({900, 540, 940, 911, 400, 490, 970})
MODES_KEPT = (
    Mode.DISTANCE,
    Mode.WORK_OFFSET,
    Mode.PLANE,
    Mode.FEED,
    Mode.CUTTER_COMPENSATION,
    Mode.TOOL_LENGTH,
    Mode.SPINDLE,
)
LATHES_OWN = frozenset({180, 950, 430, 431, 432, 440})


def note_m_code(machine: Machine, code: int) -> None:
    """Record the line where the spindle or the coolant was started."""
    running = machine.running
    if code in codes.SPINDLE_ON:
        running[SPINDLE] = machine.line
    elif code in {codes.SPINDLE_OFF, codes.ORIENT, codes.TOOL_CHANGE}:
        running.pop(SPINDLE, None)
    if code in codes.COOLANT_ON:
        running[COOLANT] = machine.line
    elif code in codes.COOLANT_OFF:
        running.pop(COOLANT, None)


def left_on(machine: Machine) -> tuple[str, ...]:
    """Return what still runs. A spindle started with S0 does not turn."""
    if machine.reset_by_end:
        return ()
    still = not machine.constant_surface and machine.speed <= 0
    return tuple(
        what for what in ENDED_BY if what in machine.running and not (what == SPINDLE and still)
    )


def remark(machine: Machine) -> None:
    """Warn about what is left on, at the line of its start, and about the modes left in force."""
    for what in left_on(machine):
        machine.findings.remark(
            machine.running[what],
            f"the {what} is still on when the program ends ({ENDED_BY[what]} is missing)",
        )
    if left := list(_left_in_force(machine)):
        names = " and ".join(filter(None, (", ".join(left[:-1]), left[-1])))
        machine.findings.remark(machine.line, f"leaves {names} in force for the next program")


def _left_in_force(machine: Machine) -> Iterator[str]:
    kept = () if machine.reset_by_end else MODES_KEPT
    usual = EXPECTED | (LATHES_OWN if machine.lathe else {170})
    for mode in (*kept, Mode.ARC_CENTRES):
        code = machine.modes.in_force.get(mode)
        if code is not None and code not in usual:
            number = f" P{machine.system - 100}" if code in codes.EXTENDED_SYSTEMS else ""
            yield f"{machine.dialect.spelled(code)}{number}"
    if machine.shift != NO_OFFSET and machine.shifted_by is not None:
        yield f"the {machine.dialect.spelled(machine.shifted_by)} shift"
