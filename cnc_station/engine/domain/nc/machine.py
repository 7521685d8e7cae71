"""The state of the control while a program is read, and what all moves share."""

from dataclasses import dataclass, field
from enum import Enum, auto
from math import inf, pi, sqrt

from cnc_station.engine.domain.nc.arcs import Plane
from cnc_station.engine.domain.nc.dialect import Dialect, Family, Reading
from cnc_station.engine.domain.nc.findings import Findings, ReadingStopped
from cnc_station.engine.domain.nc.parameters import Parameters
from cnc_station.engine.domain.nc.preconditions import ModeRecord
from cnc_station.engine.domain.nc.program import Kind, Limits, Moves, Point, Units
from cnc_station.engine.domain.nc.words import Words

SMALLEST_RATE = 1e-6
INCREMENT_MM, INCREMENT_INCH = 0.001, 0.0001  # the smallest that a control takes
PER_REVOLUTION = 950
NUMBERED_AXES = ((0, "X"), (1, "Y"), (2, "Z"))


class FeedMode(Enum):
    """The meaning of an F word."""

    PER_MINUTE = auto()
    PER_REVOLUTION = auto()
    INVERSE_TIME = auto()


@dataclass(slots=True)
class Cycle:
    """What a drilling cycle keeps from hole to hole, as programmed, and its initial level."""

    code: int
    level: float
    words: Words = field(default_factory=dict)


