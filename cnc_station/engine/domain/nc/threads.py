"""Expand G76, the threading cycle of LinuxCNC, into its passes."""

from math import inf, radians, tan

from cnc_station.engine.domain.nc import uses
from cnc_station.engine.domain.nc.arcs import Plane
from cnc_station.engine.domain.nc.findings import BlockError
from cnc_station.engine.domain.nc.machine import Machine
from cnc_station.engine.domain.nc.motion import cut_at_lead
from cnc_station.engine.domain.nc.words import Words, whole

MOST_PASSES = 1000
MOST_SPRING_PASSES = 100
STEEPEST_DEGREES = 80.0
BELOW_ZERO, BELOW_ONE = -1e-9, 1.0 - 1e-9
SAME_DEPTH_MM = 1e-9


def thread(machine: Machine, words: Words) -> None:
    """Cut passes of increasing depth until K below the crest, then H spring passes. The tool stands
    on the drive line. I is the crest from it (negative for an outside thread), P the lead, J the
    depth of the first pass, Q the flank angle of entry. X words and I, J, K follow the diameter
    mode."""
    check(machine, words)
    across, scale = machine.scales[0], machine.scale
    crest = words["I"] * across
    full, outward = words["K"] * across, -1.0 if crest > 0 else 1.0
    lead = words["P"] * scale
    flank = tan(radians(words.get("Q", 0.0)))
    drive, y, start = machine.position
    end = machine.target({"Z": words["Z"]})[2]
    for depth in depths(words, across):
        bottom = drive + crest - outward * depth
        clear = bottom + outward * (abs(crest) + full)
        enter = start + (-depth if end < start else depth) * flank
        leave = end + (full - depth if end < start else depth - full) * flank
        machine.rapid((clear, y, enter))
        machine.rapid((bottom, y, enter))
        machine.stretch(0, bottom)
        cut_at_lead(machine, (bottom, y, leave), lead)
        machine.rapid((clear, y, leave))
        machine.check_room()
    machine.rapid((drive, y, end))


def check(machine: Machine, words: Words) -> None:
    """Refuse what the cycle cannot do, and the G76 of other controls, whose words differ."""
    if machine.plane is not Plane.ZX:
        raise BlockError("G76 needs the ZX plane (G18)")
    uses.of_plane(machine, machine.plane)
    if machine.rpm() <= 0.0:
        raise BlockError("G76 with the spindle stopped")
    if missing := [letter for letter in "ZPIJK" if letter not in words]:
        raise BlockError(f"G76 needs {', '.join(missing)} (it is read as LinuxCNC's G76)")
    for letter, value, low, high in (
        ("P", words["P"], 0.0, inf),
        ("J", words["J"], 0.0, words["K"]),
        ("I", abs(words["I"]), 0.0, inf),
        ("R", words.get("R", 1.0), BELOW_ONE, inf),
        ("Q", words.get("Q", 0.0), BELOW_ZERO, STEEPEST_DEGREES),
    ):
        if not low < value <= high:
            raise BlockError(f"G76 cannot cut a thread with {letter}{words[letter]:g}")
    if "X" in words:
        raise BlockError("G76 with X is not supported: the crest of the thread is I from the tool")
    if words.get("L", 0.0) != 0.0:
        raise BlockError("G76: tapered thread ends (L, E) are not supported")


def depths(words: Words, across: float) -> list[float]:
    """Return the depth of each pass below the crest in mm. The chip gets thinner with depth."""
    first, full = words["J"] * across, words["K"] * across
    power = 1.0 / words.get("R", 1.0)
    deep: list[float] = []
    while (depth := first * (len(deep) + 1) ** power) < full - SAME_DEPTH_MM:
        if len(deep) == MOST_PASSES:
            raise BlockError(f"G76 takes more than {MOST_PASSES} passes: J is too small")
        deep.append(depth)
    return deep + [full] * (1 + whole(words, "H", MOST_SPRING_PASSES, 0))
