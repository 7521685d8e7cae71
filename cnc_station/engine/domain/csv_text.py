"""Write tables as CSV that no spreadsheet takes for formulas. Every table export uses this.

A spreadsheet separates cells by what its country uses: a German one finds the cell `=1+1` in the
text `a;=1+1;b`, whatever quotation marks stand around it.
"""

import csv
import io
import re
from collections.abc import Iterable, Sequence

BOM = b"\xef\xbb\xbf"
"""The first bytes of a file: otherwise spreadsheets assume a national code page."""

_FORMULA = "=+-@" + "\ufe66\ufe62\ufe63\ufe6b" + "\uff1d\uff0b\uff0d\uff20"
_SUSPECT = re.compile(f"[{re.escape(_FORMULA)}]")
_SEPARATOR = re.compile(r"([;|\t\r\n\v\f\x1c-\x1e\x85\u2028\u2029])")
# Skipped by one spreadsheet or another before it looks for a formula.
_SKIPPED = (
    "".join(map(chr, range(0x21)))
    + '"\x7f\x85\xa0\u180e\u2028\u2029\u202f\u205f\u3000\ufeff'
    + "".join(
        chr(code)
        for low, high in ((0x2000, 0x200F), (0x202A, 0x202E), (0x2060, 0x206F))
        for code in range(low, high + 1)
    )
)
_STARTS = ("\t", "\r", "\n")


def csv_lines(rows: Iterable[Sequence[object]]) -> bytes:
    """Return lines of UTF-8. Numbers stay as they are, all other cells become plain text."""
    text = io.StringIO()
    csv.writer(text).writerows([_cell(value) for value in row] for row in rows)
    return text.getvalue().encode("utf-8", "replace")


def _cell(value: object) -> object:
    return value if value is None or isinstance(value, int | float) else plain_text(str(value))


def plain_text(text: str) -> str:
    """Put an apostrophe before everything that a spreadsheet could take for a formula: at the
    beginning, and after each character that could separate cells there."""
    escaped = text
    if _SUSPECT.search(text):
        escaped = "".join(map(_piece, _SEPARATOR.split(text)))
    return f"'{escaped}" if text.startswith(_STARTS) else escaped


def _piece(text: str) -> str:
    rest = text.lstrip(_SKIPPED)
    if not rest or rest[0] not in _FORMULA:
        return text
    return f"{text[: len(text) - len(rest)]}'{rest}"
