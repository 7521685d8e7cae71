"""Regular expressions for texts that others choose: matched in time that grows with the text only.

Python's own matcher tries one way after another, and `(a+)+` has a million ways for twenty letters.
This one follows all ways at once (Glushkov's automaton, its sets of positions as bits). It knows
what needs no way back: characters, classes, `.`, groups, `|` and repeats. They mean what they mean
to `re.fullmatch` with DOTALL.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

_MOST_POSITIONS = 500
_MOST_BUILT = 5_000  # groups and repeats may be empty: they have no position
_MOST_NESTED = 50
_MOST_KEPT = 2_000  # sets, and characters
_COUNTS = re.compile(r"\{([0-9]*)(,?)([0-9]*)\}")
_ESCAPE = re.compile(
    r"\\(?:[dDwWsSnrtfva]|x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|[^0-9A-Za-z])", re.DOTALL
)
_CLASS = re.compile(r"\[\^?\]?(?:\\.|[^\]\\])*\]", re.DOTALL)
_ANY = "."


class TooMuchWork(Exception):
    """A text is too long for its pattern."""


class Work:
    """What one request may cost. A step takes some 0.4 µs."""

    def __init__(self, most: int) -> None:
        self._left = most

    def spend(self, steps: int) -> None:
        """Raises TooMuchWork."""
        self._left -= steps
        if self._left < 0:
            raise TooMuchWork


class LinearPattern:
    """A compiled pattern. Raises ValueError with a sentence."""

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        parts = _Parser(pattern).parse()
        automaton = _Automaton()
        whole = automaton.add(parts)
        self._atoms, self._follow = automaton.atoms, automaton.follow
        self._first, self._last, self._matches_empty = whole.first, whole.last, whole.empty
        self._reached: dict[int, int] = {}
        self._masks: dict[str, int] = {}

    def matches(self, text: str, work: Work) -> bool:
        """Return whether the whole text matches. Raises TooMuchWork."""
        work.spend(len(text))
        if not text:
            return self._matches_empty
        reach, at = self._first, 0
        for character in text:
            mask = self._masks.get(character)
            if mask is None:
                mask = self._mask(character, work)
            at = reach & mask
            if not at:
                return False
            found = self._reached.get(at)
            reach = self._reach(at, work) if found is None else found
        return bool(at & self._last)

    def _mask(self, character: str, work: Work) -> int:
        """Return the positions that take a character."""
        work.spend(len(self._atoms))
        mask = 0
        for at, takes in enumerate(self._atoms):
            if takes(character):
                mask |= 1 << at
        if len(self._masks) >= _MOST_KEPT:
            self._masks.clear()
        self._masks[character] = mask
        return mask

    def _reach(self, at: int, work: Work) -> int:
        """Return the positions that may come after any of these."""
        work.spend(4 * at.bit_count())
        reach, left = 0, at
        while left:
            lowest = left & -left
            reach |= self._follow[lowest.bit_length() - 1]
            left ^= lowest
        if len(self._reached) >= _MOST_KEPT:
            self._reached.clear()
        self._reached[at] = reach
        return reach


_Takes = Callable[[str], object]


@dataclass(frozen=True, slots=True)
class _Atom:
    takes: _Takes


@dataclass(frozen=True, slots=True)
class _Row:
    parts: Sequence["_Part"]


@dataclass(frozen=True, slots=True)
class _Choice:
    parts: Sequence["_Part"]


@dataclass(frozen=True, slots=True)
class _Repeat:
    part: "_Part"
    least: int
    most: int | None


_Part = _Atom | _Row | _Choice | _Repeat


class _Parser:
    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._at = 0
        self._depth = 0

    def parse(self) -> _Part:
        part = self._choice()
        if self._at < len(self._pattern):
            raise ValueError(f"it has a ) too many at {self._at + 1}")
        return part

    def _next_is(self, text: str) -> bool:
        found = self._pattern.startswith(text, self._at)
        self._at += len(text) if found else 0
        return found

    def _choice(self) -> _Part:
        parts = [self._row()]
        while self._next_is("|"):
            parts.append(self._row())
        return parts[0] if len(parts) == 1 else _Choice(parts)

    def _row(self) -> _Part:
        parts: list[_Part] = []
        if not self._depth:
            self._next_is("^")  # the whole text has to match anyway
        while self._at < len(self._pattern) and self._pattern[self._at] not in "|)":
            if not self._depth and self._pattern[self._at :].partition("|")[0] == "$":
                self._at += 1
            else:
                parts.append(self._repeated())
        return _Row(parts)

    def _repeated(self) -> _Part:
        part = self._single()
        if (counts := self._counts()) is None:
            return part
        self._next_is("?")  # the shortest way is one of all ways
        if self._at < len(self._pattern) and self._pattern[self._at] in "*+?":
            raise self._unknown(self._pattern[self._at])
        return _Repeat(part, *counts)

    def _counts(self) -> tuple[int, int | None] | None:
        for sign, least, most in (("*", 0, None), ("+", 1, None), ("?", 0, 1)):
            if self._next_is(sign):
                return least, most
        found = _COUNTS.match(self._pattern, self._at)
        if found is None or found[0] == "{}":
            return None
        self._at = found.end()
        least = int(found[1] or 0)
        most = (int(found[3]) if found[3] else None) if found[2] else least
        if most is not None and most < least:
            raise ValueError(f"{found[0]} repeats from more to less")
        return least, most

    def _single(self) -> _Part:
        at, sign = self._at, self._pattern[self._at]
        if sign == "(":
            return self._group()
        if sign in {"\\", "["}:
            found = (_ESCAPE if sign == "\\" else _CLASS).match(self._pattern, at)
            if found is None:
                raise self._unknown(self._pattern[at : at + 2])
            self._at = found.end()
            return _Atom(_compiled(found[0]))
        if sign in "*+?^$" or self._counts() is not None:
            raise self._unknown(sign)
        self._at += 1
        return _Atom(_anything if sign == _ANY else sign.__eq__)

    def _group(self) -> _Part:
        self._at += 1
        if self._pattern.startswith("?", self._at) and not self._next_is("?:"):
            raise self._unknown(self._pattern[self._at - 1 : self._at + 2])
        self._depth += 1
        if self._depth > _MOST_NESTED:
            raise ValueError("its groups are nested too deep")
        part = self._choice()
        self._depth -= 1
        if not self._next_is(")"):
            raise ValueError("a ) is missing")
        return part

    def _unknown(self, sign: str) -> ValueError:
        return ValueError(
            f"{sign} at {self._at + 1} can't be used here: characters, classes, groups (...) and "
            "(?:...), | and the repeats * + ? {m,n} can"
        )


def _anything(_character: str) -> bool:
    return True


def _compiled(text: str) -> _Takes:
    try:
        return re.compile(text).fullmatch
    except re.error as error:
        raise ValueError(str(error)) from error


class _Built(NamedTuple):
    """`first` and `last` are the positions with which a part begins and ends."""

    empty: bool
    first: int
    last: int


class _Automaton:
    def __init__(self) -> None:
        self.atoms: list[_Takes] = []
        self.follow: list[int] = []
        self._built = 0

    def add(self, part: _Part) -> _Built:
        self._built += 1
        if len(self.atoms) >= _MOST_POSITIONS or self._built > _MOST_BUILT:
            raise ValueError(f"it is longer than {_MOST_POSITIONS} characters with its repeats")
        match part:
            case _Atom(takes):
                self.atoms.append(takes)
                self.follow.append(0)
                bit = 1 << (len(self.atoms) - 1)
                return _Built(empty=False, first=bit, last=bit)
            case _Row(parts):
                built = _Built(empty=True, first=0, last=0)
                for each in parts:
                    built = self._after(built, self.add(each))
                return built
            case _Choice(parts):
                each_built = [self.add(each) for each in parts]
                built = each_built[0]
                for other in each_built[1:]:
                    built = _either(built, other)
                return built
            case _Repeat():
                return self._repeat(part)

    def _repeat(self, repeat: _Repeat) -> _Built:
        built = _Built(empty=True, first=0, last=0)
        copies = max(1, repeat.least) if repeat.most is None else repeat.most
        for number in range(1, copies + 1):
            copy = self.add(repeat.part)
            if repeat.most is None and number == copies:
                self._join(copy.last, copy.first)
            if number > repeat.least:
                copy = copy._replace(empty=True)
            built = self._after(built, copy)
        return built

    def _after(self, before: _Built, then: _Built) -> _Built:
        self._join(before.last, then.first)
        return _Built(
            before.empty and then.empty,
            before.first | (then.first if before.empty else 0),
            then.last | (before.last if then.empty else 0),
        )

    def _join(self, last: int, first: int) -> None:
        while last:
            lowest = last & -last
            self.follow[lowest.bit_length() - 1] |= first
            last ^= lowest


def _either(one: _Built, other: _Built) -> _Built:
    return _Built(one.empty or other.empty, one.first | other.first, one.last | other.last)
