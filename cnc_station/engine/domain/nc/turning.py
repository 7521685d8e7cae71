"""The turning cycles of one block: straight passes (G90, G94 of system A), threads (G92), pecked
faces and grooves (G74, G75), and the thread in many passes (G76) of Fanuc and Haas lathes."""

from math import ceil

from cnc_station.engine.domain.nc import codes
from cnc_station.engine.domain.nc.cycles import PECK_CLEARANCE_MM
from cnc_station.engine.domain.nc.findings import BlockError
from cnc_station.engine.domain.nc.machine import Cycle, Machine, distance
from cnc_station.engine.domain.nc.motion import cut_at_lead
from cnc_station.engine.domain.nc.program import Point
from cnc_station.engine.domain.nc.words import Words

X, Z = 0, 2
MOST_STEPS = 10_000
MOST_PASSES = 1_000
MOST_FINISHING = 99
CLOSE_MM = 1e-9
KEPT = "XZRIK"
ENDS = frozenset("XZ")


def one_pass(machine: Machine, words: Words) -> None:
    """Make one pass and return to its start. X, Z and the taper hold until the cycle ends."""
    cycle = machine.cycle
    if cycle is None:
        machine.cycle = cycle = Cycle(machine.motion, 0.0)
    cycle.words.update((letter, words[letter]) for letter in KEPT if letter in words)
    start = machine.position
    end = machine.target({letter: cycle.words[letter] for letter in ENDS & cycle.words.keys()})
    machine.turn_rotary(words)
    taper = next((cycle.words[letter] for letter in "RIK" if letter in cycle.words), 0.0)
    taper *= machine.scale
    if machine.motion == codes.FACE_CYCLE:
        machine.rapid((start[X], start[1], end[Z] + taper))
        cut_to(machine, end)
        cut_to(machine, (end[X], end[1], start[Z]))
    elif machine.motion == codes.TURN_CYCLE:
        machine.rapid((end[X] + taper, end[1], start[Z]))
        cut_to(machine, end)
        cut_to(machine, (start[X], end[1], end[Z]))
    else:
        lead = lead_of(machine)
        machine.rapid((end[X] + taper, end[1], start[Z]))
        cut_at_lead(machine, end, lead)
        machine.rapid((start[X], end[1], end[Z]))
    machine.rapid(start)
    machine.check_room()


def act(machine: Machine, code: int, words: Words) -> None:
    """Execute G74, G75 or G76. A block without a position sets what the next one works with."""
    if ENDS.isdisjoint(words):
        machine.settings[code] = dict(words)
    elif code == codes.MULTI_THREAD:
        thread(machine, words, machine.settings.get(code, {}))
    elif code == codes.PECK_FACE:
        peck(machine, words, (Z, X), step(words, "QK"), step(words, "PI"))
    else:
        peck(machine, words, (X, Z), step(words, "PI"), step(words, "QK"))


def step(words: Words, letters: str) -> float:
    """Return the first of these words that the block has; 0 without any."""
    return next((words[letter] for letter in letters if letter in words), 0.0)


def peck(
    machine: Machine, words: Words, axes: tuple[int, int], deep_step: float, side_step: float
) -> None:
    """Cut in pecks along the first axis, again and again along the second, and return."""
    deep, side = axes
    start, end = machine.position, machine.target(words)
    code = codes.PECK_FACE if deep == Z else codes.PECK_GROOVE
    back = machine.settings.get(code, {}).get("R", PECK_CLEARANCE_MM / machine.scale)
    pecks = steps(machine, start[deep], end[deep], deep_step)
    for place in [start[side], *steps(machine, start[side], end[side], side_step)]:
        if place != machine.position[side]:
            machine.rapid(moved(machine.position, side, place))
        for number, depth in enumerate(pecks):
            cut_to(machine, moved(machine.position, deep, depth))
            if number < len(pecks) - 1:
                away = min(abs(back) * machine.scale, abs(depth - start[deep]))
                lifted = depth + (away if start[deep] > depth else -away)
                machine.rapid(moved(machine.position, deep, lifted))
        machine.rapid(moved(machine.position, deep, start[deep]))
        machine.check_room()
    if machine.position != start:
        machine.rapid(start)


