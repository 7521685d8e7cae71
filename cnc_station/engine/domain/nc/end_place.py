"""Find the position of the tool at the end of a program. It is unknown for an axis that the program
leaves to the machine: G28, G53, a tool change or length, a work offset other than G54, G92."""

import re
from collections.abc import Sequence
from functools import lru_cache

from cnc_station.engine.domain.nc.program import Kind, Moves

MOVING = frozenset({Kind.RAPID, Kind.FEED, Kind.ARC, Kind.HOME})
# After these codes, a position in the program is not what the controller shows at the end.
ELSEWHERE = frozenset({7, 10, 16, 51, 52, 55, 56, 57, 58, 59, 59.1, 59.2, 59.3, 68, 92, 92.3})
MACHINE = frozenset({28, 30, 53})
LENGTHS = frozenset({43, 43.1, 43.2})
CODE = re.compile(r"G(\d+(?:\.\d+)?)")
JUMP = re.compile(r"^O|M9[89]|#|\[")
AXES = "XYZ"
NONE: frozenset[float] = frozenset()

Known = tuple[float | None, float | None, float | None]


@lru_cache(maxsize=1_000)
def _codes(words: tuple[str, ...]) -> frozenset[float]:
    return frozenset(map(float, words))


def end_place(moves: Moves, lines: Sequence[str]) -> Known:
    """Return the end of the last move in work coordinates, in mm. None stands for an axis that the
    program leaves to the machine. `lines` are the cleaned lines of the program."""
    codes = [_codes(tuple(CODE.findall(line))) if "G" in line else NONE for line in lines]
    used = NONE.union(*set(codes))
    jumps = any(JUMP.search(line) for line in lines)
    relative, compensated = _modes(codes)
    if not len(moves) or used & ELSEWHERE or (jumps and any(relative)):
        return (None, None, None)
    beside = jumps and any(compensated)
    sure: list[bool | None] = [None, None, False if used & LENGTHS else None]
    for index in range(len(moves) - 1, -1, -1):  # the last word on an axis counts
        number = moves.line[index]
        kind, line = moves.kind[index], lines[number - 1] if number else ""
        named = [axis in line for axis in AXES]
        if kind == Kind.TOOL_CHANGE:  # the machine may move to its own tool change position
            fixed: list[bool | None] = [False, False, False]
        elif kind == Kind.HOME:
            fixed = [False if name or not any(named) else None for name in named]
        elif kind in MOVING and not relative[number - 1]:
            fixed = [name or None for name in named]
            if beside or compensated[number - 1]:
                fixed[:2] = [False, False]
        else:
            continue
        sure = [old if old is not None else new for old, new in zip(sure, fixed, strict=True)]
        if None not in sure:
            break
    x, y, z = (
        end if known else None for end, known in zip(moves.end(len(moves) - 1), sure, strict=True)
    )
    return (x, y, z)


def _modes(codes: Sequence[frozenset[float]]) -> tuple[list[bool], list[bool]]:
    """Return two lists with one value per line, in file order: whether coordinates are relative
    (G91), and whether cutter compensation is on. G28 in G91 does not count as relative."""
    relative, compensated = [], []
    away = radius = False
    for line in codes:
        if 91.0 in line:
            away = True
        elif 90.0 in line:
            away = False
        if line & {41.0, 42.0, 41.1, 42.1}:
            radius = True
        elif 40.0 in line:
            radius = False
        relative.append(away and not line & MACHINE)
        compensated.append(radius)
    return relative, compensated
