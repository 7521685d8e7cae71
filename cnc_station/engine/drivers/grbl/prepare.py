"""Prepare a program for sending: remove comments and blanks, and refuse what the controller
would."""

from dataclasses import dataclass, field

from cnc_station.engine.domain.nc import Program, codes, source, words
from cnc_station.engine.domain.nc.dialect import spelled
from cnc_station.engine.domain.nc.end_place import Known, end_place
from cnc_station.engine.domain.nc.findings import BlockError, Severity
from cnc_station.engine.drivers.base import RunFailed
from cnc_station.engine.drivers.grbl.reports import Make

_LONGEST, _LONGEST_HAL = 79, 255  # characters, without the newline

_G = frozenset(
    {0, 10, 20, 30, 40, 100, 170, 180, 190, 200, 210, 280, 281, 300, 301, 382, 383, 384, 385, 400}
    | {431, 490, 530, 540, 550, 560, 570, 580, 590, 610, 800, 900, 910, 911, 920, 921, 930, 940}
)
_G_HAL = _G | {
    *(50, 51, 70, 80, 330, 331, 430, 432, 500, 510, 591, 592, 593, 730, 760, 810, 820, 830, 850),
    *(860, 890, 922, 923, 950, 960, 970, 980, 990),
}
_M = frozenset({0, 1, 2, 3, 4, 5, 7, 8, 9, 30})
_M_HAL = _M | {6, 48, 49, 50, 51, 53, 56, 60, 61, 62, 63, 64, 65, 66, 67, 68, 70, 71, 72, 73}
_LETTERS = frozenset("FIJKLNPRSTXYZ")
_LETTERS_HAL = _LETTERS | frozenset("ABCDEHQUVW")
_AXES = frozenset("ABCUVWXYZ")
_STANDING = frozenset({codes.DWELL, codes.SET_DATA, 431, *codes.SHIFTS, *codes.STORE_HOME})
_FORGOTTEN = frozenset({920, 430, 431, 432})  # G92 and tool offsets, which a reset clears
_MIST = 7
_INVERSE_TIME = 930
_STOPS = frozenset({codes.STOP, codes.OPTIONAL_STOP, codes.PALLET_STOP, codes.TOOL_CHANGE})
_SPINDLE_ON, _SPINDLE_OFF = frozenset({3, 4}), frozenset({5, *codes.ENDS})
_SPINDLE_S = 120.0  # maximum time for a spindle to reach its speed, or to stop
_HIGHEST_TOOL, _HIGHEST_LINE = 255, 10_000_000  # the largest tool number of GRBL 1.1


@dataclass(slots=True)
class Prepared:
    """The lines in the order of sending, each with its newline. By index: `numbers` is the line
    number in the file; `moving` are the lines that move an axis; `waits` the seconds that a line
    stands still; `stops` the lines that wait for a person. `named` gives the file line of an N word
    that appears once. `zero_cleared_by_reset`: the program sets a zero that a reset clears.
    `inverse_time`: feeds apply to one line each. `turns`: the spindle is left on. `ends_at` is the
    end point."""

    lines: list[bytes] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    moving: list[int] = field(default_factory=list)
    waits: dict[int, float] = field(default_factory=dict)
    stops: dict[int, str] = field(default_factory=dict)
    named: dict[int, int | None] = field(default_factory=dict)
    zero_cleared_by_reset: bool = False
    inverse_time: bool = False
    turns: bool = False
    ends_at: Known = (None, None, None)


def prepare(program: Program | None, name: str, text: bytes | None, make: Make) -> Prepared:
    """Prepare a program (1 s for 100,000 lines). Raises RunFailed for a line that it cannot run."""
    if text is None:
        raise RunFailed("this machine runs programs, and the job has none")
    if program is not None and program.refused:
        wrong = next(found for found in program.findings if found.severity is Severity.ERROR)
        raise RunFailed(f"{name or 'the program'}, line {wrong.line}: {wrong.message}")
    prepared = Prepared()
    cleaned = source.clean(text)
    for index in range(cleaned.first, cleaned.last):
        line = cleaned.lines[index]
        # The program number O1234 before all other lines is a name, not a command.
        number = line[:1] == "O" and line[1:].isdecimal()
        if not line or (number and not prepared.lines):
            continue
        try:
            ends = _add_line(prepared, line, index + 1, make)
        except BlockError as error:
            raise RunFailed(f"{name or 'the program'}, line {index + 1}: {error}") from None
        if ends:
            break
    if not prepared.lines:
        raise RunFailed(f"{name or 'the program'} has no lines to send")
    if program is not None:
        prepared.ends_at = end_place(program.moves, cleaned.lines)
    return prepared


