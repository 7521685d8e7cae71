"""What is wrong with a line that cannot be parsed into words, and what to do about it."""

import re
import unicodedata

from cnc_station.engine.domain.nc.findings import BlockError, Unsupported

PIECE = re.compile(r"([A-Z@^])([-+]?[0-9]*\.?[0-9]*)|.")
SHOWN = 40  # characters of a line
_CORNER = re.compile(r",([RCA])")
_CORNERS = {
    "R": "corner rounding",
    "C": "a chamfer",
    "A": "a line by its angle",
}
_CONSOLE = (
    (re.compile(r"\$(?:H[XYZABC]?|HOME)"), "homing", "home at the machine"),
    (re.compile(r"\$X|\$UNLOCK"), "unlocking", "unlock it at the machine"),
    (re.compile(r"\$J=.*"), "a jog", "write it as a move"),
    (re.compile(r"\$(?:[0-9]+|N[0-9]|/?[A-Z_/]+)=.*"), "a setting", "set it at the machine"),
    (re.compile(r"\$.*"), "a console command", "type it at the machine"),
)


def malformed(line: str) -> BlockError:
    """Return the error for the first place without a letter and its number."""
    if line[0] == "$":
        return console_command(line)
    for match in PIECE.finditer(line):
        letter, digits = match.groups()
        if letter is None:
            return unreadable(line, match.start())
        if not digits:
            return BlockError(f"{letter} has no number after it")
        if digits.strip("+-.") == "":
            return BlockError(f"{letter}{digits} is not a number")
    raise AssertionError(line)  # only called for malformed lines


def console_command(line: str) -> BlockError:
    """Return the error for a $ command of Grbl, which only its console accepts."""
    what, instead = next((w, i) for pattern, w, i in _CONSOLE if pattern.fullmatch(line))
    return BlockError(
        f"'{line[:SHOWN]}' is a command to a Grbl controller ({what}), not part of a program:"
        f" delete this line and {instead}"
    )


def unreadable(line: str, at: int) -> BlockError:
    """Return the error for a character that no word can have."""
    if line[0] == "$":
        return console_command(line)
    if (corner := _CORNER.match(line, at)) is not None:
        letter = corner[1]
        return Unsupported(f"{_CORNERS[letter]} (,{letter}) is not supported: program the corner")
    character = line[at]
    if character in "()":
        return BlockError("a comment is not closed, or is inside another")
    shown = f"'{character}'" if character.isprintable() else f"character {ord(character)}"
    if character.isascii():
        return BlockError(f"cannot read {shown} in '{line[:SHOWN]}'")
    name = unicodedata.name(character, "without a name").lower()
    return BlockError(f"cannot read {shown} ({name}) in '{line[:SHOWN]}': controls read ASCII only")
