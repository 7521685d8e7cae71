"""What a program comes to once it is read, and whether it fits the machine."""

from math import isinf

from cnc_station.engine.domain.nc.machine import Machine
from cnc_station.engine.domain.nc.program import Bounds, Kind, Moves, Program, Units


def summed_up(machine: Machine, lines: int) -> Program:
    """The program with its sums, and whether it fits the machine."""
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
        lathe=machine.lathe or machine.diameter is not None,
        feed_mm=machine.feed_mm,
        rapid_mm=machine.rapid_mm,
    )


def box(machine: Machine) -> Bounds | None:
    """The box around what was programmed; an axis no block ever names stays at zero."""
    if all(isinf(value) for value in machine.low):
        return None
    low = [0.0 if isinf(value) else value for value in machine.low]
    high = [0.0 if isinf(value) else value for value in machine.high]
    return Bounds((low[0], low[1], low[2]), (high[0], high[1], high[2]))


def check_travel(machine: Machine, bounds: Bounds, travel: tuple[float, float, float]) -> None:
    """Name the first block at which the program has become too large for an axis."""
    moves = machine.moves
    for axis, (size, room) in enumerate(zip(bounds.size, travel, strict=True)):
        if size > room + 1e-6:
            message = f"{'XYZ'[axis]} travels {size:.1f} mm and the machine has {room:.1f} mm"
            machine.findings.error(first_beyond(moves, axis, room), message)


def first_beyond(moves: Moves, axis: int, room: float) -> int:
    """The line whose end first stretches the extent past `room`; 0 when only an arc does."""
    low, high = float("inf"), float("-inf")
    for index, value in enumerate((moves.x, moves.y, moves.z)[axis]):
        if moves.kind[index] == Kind.HOME:
            continue
        low, high = min(low, value), max(high, value)
        if high - low > room + 1e-6:
            return moves.line[index]
    return 0
