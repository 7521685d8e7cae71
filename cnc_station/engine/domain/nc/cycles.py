"""Expand drilling cycles into the moves that the control makes."""

from math import ceil

from cnc_station.engine.domain.nc import codes, uses
from cnc_station.engine.domain.nc.arcs import Plane
from cnc_station.engine.domain.nc.dialect import Family
from cnc_station.engine.domain.nc.findings import BlockError
from cnc_station.engine.domain.nc.machine import Cycle, Machine
from cnc_station.engine.domain.nc.preconditions import Mode
from cnc_station.engine.domain.nc.program import Kind, Point
from cnc_station.engine.domain.nc.words import Words, whole

MOST_PECKS = 10_000
MOST_REPEATS = 10_000
PECK_CLEARANCE_MM = 0.254
SMALLEST_PECK_MM = 0.01
PECKED = frozenset({730, 830})
PECKED_WITH_Q = frozenset({codes.FACE_DRILL, codes.SIDE_DRILL})
FED_OUT = frozenset({740, 840, 850, codes.SIDE_TAP, codes.SIDE_BORE})
KEPT = "RQPIJK"
LETTERS = "XYZ"


def drill(machine: Machine, words: Words) -> None:
    """Run one block of a drilling cycle: one hole, or as many as L or K states."""
    plane = drilling_plane(machine)
    if machine.modes.is_open(Mode.RETRACT):
        machine.modes.use(machine.line, Mode.RETRACT)
    normal = plane.value[2]
    cycle = machine.cycle
    if cycle is None:
        machine.cycle = cycle = Cycle(machine.motion, machine.position[normal])
    cycle.code = machine.motion
    depth_letter = LETTERS[normal]
    cycle.words.update(
        (letter, words[letter]) for letter in (depth_letter, *KEPT) if letter in words
    )
    top, bottom = levels(machine, cycle, depth_letter, normal)
    check(machine, cycle, top, bottom)
    machine.stretch(normal, bottom)
    machine.stretch(normal, top)
    clear = max(cycle.level, top) if machine.retract_to_level else top
    if machine.position[normal] < top:
        machine.rapid(at_level(machine, normal, top))
    across = {letter: value for letter, value in words.items() if letter != depth_letter}
    repeats = whole(words, "L", MOST_REPEATS, 1)
    if "K" in words and not shrinks(machine, cycle):
        repeats = whole(words, "K", MOST_REPEATS, 1)
    steps = pecks(machine, cycle, top - bottom) if pecked(cycle) else []
    for _ in range(repeats):
        machine.rapid(machine.target(across))
        if machine.position[normal] != top:
            machine.rapid(at_level(machine, normal, top))
        if pecked(cycle):
            peck(machine, cycle, normal, top, bottom, steps)
        else:
            bore(machine, cycle, normal, bottom)
        retract(machine, cycle, normal, top, clear)
        machine.check_room()


def drilling_plane(machine: Machine) -> Plane:
    """Return the plane whose normal is the drilling axis. On a lathe it is Z, or X for the side
    cycles, whatever plane is stated."""
    if machine.dialect.family is Family.LATHE:
        return Plane.YZ if machine.motion in codes.SIDE_CYCLES else Plane.XY
    plane = machine.plane if machine.plane_stated else Plane.XY
    if plane is not machine.plane_noted:
        uses.of_plane(machine, plane)
    return plane


def pecked(cycle: Cycle) -> bool:
    """Return whether a cycle pecks. On a lathe this depends on Q."""
    return cycle.code in PECKED or (cycle.code in PECKED_WITH_Q and "Q" in cycle.words)


def shrinks(machine: Machine, cycle: Cycle) -> bool:
    """Return whether I, J and K give the pecks."""
    return machine.dialect.shrinking_pecks and "I" in cycle.words and cycle.code in PECKED


