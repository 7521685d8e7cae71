"""Read numbers. How a column writes them is found out from all of its cells, never from one."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from cnc_station.engine.domain.tables.refused_cell import RefusedCell, shown
from cnc_station.engine.domain.tables.units import is_pieces

DecimalSign = Literal[".", ","]
_SIMPLE = re.compile(r"[+-]?(?:[0-9]+(?:[.,][0-9]*)?|[.,][0-9]+)(?:[eE][+-]?[0-9]+)?")
_GROUPED = re.compile(r"[+-]?[1-9][0-9]{0,2}(?:([.,'\u2019 \u00a0\u202f])[0-9]{3})(?:\1[0-9]{3})*")
_GROUPED_WITH_FRACTION = re.compile(
    r"[+-]?[0-9]{1,3}(?:(?:,[0-9]{3})+\.[0-9]+|(?:[. '\u2019\u00a0\u202f][0-9]{3})+,[0-9]+"
    r"|(?:['\u2019][0-9]{3})+\.[0-9]+)"
)
_UNDECIDED = re.compile(r"[+-]?[1-9][0-9]{0,2}[.,][0-9]{3}")
_WITH_UNIT = re.compile(r"([+-]?[0-9](?:[0-9.,'\u2019 \u00a0\u202f]*[0-9.])?)\s*([^\W\d][^\d]*)")


def number(text: str, sign: DecimalSign | None = None) -> float:
    """A number with a point or a comma: `1.5`, `1,5`, `1,234.5`, `1.234,5`. `sign` is the decimal
    sign of its column; without one, a text that can mean two numbers is refused."""
    plain = text.strip()
    if sign is not None and _UNDECIDED.fullmatch(plain):
        return float(plain.replace("," if sign == "." else ".", "").replace(",", "."))
    if _GROUPED_WITH_FRACTION.fullmatch(plain):
        whole_part, fraction = re.split(r"[.,](?=[0-9]+$)", plain)
        return float(re.sub(r"[^0-9+-]", "", whole_part) + "." + fraction)
    groups = _GROUPED.fullmatch(plain)
    if groups and (groups[1] != "." or plain.count(".") > 1):
        if groups[1] == "," and plain.count(",") == 1:
            raise _two_meanings(plain)
        return float(re.sub(r"[^0-9+-]", "", plain))
    if not _SIMPLE.fullmatch(plain):
        raise ValueError(f"{shown(text)} is not a number")
    return float(plain.replace(",", "."))


def whole(text: str, sign: DecimalSign | None = None) -> int:
    """A whole number: `12`, `12.0`, `12,0`, `1 200`."""
    plain = text.strip()
    if plain.isdecimal() and plain.isascii() and len(plain) < 18:
        return int(plain)
    groups = _GROUPED.fullmatch(plain)
    if sign is None and groups and groups[1] in ".," and plain.count(groups[1]) == 1:
        raise _two_meanings(plain)
    try:
        value = number(plain, sign)
        if value.is_integer():
            return int(value)
    except ValueError as error:
        raise ValueError(f"{shown(text)} is not a whole number") from error
    raise ValueError(f"{shown(text)} is not a whole number")


def pieces(text: str, sign: DecimalSign | None = None) -> int:
    """A number of parts, perhaps with its unit: `6`, `6 pcs`, `40 EA`, `6 Stk`."""
    found = _WITH_UNIT.fullmatch(text.strip())
    if found is None:
        return whole(text, sign)
    if not is_pieces(found[2]):
        raise RefusedCell(
            f"{shown(text)} is not a number of parts: {shown(found[2])} is not a part"
        )
    return whole(found[1], sign)


def _two_meanings(text: str) -> RefusedCell:
    joined = re.sub(r"[^0-9+-]", "", text)
    return RefusedCell(f"{shown(text)} can mean two numbers: write {joined}, or fewer decimals")


@dataclass(frozen=True, slots=True)
class SignVotes:
    """What the cells of a column show of its decimal sign. `undecided` is a cell that can mean two
    numbers. `grouped` is the sign if they are whole numbers: `1.250` is not 1.25 parts."""

    signs: frozenset[str] = frozenset()
    undecided: str | None = None
    grouped: DecimalSign | None = None


def sign_votes(cells: Iterable[str]) -> SignVotes:
    """Return what cells of numbers show, with or without units."""
    signs: set[str] = set()
    grouped: DecimalSign | None = None
    undecided = None
    for cell in cells:
        if "." not in cell and "," not in cell:
            continue
        found = _WITH_UNIT.fullmatch(cell.strip())
        text = found[1] if found else cell.strip()
        if _UNDECIDED.fullmatch(text):
            undecided = undecided or cell
            if not text.endswith("000"):
                grouped = "," if "." in text else "."
        elif (sign := _sign_of(text)) is not None:
            signs.add(sign)
    return SignVotes(frozenset(signs), undecided, grouped)


def _sign_of(text: str) -> DecimalSign | None:
    """Return the decimal sign that this text must have; None if it shows none."""
    points, commas = text.count("."), text.count(",")
    if points and commas:
        return "." if text.rfind(".") > text.rfind(",") else ","
    if points > 1 or commas > 1:
        if not _GROUPED.fullmatch(text):
            return None
        return "," if points else "."
    if not _SIMPLE.fullmatch(text):
        return None
    return "." if points else ","
