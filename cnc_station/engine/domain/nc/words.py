"""Parse a clean line into words: G and M codes, and a number for each other letter."""

from cnc_station.engine.domain.nc.findings import BlockError
from cnc_station.engine.domain.nc.malformed import PIECE, malformed

LONGEST_LINE = 512
LARGEST = 1e9
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
        for letter, digits in PIECE.findall(line):
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
        raise malformed(line) from None
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


def whole(words: Words, letter: str, largest: int, otherwise: int) -> int:
    """Return a word that counts something; `otherwise` if the block does not have it."""
    value = words.get(letter, otherwise)
    if value != round(value) or not 0 <= value <= largest:
        raise BlockError(f"{letter}{value:g} must be a whole number from 0 to {largest}")
    return round(value)
