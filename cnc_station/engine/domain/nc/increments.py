"""Numbers without a decimal point that a dialect counts in milliseconds or in its smallest
increment."""

import re

from cnc_station.engine.domain.nc import codes
from cnc_station.engine.domain.nc.dialect import Dwell
from cnc_station.engine.domain.nc.machine import Machine
from cnc_station.engine.domain.nc.program import Units
from cnc_station.engine.domain.nc.words import Block

INCREMENT_MM, INCREMENT_INCH, MILLISECOND = 0.001, 0.0001, 0.001
WITH_POINT = {letter: re.compile(rf"{letter}[-+]?[0-9]*\.") for letter in "DPQ"}
ENDS = frozenset("XZUW")
ROUGHING = codes.PROFILED - {codes.FINISH}
STEPPED = frozenset({codes.PECK_FACE, codes.PECK_GROOVE})
# Codes that may stand beside a cycle in force, and have a P of their own.
OTHER_P = frozenset({codes.SET_DATA, 1030, 1870}) | codes.EXTENDED_SYSTEMS | codes.REPETITIVE
CALLS = frozenset({codes.CALL, codes.RETURN, 97})


def convert(machine: Machine, block: Block, line: str) -> None:
    """Convert P to seconds, and P, Q and D to lengths, where they have no decimal point. A variable
    has none: the control rounds it to whole increments."""
    dialect, words = machine.dialect, block.words
    if dialect.dwell is Dwell.MILLISECONDS and "P" in words and is_time(machine, block):
        scale_without_point(block, line, "P", MILLISECOND)
    if dialect.increments:
        inch = machine.units is Units.INCH
        for letter in lengths(machine, block):
            scale_without_point(block, line, letter, INCREMENT_INCH if inch else INCREMENT_MM)


def scale_without_point(block: Block, line: str, letter: str, factor: float) -> None:
    """Multiply a word that is written without a decimal point."""
    if letter in block.words and not WITH_POINT[letter].search(line):
        block.words[letter] *= factor


def is_time(machine: Machine, block: Block) -> bool:
    """Return whether P is the time of a dwell."""
    if codes.DWELL in block.g:
        return True
    in_cycle = machine.motion in codes.CYCLES
    return in_cycle and OTHER_P.isdisjoint(block.g) and CALLS.isdisjoint(block.m)


def lengths(machine: Machine, block: Block) -> str:
    """Return the letters that are lengths of a cycle."""
    if not STEPPED.isdisjoint(block.g):
        return "PQ"
    if codes.MULTI_THREAD in block.g:
        return "Q" if ENDS.isdisjoint(block.words) else "DPQ"
    if not ROUGHING.isdisjoint(block.g):
        return "D"
    return "Q" if machine.motion in codes.CYCLES and codes.FINISH not in block.g else ""
