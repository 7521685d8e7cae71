"""Checks that the specs of jobs and machines share: any value in, errors by field out."""

import json
import math
from collections.abc import Iterable, Mapping

from cnc_station.engine.domain import json_text
from cnc_station.engine.domain.admission import Text, text_faults
from cnc_station.engine.domain.errors import FieldError, InvalidInput
from cnc_station.engine.domain.text_gate import is_tidy

MOST_ID = 2**63 - 1
LAST_MS = 253_370_764_799_999  # the end of the year 9998


def refuse(complaints: Iterable[FieldError]) -> None:
    """Raises InvalidInput if there are any."""
    if errors := tuple(complaints):
        raise InvalidInput(*errors)


def text(
    name: str, value: object, most: int, *, wanted: bool = False, lines: bool = False
) -> Iterable[FieldError]:
    """Check a line of text, or several `lines`: at most `most` characters, all of which `text_gate`
    allows."""
    if type(value) is str and len(value) <= most and is_tidy(value) and (value or not wanted):
        return
    if not isinstance(value, str):
        yield FieldError(name, "must be text")
    elif wanted and not value.strip():
        yield FieldError(name, "is missing")
    else:
        yield from text_faults(name, value, Text(most, lines))


def whole(name: str, value: object, low: int, high: int) -> Iterable[FieldError]:
    """Check a whole number. True and False are not numbers."""
    if not isinstance(value, int) or isinstance(value, bool):
        yield FieldError(name, "must be a whole number")
    elif not low <= value <= high:
        yield FieldError(name, f"from {low} to {high:,}")


def moment(name: str, value: object) -> Iterable[FieldError]:
    """Check a time in ms since the epoch that every time zone can show."""
    if not isinstance(value, int) or isinstance(value, bool):
        yield FieldError(name, "must be a time")
    elif not 0 <= value <= LAST_MS:
        yield FieldError(name, "must be a time in the years 1970 to 9998")


def number(value: object) -> bool:
    """Return whether it is a finite number that a database can store, and not a truth value."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return -MOST_ID <= value <= MOST_ID and math.isfinite(value)


def json_object(name: str, value: object) -> Iterable[FieldError]:
    """Check a mapping that JSON can represent, of at most 64 KiB and as `json_text` allows."""
    if not isinstance(value, Mapping):
        yield FieldError(name, "must be a JSON object")
    elif not value:
        return
    elif (wrong := json_text.fault(value)) is not None:
        yield FieldError(name, wrong)
    else:
        try:
            size = len(json.dumps(dict(value), allow_nan=False))
        except (TypeError, ValueError):
            yield FieldError(name, "must be JSON")
            return
        if size > json_text.MOST_BYTES:
            yield FieldError(name, f"at most {json_text.MOST_BYTES >> 10} KiB")
