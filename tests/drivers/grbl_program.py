"""The parser of the fake GRBL: what a program line does, or its error number, and the modes that it
keeps."""

import re
from dataclasses import dataclass, field
from math import isnan

from tests.drivers.grbl_axes import Place

_WORD = re.compile(r"([A-Z])([-+]?[0-9]*\.?[0-9]*)")
_M0 = re.compile(r"M00?(?![0-9])")
_G4 = re.compile(r"G0?4P([0-9.]+)")
_END = re.compile(r"M0?2(?![0-9])|M30")
_SYNCHRONOUS = re.compile(r"G0?4(?![0-9])|M0?[025](?![0-9])|M30|G92|G10")
_GROUPS = (  # one of each group is always in force; M2 and M30 restore the first of those marked
    (("G0", "G1", "G2", "G3"), False),
    (("G54", "G55", "G56", "G57", "G58", "G59"), True),
    (("G17", "G18", "G19"), True),
    (("G21", "G20"), False),
    (("G90", "G91"), True),
    (("G94", "G93"), True),
)
_FIRST = tuple(codes[0] for codes, _ in _GROUPS)
_G = {
    "G4",
    "G10",
    "G28",
    "G30",
    "G40",
    "G43.1",
    "G49",
    "G53",
    "G61",
    "G80",
    "G92",
    "G92.1",
    "G91.1",
}
_G |= {code for codes, _ in _GROUPS for code in codes}
_M = {"M0", "M1", "M2", "M3", "M4", "M5", "M8", "M9", "M30"}
_RAPID = 6000.0
_MM_PER_INCH = 25.4
_ZERO: Place = (0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Asked:
    """The effect of one line. `target` None: no motion; `dwell` in seconds of the machine."""

    target: Place | None = None
    feed: float = 0.0
    dwell: float | None = None
    stops: bool = False
    ends: bool = False
    turn: float | None = None  # the end of the fourth axis in that time, degrees


@dataclass(slots=True)
class Memory:
    """What outlasts a reset.

    The work offsets in machine coordinates, zero where none is set, and the position of the fourth
    axis in degrees; None if there is none.
    """

    offsets: dict[str, Place] = field(default_factory=dict)
    fourth: float | None = None


class Program:
    """The modes that last from line to line, until a reset."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._speed = 0.0
        self.turns = False
        self.preset = _ZERO
        self.tool_length = 0.0
        self.modes = list(_FIRST)
        self.feed = 0.0

    @property
    def spindle(self) -> float:
        """rpm."""
        return self._speed if self.turns else 0.0

    @property
    def offset(self) -> Place:
        """WCO: machine position minus work position."""
        stored = self._memory.offsets.get(self.modes[1], _ZERO)
        return _plus(_plus(stored, self.preset), (0.0, 0.0, self.tool_length))

    @property
    def state(self) -> str:
        """The answer to `$G`."""
        spindle = "M3" if self.turns else "M5"
        feed = self.feed / self._unit
        return f"[GC:{' '.join(self.modes)} {spindle} M9 T0 F{feed:g} S{self._speed:g}]"

    @property
    def parameters(self) -> list[str]:
        """The answer to `$#`."""
        systems = [f"G{n}" for n in range(54, 60)]
        told = [(name, self._memory.offsets.get(name, _ZERO)) for name in systems]
        told += [("G28", _ZERO), ("G30", _ZERO), ("G92", self.preset)]
        lines = [f"[{name}:{x:.3f},{y:.3f},{z:.3f}]" for name, (x, y, z) in told]
        return [*lines, f"[TLO:{self.tool_length:.3f}]", "[PRB:0.000,0.000,0.000:0]"]

    def read(self, line: str, here: Place) -> Asked | int:
        """Parse a line. `here` is the end of the line before, in machine coordinates, like
        `target`."""
        words = _WORD.findall(line)
        if error := self._error_in(words, line):
            return error
        if dwell := _G4.search(line):
            return Asked(dwell=float(dwell[1]))
        if _M0.search(line):
            return Asked(stops=True)
        if turn := dict(words).get("A"):
            seconds = abs(float(turn) - (self._memory.fourth or 0.0)) / self.feed * 60
            return Asked(dwell=seconds, turn=float(turn))
        axes = [float(dict(words).get(axis, "nan")) * self._unit for axis in "XYZ"]
        ends = _END.search(line) is not None
        asked = self._moved(line, axes, here)
        if ends:
            self._end()
        return asked if isinstance(asked, int) else Asked(asked.target, asked.feed, ends=ends)

    def _moved(self, line: str, axes: list[float], here: Place) -> Asked | int:
        if all(map(isnan, axes)):
            return Asked()
        if "G43.1" in line:
            self.tool_length = axes[2]
            return Asked()
        if "G92" in line:
            self._preset(axes, here)
            return Asked()
        if "G10" in line:
            self._store(line, axes)
            return Asked()
        if self.modes[0] != "G0" and not self.feed:
            return 22
        feed = _RAPID if self.modes[0] == "G0" else self.feed
        return Asked(self._target(axes, here), feed)

    @property
    def _unit(self) -> float:
        return _MM_PER_INCH if self.modes[3] == "G20" else 1.0

    def _end(self) -> None:
        """End the program. Units stay."""
        for index, (codes, comes_back) in enumerate(_GROUPS):
            if comes_back:
                self.modes[index] = codes[0]
        self.modes[0], self.turns = "G1", False

    def _preset(self, axes: list[float], here: Place) -> None:
        stored = self._memory.offsets.get(self.modes[1], _ZERO)
        x, y, z = (
            old if isnan(word) else at - base - word
            for word, at, base, old in zip(axes, here, stored, self.preset, strict=True)
        )
        self.preset = (x, y, z)

    def _store(self, line: str, axes: list[float]) -> None:
        """G10 L2."""
        name = f"G{53 + int(line.partition('P')[2][:1])}"
        old = self._memory.offsets.get(name, _ZERO)
        x, y, z = (b if isnan(a) else a for a, b in zip(axes, old, strict=True))
        self._memory.offsets[name] = (x, y, z)

    def _error_in(self, words: list[tuple[str, str]], line: str) -> int:
        """Return the error number, 0 for none. Applies the modes of the words."""
        if "".join(letter + digits for letter, digits in words) != line:
            return 1
        letters = [letter for letter, _ in words if letter not in "GM"]
        if len(set(letters)) < len(letters):
            return 25
        for letter, digits in sorted(words, key=lambda word: word[0] not in "GM"):
            error = self._word(letter, digits) if digits.strip("+-.") else 2
            if error:
                return error
        return 0

    def _word(self, letter: str, digits: str) -> int:
        code = f"{letter}{float(digits):g}"
        match letter:
            case "G" if code not in _G:
                return 20
            case "M" if code not in _M:
                return 20
            case "G":
                self.take(code)
            case "M" if code in ("M3", "M4", "M5"):
                self.turns = code != "M5"
            case "F":
                self.feed = float(digits) * self._unit
            case "S":
                self._speed = float(digits)
            case "A" if self._memory.fourth is None:
                return 20
            case "A" | "X" | "Y" | "Z" | "I" | "J" | "K" | "R" | "N" | "P" | "L" | "T" | "M":
                pass
            case _:
                return 20
        return 0

    def take(self, code: str) -> None:
        if code == "G92.1":
            self.preset = _ZERO
        elif code == "G49":
            self.tool_length = 0.0
        for index, (codes, _) in enumerate(_GROUPS):
            if code in codes:
                self.modes[index] = code

    def _target(self, axes: list[float], here: Place) -> Place:
        absolute = self.modes[4] == "G90"
        x, y, z = (
            at if isnan(word) else word + (base if absolute else at)
            for word, at, base in zip(axes, here, self.offset, strict=True)
        )
        return x, y, z


def _plus(one: Place, other: Place) -> Place:
    return (one[0] + other[0], one[1] + other[1], one[2] + other[2])


def waits_for_the_axes(line: str) -> bool:
    """Return whether a line is taken only when everything before it is done."""
    return _SYNCHRONOUS.search(line) is not None
