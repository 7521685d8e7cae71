"""How a control reads a program. The reader asks this value. It has no conditions by control."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, StrEnum, auto

NEVER_WRITTEN = 1_000_000  # codes from here on exist only as a meaning


class Family(StrEnum):
    """The kind of machine that a dialect is written for. EITHER: the words of the program decide,
    because the control runs mills and lathes."""

    MILL = "mill"
    LATHE = "lathe"
    EITHER = "mill or lathe"


class Dwell(Enum):
    """The unit of P without a decimal point, in G4 and in cycles. With one, it is in seconds."""

    SECONDS = auto()
    MILLISECONDS = auto()


class Certainty(StrEnum):
    """How sure it is that a program is in a dialect. CHOSEN: a person or a machine states it. The
    others are guesses from its text; ASSUMED has nothing to go by."""

    CHOSEN = "chosen"
    CLEAR = "clear"
    LIKELY = "likely"
    ASSUMED = "assumed"


@dataclass(frozen=True, slots=True, eq=False)
class Dialect:
    """One control; there is one value of each. G codes are stored times ten (see `words`).

    `manual`: the source of its rules, with the chapter.
    `means`: the codes that mean something other than in LinuxCNC, each with the code to execute.
    `refused`: further codes that are named when they are refused.
    `warned`: further codes that are accepted with a warning, because what they do is not known.
    `special`: the codes of these three tables.
    `power_on`: the codes in force before the first block.
    `fixed`: the codes of modes that it does not have a choice of.
    `diameter`: X is a diameter from the start.
    `rapid_at_start`: G0 is in force before the first motion code.
    `rapid_g53`: G53 is a rapid move of its own, whatever motion is in force.
    `increments`: P, Q and D without a decimal point in turning cycles, and Q in drilling cycles,
    count the control's smallest increment (0.001 mm or 0.0001 inch).
    `shrinking_pecks`: I, J and K give the first peck, its decrease and the smallest peck.
    `level_from_start`: R of a drilling cycle below zero counts from the initial level.
    `macro_b`: IF, WHILE and GOTO are statements. `local_calls`: M97 P calls the block N of P."""

    name: str
    label: str
    family: Family
    manual: str
    means: Mapping[int, int] = field(default_factory=dict)
    refused: Mapping[int, str] = field(default_factory=dict)
    warned: Mapping[int, str] = field(default_factory=dict)
    power_on: tuple[int, ...] = ()
    fixed: tuple[int, ...] = ()
    dwell: Dwell = Dwell.SECONDS
    diameter: bool = False
    rapid_at_start: bool = False
    rapid_g53: bool = False
    increments: bool = False
    shrinking_pecks: bool = False
    level_from_start: bool = False
    macro_b: bool = False
    local_calls: bool = False
    special: frozenset[int] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "special", frozenset((*self.means, *self.refused, *self.warned)))

    def spelled(self, code: int) -> str:
        """Return how a program writes the code that is executed as `code`."""
        if code >= NEVER_WRITTEN or code in self.power_on or self.means.get(code, code) != code:
            code = next((wrote for wrote, meant in self.means.items() if meant == code), code)
        return spelled(code)


@dataclass(frozen=True, slots=True)
class Reading:
    """The dialect that a program is read in, how sure that is, and what speaks for it."""

    dialect: Dialect
    certainty: Certainty
    reasons: tuple[str, ...] = ()


def spelled(code: int) -> str:
    """Return a code as text: G1, G38.2."""
    return f"G{code // 10}.{code % 10}" if code % 10 else f"G{code // 10}"
