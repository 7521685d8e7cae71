"""The cycles of Fanuc and Haas lathes that follow a profile: G71 and G72 rough it in passes, G73
repeats it, G70 finishes it. The profile is the blocks from N of P to N of Q."""

import re
from bisect import bisect_left
from collections.abc import Callable, Iterator
from copy import copy
from dataclasses import dataclass
from itertools import pairwise

from cnc_station.engine.domain.nc import codes
from cnc_station.engine.domain.nc.findings import BlockError, ReadingStopped
from cnc_station.engine.domain.nc.machine import Machine
from cnc_station.engine.domain.nc.program import Kind, Moves, Point
from cnc_station.engine.domain.nc.turning import CLOSE_MM, X, Z, cut_to
from cnc_station.engine.domain.nc.words import Block, Words, whole

NUMBER = re.compile(r"/?[0-9]?N0*([0-9]{1,8})(?![0-9.])")
CHORDS = 16
USUAL_DEPTH_MM = 2.0  # where the control takes it from its own settings
MOST_PASSES = 10_000
MOVING = frozenset({Kind.RAPID, Kind.FEED, Kind.ARC})
LARGEST_NUMBER = 99_999_999

Execute = Callable[[Machine, str], Block | None]


class Numbered:
    """The lines of a program by their N number."""

    def __init__(self, lines: list[str]) -> None:
        self.lines = lines
        self._places: dict[int, list[int]] | None = None

    def find(self, number: int, after: int, *, before: bool) -> int:
        """Return the nearest line with this number after a line, or if `before` ahead of it. Where
        there is none, it is looked for in the other direction."""
        if self._places is None:
            self._places = {}
            for index, line in enumerate(self.lines):
                if found := NUMBER.match(line):
                    self._places.setdefault(int(found[1]), []).append(index)
        places = self._places.get(number, [])
        if not places:
            raise BlockError(f"the profile block N{number} is not in this file")
        at = bisect_left(places, after)
        if before:
            return places[max(at - 1, 0)]
        return places[min(at, len(places) - 1)]


@dataclass(slots=True)
class Profile:
    """Lines `first` to `last` of the program."""

    first: int
    last: int


def follow(
    machine: Machine, numbered: Numbered, block: Block, following: int, execute: Execute
) -> int:
    """Execute a cycle. Return the next line: after the profile, if that follows the cycle."""
    code, words = machine.due or codes.FINISH, block.words
    machine.due = None
    if "P" not in words or "Q" not in words:
        machine.settings[code] = dict(words)
        return following
    name = machine.dialect.spelled(code)
    profile = located(numbered, words, following, code)
    if profile.last < profile.first:
        raise BlockError(f"{name}: the profile's last block Q is before its first block P")
    start = machine.position
    line = machine.line
    if code == codes.FINISH:
        run(machine, numbered.lines, profile, execute)
    else:
        points = recorded(machine, numbered.lines, profile, execute)
        machine.line = line
        if not points:
            raise BlockError(f"{name}: the blocks from P to Q make no moves")
        rough(machine, code, words, points)
    machine.line = line
    if machine.position != start:
        machine.rapid(start)
    return profile.last + 1 if profile.first >= following else following


def located(numbered: Numbered, words: Words, following: int, code: int) -> Profile:
    """Find the profile: roughing comes before it, finishing after it."""
    behind = code == codes.FINISH
    first = numbered.find(whole(words, "P", LARGEST_NUMBER, 0), following, before=behind)
    last = numbered.find(whole(words, "Q", LARGEST_NUMBER, 0), first, before=False)
    return Profile(first, last)


def run(machine: Machine, lines: list[str], profile: Profile, execute: Execute) -> None:
    """Execute the blocks of a profile. A cycle in it ends it."""
    machine.profile_blocks += profile.last + 1 - profile.first
    if machine.profile_blocks > machine.limits.max_repeated_blocks:
        raise ReadingStopped("the program's profiles are too long; reading stops here")
    for index in range(profile.first, profile.last + 1):
        machine.line = index + 1
        if not lines[index]:
            continue
        try:
            execute(machine, lines[index])
        except ReadingStopped:
            raise
        except BlockError as error:
            machine.findings.error(machine.line, str(error))
        if machine.due is not None:
            machine.due = None
            return


def recorded(machine: Machine, lines: list[str], profile: Profile, execute: Execute) -> list[Point]:
    """Return the corners of the profile. Arcs become chords."""
    trial = copy(machine)
    trial.moves = Moves(machine.position)
    trial.low, trial.high = list(machine.low), list(machine.high)
    run(trial, lines, profile, execute)
    machine.profile_blocks = trial.profile_blocks
    moves = trial.moves
    points: list[Point] = []
    for index in range(len(moves)):
        if moves.kind[index] not in MOVING:
            continue
        end = moves.end(index)
        if (arc := moves.arcs.get(index)) is not None:
            begin = moves.end(index - 1)
            points += (arc.point(begin, end, number / CHORDS) for number in range(1, CHORDS))
        points.append(end)
    return points


