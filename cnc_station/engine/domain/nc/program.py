"""A program as read: its moves in columns, the findings and the totals."""

from array import array
from dataclasses import dataclass
from enum import IntEnum, StrEnum

from cnc_station.engine.domain.nc.arcs import Arc
from cnc_station.engine.domain.nc.dialect import Dialect, Reading
from cnc_station.engine.domain.nc.findings import Finding, Severity
from cnc_station.engine.domain.nc.preconditions import READ_WITH, Assumption


@dataclass(frozen=True, slots=True)
class Limits:
    """The machine that a program is read for: mm, minutes, seconds. The work offset is unknown, so
    only an extent larger than `travel_mm` refuses a program, never the position of its zero.
    `arc_tolerance_mm` is how much the radius of an arc may change to its end (None: LinuxCNC's
    rule). `builders_own_s` is the time of an M code or a macro of the machine's builder. `dialect`:
    None guesses it from the program. `lathe`: None guesses it from the words, for a dialect of
    mills and lathes. `skip_deleted` is the block delete switch (lines that start with `/`).
    `home_mm` is the machine zero in work coordinates. `max_repeated_blocks` stops an endless
    loop."""

    rapid_mm_min: float = 10_000.0
    tool_change_s: float = 5.0
    builders_own_s: float = 1.0
    arc_tolerance_mm: float | None = None
    max_spindle_rpm: float = 6_000.0
    travel_mm: tuple[float, float, float] | None = None
    dialect: Dialect | None = None
    lathe: bool | None = None
    skip_deleted: bool = True
    home_mm: tuple[float, float, float] = (0.0, 0.0, 0.0)
    max_lines: int = 2_000_000
    max_repeated_blocks: int = 500_000
    max_moves: int = 2_000_000

    def __post_init__(self) -> None:
        if (
            self.rapid_mm_min <= 0
            or self.max_spindle_rpm <= 0
            or min(self.tool_change_s, self.builders_own_s) < 0
        ):
            raise ValueError("a machine's rates must be more than zero")


DEFAULT = Limits()


Point = tuple[float, float, float]


class Kind(IntEnum):
    """The kind of a move. HOME is a rapid in machine coordinates (G28, G30, G53)."""

    RAPID = 0
    FEED = 1
    ARC = 2
    HOME = 3
    DWELL = 4
    TOOL_CHANGE = 5
    STOP = 6
    OPTIONAL_STOP = 7
    END = 8


class Units(StrEnum):
    """The units of the program text. All values in a `Program` are millimetres."""

    MM = "mm"
    INCH = "inch"


@dataclass(frozen=True, slots=True)
class Bounds:
    """The box around every programmed point in mm, arcs included, G28 and G53 excluded."""

    low: Point
    high: Point

    @property
    def size(self) -> Point:
        low, high = self.low, self.high
        return (high[0] - low[0], high[1] - low[1], high[2] - low[2])


class Moves:
    """All moves in columns of equal length: 57 bytes per move, 6 MB for 100,000 lines. Row i ends
    at (x[i], y[i], z[i]) at `ends_s[i]` and starts where row i - 1 ended. The first row starts at
    `origin`. `arcs` holds the geometry of the rows that are arcs. Callers must not change it."""

    __slots__ = (
        "arcs",
        "ends_s",
        "feed",
        "kind",
        "line",
        "origin",
        "spindle",
        "tool",
        "x",
        "y",
        "z",
    )

    def __init__(self, origin: Point = (0.0, 0.0, 0.0)) -> None:
        self.origin = origin
        self.line = array("i")
        self.kind = bytearray()
        self.x = array("d")
        self.y = array("d")
        self.z = array("d")
        self.feed = array("d")
        self.spindle = array("d")
        self.tool = array("i")
        self.ends_s = array("d")
        self.arcs: dict[int, Arc] = {}

    def __len__(self) -> int:
        return len(self.kind)

    def end(self, index: int) -> Point:
        """Return the end point of row `index`; -1 returns the origin."""
        return (self.x[index], self.y[index], self.z[index]) if index >= 0 else self.origin

    def starts_s(self, index: int) -> float:
        return self.ends_s[index - 1] if index else 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Program:
    """The result of reading a program. A refused one has the moves read so far. `assumes`: the
    modes that it needs before it states them. `leaves_on`: what still runs after its end, as text
    ("spindle", "coolant"). `doubtful`: its time is not certain, for a reason in the findings."""

    moves: Moves
    findings: tuple[Finding, ...]
    lines: int
    duration_s: float
    bounds: Bounds | None
    tools: tuple[int, ...]
    units: Units
    lathe: bool
    reading: Reading
    feed_mm: float
    rapid_mm: float
    assumes: tuple[Assumption, ...] = READ_WITH
    leaves_on: tuple[str, ...] = ()
    doubtful: bool = False

    @property
    def refused(self) -> bool:
        """Whether the program must not run."""
        return any(finding.severity is Severity.ERROR for finding in self.findings)