def _add_line(prepared: Prepared, line: str, number: int, make: Make) -> bool:
    """Add a line. Return whether the program ends with it. Raises BlockError."""
    block = _checked(line, make)
    index = len(prepared.lines)
    prepared.lines.append(line.encode("ascii") + b"\n")
    prepared.numbers.append(number)
    if "N" in block.words:
        name = int(block.words["N"])
        prepared.named[name] = None if name in prepared.named else number
    prepared.inverse_time |= _INVERSE_TIME in block.g
    prepared.zero_cleared_by_reset |= not _FORGOTTEN.isdisjoint(block.g)
    standing = not _STANDING.isdisjoint(block.g)
    if not standing and (not _AXES.isdisjoint(block.words) or not codes.HOMES.isdisjoint(block.g)):
        prepared.moving.append(index)
    changes_spindle = _changes_spindle(prepared, block)
    if codes.DWELL in block.g:
        prepared.waits[index] = block.words.get("P", 0.0)
    elif "S" in block.words or changes_spindle:
        prepared.waits[index] = _SPINDLE_S
    for code in block.m:
        if code in _STOPS:
            prepared.stops[index] = f"M{code}"
    return not codes.ENDS.isdisjoint(block.m)


def _changes_spindle(prepared: Prepared, block: words.Block) -> bool:
    """Return whether the spindle starts, or stops after it may have turned (also by M2, M30)."""
    if not _SPINDLE_ON.isdisjoint(block.m):
        prepared.turns = True
    elif not _SPINDLE_OFF.isdisjoint(block.m) and prepared.turns:
        prepared.turns = False
    else:
        return False
    return True


def _checked(line: str, make: Make) -> words.Block:
    if line[0] == "/":
        raise BlockError(f"{make.name} has no block delete switch (/): remove the line, or the /")
    if "#" in line or "[" in line or line[0] == "O":
        raise BlockError(
            f"{make.name} does not support variables, expressions or O words: {line[:40]}"
        )
    block = words.parse(line)
    _check_codes(block, make)
    _check_letters(block, make)
    longest = min(_LONGEST_HAL if make.hal else _LONGEST, make.buffer - 1)
    if len(line) > longest:
        raise BlockError(f"longer than the {longest} characters that {make.name} accepts")
    return block


def _check_codes(block: words.Block, make: Make) -> None:
    known_g, known_m = (_G_HAL, _M_HAL) if make.hal else (_G, _M)
    for code in block.g:
        if code not in known_g:
            raise BlockError(f"{make.name} does not support {spelled(code)}")
    for code in block.m:
        if code not in known_m and not (make.hal and code in codes.M_USER):
            raise BlockError(f"{make.name} does not support M{code}")
    if _MIST in block.m and make.options and "M" not in make.options:
        raise BlockError(f"{make.name} was built without mist coolant (M7)")


def _check_letters(block: words.Block, make: Make) -> None:
    for letter in block.words:
        if letter not in (_LETTERS_HAL if make.hal else _LETTERS):
            raise BlockError(f"{make.name} does not support the word {letter}")
        if letter in _AXES and letter not in make.axes:
            raise BlockError(f"{make.name} has no axis {letter}: its axes are {make.axes}")
    if not make.hal and block.words.get("T", 0.0) > _HIGHEST_TOOL:
        raise BlockError(f"{make.name} supports tool numbers up to T{_HIGHEST_TOOL}")
    if not make.hal and block.words.get("N", 0.0) > _HIGHEST_LINE:
        raise BlockError(f"{make.name} supports line numbers up to N{_HIGHEST_LINE}")
