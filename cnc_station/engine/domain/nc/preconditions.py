"""The modes that a program assumes of the controller, which keeps its modes from the program
before. A program that does not state a mode is read with the code named here, and must run with
it."""

from dataclasses import dataclass
from enum import StrEnum


class Mode(StrEnum):
    """A group of codes of which one is always in force."""

    UNITS = "units"
    DISTANCE = "distance mode"
    PLANE = "plane"
    WORK_OFFSET = "work offset"
    FEED = "feed mode"
    ARC_CENTRES = "arc centres"
    CUTTER_COMPENSATION = "cutter compensation"
    TOOL_LENGTH = "tool length offset"
    DIAMETER = "diameter mode"
    SCALING = "scaling"
    ROTATION = "rotation"
    SPINDLE = "spindle mode"
    RETRACT = "return level"
    PATH = "path mode"


GROUPS: dict[Mode, frozenset[str]] = {
    Mode.UNITS: frozenset({"G20", "G21"}),
    Mode.DISTANCE: frozenset({"G90", "G91"}),
    Mode.PLANE: frozenset({"G17", "G17.1", "G18", "G18.1", "G19", "G19.1"}),
    Mode.WORK_OFFSET: frozenset(
        {"G54", "G55", "G56", "G57", "G58", "G59", "G59.1", "G59.2", "G59.3"}
    ),
    Mode.FEED: frozenset({"G93", "G94", "G95"}),
    Mode.ARC_CENTRES: frozenset({"G90.1", "G91.1"}),
    Mode.CUTTER_COMPENSATION: frozenset({"G40", "G41", "G41.1", "G42", "G42.1"}),
    Mode.TOOL_LENGTH: frozenset({"G43", "G43.1", "G43.2", "G49"}),
    Mode.DIAMETER: frozenset({"G7", "G8"}),
    Mode.SCALING: frozenset({"G50", "G51"}),
    Mode.ROTATION: frozenset({"G68", "G69"}),
    Mode.SPINDLE: frozenset({"G96", "G97"}),
    Mode.RETRACT: frozenset({"G98", "G99"}),
    Mode.PATH: frozenset({"G61", "G61.1", "G64"}),
}
"""The codes of each group, as controllers report them. They exclude each other."""


@dataclass(frozen=True, slots=True)
class Assumption:
    """A mode that a program needs before it states it, and the code it was read with."""

    mode: Mode
    code: str


READ_WITH = (
    Assumption(Mode.UNITS, "G21"),
    Assumption(Mode.DISTANCE, "G90"),
    Assumption(Mode.PLANE, "G17"),
    Assumption(Mode.WORK_OFFSET, "G54"),
    Assumption(Mode.FEED, "G94"),
    Assumption(Mode.ARC_CENTRES, "G91.1"),
    Assumption(Mode.CUTTER_COMPENSATION, "G40"),
    Assumption(Mode.TOOL_LENGTH, "G49"),
    Assumption(Mode.DIAMETER, "G8"),
    Assumption(Mode.SCALING, "G50"),
    Assumption(Mode.ROTATION, "G69"),
    Assumption(Mode.SPINDLE, "G97"),
    Assumption(Mode.RETRACT, "G98"),
    Assumption(Mode.PATH, "G64"),
)
"""The modes for a mill program that states none. A lathe starts in the plane G18."""

MODES = tuple(Mode)
BY_FEEDS = frozenset({Mode.UNITS, Mode.FEED})
BY_MOVES = frozenset(
    {
        Mode.UNITS,
        Mode.DISTANCE,
        Mode.WORK_OFFSET,
        Mode.CUTTER_COMPENSATION,
        Mode.TOOL_LENGTH,
        Mode.DIAMETER,
        Mode.SCALING,
        Mode.ROTATION,
        Mode.PATH,
    }
)
_CODES = {assumption.mode: assumption.code for assumption in READ_WITH}


class ModeRecord:
    """What a program has stated, and what it used before that, in order of execution. A mode is
    assumed when a block depends on it and no block until then has stated it. So the plane is not
    assumed without arcs, nor the return level without cycles, the spindle mode without a spindle,
    the diameter mode on a mill, or scaling on a lathe (where G50 limits the spindle speed).
    `read_with`: the code that is assumed in each group. `in_force`: the code stated last in each.
    `moves_settled`, `feeds_settled`: no further move, no further F word can change what is
    assumed."""

    __slots__ = ("_open", "assumed", "feeds_settled", "in_force", "moves_settled", "read_with")

    def __init__(self) -> None:
        self._open = set(MODES)
        self.read_with = dict(_CODES)
        self.assumed: dict[Mode, tuple[int, str]] = {}
        self.in_force: dict[Mode, int] = {}
        self.moves_settled = self.feeds_settled = False

    def state(self, mode: Mode, code: int) -> None:
        """Record that a block states the mode of its group."""
        self.in_force[mode] = code
        self._open.discard(mode)
        self._settle()

    def is_open(self, mode: Mode) -> bool:
        """Return whether a group was neither stated nor used so far."""
        return mode in self._open

    def use(self, line: int, *modes: Mode) -> None:
        """Record that the block at `line` depends on these groups."""
        for mode in modes:
            if mode in self._open:
                self._open.discard(mode)
                self.assumed[mode] = (line, self.read_with[mode])
        self._settle()

    def _settle(self) -> None:
        self.moves_settled = BY_MOVES.isdisjoint(self._open)
        self.feeds_settled = BY_FEEDS.isdisjoint(self._open)

    def use_plane(self, line: int, code: str) -> bool:
        """Record that the block at `line` depends on the plane, which is not stated. Returns False
        if an earlier block was read in another plane."""
        if self.is_open(Mode.PLANE):
            self._open.discard(Mode.PLANE)
            self.assumed[Mode.PLANE] = (line, code)
        return Mode.PLANE not in self.assumed or self.assumed[Mode.PLANE][1] == code

    def assumptions(self, *, lathe: bool) -> tuple[Assumption, ...]:
        """Return what the program assumes on this kind of machine, in the order of `Mode`."""
        beside = Mode.SCALING if lathe else Mode.DIAMETER
        return tuple(
            Assumption(mode, self.assumed[mode][1])
            for mode in MODES
            if mode in self.assumed and mode is not beside
        )
