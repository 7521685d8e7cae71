"""Parse a clean line into words: G and M codes, and a number for each other letter."""

import re

from cnc_station.engine.domain.nc.findings import BlockError

LONGEST_LINE = 512
LARGEST = 1e9
WORD = re.compile(r"([A-Z])([-+]?[0-9]*\.?[0-9]*)|.")
MACRO = re.compile(r"(N[0-9]+)?(IF\[|WHILE\[|GOTO|DO[0-9]|END[0-9])")
# G codes are stored times ten: G38.2 is 382 and G1 is 10. These are the usual spellings.
SPELLINGS = {f"{code:{width}}": code * 10 for code in range(100) for width in ("", "02")}

Words = dict[str, float]


class Block:
    """The words of one line. `words` has each letter except G and M once."""

    __slots__ = ("g", "m", "words")

    def __init__(self) -> None:
        self.g: list[int] = []
        self.m: list[int] = []
        self.words: Words = {}


def parse(line: str) -> Block:
    """Return the words of a line that has neither parameters nor expressions."""
    if len(line) > LONGEST_LINE:
        raise BlockError(f"the line is longer than {LONGEST_LINE} characters")
    block = Block()
    words = block.words
    try:
        for letter, digits in WORD.findall(line):
            if letter == "G":
                block.g.append(SPELLINGS.get(digits) or g_code(digits))
            elif letter == "M":
                block.m.append(m_code(digits))
            elif letter in words:
                raise BlockError(f"{letter} appears twice in one block")
            else:
                words[letter] = value = float(digits)
                if not -LARGEST < value < LARGEST:
                    raise BlockError(f"{letter}{digits} is out of range")
    except ValueError:
        raise BlockError(what_is_malformed(line)) from None
    return block


def g_code(digits: str | float) -> int:
    """Return a G code times ten. Raises ValueError if it is not a number."""
    tenfold = float(digits) * 10
    if not 0 <= tenfold < 100_000 or abs(tenfold - round(tenfold)) > 1e-6:
        raise BlockError(f"G{digits} is not a known code")
    return round(tenfold)


def m_code(digits: str | float) -> int:
    """Return an M code. Raises ValueError if it is not a number."""
    value = float(digits)
    if not 0 <= value < 10_000 or value != round(value):
        raise BlockError(f"M{digits} is not a known code")
    return round(value)


def what_is_malformed(line: str) -> str:
    """Return a sentence for the first place without a letter and its number."""
    if MACRO.match(line):
        return "macro statements (IF, WHILE, GOTO ...) are not supported"
    for match in WORD.finditer(line):
        letter, digits = match.groups()
        if letter is None:
            return unreadable(match.group(), line)
        if not digits:
            return f"{letter} has no number after it"
        if digits.strip("+-.") == "":
            return f"{letter}{digits} is not a number"
    raise AssertionError(line)  # only called for malformed lines


def unreadable(character: str, line: str) -> str:
    """Return a sentence for a character that no word can have."""
    if character in "()":
        return "a comment is not closed, or is inside another"
    shown = character if character.isprintable() else f"character {ord(character)}"
    return f"cannot read '{shown}' in '{line[:40]}'"


def whole(words: Words, letter: str, largest: int, otherwise: int) -> int:
    """Return a word that counts something; `otherwise` if the block does not have it."""
    value = words.get(letter, otherwise)
    if value != round(value) or not 0 <= value <= largest:
        raise BlockError(f"{letter}{value:g} must be a whole number from 0 to {largest}")
    return round(value)
