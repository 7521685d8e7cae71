"""Checks that the specs of jobs and machines share: any value in, complaints by field out."""

import json
import math
from collections.abc import Iterable, Mapping

from cnc_station.engine.domain.errors import FieldError, InvalidInput

MOST_ID = 2**63 - 1
MOST_REASON = 2_000  # characters
_JSON_BYTES = 65_536


def refuse(complaints: Iterable[FieldError]) -> None:
    """Raises InvalidInput if there are any."""
    if errors := tuple(complaints):
        raise InvalidInput(*errors)


def text(name: str, value: object, most: int, *, wanted: bool = False) -> Iterable[FieldError]:
    """Text that any database can keep, of at most `most` characters."""
    if not isinstance(value, str):
        yield FieldError(name, "must be text")
    elif wanted and not value.strip():
        yield FieldError(name, "is missing")
    elif len(value) > most or len(value.lower()) > most:
        yield FieldError(name, f"at most {most} characters")
    elif "\x00" in value or any("\ud800" <= letter <= "\udfff" for letter in value):
        yield FieldError(name, "holds a character that can't be kept")


def whole(name: str, value: object, low: int, high: int) -> Iterable[FieldError]:
    """A whole number; a truth value is none."""
    if not isinstance(value, int) or isinstance(value, bool):
        yield FieldError(name, "must be a whole number")
    elif not low <= value <= high:
        yield FieldError(name, f"from {low} to {high:,}")


def number(value: object) -> bool:
    """Whether it is a number that a database can keep, neither infinite nor a truth value."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return -MOST_ID <= value <= MOST_ID and math.isfinite(value)


def json_object(name: str, value: object) -> Iterable[FieldError]:
    """A mapping that JSON can carry, of at most 64 KiB."""
    if not isinstance(value, Mapping):
        yield FieldError(name, "must be a JSON object")
        return
    try:
        size = len(json.dumps(dict(value), allow_nan=False))
    except (TypeError, ValueError, RecursionError):
        yield FieldError(name, "must be JSON")
        return
    if size > _JSON_BYTES:
        yield FieldError(name, "at most 64 KiB")
