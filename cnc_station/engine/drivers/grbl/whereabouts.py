"""Find the line being executed among those in the planner, from the position and its direction."""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from cnc_station.engine.domain.nc import Program
from cnc_station.engine.drivers.grbl.reports import Point

_SAME_MM = 0.01  # reports have three decimals


def line_at(program: Program, lines: Sequence[int], place: Point, before: Point | None) -> int:
    """Return the line whose path is nearest to `place`, in the direction from `before`.

    If several are equally near, the earliest. An arc counts as its chord.
    """
    going = None if before is None else _minus(place, before)
    best, nearest = lines[0], math.inf
    for line in lines:
        moves = program.moves
        for row in range(bisect_left(moves.line, line), bisect_right(moves.line, line)):
            start, end = moves.end(row - 1), moves.end(row)
            along = _minus(end, start)
            if going is not None and _dot(along, going) < 0:
                continue
            distance = _distance(place, start, along)
            if distance < nearest - _SAME_MM:
                best, nearest = line, distance
    return best


def _distance(place: Point, start: Point, along: Point) -> float:
    """Return the distance from a point to a straight segment."""
    length = _dot(along, along)
    share = _dot(_minus(place, start), along) / length if length else 0.0
    share = min(1.0, max(0.0, share))
    return math.dist(place, [a + share * b for a, b in zip(start, along, strict=True)])


def _minus(one: Point, other: Point) -> Point:
    return (one[0] - other[0], one[1] - other[1], one[2] - other[2])


def _dot(one: Point, other: Point) -> float:
    return one[0] * other[0] + one[1] * other[1] + one[2] * other[2]
