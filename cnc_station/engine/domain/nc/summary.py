"""The totals of a program after reading, and whether it fits the machine."""

from math import isinf

from cnc_station.engine.domain.nc.leftovers import left_on
from cnc_station.engine.domain.nc.machine import Machine
from cnc_station.engine.domain.nc.preconditions import Mode
from cnc_station.engine.domain.nc.program import Bounds, Kind, Moves, Program, Units

UNSTATED = (
    (Mode.UNITS, "mm or inch", " (G21 or G20 is missing): read as mm"),
    (Mode.DISTANCE, "G90 or G91", ": read as absolute (G90)"),
)


def summed_up(machine: Machine, lines: int) -> Program:
    """Return the program with its totals. Check whether it fits the machine."""
    remark_on_assumptions(machine)
    lathe = machine.lathe or machine.diameter is not None
    bounds = box(machine)
    if bounds is not None and machine.limits.travel_mm is not None:
        check_travel(machine, bounds, machine.limits.travel_mm)
    return Program(
        moves=machine.moves,
        findings=machine.findings.in_order(),
        lines=lines,
        duration_s=machine.clock_s,
        bounds=bounds,
        tools=tuple(machine.tools),
        units=machine.units or Units.MM,
        lathe=lathe,
        reading=machine.reading,
        feed_mm=machine.feed_mm,
        rapid_mm=machine.rapid_mm,
        assumes=machine.modes.assumptions(lathe=lathe),
        leaves_on=left_on(machine),
        doubtful=machine.findings.has_doubts,
    )


def remark_on_assumptions(machine: Machine) -> None:
    """Warn at the first line that depends on unstated units or an unstated distance mode. A lathe
    program with U and W has no G90: its X and Z are always absolute."""
    for mode, question, answer in UNSTATED:
        if mode in machine.modes.assumed and not (
            mode is Mode.DISTANCE and machine.lathe and machine.counts_by_letter
        ):
            later = " before this line" if mode in machine.modes.in_force else ""
            machine.findings.remark(
                machine.modes.assumed[mode][0], f"does not say {question}{later}{answer}"
            )


def box(machine: Machine) -> Bounds | None:
    """Return the box around all programmed points. An axis that no block names stays at zero."""
    if all(isinf(value) for value in machine.low):
        return None
    low = [0.0 if isinf(value) else value for value in machine.low]
    high = [0.0 if isinf(value) else value for value in machine.high]
    return Bounds((low[0], low[1], low[2]), (high[0], high[1], high[2]))


def check_travel(machine: Machine, bounds: Bounds, travel: tuple[float, float, float]) -> None:
    """Report the first block where the program becomes too large for an axis."""
    moves = machine.moves
    for axis, (size, room) in enumerate(zip(bounds.size, travel, strict=True)):
        if size > room + 1e-6:
            message = f"{'XYZ'[axis]} travels {size:.1f} mm and the machine has {room:.1f} mm"
            machine.findings.error(first_beyond(moves, axis, room), message)


def first_beyond(moves: Moves, axis: int, room: float) -> int:
    """Return the line whose end first makes the extent larger than `room`; 0 if an arc does."""
    low, high = float("inf"), float("-inf")
    for index, value in enumerate((moves.x, moves.y, moves.z)[axis]):
        if moves.kind[index] == Kind.HOME:
            continue
        low, high = min(low, value), max(high, value)
        if high - low > room + 1e-6:
            return moves.line[index]
    return 0
