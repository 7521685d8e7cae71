"""JSON exactly as JavaScript writes it: what `JSON.stringify(JSON.parse(text))` gives.

A receiver in JavaScript may verify a signature over what it parsed and wrote again. Python's own
writer differs in numbers (1.0, 1e-07, integers above 2^53), in unpaired surrogates, and in the
order of keys: JavaScript puts keys that look like array indices first, by number.
"""

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

_MOST_EXACT = 2**53
_INDEX = re.compile(r"0|[1-9][0-9]{0,9}")
_LAST_INDEX = 2**32 - 2
_ESCAPED = re.compile(r'[\x00-\x1f"\\\ud800-\udfff]')
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_SHORT = {"\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", '"': '\\"', "\\": "\\\\"}


def dump(value: Any) -> bytes:
    """Return a value of JSON as JavaScript would write it, in UTF-8."""
    parts: list[str] = []
    _write(value, parts)
    return "".join(parts).encode()


def _write(value: Any, parts: list[str]) -> None:
    match value:
        case None:
            parts.append("null")
        case bool():
            parts.append("true" if value else "false")
        case str():
            parts.append(_string(value))
        case int() | float():
            parts.append(_number(value))
        case Mapping():
            _write_object(value, parts)
        case Sequence():
            _write_array(value, parts)
        case _:
            raise TypeError(f"{type(value).__name__} is not a value of JSON")


def _write_object(value: Mapping[str, Any], parts: list[str]) -> None:
    parts.append("{")
    for place, key in enumerate(_ordered(value)):
        parts.append(f"{',' if place else ''}{_string(key)}:")
        _write(value[key], parts)
    parts.append("}")


def _write_array(value: Sequence[Any], parts: list[str]) -> None:
    parts.append("[")
    for place, item in enumerate(value):
        if place:
            parts.append(",")
        _write(item, parts)
    parts.append("]")


def _ordered(value: Mapping[str, Any]) -> Sequence[str]:
    """Array indices by number, then the other keys as they came."""
    indices = [key for key in value if _INDEX.fullmatch(key) and int(key) <= _LAST_INDEX]
    if not indices:
        return list(value)
    first = set(indices)
    return [*sorted(indices, key=int), *(key for key in value if key not in first)]


def _string(text: str) -> str:
    if not _ESCAPED.search(text):
        return f'"{text}"'
    if _SURROGATE.search(text):  # two halves that stand together are one character
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
    return f'"{_ESCAPED.sub(_escape, text)}"'


def _escape(found: re.Match[str]) -> str:
    character = found[0]
    return _SHORT.get(character) or f"\\u{ord(character):04x}"


def _number(value: float) -> str:
    """As ECMAScript's Number::toString; null for what is too large for a number of JavaScript."""
    if isinstance(value, int) and -_MOST_EXACT <= value <= _MOST_EXACT:
        return str(int(value))
    try:
        number = float(value)
    except OverflowError:
        return "null"
    if not math.isfinite(number):
        return "null"
    if number == 0:
        return "0"
    sign = "-" if number < 0 else ""
    digits, exponent = _shortest(abs(number))
    return sign + _placed(digits, exponent)


def _shortest(number: float) -> tuple[str, int]:
    """The shortest digits d that give the number back, and n where it is 0.d × 10^n."""
    mantissa, _, power = repr(number).partition("e")
    whole, _, fraction = mantissa.partition(".")
    exponent = len(whole) + int(power or 0)
    digits = whole + fraction
    stripped = digits.lstrip("0")
    return stripped.rstrip("0"), exponent - (len(digits) - len(stripped))


def _placed(digits: str, exponent: int) -> str:
    count = len(digits)
    if count <= exponent <= 21:
        return digits + "0" * (exponent - count)
    if 0 < exponent <= 21:
        return f"{digits[:exponent]}.{digits[exponent:]}"
    if -6 < exponent <= 0:
        return f"0.{'0' * -exponent}{digits}"
    power = exponent - 1
    fraction = f".{digits[1:]}" if count > 1 else ""
    return f"{digits[0]}{fraction}e{'+' if power > 0 else '-'}{abs(power)}"