def rough(machine: Machine, code: int, words: Words, points: list[Point]) -> None:
    """Cut G71, G72 or G73 with its allowances: U on the diameter, W along Z."""
    before = machine.settings.get(code, {})
    scale = machine.scale
    allowance = (words.get("U", 0.0) * machine.scales[X], words.get("W", 0.0) * scale)
    if code == codes.ROUGH_PATTERN:
        repeat(machine, words, before, points, allowance)
        return
    depth_letter = "U" if code == codes.ROUGH_TURN else "W"
    depth = abs(words.get("D", before.get(depth_letter, 0.0))) * scale
    if depth <= 0.0:
        depth = USUAL_DEPTH_MM
        name = machine.dialect.spelled(code)
        machine.findings.doubt(
            machine.line, f"{name} does not state its depth of cut: read as {depth:g} mm a pass"
        )
    lift = abs(before.get("R", 0.0)) * scale
    axes = (X, Z) if code == codes.ROUGH_TURN else (Z, X)
    contour = shifted(points, allowance)
    passes(machine, contour, depth, lift, axes)
    along(machine, contour)


def passes(
    machine: Machine, contour: list[Point], depth: float, lift: float, axes: tuple[int, int]
) -> None:
    """Cut level after level, each up to the contour. Lift off at 45 degrees and return."""
    across, along_axis = axes
    start = machine.position
    places = [point[across] for point in contour]
    sign = 1.0 if start[across] - min(places) >= max(places) - start[across] else -1.0
    level, deepest = sign * start[across], min(sign * place for place in places)
    if (level - deepest) / depth > MOST_PASSES:
        raise BlockError(f"a cycle of more than {MOST_PASSES} passes: the depth is too small")
    while (level := level - depth) > deepest + CLOSE_MM:
        for entry, leave in spans(contour, axes, sign, level, start[along_axis]):
            back = min(lift, abs(leave - entry))
            lifted = sign * (level + back)
            turned = leave + (back if entry > leave else -back)
            if entry != start[along_axis]:
                machine.rapid(placed(start, axes, lifted, entry))
            machine.rapid(placed(start, axes, sign * level, entry))
            cut_to(machine, placed(start, axes, sign * level, leave))
            machine.rapid(placed(start, axes, lifted, turned))
            machine.rapid(placed(start, axes, lifted, start[along_axis]))
            machine.check_room()


def spans(
    contour: list[Point], axes: tuple[int, int], sign: float, level: float, begin: float
) -> Iterator[tuple[float, float]]:
    """Yield the stretches of a level that lie outside the contour, in its order."""
    across, along_axis = axes
    entry = begin
    for one, other in pairwise(contour):
        low, high = sign * one[across], sign * other[across]
        if (low < level) == (high < level):
            continue
        share = (level - low) / (high - low)
        place = one[along_axis] + share * (other[along_axis] - one[along_axis])
        if low < level:
            yield entry, place
        else:
            entry = place
    if sign * contour[-1][across] < level:
        yield entry, contour[-1][along_axis]


def repeat(
    machine: Machine,
    words: Words,
    before: Words,
    points: list[Point],
    allowance: tuple[float, float],
) -> None:
    """G73: cut the whole profile several times, each time nearer."""
    count = round(words.get("D", before.get("R", 1.0)))
    if not 1 <= count <= MOST_PASSES:
        raise BlockError(f"G73 needs a number of passes from 1 to {MOST_PASSES}")
    far_x = words.get("I", before.get("U", 0.0)) * machine.scale
    far_z = words.get("K", before.get("W", 0.0)) * machine.scale
    start = machine.position
    for number in range(count):
        share = 1.0 - number / (count - 1) if count > 1 else 0.0
        away = (allowance[0] + far_x * share, allowance[1] + far_z * share)
        along(machine, shifted(points, away))
        machine.rapid(start)


def along(machine: Machine, contour: list[Point]) -> None:
    """Go to the start of a contour, and cut along it."""
    machine.rapid(contour[0])
    for point in contour[1:]:
        cut_to(machine, point)
        machine.check_room()
    for point in contour:
        machine.stretch(X, point[X])
        machine.stretch(Z, point[Z])


def shifted(points: list[Point], away: tuple[float, float]) -> list[Point]:
    """Return the points moved by (x, z)."""
    return [(x + away[0], y, z + away[1]) for x, y, z in points]


def placed(point: Point, axes: tuple[int, int], across: float, along_place: float) -> Point:
    """Return the point with its two axes at new places."""
    found = list(point)
    found[axes[0]], found[axes[1]] = across, along_place
    return (found[0], found[1], found[2])
