"""Checks that the specs of jobs and machines share: any value in, errors by field out."""

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
    """Check text: at most `most` characters, all of which any database can store."""
    if not isinstance(value, str):
        yield FieldError(name, "must be text")
    elif wanted and not value.strip():
        yield FieldError(name, "is missing")
    elif len(value) > most or len(value.lower()) > most:
        yield FieldError(name, f"at most {most} characters")
    elif "\x00" in value or any("\ud800" <= letter <= "\udfff" for letter in value):
        yield FieldError(name, "contains a character that cannot be stored")


def whole(name: str, value: object, low: int, high: int) -> Iterable[FieldError]:
    """Check a whole number. True and False are not numbers."""
    if not isinstance(value, int) or isinstance(value, bool):
        yield FieldError(name, "must be a whole number")
    elif not low <= value <= high:
        yield FieldError(name, f"from {low} to {high:,}")


def number(value: object) -> bool:
    """Return whether it is a finite number that a database can store, and not a truth value."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return -MOST_ID <= value <= MOST_ID and math.isfinite(value)


def json_object(name: str, value: object) -> Iterable[FieldError]:
    """Check a mapping that JSON can represent, of at most 64 KiB."""
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
