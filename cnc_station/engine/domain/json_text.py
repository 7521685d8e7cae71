"""JSON from outside: how deep, large and unambiguous it must be, and the words that refuse it."""

import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from cnc_station.engine.domain import text_gate

MOST_BYTES = 65_536
MOST_DEPTH = 64
MOST_ITEMS = 10_000
MOST_NUMBER = 2**63 - 1
_MOST_KEY = 200  # characters
_TOO_DEEP = f"is nested deeper than {MOST_DEPTH} levels"
_TOO_MANY = f"has more than {MOST_ITEMS:,} values"
_CUT = "…"
_Path = tuple[object, ...]


def parse(text: str | bytes, most_bytes: int = MOST_BYTES) -> Any:
    """Return the value of a JSON text. Raises ValueError with what is wrong, to follow its name."""
    size = len(text) if isinstance(text, bytes) else len(text.encode(errors="replace"))
    if size > most_bytes:
        raise ValueError(f"is larger than {most_bytes >> 10:,} KiB")
    found = load(text)
    if (wrong := fault(found)) is not None:
        raise ValueError(wrong)
    return found


def load(text: str | bytes) -> Any:
    """Return the value of a JSON text whose values are checked later, by their types. Raises
    ValueError for a text that can be understood in two ways: a key given twice, NaN."""
    try:
        return json.loads(text, object_pairs_hook=_unique, parse_constant=_no_number)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise ValueError(f"is not JSON, {place}: {error.msg}") from None
    except UnicodeDecodeError:
        raise ValueError("is not JSON: it is not UTF-8") from None
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None
    except _Ambiguous as error:
        raise ValueError(str(error)) from None
    except ValueError:  # Python's own limit
        raise ValueError("has a number of too many digits") from None


class _Ambiguous(ValueError):
    """A reader could understand it in two ways."""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = next(key for key, count in Counter(key for key, _ in pairs).items() if count > 1)
        raise _Ambiguous(f'has the key "{text_gate.visible(twice, 40)}" twice')
    return found


def _no_number(name: str) -> Any:
    raise _Ambiguous(f"has {name}, which is not a number")


def fault(value: object) -> str | None:
    """Return what is wrong with a parsed JSON value, to follow its name; None if nothing is. Values
    of other types do not count."""
    rest: list[tuple[object, _Path]] = [(value, ())]
    items = 0
    while rest:
        item, path = rest.pop()
        if (inner := _inner(item)) is None:
            if (wrong := _leaf_fault(item)) is not None:
                return f"{wrong} of {_shown(path)}" if path else wrong
            continue
        if len(path) >= MOST_DEPTH:
            return _TOO_DEEP
        for key, one in inner:
            items += 1
            if items > MOST_ITEMS:
                return _TOO_MANY
            if (wrong := _key_fault(key)) is not None:
                return f"{wrong} in {_shown(path)}" if path else wrong
            rest.append((one, (*path, key)))
    return None


def _shown(path: _Path) -> str:
    return text_gate.visible(".".join(map(str, path)), 80)


def _inner(item: object) -> Iterable[tuple[object, object]] | None:
    if isinstance(item, Mapping):
        return item.items()
    if isinstance(item, Sequence) and not isinstance(item, str | bytes | bytearray):
        return enumerate(item)
    return None


def _key_fault(key: object) -> str | None:
    if isinstance(key, int) and not isinstance(key, bool):  # a place in a list
        return None
    if not isinstance(key, str):
        return "has a key that is not text"
    if len(key) > _MOST_KEY:
        return f"has a key of more than {_MOST_KEY} characters"
    if text_gate.is_tidy(key):
        return None
    wrong = text_gate.fault(key)
    return f'has the key "{text_gate.visible(key, 40)}", which {wrong}' if wrong else None


def _leaf_fault(item: object) -> str | None:
    if isinstance(item, str):
        return text_gate.fault(item, lines=True)
    if isinstance(item, float) and not math.isfinite(item):
        return "has a number that is not finite as the value"
    if isinstance(item, int) and abs(item) > MOST_NUMBER:
        return "has a number beyond 64 bits as the value"
    return None


def stored(text: str, otherwise: Any = None) -> Any:
    """Return a JSON value of the database, whatever an earlier version stored: what is nested too
    deep is cut to `…`, half a surrogate pair becomes an escape, and a text that is not JSON gives
    `otherwise`."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return otherwise
    if text.count("[") + text.count("{") <= MOST_DEPTH and "\\ud" not in text:
        return found
    return _mended(found, MOST_DEPTH)


def stored_object(text: str | None) -> dict[str, Any]:
    """Return a JSON object of the database; an empty one if there is none (see `stored`)."""
    found = stored(text) if text else None
    return found if isinstance(found, dict) else {}


def _mended(value: Any, depth: int) -> Any:
    if isinstance(value, str):
        return value.encode(errors="backslashreplace").decode()
    if not isinstance(value, dict | list):
        return value
    if depth == 0:
        return _CUT
    if isinstance(value, list):
        return [_mended(item, depth - 1) for item in value]
    return {_mended(key, depth): _mended(item, depth - 1) for key, item in value.items()}
