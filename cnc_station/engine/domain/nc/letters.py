"""The letters that the codes of a block use. Others are refused or get a warning."""

from cnc_station.engine.domain.nc import codes, increments
from cnc_station.engine.domain.nc.findings import BlockError
from cnc_station.engine.domain.nc.machine import Machine
from cnc_station.engine.domain.nc.words import Block, Words

WATCHED = frozenset("IJKLPQR")
ODD = frozenset("EUVW")
PECKS = frozenset("IJK")
# What the watched letters are for. Codes in neither table use none of them.
USED_BY_G: dict[int, str] = {
    **dict.fromkeys(codes.ARCS, "IJKPR"),
    **dict.fromkeys(codes.CYCLES, "KLPQR"),
    **dict.fromkeys(codes.SYNCHRONISED_MOTIONS, "IK"),
    **dict.fromkeys(codes.COMPENSATION, "LP"),
    **dict.fromkeys(codes.EXTENDED_SYSTEMS, "P"),
    **dict.fromkeys((codes.NEUTRAL, codes.FINE_BORE), "IJKLPQR"),
    **dict.fromkeys((*codes.PASSES, *codes.REPETITIVE), "IKPQR"),
    codes.THREADING: "IJKLPQR",
    codes.DWELL: "P",
    codes.SET_DATA: "IJLPQR",
    51: "PQR",
    300: "P",
    610: "P",
    611: "P",
    640: "PQ",
    1030: "P",
    1870: "PQ",
}
USED_BY_M: dict[int, str] = {
    19: "PQR",
    codes.CALL_LINES: "LP",
    codes.CALL: "LPQ",
    codes.RETURN: "P",
    codes.TOOL_IS: "Q",
    **dict.fromkeys((50, 51, 52, 53), "P"),
    **dict.fromkeys((62, 63, 64, 65), "P"),
    **dict.fromkeys((66, 67, 68), "LPQ"),
    **dict.fromkeys(codes.M_USER, "IJKLPQR"),
}


def check(machine: Machine, block: Block, line: str) -> None:
    """Refuse unknown letters, warn about unused ones, convert U and W of a lathe, and numbers
    without a decimal point."""
    words = block.words
    increments.convert(machine, block, line)
    for letter in ODD.intersection(words):
        take_odd(machine, block, letter)
    idle = WATCHED.intersection(words).difference(USED_BY_G.get(machine.motion, ""))
    if machine.dialect.shrinking_pecks and machine.motion in codes.CYCLES:
        idle -= PECKS
    if not idle:
        return
    used = [USED_BY_G.get(code, "") for code in block.g]
    used += [USED_BY_M.get(code, "") for code in block.m]
    for letter in sorted(idle.difference(*used)):
        machine.findings.warning(machine.line, f"{letter} means nothing in this block")


def take_odd(machine: Machine, block: Block, letter: str) -> None:
    """Handle U in a dwell, U and W on a lathe, E for a thread or an output; refuse all others."""
    if letter == "U" and codes.DWELL in block.g:
        return
    if letter in "UW" and not codes.PROFILED.isdisjoint(block.g):
        return  # allowances
    if letter in "UW" and machine.lathe:
        fold_increment(machine, block.words, "X" if letter == "U" else "Z", block.words.pop(letter))
    elif letter != "E":
        raise BlockError(f"axis {letter} is not supported")
    elif machine.motion != codes.THREADING and codes.ANALOG_OUTPUTS.isdisjoint(block.m):
        raise BlockError("E is not a known word")


def fold_increment(machine: Machine, words: Words, letter: str, step: float) -> None:
    """Convert U and W of a lathe, which are increments from the tool position, to X and Z."""
    if letter in words:
        raise BlockError(f"{letter} and its increment cannot be in one block")
    machine.counts_by_letter = True
    if machine.absolute:
        axis = "XYZ".index(letter)
        step += (machine.position[axis] - machine.offset[axis]) / machine.scales[axis]
    words[letter] = step
