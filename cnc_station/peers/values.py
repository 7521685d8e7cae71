"""Texts and numbers from a peer: what remains of them is safe to store, compare and show."""

from cnc_station.peers.limits import LARGEST_NUMBER, LONGEST_TEXT

_CUT = "…"


def text(raw: str, longest: int = LONGEST_TEXT) -> str:
    """Return the text in one line of printable characters, at most `longest` of them.

    What a screen or a terminal would obey (control characters, changes of the writing direction) is
    replaced, as are halves of characters.
    """
    if len(raw) > longest:
        raw = raw[: longest - 1] + _CUT
    if raw.isprintable():
        return raw
    return "".join(
        c if c.isprintable() else " " if c.isspace() else "\N{REPLACEMENT CHARACTER}" for c in raw
    )


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
