"""The lines of a station's log file: one JSON object for each record, on one line.

No text can break out of its line or control a terminal: line breaks, control characters and
invisible ones are escapes of JSON, which read back as they were.
"""

import datetime as dt
import json
import logging
import math
import sys
from collections.abc import Mapping
from contextvars import ContextVar
from functools import lru_cache
from typing import Protocol

from cnc_station.engine.domain.text_gate import visible

SERVICE = "cnc-station"
MOST_TEXT = 4_000  # characters of one field
MOST_TRACE = 20_000  # characters of a traceback
# What a call may add with `extra=`, or bind with structlog, besides what every line has.
FIELDS = (
    *("event", "transition", "job_id", "run_id", "machine_id", "trace_id", "user_id", "tenant"),
    *("method", "route", "status", "duration_ms", "bytes"),
)
_encode = json.JSONEncoder(ensure_ascii=False).encode


class JsonLines(logging.Formatter):
    """One JSON object for each record, with the fields of its `extra=` and of the current request
    or run."""

    def __init__(self, station: str) -> None:
        super().__init__()
        self.station = station

    def format(self, record: logging.LogRecord) -> str:
        given = {**bound_fields(), **vars(record)}
        fields: dict[str, object] = {
            "timestamp": timestamp(round(record.created * 1000)),
            "level": record.levelname.lower(),
            "service": SERVICE,
            "station": self.station,
            "message": record.getMessage(),
        }
        fields |= {name: given[name] for name in FIELDS if given.get(name) is not None}
        fields["logger"] = record.name
        if record.exc_info:
            fields["exception"] = self.formatException(record.exc_info)[-MOST_TRACE:]
        return json_line(fields)


def json_line(fields: Mapping[str, object]) -> str:
    """Return an object on one line, without its line break."""
    return "{" + ",".join(f'"{name}":{_value(name, fields[name])}' for name in fields) + "}"


def _value(name: str, value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value) if math.isfinite(value) else "null"
    most = MOST_TRACE if name == "exception" else MOST_TEXT
    return json_text(str(value), most)


def json_text(text: str, most: int = MOST_TEXT) -> str:
    """Return a text as JSON. One that is cut ends with `…`."""
    if len(text) > most:
        text = text[: most - 1] + "…"
    if text.isalnum() and text.isascii():  # as most trace ids
        return f'"{text}"'
    encoded = _encode(text)
    if encoded.isascii() and encoded.isprintable():
        return encoded
    return visible(encoded, escape=json_escape)


def json_escape(char: str) -> str:
    """Return a character as an escape of JSON."""
    return json.dumps(char)[1:-1]


@lru_cache(maxsize=256)
def timestamp(at: int) -> str:
    """Return a time (ms since the epoch) as `2026-11-30T10:00:00.000Z`."""
    moment = dt.datetime.fromtimestamp(at / 1000, dt.UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{at % 1000:03}Z"


class Run(Protocol):
    """What the lines of a run's own task name."""

    @property
    def job_id(self) -> int: ...
    @property
    def run_id(self) -> int: ...
    @property
    def machine_id(self) -> int | None: ...
    @property
    def trace_id(self) -> str: ...


# Not bound by structlog: thousands of runs start in a second.
current_run: ContextVar[Run | None] = ContextVar("current_run", default=None)


def bound_fields() -> Mapping[str, object]:
    """Return the fields of the run and of the request in whose task a line is logged.

    A request's are bound with `structlog.contextvars`. Before its first import nothing is, and the
    first paint of the window does not wait for it.
    """
    fields: dict[str, object] = {}
    if (run := current_run.get()) is not None:
        fields = {
            "job_id": run.job_id,
            "run_id": run.run_id,
            "machine_id": run.machine_id,
            "trace_id": run.trace_id,
        }
    if contextvars := sys.modules.get("structlog.contextvars"):
        fields |= contextvars.get_contextvars()
    return fields
