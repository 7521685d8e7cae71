"""Convert bytes to clean lines: upper case, no spaces, no comments."""

import re
from dataclasses import dataclass

from cnc_station.engine.domain.nc.encoding import as_ascii_based
from cnc_station.engine.domain.nc.languages import HEIDENHAIN_ISO

PLAIN = bytes(range(0x20, 0x7F)) + b"\t\r\n"
ASCII = bytes(range(0x80))
NOT_ASCII = bytes(range(0x80, 0x100))
SPACES = b" \t\x0b\x0c\x00\x1a\x7f"
# Spaces and marks without a width, of UTF-8 and of Windows code pages.
UNICODE_SPACES = re.compile("[\xa0\u1680\u2000-\u200d\u2028\u2029\u202f\u205f\u2060\u3000\ufeff]+")
# Either kind of comment. The first in the line wins: `;` inside ( ) is text, and so is ( after ;.
COMMENT = re.compile(r"\([^)\n]*\)?|;[^\n]*")
COMMENT_BYTES = re.compile(COMMENT.pattern.encode())
MILL_ONLY = re.compile(r"[YJAB][-+0-9.#\[]")
X = re.compile(r"[XU][-+0-9.#\[]")
Z = re.compile(r"[ZW][-+0-9.#\[]")
# The line before a program: %, %1234 (Fanuc), %_N_PLATE_MPF (Siemens), $X.MIN% (Okuma).
HEAD = re.compile(r"%.*|\$[^%$=]*(?:%|\.(?:MIN|SSB|SUB|LIB))")
NAME = re.compile(r"<[^<>]*>")  # a Fanuc name, in place of its O number
# A line that does something. What stands before a first % without one is the leader of the tape.
COMMAND = re.compile(r"/?[0-9]?(?:N[0-9]+)?[#GMSTFXYZUW][-+0-9.\[]")


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
    language and encoding: outside of them most bytes are ASCII. Old paper tapes have feed holes and
    a few control characters."""
    source = as_ascii_based(source)
    if len(source.translate(None, PLAIN + NOT_ASCII)) > 8 + len(source) // 100:
        return True
    foreign = len(source.translate(None, ASCII))
    if foreign <= 64 + len(source) // 3:
        return False
    code = COMMENT_BYTES.sub(b"", with_newlines(source))
    return len(code.translate(None, ASCII)) > 64 + len(code) // 3


def lines_in(source: bytes) -> int:
    """Return the number of lines for any line ending, without allocating memory for them."""
    return max(source.count(b"\n"), source.count(b"\r")) + 1


def with_newlines(source: bytes) -> bytes:
    """Return the text with one kind of line ending."""
    return source.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


def without_comment(found: re.Match[bytes]) -> bytes:
    """Remove a comment. Keep the bracket of one that is not closed, so that it is refused there."""
    comment = found.group()
    return b"(" if comment[:1] == b"(" and comment[-1:] != b")" else b""


def clean(source: bytes) -> Source:
    """Split into lines, one for each line of the file, without what has no meaning."""
    plain = with_newlines(as_ascii_based(source).upper().translate(None, SPACES))
    text = as_text(COMMENT_BYTES.sub(without_comment, plain))
    text = text.replace("\n:", "\nO")  # an old spelling of a program number
    lines = text.split("\n")
    if lines and not lines[-1]:
        lines.pop()
    first = after_head(lines)
    last = next((i for i in range(first, len(lines)) if lines[i] == "%"), len(lines))
    turns = not MILL_ONLY.search(text) and bool(X.search(text)) and bool(Z.search(text))
    return Source(lines, first, last, turns)


def as_text(code: bytes) -> str:
    """Return the code outside of comments as text. Normally all of it is ASCII."""
    if code.isascii():
        return code.decode("ascii")
    try:
        text = code.decode("utf-8")
    except UnicodeDecodeError:
        text = code.decode("latin-1")
    return UNICODE_SPACES.sub("", text)


def after_head(lines: list[str]) -> int:
    """Return the first line of the program: after the leader of a tape, its % and its name."""
    first = next((i for i, line in enumerate(lines) if line), 0)
    if not lines:
        return 0
    if not HEAD.fullmatch(lines[first]):
        started = next(
            (i for i in range(first, len(lines)) if lines[i] == "%" or COMMAND.match(lines[i])),
            first,
        )
        if lines[started] != "%":
            return first
        first = started
    elif HEIDENHAIN_ISO.fullmatch(lines[first]):
        return first
    first += 1
    return first + (first < len(lines) and NAME.fullmatch(lines[first]) is not None)
