"""Distinguish a program that reached its end from one that was stopped before.

Measured on LinuxCNC 2.9: after an abort, an emergency stop or the end itself the controller looks
the same. It is IDLE, the spindle and the coolant are off, the modal codes are those after M2, the
error queue is empty. `program_line` does not help either: after an abort it can be the last line
that was read ahead, which is the last line of any program of less than some hundred lines. What
does differ is the position of the tool.

The proof of an end is therefore this: the tool stands at the end of the program, within a few
micrometres, and the run was seen moving in a part of the program after which its path reaches this
place only at the end. Axes whose end a program leaves to the machine (G28, G53, a tool change, a
tool length, another work offset) are not compared. If no axis remains, there is no proof.
"""

from dataclasses import dataclass
from math import hypot

from cnc_station.engine.domain.nc import Kind, Moves, Program, polyline
from cnc_station.engine.domain.nc.end_place import MOVING, Known, end_place
from cnc_station.engine.domain.nc.source import clean
from cnc_station.engine.drivers.linuxcnc.snapshot import Place

AT_MM = 0.005  # it reports micrometres, and stands still
NEAR_MM = 0.2  # more than the chord error of an arc
CHORD_MM = 0.05
CUTTING = frozenset({Kind.FEED, Kind.ARC})
STOPPING = frozenset({Kind.STOP, Kind.OPTIONAL_STOP})


@dataclass(frozen=True, slots=True)
class Ending:
    """The end of a program, and the lines that lead to it. `place` is its end position (None:
    unknown axis), `late` are the lines after the path's last earlier visit to it. `left_s`: seconds
    of motion left when a line was last executed; `moving_s` in total, `cut_s` of it at a programmed
    feed. `stops` are the lines followed by a stop (M0), `turning` those with the spindle on.
    `closed`: there is a program end; without one the controller stops early. `leaves_on`: what
    still runs after the end."""

    place: Known
    late: frozenset[int]
    left_s: dict[int, float]
    moving_s: float
    cut_s: float
    stops: frozenset[int]
    turning: frozenset[int]
    closed: bool
    leaves_on: tuple[str, ...]

    @property
    def known(self) -> bool:
        """Whether the position can prove anything."""
        return any(axis is not None for axis in self.place)

    def stands_at_end(self, place: Place, *, z_is_work: bool) -> bool:
        """Return whether the tool is at the end of the program, on every comparable axis."""
        return self._within(place, AT_MM, z_is_work=z_is_work)

    def near_end(self, place: Place, *, z_is_work: bool) -> bool:
        """Return whether an abort here could be taken for the end."""
        return self._within(place, NEAR_MM, z_is_work=z_is_work)

    def may_be_turned(self, place: Place, *, z_is_work: bool) -> bool:
        """Return whether it is where the end is in a rotated work offset (G10 L2 R). The controller
        reports positions without the rotation."""
        x, y, z = self.place
        if x is None or y is None or (z is not None and z_is_work and abs(z - place[2]) > AT_MM):
            return False
        return abs(hypot(x, y) - hypot(place[0], place[1])) <= AT_MM

    def _within(self, place: Place, mm: float, *, z_is_work: bool) -> bool:
        ends = self.place if z_is_work else (*self.place[:2], None)
        return all(
            end is None or abs(end - now) <= mm for end, now in zip(ends, place, strict=True)
        )


def ending_of(program: Program, source: bytes) -> Ending:
    """Return the end of a program. The time is about half of that for reading the program."""
    lines = clean(source).lines
    place = end_place(program.moves, lines)
    left_s, moving_s = _left_s(program.moves)
    ended = Kind.END in program.moves.kind[-1:]
    turns = any(rpm > 0.0 for rpm in program.moves.spindle[-1:])
    return Ending(
        place=place,
        late=_late(program, place),
        left_s=left_s,
        moving_s=moving_s,
        cut_s=sum(
            program.moves.ends_s[index] - program.moves.starts_s(index)
            for index, kind in enumerate(program.moves.kind)
            if kind in CUTTING
        ),
        stops=_stops(program.moves),
        turning=frozenset(
            line
            for line, rpm in zip(program.moves.line, program.moves.spindle, strict=True)
            if rpm > 0.0
        ),
        closed=ended or "%" in lines[-1:],
        leaves_on=() if ended else program.leaves_on or (("spindle",) if turns else ()),
    )


def _late(program: Program, place: Known) -> frozenset[int]:
    """Return the late lines; empty if an abort at the end position can never be ruled out."""
    axes = [number for number, end in enumerate(place) if end is not None]
    if not axes:
        return frozenset()
    path = polyline(program, CHORD_MM)
    columns = (path.x, path.y, path.z)
    axes.reverse()  # most points of a path differ from its end in height
    ends = [end for end in reversed(place) if end is not None]
    points = list(zip(*(columns[axis] for axis in axes), strict=True))
    arrived = len(points)
    while arrived > 0 and _passes(points[arrived - 1], points[arrived - 1], ends) is not None:
        arrived -= 1
        if path.kind[arrived] in STOPPING:
            return frozenset()  # it stopped there, and could be aborted there
    # The step to point `arrived` is the final arrival.
    step, share = arrived - 1, None
    while step > 0 and (share := _passes(points[step - 1], points[step], ends)) is None:
        step -= 1
    if step < 1 or share:  # a step that only leaves that place comes after the visit
        step += 1
    early, late = path.line[1:step], path.line[step:]
    return frozenset(late).difference(early)


def _passes(start: tuple[float, ...], end: tuple[float, ...], place: list[float]) -> float | None:
    """Return the fraction of the step at which it is nearest to `place`; None if not near."""
    for a, b, p in zip(start, end, place, strict=True):
        if (a - p > NEAR_MM and b - p > NEAR_MM) or (p - a > NEAR_MM and p - b > NEAR_MM):
            return None  # true for most
    along = sum((b - a) ** 2 for a, b in zip(start, end, strict=True))
    share = 0.0
    if along > 0:
        reach = sum((p - a) * (b - a) for a, b, p in zip(start, end, place, strict=True))
        share = min(max(reach / along, 0.0), 1.0)
    away = sum((a + (b - a) * share - p) ** 2 for a, b, p in zip(start, end, place, strict=True))
    return share if away <= NEAR_MM**2 else None


def _left_s(moves: Moves) -> tuple[dict[int, float], float]:
    left: dict[int, float] = {}
    to_go = 0.0
    for index in range(len(moves) - 1, -1, -1):
        left.setdefault(moves.line[index], to_go)
        if moves.kind[index] in MOVING:
            to_go += moves.ends_s[index] - moves.starts_s(index)
    return left, to_go


def _stops(moves: Moves) -> frozenset[int]:
    """Return the lines of the last motion before each stop, and the line of the stop itself."""
    found = set()
    moving = 0
    for line, kind in zip(moves.line, moves.kind, strict=True):
        if kind in MOVING:
            moving = line
        elif kind in STOPPING:
            found |= {moving, line}
    return frozenset(found)
