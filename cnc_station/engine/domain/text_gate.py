"""Which characters a text may have: one rule for what people, files and machines send.

What people enter is refused with the name and place of the character (`fault`) and stored in one
spelling (`tidy`). What machines and files send can't be refused: it is made visible (`visible`).
Texts are compared as NFC. Full-width letters stay as they are: they look different.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator

MOST_MARKS = 8  # combining marks on one letter: more of them paint over the lines above and below
_EDGES = " \t\r\n"
_REFUSED = frozenset(("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"))
# Letters, marks and symbols without ink: fillers, joiners, variation selectors, blank Braille.
_INVISIBLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0"
    "\U0001d159\U000e0100-\U000e01ef]"
)
_LINES = re.compile(r"[ -~\t\n]*")
_SPACES = str.maketrans(
    dict.fromkeys("\u00a0\u1680\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B))), " ")
)
_CONTROLS = {
    0x00: "null character",
    0x07: "bell",
    0x08: "backspace",
    0x09: "tab",
    0x0A: "line break",
    0x0D: "carriage return",
    0x1B: "escape character",
    0x7F: "delete character",
    0x9B: "control sequence introducer",
}
_KINDS = {
    "Cc": "control character",
    "Co": "private-use character",
    "Cs": "half of a surrogate pair",
    "Cn": "unassigned character",
}


def fault(text: str, *, lines: bool = False) -> str | None:
    """Return what is wrong with a text, to follow its name: `has a right-to-left override (U+202E)
    at character 7`. Spaces and line breaks around the text do not count; with `lines`, tabs and
    line breaks inside it do not either."""
    if _plain(text, lines=lines):
        return None
    for form in (text, unicodedata.normalize("NFC", text)):
        body = form.strip(_EDGES)
        start = len(form) - len(form.lstrip(_EDGES))
        for place in _bad_places(body, "\t\r\n" if lines else ""):
            return f"has {_named(body[place])} at character {start + place + 1}"
    return None


def is_tidy(text: str) -> bool:
    """Return whether a text is certainly a line without fault in its stored spelling. Fast; most
    texts are."""
    return text.isascii() and text.isprintable() and text[:1] != " " != text[-1:]


def are_tidy(texts: Iterable[str]) -> bool:
    """Return whether each of several texts certainly is tidy (see `is_tidy`), at a fraction of the
    cost. Raises TypeError for anything but texts."""
    joined = f"|{'|'.join(texts)}|"
    return joined.isascii() and joined.isprintable() and "| " not in joined and " |" not in joined


def tidy(text: str, *, lines: bool = False) -> str:
    """Return a text without fault in the spelling that is stored and compared: NFC, plain spaces,
    none of them around it, and with `lines` one kind of line break."""
    if lines and "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    text = text.strip(_EDGES)
    if text.isascii():
        return text
    return unicodedata.normalize("NFC", text).translate(_SPACES).strip(_EDGES)


def escaped(char: str) -> str:
    r"""Return a character as `\x1b`, `\u202e` or `\U000e0001`."""
    code = ord(char)
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def visible(
    text: str,
    most: int | None = None,
    *,
    lines: bool = False,
    escape: Callable[[str], str] = escaped,
) -> str:
    r"""Return a text of at most `most` characters whose refused characters are written as `\u202e`.
    A text that is cut ends with `…`."""
    if most is not None and len(text) > most:
        text = text[:most] + "…"
    if not _plain(text, lines=lines):
        text = text.replace("\r\n", "\n") if lines else text
        bad = frozenset(_bad_places(text, "\t\n" if lines else ""))
        if bad:
            text = "".join(escape(char) if at in bad else char for at, char in enumerate(text))
    if most is not None and len(text) > most:
        text = text[: most - 1] + "…"
    return text


def _plain(text: str, *, lines: bool) -> bool:
    """Return whether a text is certainly without fault. Fast; most texts are."""
    if text.isascii():
        return text.isprintable() or (lines and _LINES.fullmatch(text) is not None)
    return False


def _bad_places(text: str, allowed: str) -> Iterator[int]:
    marks = MOST_MARKS  # a mark needs a letter before it
    for place, char in enumerate(text):
        if " " <= char <= "~":
            marks = 0
            continue
        category = unicodedata.category(char)
        marks = marks + 1 if category[0] == "M" else 0
        if category in _REFUSED:
            if char not in allowed:
                yield place
        elif marks > MOST_MARKS or _INVISIBLE.match(char):
            yield place


def _named(char: str) -> str:
    code, category = ord(char), unicodedata.category(char)
    name = _CONTROLS.get(code) or _KINDS.get(category)
    if category == "Cn" and (code & 0xFFFE == 0xFFFE or 0xFDD0 <= code <= 0xFDEF):
        name = "noncharacter"
    name = name or unicodedata.name(char).lower()
    if category != "Cs":
        name = f"{'an' if name[0] in 'aeiou' else 'a'} {name}"
    return f"{name} (U+{code:04X})"
