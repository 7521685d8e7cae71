"""How far a run is, from the status of its controller and the moves of its program."""

from cnc_station.engine.domain.nc import Moves
from cnc_station.engine.drivers.base import Order
from cnc_station.engine.views import Status, Telemetry


class Progress:
    """The progress of one run. A controller reports its line. Loops and subprograms repeat lines,
    so the place in the program only moves forward within a part."""

    def __init__(self, order: Order) -> None:
        self._order = order
        self._part = 1
        self._row = 0
        program = order.program
        self._part_s = program.duration_s if program else order.estimated_s

    def telemetry(self, status: Status, part: int) -> Telemetry:
        if part != self._part:
            self._part, self._row = part, 0
        order, fraction = self._order, self._fraction(status)
        done = (part - 1 + fraction) / order.parts
        return Telemetry(
            line=status.line,
            lines=order.program.lines if order.program else None,
            x=status.x,
            y=status.y,
            z=status.z,
            feed_mm_min=status.feed_mm_min,
            spindle_rpm=status.spindle_rpm,
            tool=status.tool,
            feed_override=status.feed_override,
            rapid_override=status.rapid_override,
            spindle_override=status.spindle_override,
            part=part,
            parts=order.parts,
            fraction=done,
            part_fraction=fraction,
            part_remaining_s=self._part_s * (1 - fraction),
            remaining_s=self._part_s * order.parts * (1 - done),
        )

    def _fraction(self, status: Status) -> float:
        if status.fraction is not None:
            return status.fraction
        program = self._order.program
        if program is None or not status.line or not len(program.moves):
            return 0.0
        self._row = _row_at(program.moves, status.line, self._row)
        return min(program.moves.starts_s(self._row) / max(program.duration_s, 1e-9), 1.0)


def _row_at(moves: Moves, line: int, after: int) -> int:
    """Return the first move of a line from row `after` on. If there is none, return the last one
    before that line, but not before `after`."""
    try:
        return moves.line.index(line, after)
    except ValueError:
        row = after
        while row + 1 < len(moves) and moves.line[row + 1] <= line:
            row += 1
        return row