@dataclass(slots=True)
class Machine:
    """Modal state in mm and minutes. Positions are work coordinates: offsets count as zero until
    the program sets them. `running` holds the line where spindle or coolant was started,
    `shifted_by` the code that last moved the zero, `counts_by_letter` whether a lathe's U or W was
    read, and `plane_noted` the plane of the last block that depends on one. `settings` holds the
    words that a turning cycle takes from a block before it, by its code; `due` is a cycle with a
    profile that this block starts, `profile_blocks` counts the blocks of profiles."""

    limits: Limits
    findings: Findings
    reading: Reading
    parameters: Parameters = field(default_factory=Parameters)
    moves: Moves = field(default_factory=Moves)
    line: int = 0
    clock_s: float = 0.0
    position: Point = (0.0, 0.0, 0.0)
    rotary: Point = (0.0, 0.0, 0.0)
    low: list[float] = field(default_factory=lambda: [inf, inf, inf])
    high: list[float] = field(default_factory=lambda: [-inf, -inf, -inf])
    feed_mm: float = 0.0
    rapid_mm: float = 0.0

    modes: ModeRecord = field(default_factory=ModeRecord)
    motion: int = 800
    plane: Plane = Plane.XY
    plane_stated: bool = False
    plane_noted: Plane | None = None
    units: Units | None = None
    scale: float = 1.0
    absolute: bool = True
    arc_absolute: bool = False
    lathe: bool = False
    diameter: bool | None = None
    retract_to_level: bool = True
    cycle: Cycle | None = None

    feed_mode: FeedMode = FeedMode.PER_MINUTE
    feed: float | None = None
    turning: bool = False
    constant_surface: bool = False
    speed: float = 0.0
    surface_mm_min: float = 0.0
    spindle_cap: float = inf
    selected: int | None = None
    tool: int = 0
    tools: list[int] = field(default_factory=list)
    running: dict[str, int] = field(default_factory=dict)
    reset_by_end: bool = False
    settings: dict[int, Words] = field(default_factory=dict)
    due: int | None = None
    profile_blocks: int = 0
    dialect: Dialect = field(init=False)

    system: int = 0
    systems: dict[int, Point] = field(default_factory=dict)
    shift: Point = (0.0, 0.0, 0.0)
    last_shift: Point = (0.0, 0.0, 0.0)
    shifted_by: int | None = None
    homes: dict[int, Point] = field(default_factory=dict)
    probed: tuple[float, ...] | None = None

    offset: Point = (0.0, 0.0, 0.0)
    scales: Point = (1.0, 1.0, 1.0)
    counts_by_letter: bool = False
    plane_warned: bool = False
    spindle_warned: bool = False
    feed_checked: bool = False

    def __post_init__(self) -> None:
        self.dialect = self.reading.dialect

    def refresh(self) -> None:
        """Recompute what depends on units, diameter mode and offsets."""
        self.scales = (self.scale / 2 if self.diameter else self.scale, self.scale, self.scale)
        system = self.systems.get(self.system, (0.0, 0.0, 0.0))
        self.offset = (
            system[0] + self.shift[0],
            system[1] + self.shift[1],
            system[2] + self.shift[2],
        )

    def target(self, words: Words) -> Point:
        """Return the end point of the block's X, Y and Z. Extend the bounds to it."""
        end = list(self.position)
        base = self.offset if self.absolute else self.position
        for axis, letter in NUMBERED_AXES:
            value = words.get(letter)
            if value is not None:
                end[axis] = place = base[axis] + value * self.scales[axis]
                if not self.low[axis] <= place <= self.high[axis]:
                    self.stretch(axis, place)
        return (end[0], end[1], end[2])

    def stretch(self, axis: int, value: float) -> None:
        """Extend the bounds along one axis."""
        self.low[axis] = min(self.low[axis], value)
        self.high[axis] = max(self.high[axis], value)

    def turn_rotary(self, words: Words) -> float:
        """Turn A, B and C to the block's values. Return the angle travelled in degrees."""
        if "A" not in words and "B" not in words and "C" not in words:
            return 0.0
        before = self.rotary
        base = (0.0, 0.0, 0.0) if self.absolute else before
        after = [
            base[i] + words[letter] if letter in words else before[i]
            for i, letter in enumerate("ABC")
        ]
        self.rotary = (after[0], after[1], after[2])
        return sqrt(sum((b - a) ** 2 for a, b in zip(before, after, strict=True)))

    def add(self, kind: Kind, end: Point, feed: float, spindle: float, seconds: float) -> None:
        """Record a move and set the position to its end."""
        self.clock_s += seconds
        self.position = end
        moves = self.moves
        moves.line.append(self.line)
        moves.kind.append(kind)
        moves.x.append(end[0])
        moves.y.append(end[1])
        moves.z.append(end[2])
        moves.feed.append(feed)
        moves.spindle.append(spindle)
        moves.tool.append(self.tool)
        moves.ends_s.append(self.clock_s)

    def wait(self, kind: Kind, seconds: float) -> None:
        """Record a step in which nothing moves."""
        self.add(kind, self.position, 0.0, self.rpm(), seconds)

    def builders_own(self, what: str) -> None:
        """Warn about what only the machine's builder knows, and count its time."""
        self.findings.doubt(self.line, what)
        self.wait(Kind.DWELL, self.limits.builders_own_s)

    def rapid(self, end: Point, degrees: float = 0.0, kind: Kind = Kind.RAPID) -> None:
        length = distance(self.position, end)
        self.rapid_mm += length
        rate = self.limits.rapid_mm_min
        self.add(kind, end, rate, self.rpm(), (length or degrees) * 60.0 / rate)

    def cut(self, end: Point, length: float, kind: Kind = Kind.FEED, degrees: float = 0.0) -> None:
        """Record a move of `length` mm at feed. `degrees` counts when no linear axis moves."""
        if not self.feed_checked:
            self.check_feed()
        rpm = self.rpm(end)
        path = length or degrees
        rate = self.feed or 0.0
        if not length:
            rate /= self.scale  # a rotary axis alone: degrees do not depend on inches
        if self.feed_mode is FeedMode.PER_REVOLUTION:
            rate *= rpm
        elif self.feed_mode is FeedMode.INVERSE_TIME:
            rate *= path
        seconds = path * 60.0 / rate if rate > SMALLEST_RATE else 0.0
        self.feed_mm += length
        self.add(kind, end, rate, rpm, seconds)

    def rpm(self, end: Point | None = None) -> float:
        """Return the spindle speed; with constant surface speed, its mean on the way to `end`."""
        if not self.turning:
            return 0.0
        if not self.constant_surface:
            return self.speed
        cap = min(self.spindle_cap, self.limits.max_spindle_rpm)
        start_x = abs(self.position[0])
        end_x = start_x if end is None else abs(end[0])
        slowest = self.surface_mm_min / (2 * pi)
        if slowest <= 0.0:
            return 0.0
        per_turn = [
            max(radius / slowest, 1.0 / cap) for radius in (start_x, (start_x + end_x) / 2, end_x)
        ]
        return 6.0 / (per_turn[0] + 4.0 * per_turn[1] + per_turn[2])

    def check_feed(self) -> None:
        """Report what a cutting move lacks. Check again when F, S or a code changes."""
        self.feed_checked = True
        if self.feed is None or self.feed < SMALLEST_RATE:
            self.findings.error(
                self.line, "cutting move without a feed rate: no F before or in this block"
            )
        turns = self.rpm() > 0.0 or self.turns_by_own_code()
        if self.feed_mode is FeedMode.PER_REVOLUTION and not turns:
            name = self.dialect.spelled(PER_REVOLUTION)
            self.findings.error(self.line, f"feed per revolution ({name}) with the spindle stopped")
        elif not turns and not self.spindle_warned:
            self.spindle_warned = True
            self.findings.warning(self.line, "cutting move with the spindle stopped")

    def turns_by_own_code(self) -> bool:
        """Return whether a lathe that has a speed is taken to turn, though M3 and M4 are missing:
        many lathes start a spindle by a code of their builder."""
        stated = self.surface_mm_min if self.constant_surface else self.speed
        if self.dialect.family is not Family.LATHE or stated <= 0.0:
            return False
        self.turning = True
        self.findings.doubt(self.line, "no M3 or M4 before: timed as if the spindle turned at S")
        return True

    def check_room(self) -> None:
        if len(self.moves) > self.limits.max_moves:
            raise ReadingStopped(
                f"the program makes more than {self.limits.max_moves} moves; reading stops here"
            )


def distance(start: Point, end: Point) -> float:
    """Return the straight distance in mm."""
    dx, dy, dz = end[0] - start[0], end[1] - start[1], end[2] - start[2]
    return sqrt(dx * dx + dy * dy + dz * dz)
