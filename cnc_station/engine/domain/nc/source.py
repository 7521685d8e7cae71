"""From bytes to clean lines: upper case, no spaces, no comments."""

import re
from dataclasses import dataclass

BOM = b"\xef\xbb\xbf"
PLAIN = bytes(range(0x20, 0x7F)) + b"\t\r\n"
ASCII = bytes(range(0x80))
NOT_ASCII = bytes(range(0x80, 0x100))
SPACES = b" \t\x0b\x0c\x00\x1a\x7f"
# Either kind of comment; what stands first in the line wins, so `;` inside ( ) is text and so is (
# after ;.
COMMENT = re.compile(r"\([^)\n]*\)?|;[^\n]*")
MILL_ONLY = re.compile(r"[YJAB][-+0-9.#\[]")
X = re.compile(r"[XU][-+0-9.#\[]")
Z = re.compile(r"[ZW][-+0-9.#\[]")


@dataclass(frozen=True, slots=True)
class Source:
    """The program's lines; `first` to `last` (not included) is what stands between the % signs."""

    lines: list[str]
    first: int
    last: int
    looks_like_lathe: bool


def is_rubbish(source: bytes) -> bool:
    """Whether this is no text at all: a picture, an archive, a spreadsheet.

    Comments may be in any language and encoding, so bytes above 127 are fine while most are plain;
    old paper-tape leaders leave a few control characters.
    """
    controls = len(source.translate(None, PLAIN + NOT_ASCII))
    foreign = len(source.translate(None, ASCII))
    return controls > 8 + len(source) // 100 or foreign > 64 + len(source) // 3


def lines_in(source: bytes) -> int:
    """How many lines there are, whatever ends them; asked before any memory is spent on them."""
    return max(source.count(b"\n"), source.count(b"\r")) + 1


def without_comment(found: re.Match[str]) -> str:
    """Nothing, or the bracket of a comment that is not closed: it is refused where it stands."""
    comment = found.group()
    return "(" if comment[0] == "(" and comment[-1] != ")" else ""


def clean(source: bytes) -> Source:
    """Split into lines, one for one with the file's own, without what carries no meaning."""
    text = source.removeprefix(BOM).upper().translate(None, SPACES).decode("latin-1")
    text = COMMENT.sub(without_comment, text.replace("\r\n", "\n").replace("\r", "\n"))
    text = text.replace("\n:", "\nO")  # an old spelling of a program's number
    lines = text.split("\n")
    if lines and not lines[-1]:
        lines.pop()
    first = next((i for i, line in enumerate(lines) if line), 0)
    if lines and lines[first : first + 1] == ["%"]:
        first += 1
    last = next((i for i in range(first, len(lines)) if lines[i] == "%"), len(lines))
    turns = not MILL_ONLY.search(text) and bool(X.search(text)) and bool(Z.search(text))
    return Source(lines, first, last, turns)
