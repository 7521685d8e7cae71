"""How a control reads a program. The reader asks this value. It has no conditions by control."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, StrEnum, auto


class Family(StrEnum):
    """The kind of machine that a dialect is written for. EITHER: the words of the program decide,
    because the control runs mills and lathes."""

    MILL = "mill"
    LATHE = "lathe"
    EITHER = "mill or lathe"


class Dwell(Enum):
    """The meaning of P without a decimal point in G4 and in the dwell of a cycle. With a point it
    is in seconds everywhere."""

    SECONDS = auto()
    MILLISECONDS = auto()


@dataclass(frozen=True, slots=True)
class Dialect:
    """One control. G codes are stored times ten (see `words`).

    `manual`: where its rules are from, with the chapter. `means`: the codes that mean something
    other than in LinuxCNC, each with the code that the reader executes for it. `ignored`: further
    G codes that change neither the path nor, noticeably, the time. `refused`: further G codes that
    are named when they are refused. `power_on`: the codes in force before the first block.
    `diameter`: X is a diameter from the start. `rapid_at_start`: G0 is in force before the first
    motion code. `macro_b`: IF, WHILE and GOTO are its own statements. `local_calls`: M97 P calls
    the block with this N number."""

    name: str
    label: str
    family: Family
    manual: str
    means: Mapping[int, int] = field(default_factory=dict)
    ignored: frozenset[int] = frozenset()
    refused: Mapping[int, str] = field(default_factory=dict)
    power_on: tuple[int, ...] = ()
    diameter: bool = False
    rapid_at_start: bool = False
    dwell: Dwell = Dwell.SECONDS
    macro_b: bool = False
    local_calls: bool = False
