"""Straight lines, arcs and synchronised moves."""

from math import hypot

from cnc_station.engine.domain.nc import codes, predefined, uses
from cnc_station.engine.domain.nc.arcs import (
    TOLERANCE_IN_INCHES_MM,
    TOLERANCE_MM,
    Arc,
    arc_around,
    centre_from_radius,
    closes,
)
from cnc_station.engine.domain.nc.findings import BlockError
from cnc_station.engine.domain.nc.machine import FeedMode, Machine, distance
from cnc_station.engine.domain.nc.preconditions import Mode
from cnc_station.engine.domain.nc.program import Kind, Point, Units
from cnc_station.engine.domain.nc.words import Words, whole

MOST_TURNS = 1000
CENTRE_LETTERS = "IJK"
SMALLEST_RADIUS_MM = 1e-3


def straight_rapid(machine: Machine, words: Words) -> None:
    """G0."""
    end = machine.target(words)
    machine.rapid(end, machine.turn_rotary(words))


def straight_feed(machine: Machine, words: Words) -> None:
    """G1. A probing move is read as G1 to its end."""
    if machine.feed_mode is FeedMode.INVERSE_TIME and "F" not in words:
        raise BlockError("with inverse time feed (G93) every cutting block needs its own F")
    end = machine.target(words)
    degrees = machine.turn_rotary(words)
    machine.cut(end, distance(machine.position, end), degrees=degrees)


def probe(machine: Machine, words: Words) -> None:
    """G38.x and G31 stop where the probe touches, which is not known in advance."""
    machine.findings.doubt(machine.line, "probing move: read as if it went all the way")
    straight_feed(machine, words)
    machine.probed = tuple(predefined.coordinate(machine, axis) for axis in range(9))


def arc(machine: Machine, words: Words) -> None:
    """G2 and G3."""
    if machine.feed_mode is FeedMode.INVERSE_TIME and "F" not in words:
        raise BlockError("with inverse time feed (G93) every cutting block needs its own F")
    start, plane = machine.position, machine.plane
    if plane is not machine.plane_noted:
        uses.of_plane(machine, plane)
    end = machine.target(words)
    machine.turn_rotary(words)
    shape = arc_shape(machine, words, start, end)
    for u, v in shape.extremes():
        machine.stretch(plane.value[0], u)
        machine.stretch(plane.value[1], v)
    normal = plane.value[2]
    machine.moves.arcs[len(machine.moves)] = shape
    machine.cut(end, shape.length(end[normal] - start[normal]), Kind.ARC)


def arc_shape(machine: Machine, words: Words, start: Point, end: Point) -> Arc:
    """Return the arc that a block describes by its centre or by R."""
    plane, clockwise = machine.plane, machine.motion == codes.ARC_CW
    u, v, normal = plane.value
    start_uv, end_uv = (start[u], start[v]), (end[u], end[v])
    turns = whole(words, "P", MOST_TURNS, 1) or 1
    if words.get(CENTRE_LETTERS[normal], 0.0) != 0.0:
        letter = CENTRE_LETTERS[normal]
        raise BlockError(f"{letter} cannot define the centre of an arc in the {plane.name} plane")
    letters = [CENTRE_LETTERS[u], CENTRE_LETTERS[v]]
    placed = [letter for letter in letters if letter in words]
    if "R" in words:
        if any(words[letter] != 0.0 for letter in placed):
            raise BlockError(f"an arc is given by R or by {placed[0]}, not by both")
        radius = words["R"] * machine.scale
        centre = centre_from_radius(start_uv, end_uv, radius, clockwise=clockwise)
    elif not placed:
        raise BlockError("the arc has neither a centre (I, J, K) nor a radius (R)")
    else:
        if machine.modes.is_open(Mode.ARC_CENTRES):
            machine.modes.use(machine.line, Mode.ARC_CENTRES)
        centre = programmed_centre(machine, words, start, absolute=machine.arc_absolute)
    tolerance = arc_tolerance(machine)
    try:
        return arc_around(
            plane, start_uv, end_uv, centre, clockwise=clockwise, turns=turns, tolerance=tolerance
        )
    except BlockError as error:
        hint = "" if "R" in words else other_centres(machine, words, start, end)
        raise BlockError(f"{error}{hint}") from None


def arc_tolerance(machine: Machine) -> float:
    """Return how much the two radii of an arc may differ, in mm."""
    if machine.limits.arc_tolerance_mm is not None:
        return machine.limits.arc_tolerance_mm
    return TOLERANCE_IN_INCHES_MM if machine.units is Units.INCH else TOLERANCE_MM


def other_centres(machine: Machine, words: Words, start: Point, end: Point) -> str:
    """Return the remedy for an arc that closes with its centre read the other way."""
    u, v, _ = machine.plane.value
    absolute = not machine.arc_absolute
    try:
        centre = programmed_centre(machine, words, start, absolute=absolute)
    except BlockError:
        return ""
    radii = [hypot(point[u] - centre[0], point[v] - centre[1]) for point in (start, end)]
    if min(radii) < SMALLEST_RADIUS_MM or not closes(radii[0], radii[1], arc_tolerance(machine)):
        return ""
    letters = f"{CENTRE_LETTERS[u]} and {CENTRE_LETTERS[v]}"
    if absolute:
        return f"; {letters} fit as an absolute centre: state G90.1, or post incremental centres"
    return f"; {letters} fit as a centre from the start of the arc: state G91.1"


def programmed_centre(
    machine: Machine, words: Words, start: Point, *, absolute: bool
) -> tuple[float, float]:
    """Return the centre from I, J, K: relative to the start, or with G90.1 in work coordinates."""
    centre = []
    for axis in machine.plane.value[:2]:
        letter = CENTRE_LETTERS[axis]
        if not absolute:
            centre.append(start[axis] + words.get(letter, 0.0) * machine.scale)
        elif letter in words:
            centre.append(machine.offset[axis] + words[letter] * machine.scale)
        else:
            raise BlockError(f"with G90.1 the arc's centre needs {letter} too")
    return (centre[0], centre[1])


def synchronised(machine: Machine, words: Words) -> None:
    """G33: K mm per revolution. G33.1 also returns. Fanuc's G32 uses F in place of K."""
    name = machine.dialect.spelled(machine.motion)
    if machine.motion == codes.SINGLE_THREAD:
        lead, letter = machine.feed or 0.0, "F"
    else:
        lead, letter = words.get("K", 0.0) * machine.scale, "K"
    if lead <= 0.0:
        raise BlockError(f"{name} needs a lead {letter} above zero")
    if machine.rpm() <= 0.0:
        raise BlockError(f"{name} with the spindle stopped")
    start, end = machine.position, machine.target(words)
    cut_at_lead(machine, end, lead)
    if machine.motion == codes.RIGID_TAP:
        cut_at_lead(machine, start, lead)


def cut_at_lead(machine: Machine, end: Point, lead: float) -> None:
    """Record a straight cut with a lead of `lead` mm per revolution."""
    length = distance(machine.position, end)
    rpm = machine.rpm(end)
    machine.feed_mm += length
    machine.add(Kind.FEED, end, lead * rpm, rpm, length * 60.0 / (lead * rpm))
