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
# The line in front of a program: %, a Fanuc's %1234, a Siemens' %_N_PLATE_MPF, an Okuma's $X.MIN%.
HEAD = re.compile(r"%.*|\$[^%]*%?")
NAME = re.compile(r"<[^<>]*>")  # a Fanuc's name, in place of its O number
PLAIN_LANGUAGE = re.compile(r"[0-9]*BEGINPGM")
HEIDENHAIN_ISO = re.compile(r"%.*G7[01]\*")


@dataclass(frozen=True, slots=True)
class Source:
    """The program's lines; `first` to `last` (not included) is the program: what stands between the
    % signs, without its name."""

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
    if lines and HEAD.fullmatch(lines[first]) and not HEIDENHAIN_ISO.fullmatch(lines[first]):
        first += 1
        first += first < len(lines) and NAME.fullmatch(lines[first]) is not None
    last = next((i for i in range(first, len(lines)) if lines[i] == "%"), len(lines))
    turns = not MILL_ONLY.search(text) and bool(X.search(text)) and bool(Z.search(text))
    return Source(lines, first, last, turns)


def other_language(source: Source) -> str | None:
    """What the program is written in, if it is not the G-code that is read here."""
    line = source.lines[source.first]
    if PLAIN_LANGUAGE.match(line):
        return "a Heidenhain plain-language program (BEGIN PGM), not G-code"
    if HEIDENHAIN_ISO.fullmatch(line):
        return "a Heidenhain DIN/ISO program (* at the end of each line), whose codes differ"
    return None
