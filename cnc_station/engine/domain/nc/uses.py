"""Record which modes a block depends on (see `ModeRecord`)."""

from cnc_station.engine.domain.nc import codes
from cnc_station.engine.domain.nc.arcs import Plane
from cnc_station.engine.domain.nc.machine import FeedMode, Machine
from cnc_station.engine.domain.nc.preconditions import Mode
from cnc_station.engine.domain.nc.words import Words, whole

LINEAR = frozenset("XYZ")
CENTRES = frozenset("IJK")
LENGTHS = LINEAR | CENTRES | frozenset("R")
PLANE_CODES = {Plane.XY: "G17", Plane.ZX: "G18", Plane.YZ: "G19"}


def of_move(machine: Machine, words: Words) -> None:
    """Record a move in work coordinates. Only absolute positions depend on the zero and, along the
    tool axes, on the tool length. T1 M6, G0 X Y, G43 Z therefore assumes nothing."""
    use, line = machine.modes.use, machine.line
    use(
        line,
        Mode.CUTTER_COMPENSATION,
        Mode.SCALING,
        Mode.ROTATION,
        Mode.PATH,
        Mode.DISTANCE,
    )
    of_lengths(machine, words)
    placed = machine.absolute and not LINEAR.isdisjoint(words)
    centred = machine.arc_absolute and not CENTRES.isdisjoint(words)
    if placed or centred:
        use(line, Mode.WORK_OFFSET)
    if placed and (machine.lathe or "Z" in words):
        use(line, Mode.TOOL_LENGTH)


def of_lengths(machine: Machine, words: Words) -> None:
    """Record lengths along axes: mm or inch, and on a lathe radius or diameter."""
    if not LENGTHS.isdisjoint(words):
        machine.modes.use(machine.line, Mode.UNITS)
    if "X" in words:
        machine.modes.use(machine.line, Mode.DIAMETER)


def of_plane(machine: Machine, plane: Plane) -> None:
    """Record an arc, a cycle or a compensation in a plane. Without a stated plane, arcs of a lathe
    are read in ZX and its drilling along Z. No single code can make both true."""
    machine.plane_noted = plane
    if machine.plane_stated or machine.plane_warned:
        return
    if not machine.modes.use_plane(machine.line, PLANE_CODES[plane]):
        machine.plane_warned = True
        machine.findings.warning(
            machine.line,
            f"does not say its plane: read as {PLANE_CODES[plane]} here and as another before, so"
            " state G17 or G18 before arcs and cycles",
        )


def of_feed(machine: Machine) -> None:
    """Record an F word."""
    modes = machine.modes
    if modes.is_open(Mode.FEED):
        modes.use(machine.line, Mode.FEED)
    if modes.is_open(Mode.UNITS) and machine.feed_mode is not FeedMode.INVERSE_TIME:
        modes.use(machine.line, Mode.UNITS)


def of_speed(machine: Machine) -> None:
    """Record an S word, or M3 and M4. A surface speed is in metres or in feet."""
    machine.modes.use(machine.line, Mode.SPINDLE)
    if machine.constant_surface:
        machine.modes.use(machine.line, Mode.UNITS)


def of_action(machine: Machine, code: int, words: Words) -> None:
    """Record a G code that applies to its block only. G53 does not depend on the work offset."""
    use, line = machine.modes.use, machine.line
    if code == codes.SET_DATA:
        of_offset_data(machine, words)
    elif code == codes.MACHINE_COORDINATES:
        use(line, Mode.DISTANCE, Mode.CUTTER_COMPENSATION)
        of_lengths(machine, words)
    elif code in codes.HOMES and LINEAR.isdisjoint(words):
        use(line, Mode.CUTTER_COMPENSATION)
    elif code in codes.HOMES:
        of_move(machine, words)
    elif code in {codes.SHIFT, codes.LOCAL_SHIFT} and not LINEAR.isdisjoint(words):
        of_lengths(machine, words)
        if code == codes.SHIFT:
            use(line, Mode.WORK_OFFSET, Mode.TOOL_LENGTH)


def of_offset_data(machine: Machine, words: Words) -> None:
    """Record G10 L2 and L20. In G91, Fanuc adds the words of L2 to the old offset."""
    if words.get("L") not in {2.0, 20.0} or LINEAR.isdisjoint(words):
        return
    of_lengths(machine, words)
    use, line = machine.modes.use, machine.line
    use(line, Mode.DISTANCE if words["L"] == 2.0 else Mode.TOOL_LENGTH)
    if not whole(words, "P", 9, 0):
        use(line, Mode.WORK_OFFSET)
