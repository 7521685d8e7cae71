"""The reading half of the false GRBL: what a program line asks for, or the number of its error."""

import re
from dataclasses import dataclass
from math import isnan

from tests.drivers.grbl_axes import Place

_WORD = re.compile(r"([A-Z])([-+]?[0-9]*\.?[0-9]*)")
_M0 = re.compile(r"M00?(?![0-9])")
_G4 = re.compile(r"G0?4P([0-9.]+)")
_END = re.compile(r"M0?2(?![0-9])|M30")
_SYNCHRONOUS = re.compile(r"G0?4(?![0-9])|M0?[02](?![0-9])|M30")
_G = {"0", "1", "2", "3", "4", "10", "17", "18", "19", "20", "21", "28", "30", "40", "49", "53"}
_G |= {"54", "55", "56", "57", "58", "59", "61", "80", "90", "91", "92", "93", "94"}
_M = {"0", "1", "2", "3", "4", "5", "8", "9", "30"}
_RAPID = 6000.0


@dataclass(frozen=True, slots=True)
class Asked:
    """What one line asks for. `target` None: no motion; `dwell` in seconds of the machine."""

    target: Place | None = None
    feed: float = 0.0
    dwell: float | None = None
    stops: bool = False
    ends: bool = False


class Program:
    """Keeps what holds from line to line."""

    def __init__(self) -> None:
        self.spindle = 0.0
        self._motion = "0"
        self._absolute = True
        self._feed = 0.0

    def read(self, line: str, here: Place) -> Asked | int:
        """`here` is where the line before leads."""
        words = _WORD.findall(line)
        if error := self._error_in(words, line):
            return error
        if dwell := _G4.search(line):
            return Asked(dwell=float(dwell[1]))
        if _M0.search(line):
            return Asked(stops=True)
        axes = [float(dict(words).get(axis, "nan")) for axis in "XYZ"]
        ends = _END.search(line) is not None
        if all(map(isnan, axes)):
            return Asked(ends=ends)
        if self._motion != "0" and not self._feed:
            return 22
        feed = _RAPID if self._motion == "0" else self._feed
        return Asked(self._target(axes, here), feed, ends=ends)

    def _error_in(self, words: list[tuple[str, str]], line: str) -> int:
        """0 for none; what the words set holds from now on."""
        if "".join(letter + digits for letter, digits in words) != line:
            return 1
        letters = [letter for letter, _ in words if letter not in "GM"]
        if len(set(letters)) < len(letters):
            return 25
        for letter, digits in words:
            error = self._word(letter, digits) if digits.strip("+-.") else 2
            if error:
                return error
        return 0

    def _word(self, letter: str, digits: str) -> int:
        number = f"{float(digits):g}"
        match letter:
            case "G" if number not in _G:
                return 20
            case "M" if number not in _M:
                return 20
            case "G" if number in ("0", "1", "2", "3"):
                self._motion = number
            case "G" if number in ("90", "91"):
                self._absolute = number == "90"
            case "F":
                self._feed = float(digits)
            case "S":
                self.spindle = float(digits)
            case "X" | "Y" | "Z" | "I" | "J" | "K" | "R" | "N" | "P" | "L" | "T" | "G" | "M":
                pass
            case _:
                return 20
        return 0

    def _target(self, axes: list[float], here: Place) -> Place:
        x, y, z = (
            at if isnan(word) else word + (0.0 if self._absolute else at)
            for word, at in zip(axes, here, strict=True)
        )
        return x, y, z


def waits_for_the_axes(line: str) -> bool:
    """Whether a line is taken only when everything before it is done."""
    return _SYNCHRONOUS.search(line) is not None