def steps(machine: Machine, start: float, end: float, step: float) -> list[float]:
    """Return the places to the end, one step apart. The last step may be shorter."""
    way = abs(end - start)
    size = abs(step) * machine.scale or way
    if way < CLOSE_MM:
        return []
    if way / size > MOST_STEPS:
        raise BlockError(f"a cycle of more than {MOST_STEPS} steps: the step is too small")
    count = max(ceil(way / size - 1e-9), 1)
    sign = 1.0 if end > start else -1.0
    return [*(start + sign * size * number for number in range(1, count)), end]


def thread(machine: Machine, words: Words, before: Words) -> None:
    """Cut a thread down to X in passes of equal chip area, then the finishing passes."""
    start, end = machine.position, machine.target({k: words[k] for k in ENDS & words.keys()})
    lead, scale = lead_of(machine), machine.scale
    taper = words.get("R", words.get("I", 0.0)) * scale
    outward = 1.0 if start[X] >= end[X] else -1.0
    if "K" in words:  # one block: K is the height, D the first cut
        height, first, least, allowance, finishing = words["K"], words.get("D", 0.0), 0.0, 0.0, 1
    else:
        height, first = words.get("P", 0.0), words.get("Q", 0.0)
        least, allowance = before.get("Q", 0.0), before.get("R", 0.0)
        finishing = min(int(before.get("P", 0.0)) // 10_000, MOST_FINISHING)
    for depth in depths(abs(height), abs(first), abs(least), abs(allowance), finishing):
        root = end[X] + outward * (abs(height) - depth) * scale
        machine.rapid((root + taper, start[1], start[Z]))
        cut_at_lead(machine, (root, start[1], end[Z]), lead)
        machine.rapid((start[X], start[1], end[Z]))
        machine.rapid(start)
        machine.check_room()


def depths(
    height: float, first: float, least: float, allowance: float, finishing: int
) -> list[float]:
    """Return the depth of each pass: the first times the root of its number, until the allowance
    is left, each at least `least` deeper; then the finishing passes."""
    if height <= 0.0 or first <= 0.0:
        raise BlockError("G76 needs the height of the thread and the depth of the first cut")
    rough = height - min(allowance, height)
    deep: list[float] = []
    depth = min(first, rough)
    while depth < rough - CLOSE_MM:
        if len(deep) == MOST_PASSES:
            raise BlockError(
                f"G76 takes more than {MOST_PASSES} passes: the first cut is too small"
            )
        deep.append(depth)
        depth = max(first * (len(deep) + 1) ** 0.5, depth + least)
    if allowance > 0.0 and rough > 0.0:
        deep.append(rough)
    return deep + [height] * max(finishing, 1)


def lead_of(machine: Machine) -> float:
    """Return the lead of a thread in mm: F, whatever the feed mode. Refuse a still spindle."""
    name = machine.dialect.spelled(codes.MULTI_THREAD)
    if machine.motion == codes.THREAD_CYCLE:
        name = machine.dialect.spelled(machine.motion)
    if not machine.feed or machine.feed <= 0.0:
        raise BlockError(f"{name} needs a lead F above zero")
    if machine.rpm() <= 0.0 and not machine.turns_by_own_code():
        raise BlockError(f"{name} with the spindle stopped")
    return machine.feed


def cut_to(machine: Machine, end: Point) -> None:
    """Cut a straight line."""
    machine.cut(end, distance(machine.position, end))


def moved(point: Point, axis: int, place: float) -> Point:
    """Return the point with one axis moved."""
    found = list(point)
    found[axis] = place
    return (found[0], found[1], found[2])
