"""What a program takes for granted of the controller when it begins.

A controller keeps its modes from whatever ran before. A program that does not state one itself is
read, shown and timed with the code named here; it has to be cut with the same.
"""

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


@dataclass(frozen=True, slots=True)
class Assumption:
    """A mode that a program does not state before it matters, and the code it was read with."""

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
"""What a program that states nothing is read with, on a mill."""
