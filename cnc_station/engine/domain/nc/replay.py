"""The tool position at a given time, and the path as points for drawing."""

from array import array
from bisect import bisect_right
from dataclasses import dataclass
from itertools import repeat
from math import acos, ceil, pi

from cnc_station.engine.domain.nc.arcs import Arc
from cnc_station.engine.domain.nc.program import Moves, Program

MOST_CHORDS = 2_000


@dataclass(frozen=True, slots=True)
class Position:
    """The state of a program at one moment: mm, mm/min, rpm; `fraction` of its duration, 0 to 1."""

    line: int
    x: float
    y: float
    z: float
    feed: float
    spindle: float
    tool: int
    fraction: float


def at(program: Program, seconds: float) -> Position:
    """Return the position after `seconds`. Before the start and after the end nothing moves."""
    moves = program.moves
    fraction = min(max(seconds / program.duration_s, 0.0), 1.0) if program.duration_s > 0 else 1.0
    if not len(moves):
        x, y, z = moves.origin
        return Position(0, x, y, z, 0.0, 0.0, 0, fraction)
    index = min(bisect_right(moves.ends_s, max(seconds, 0.0)), len(moves) - 1)
    begins, ends = moves.starts_s(index), moves.ends_s[index]
    share = min(max((seconds - begins) / (ends - begins), 0.0), 1.0) if ends > begins else 1.0
    start, end = moves.end(index - 1), moves.end(index)
    arc = moves.arcs.get(index)
    if arc is not None:
        x, y, z = arc.point(start, end, share)
    elif share >= 1.0:
        x, y, z = end
    else:
        x, y, z = (a + (b - a) * share for a, b in zip(start, end, strict=True))
    return Position(
        moves.line[index],
        x,
        y,
        z,
        moves.feed[index],
        moves.spindle[index],
        moves.tool[index],
        fraction,
    )


@dataclass(frozen=True, slots=True, eq=False)
class Polyline:
    """The path as points in columns: line `line[i]` reaches point i at `time_s[i]`. Point 0 is the
    start of the program. A step without motion repeats its point, so a time between two points is
    always between their two positions."""

    x: "array[float]"
    y: "array[float]"
    z: "array[float]"
    time_s: "array[float]"
    line: "array[int]"
    kind: bytearray

    def __len__(self) -> int:
        return len(self.kind)


def polyline(program: Program, tolerance_mm: float = 0.05) -> Polyline:
    """Return the whole path. Arcs become chords that stay within `tolerance_mm` of them."""
    moves = program.moves
    x, y, z = moves.origin
    drawn = Polyline(
        array("d", [x]),
        array("d", [y]),
        array("d", [z]),
        array("d", [0.0]),
        array("i", [0]),
        bytearray(1),
    )
    done = 0
    for index in sorted(moves.arcs):
        copy_rows(moves, drawn, done, index)
        draw_arc(moves, drawn, index, tolerance_mm)
        done = index
    copy_rows(moves, drawn, done, len(moves))
    return drawn


def copy_rows(moves: Moves, drawn: Polyline, begin: int, end: int) -> None:
    """Copy the end points of rows begin to end (not included)."""
    drawn.x.extend(moves.x[begin:end])
    drawn.y.extend(moves.y[begin:end])
    drawn.z.extend(moves.z[begin:end])
    drawn.time_s.extend(moves.ends_s[begin:end])
    drawn.line.extend(moves.line[begin:end])
    drawn.kind.extend(moves.kind[begin:end])


def draw_arc(moves: Moves, drawn: Polyline, index: int, tolerance_mm: float) -> None:
    """Add the points between the ends of an arc. The row itself adds the end point."""
    arc, start, end = moves.arcs[index], moves.end(index - 1), moves.end(index)
    begins = moves.starts_s(index)
    seconds = moves.ends_s[index] - begins
    chords = chords_for(arc, tolerance_mm)
    for number in range(1, chords):
        fraction = number / chords
        x, y, z = arc.point(start, end, fraction)
        drawn.x.append(x)
        drawn.y.append(y)
        drawn.z.append(z)
        drawn.time_s.append(begins + seconds * fraction)
    drawn.line.extend(repeat(moves.line[index], chords - 1))
    drawn.kind.extend(repeat(moves.kind[index], chords - 1))


def chords_for(arc: Arc, tolerance_mm: float) -> int:
    """Return how many chords stay within the tolerance; at least two for a quarter turn."""
    radius = max(arc.radius, arc.end_radius)
    flat = 1.0 - min(max(tolerance_mm, 1e-6) / radius, 1.0)
    step = min(2.0 * acos(flat), pi / 4)
    return min(max(ceil(abs(arc.sweep) / step), 2), MOST_CHORDS)
