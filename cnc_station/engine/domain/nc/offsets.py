"""Position of the zero: G10, G52, G92, G53, and the moves home (G28, G30)."""

from cnc_station.engine.domain.nc import codes, uses
from cnc_station.engine.domain.nc.dialect import Certainty, Dwell
from cnc_station.engine.domain.nc.findings import BlockError
from cnc_station.engine.domain.nc.machine import Machine
from cnc_station.engine.domain.nc.program import Kind, Point
from cnc_station.engine.domain.nc.words import Block, Words, whole

LONGEST_PLAUSIBLE_DWELL_S = 60.0
NO_OFFSET = (0.0, 0.0, 0.0)


def act(machine: Machine, code: int, block: Block) -> None:
    """Execute a G code that applies to its block only."""
    words = block.words
    uses.of_action(machine, code, words)
    if code == codes.DWELL:
        dwell(machine, words)
    elif code == codes.SET_DATA:
        set_data(machine, words)
    elif code in codes.HOMES:
        go_home(machine, code, words)
    elif code in codes.STORE_HOME:
        machine.homes[codes.STORE_HOME[code]] = machine.position
    elif code == codes.MACHINE_COORDINATES:
        machine_coordinates(machine, words)
    else:
        shift_zero(machine, code, words)


def dwell(machine: Machine, words: Words) -> None:
    """G4: P in seconds (see `increments` for P in ms), or Fanuc's X and U in seconds."""
    seconds = next((words.pop(letter) for letter in "PXU" if letter in words), None)
    if seconds is None or seconds < 0:
        raise BlockError("G4 needs a time: P in seconds")
    if seconds >= LONGEST_PLAUSIBLE_DWELL_S and machine.dialect.dwell is Dwell.SECONDS:
        chosen = machine.reading.certainty is Certainty.CHOSEN
        remark = machine.findings.warning if chosen else machine.findings.doubt
        remark(machine.line, f"dwell of {seconds:g} s: P is read as seconds, not milliseconds")
    machine.wait(Kind.DWELL, seconds)


def set_data(machine: Machine, words: Words) -> None:
    """G10 L2 and L20 move a coordinate system. Tool data (other L) changes nothing here."""
    if words.get("L") not in {2.0, 20.0}:
        return
    number = whole(words, "P", 9, 0)
    system = number - 1 if number else machine.system
    if "R" in words:
        machine.findings.warning(
            machine.line, "G10 with R: the rotation of the coordinate system is ignored"
        )
    old = machine.systems.get(system, NO_OFFSET)
    if words["L"] == 2.0:
        new = picked(machine, words, old, NO_OFFSET, 1.0)
    else:
        here = minus(machine.position, machine.shift)
        new = picked(machine, words, old, here, -1.0)
    machine.systems[system] = new
    machine.refresh()


def shift_zero(machine: Machine, code: int, words: Words) -> None:
    """G52 shifts the zero by its values. G92 gives this point the coordinates of its values. Both
    set the same shift, as in LinuxCNC."""
    if code == codes.SUSPEND_SHIFT:
        machine.shift = NO_OFFSET
    elif code == codes.RESTORE_SHIFT:
        machine.shift = machine.last_shift
    else:
        if code == codes.FORGET_SHIFT:
            machine.shift = NO_OFFSET
        elif code == codes.LOCAL_SHIFT:
            machine.shift = picked(machine, words, machine.shift, NO_OFFSET, 1.0)
        else:
            unshifted = minus(machine.position, minus(machine.offset, machine.shift))
            machine.shift = picked(machine, words, machine.shift, unshifted, -1.0)
        machine.shifted_by = code
        machine.last_shift = machine.shift
    machine.refresh()


def picked(machine: Machine, words: Words, old: Point, base: Point, sign: float) -> Point:
    """Return `old`, with base + sign * word on the axes that the block names."""
    new = [
        base[i] + sign * words[letter] * machine.scales[i] if letter in words else old[i]
        for i, letter in enumerate("XYZ")
    ]
    return (new[0], new[1], new[2])


def machine_coordinates(machine: Machine, words: Words) -> None:
    """G53: a straight move in machine coordinates."""
    rapid = machine.dialect.rapid_g53 or machine.motion == codes.RAPID
    if not rapid and machine.motion != codes.FEED:
        raise BlockError("G53 needs G0 or G1")
    if not machine.absolute:
        machine.findings.warning(
            machine.line, "G53 with G91: read as absolute; LinuxCNC refuses it"
        )
    end = picked(machine, words, machine.position, machine.limits.home_mm, 1.0)
    if rapid:
        machine.rapid(end, kind=Kind.HOME)
    else:
        machine.cut(
            end, sum((b - a) ** 2 for a, b in zip(machine.position, end, strict=True)) ** 0.5
        )


def go_home(machine: Machine, code: int, words: Words) -> None:
    """G28, G30: go home through the given point, on the given axes or on all if none is given."""
    home = machine.homes.get(code, machine.limits.home_mm)
    if words.keys().isdisjoint("XYZ"):
        machine.rapid(home, kind=Kind.HOME)
        return
    via = machine.target(words)
    if via != machine.position:
        machine.rapid(via)
    end = [home[i] if letter in words else via[i] for i, letter in enumerate("XYZ")]
    machine.rapid((end[0], end[1], end[2]), kind=Kind.HOME)


def minus(a: Point, b: Point) -> Point:
    """a - b, axis by axis."""
    return (a[0] - b[0], a[1] - b[1], a[2] - b[2])
