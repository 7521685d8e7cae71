"""Texts and numbers from a peer: what remains of them is safe to store, compare and show."""

import re

from cnc_station.engine.domain.text_gate import visible
from cnc_station.peers.limits import LARGEST_NUMBER, LONGEST_TEXT

_BREAKS = re.compile(r"[^\S \x0b\x0c\x1c-\x1f]+")


def text(raw: str, longest: int = LONGEST_TEXT) -> str:
    """Return the text in one line of at most `longest` characters. Line breaks and spaces of other
    widths become spaces. Other characters that a screen or a terminal would obey, and marks that
    stand on no letter, are written as escapes."""
    return visible(_BREAKS.sub(" ", raw[: longest + 1]), longest)


def number(raw: float | None) -> float | None:
    """Return the number; None if it is not one, or larger than any figure of a machine."""
    return raw if raw is not None and -LARGEST_NUMBER <= raw <= LARGEST_NUMBER else None


def whole(raw: int | None) -> int | None:
    """Return the whole number; None if it is larger than any count of a machine."""
    return raw if raw is not None and -LARGEST_NUMBER <= raw <= LARGEST_NUMBER else None


def parse_number(raw: str) -> float:
    """Return the number that a text is. Raises ValueError for any that `number` refuses."""
    value = number(float(raw))
    if value is None:
        raise ValueError(f"{raw[:40]!r} is not a figure of a machine")
    return value


def parse_whole(raw: str) -> int:
    """Return the whole number that a text is. Raises ValueError for any that `whole` refuses."""
    value = whole(int(raw)) if len(raw) <= 20 else None
    if value is None:
        raise ValueError(f"{raw[:40]!r} is not a count of a machine")
    return value
