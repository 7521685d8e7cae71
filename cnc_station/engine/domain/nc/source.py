"""Convert bytes to clean lines: upper case, no spaces, no comments."""

import re
from dataclasses import dataclass

BOM = b"\xef\xbb\xbf"
PLAIN = bytes(range(0x20, 0x7F)) + b"\t\r\n"
ASCII = bytes(range(0x80))
NOT_ASCII = bytes(range(0x80, 0x100))
SPACES = b" \t\x0b\x0c\x00\x1a\x7f"
# Either kind of comment. The first in the line wins: `;` inside ( ) is text, and so is ( after ;.
COMMENT = re.compile(r"\([^)\n]*\)?|;[^\n]*")
MILL_ONLY = re.compile(r"[YJAB][-+0-9.#\[]")
X = re.compile(r"[XU][-+0-9.#\[]")
Z = re.compile(r"[ZW][-+0-9.#\[]")
# The line before a program: %, %1234 (Fanuc), %_N_PLATE_MPF (Siemens), $X.MIN% (Okuma).
HEAD = re.compile(r"%.*|\$[^%]*%?")
NAME = re.compile(r"<[^<>]*>")  # a Fanuc name, in place of its O number
PLAIN_LANGUAGE = re.compile(r"[0-9]*BEGINPGM")
HEIDENHAIN_ISO = re.compile(r"%.*G7[01]\*")


@dataclass(frozen=True, slots=True)
class Source:
    """The lines of a file. `first` to `last` (not included) is the program: the lines between the %
    signs, without its name."""

    lines: list[str]
    first: int
    last: int
    looks_like_lathe: bool


def is_rubbish(source: bytes) -> bool:
    """Return whether this is not text: a picture, an archive, a spreadsheet. Comments may be in any
    language and encoding: bytes above 127 are accepted while most bytes are ASCII. Old paper-tape
    leaders leave a few control characters."""
    controls = len(source.translate(None, PLAIN + NOT_ASCII))
    foreign = len(source.translate(None, ASCII))
    return controls > 8 + len(source) // 100 or foreign > 64 + len(source) // 3


def lines_in(source: bytes) -> int:
    """Return the number of lines for any line ending, without allocating memory for them."""
    return max(source.count(b"\n"), source.count(b"\r")) + 1


def without_comment(found: re.Match[str]) -> str:
    """Remove a comment. Keep the bracket of one that is not closed, so that it is refused there."""
    comment = found.group()
    return "(" if comment[0] == "(" and comment[-1] != ")" else ""


def clean(source: bytes) -> Source:
    """Split into lines, one for each line of the file, without what has no meaning."""
    text = source.removeprefix(BOM).upper().translate(None, SPACES).decode("latin-1")
    text = COMMENT.sub(without_comment, text.replace("\r\n", "\n").replace("\r", "\n"))
    text = text.replace("\n:", "\nO")  # an old spelling of a program number
    lines = text.split("\n")
    if lines and not lines[-1]:
        lines.pop()
    first = next((i for i, line in enumerate(lines) if line), 0)
    if lines and HEAD.fullmatch(lines[first]) and not HEIDENHAIN_ISO.fullmatch(lines[first]):
        first += 1
        first += first < len(lines) and NAME.fullmatch(lines[first]) is not None
    last = next((i for i in range(first, len(lines)) if lines[i] == "%"), len(lines))
    turns = not MILL_ONLY.search(text) and bool(X.search(text)) and bool(Z.search(text))
    return Source(lines, first, last, turns)


def other_language(source: Source) -> str | None:
    """Return the language of the program if it is not the G-code that this module reads."""
    line = source.lines[source.first]
    if PLAIN_LANGUAGE.match(line):
        return "a Heidenhain plain-language program (BEGIN PGM), not G-code"
    if HEIDENHAIN_ISO.fullmatch(line):
        return "a Heidenhain DIN/ISO program (* at the end of each line), whose codes differ"
    return None