def levels(machine: Machine, cycle: Cycle, depth_letter: str, normal: int) -> tuple[float, float]:
    """Return the levels, in mm, where the feed starts (R) and where the hole ends."""
    name = machine.dialect.spelled(cycle.code)
    from_start = machine.dialect.family is Family.LATHE and "R" not in cycle.words
    for letter in (depth_letter, "R"):
        if letter not in cycle.words and not (letter == "R" and from_start):
            raise BlockError(f"{name} needs {letter}")
    scale = machine.scales[normal]
    here, depth = cycle.words.get("R", 0.0) * scale, cycle.words[depth_letter] * scale
    if from_start or (machine.dialect.level_from_start and here < 0):
        top = cycle.level + cycle.words.get("R", 0.0) * machine.scale
        bottom = depth + (machine.offset[normal] if machine.absolute else top)
    elif machine.absolute:
        top, bottom = machine.offset[normal] + here, machine.offset[normal] + depth
    else:
        top = cycle.level + here
        bottom = top + depth
    if top < bottom:
        raise BlockError(f"{name}: R is below the bottom of the hole")
    return top, bottom


def check(machine: Machine, cycle: Cycle, top: float, bottom: float) -> None:
    """Refuse pecks without a peck depth. Warn about a missing dwell."""
    name = machine.dialect.spelled(cycle.code)
    if pecked(cycle) and not shrinks(machine, cycle):
        peck = cycle.words.get("Q", 0.0) * machine.scale
        if peck <= 0.0:
            raise BlockError(f"{name} needs a peck depth Q above zero")
        if (top - bottom) / peck > MOST_PECKS:
            raise BlockError(
                f"{name}: Q is so small that one hole takes more than {MOST_PECKS} pecks"
            )
    elif cycle.code in {820, 890} and "P" not in cycle.words:
        machine.findings.warning(machine.line, f"{name} without a dwell P: read as no dwell")


def at_level(machine: Machine, normal: int, level: float) -> Point:
    """Return the point at this level above or below the tool."""
    point = list(machine.position)
    point[normal] = level
    return (point[0], point[1], point[2])


def feed_to(machine: Machine, normal: int, level: float) -> None:
    """Cut along the drilling axis."""
    machine.cut(at_level(machine, normal, level), abs(level - machine.position[normal]))


def bore(machine: Machine, cycle: Cycle, normal: int, bottom: float) -> None:
    """Drill in one feed move, with a dwell at the bottom if one is given (not for G81 and G85)."""
    feed_to(machine, normal, bottom)
    seconds = cycle.words.get("P", 0.0)
    if seconds > 0 and cycle.code not in {810, 850}:
        machine.wait(Kind.DWELL, seconds)


def pecks(machine: Machine, cycle: Cycle, depth: float) -> list[float]:
    """Return how deep each peck but the last one ends below R."""
    if not shrinks(machine, cycle):
        step = cycle.words["Q"] * machine.scale
        return [number * step for number in range(1, max(ceil(depth / step - 1e-9), 1))]
    step, less, least = (cycle.words.get(letter, 0.0) * machine.scale for letter in "IJK")
    if step <= 0.0 or less < 0.0:
        name = machine.dialect.spelled(cycle.code)
        raise BlockError(f"{name} needs a first peck I above zero, and J not below zero")
    reached = step
    deep: list[float] = []
    while reached < depth - 1e-9 and len(deep) < MOST_PECKS:
        deep.append(reached)
        step = max(step - less, least, SMALLEST_PECK_MM)
        reached += step
    return deep


def peck(
    machine: Machine, cycle: Cycle, normal: int, top: float, bottom: float, steps: list[float]
) -> None:
    """Drill in pecks. G73 only breaks the chip; others retract out of the hole after each peck."""
    for step in steps:
        reached = top - step
        feed_to(machine, normal, reached)
        if cycle.code != 730:
            machine.rapid(at_level(machine, normal, top))
        machine.rapid(at_level(machine, normal, min(reached + PECK_CLEARANCE_MM, top)))
    feed_to(machine, normal, bottom)


def retract(machine: Machine, cycle: Cycle, normal: int, top: float, clear: float) -> None:
    """Retract: taps and reamers at feed up to R, G89 at feed all the way, others in rapid."""
    if cycle.code in FED_OUT:
        feed_to(machine, normal, top)
    if cycle.code == 890:
        feed_to(machine, normal, clear)
    elif machine.position[normal] != clear:
        machine.rapid(at_level(machine, normal, clear))
