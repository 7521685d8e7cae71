"""Find out how the bytes of a program are encoded. Controls read ASCII: only comments and the names
of tools are written in anything more. A reader therefore works on the bytes of ASCII, and `decoded`
is for people.

No byte of a character in Shift-JIS, GBK, GB18030 or a Windows code page is a bracket, a semicolon
or the end of a line. Comments can be removed before it is known which of them it is.
"""

import codecs
import re

LOOKED_AT = 65_536  # bytes
LEADER = b"\x00\x1a\x7f"  # feed holes and rub-outs of a tape, and the end of a DOS file
_LONG_FEED = re.compile(rb"[\x00\x7f]{8,}")
_UTF_16 = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
_CYRILLIC = bytes((*range(0xC0, 0x100), 0xA8, 0xB8))
_KANA_AND_KANJI = bytes((0x82, 0x83, *range(0x88, 0x98)))  # first bytes of Shift-JIS
_ACCENT_IN_WORD = re.compile(rb"[A-Za-z][\x80-\xff]|[\x80-\xff][A-Za-z]")
# Letters of CP1250 that CP1252 has not, or has as a sign like a superscript 1, beside a letter.
_CENTRAL_EUROPE = re.compile(
    rb"[a-z][\xb3\xb9\xbf\x9a-\x9f\xbe]|[\xb3\xb9\xbf\x9a-\x9f\xbe][a-z]|[\xa3\xa5\xaf][A-Z]",
    re.IGNORECASE,
)


def utf_16(source: bytes) -> str | None:
    """Return which UTF-16 the bytes are, by their mark or by the zero in every second byte."""
    marked = _UTF_16.get(source[:2])
    if marked is not None or b"\x00" not in source[:LOOKED_AT]:
        return marked
    # In UTF-16 at least every third character is ASCII, so that one half of its bytes is zero. The
    # feed holes of a tape are zero in both halves.
    head = source[:LOOKED_AT].strip(b"\x00")
    start = source.find(head[:1])
    even, odd = source[start & ~1 : LOOKED_AT : 2], source[start | 1 : LOOKED_AT : 2]
    for zeros, text, name in ((odd, even, "utf-16-le"), (even, odd, "utf-16-be")):
        if zeros.count(0) * 3 > max(len(zeros), 3) and text.count(0) * 8 < zeros.count(0):
            return name
    return None


def as_ascii_based(source: bytes) -> bytes:
    """Return the program in an encoding in which ASCII is ASCII: UTF-16 becomes UTF-8, and the mark
    at the start, the leader and the trailer of a tape are removed. All other bytes stay."""
    found = utf_16(source)
    if found is not None:
        source = source.decode(found, "replace").encode("utf-8", "replace")
    source = source.strip(LEADER).removeprefix(codecs.BOM_UTF8)
    return _LONG_FEED.sub(b"\x00", source) if b"\x00" in source or b"\x7f" in source else source


def decoded(source: bytes) -> str:
    """Return the text for people. Of UTF-8 and UTF-16 this is certain. Which of the older encodings
    it is, is guessed from the bytes above 127; without a guess they are Western European."""
    text = as_ascii_based(source)
    for name in ("utf-8", _guessed(text)):
        try:
            return text.decode(name)
        except UnicodeDecodeError:
            continue
    return text.decode("latin-1")


def _guessed(text: bytes) -> str:
    head = text[:LOOKED_AT]
    high = bytes(byte for byte in head if byte > 0x7F)
    if _share(high, _KANA_AND_KANJI) > 0.25:
        return "cp932"
    if len(_ACCENT_IN_WORD.findall(head)) * 2 >= len(high):
        return "cp1250" if _CENTRAL_EUROPE.search(head) else "cp1252"
    return "cp1251" if _share(high, _CYRILLIC) > 0.95 else "gb18030"


def _share(high: bytes, of: bytes) -> float:
    return 1.0 - len(high.translate(None, of)) / max(len(high), 1)
