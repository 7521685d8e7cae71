"""The format of answers: aligned tables and plain sentences, or JSON.

Everything that the command line prints goes through `say` or `print_json`: names and messages come
from anywhere, and no control character of theirs may reach a terminal.
"""

import asyncio
import datetime as dt
import json
import re
import sys
from collections.abc import AsyncIterator, Mapping, Sequence, Set
from contextlib import asynccontextmanager
from dataclasses import fields, is_dataclass
from time import monotonic
from typing import Any
from zoneinfo import ZoneInfo

from cnc_station.engine.domain import text_gate
from cnc_station.engine.domain.checks import LAST_MS
from cnc_station.engine.domain.errors import (
    CncStationError,
    Conflict,
    Fenced,
    InvalidInput,
    NotPermitted,
)


def plain(value: object) -> Any:
    """Convert a record for JSON: dataclasses become objects, sets become sorted lists."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, Set):
        return sorted(plain(item) for item in value)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [plain(item) for item in value]
    return value


def say(text: str = "", *, error: bool = False, flush: bool = False) -> None:
    """Print one line, on stdout or with `error` on stderr. Line breaks and tabs become spaces;
    other control characters and invisible ones are written as escapes."""
    line = text_gate.visible(_BREAKS.sub(" ", text))
    print(line, file=sys.stderr if error else sys.stdout, flush=flush)


_BREAKS = re.compile(r"[\r\n\t]+")


def print_json(value: object, *, error: bool = False, one_line: bool = False) -> None:
    """Print one JSON document, on stdout or with `error` as one line on stderr. It has no control
    character; what it says is exact."""
    indent = None if error or one_line else 2
    text = json.dumps(plain(value), ensure_ascii=False, indent=indent)
    for line in text.split("\n"):
        shown = text_gate.visible(line, escape=_json_escape)
        print(shown, file=sys.stderr if error else sys.stdout, flush=one_line)


def _json_escape(char: str) -> str:
    return json.dumps(char)[1:-1]


def print_lines(text: str) -> None:
    """Print a text of several lines; its control and invisible characters are written as
    escapes."""
    print(text_gate.visible(text, lines=True).removesuffix("\n"))


def print_table(headers: Sequence[str], rows: Sequence[Sequence[str]], *, right: str = "") -> None:
    """Print columns aligned under their headers.

    Those named in `right`, separated by spaces, are right-aligned. Line breaks in cells become
    spaces.
    """
    lines = [
        [text_gate.visible(" ".join(cell.split())) for cell in row] for row in (headers, *rows)
    ]
    widths = [max(len(line[place]) for line in lines) for place in range(len(headers))]
    to_right = right.split()
    for line in lines:
        cells = (
            cell.rjust(width) if header in to_right else cell.ljust(width)
            for header, cell, width in zip(headers, line, widths, strict=True)
        )
        say("  ".join(cells).rstrip())


def print_fields(pairs: Sequence[tuple[str, str]]) -> None:
    """Print names and values in lines. Names without a value are left out."""
    shown = [(name, value) for name, value in pairs if value]
    width = max((len(name) for name, _ in shown), default=0)
    for name, value in shown:
        say(f"{name.ljust(width)}  {value}")


def clock(at: int | None, time_zone: str) -> str:
    """Return local time to the second: `2026-11-23 17:00:00`; "" for None."""
    if at is None:
        return ""
    zone = ZoneInfo(time_zone) if time_zone else None
    moment = dt.datetime.fromtimestamp(min(at, LAST_MS) / 1000, tz=dt.UTC).astimezone(zone)
    return moment.strftime("%Y-%m-%d %H:%M:%S")


def duration(seconds: float | None) -> str:
    """Return `0:12:30`, in hours, minutes and seconds; "" for None."""
    if seconds is None:
        return ""
    whole = round(seconds)
    return f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}"


_PATIENCE_S = 1.0  # before work takes long enough to be mentioned
_MENTION_EVERY_S = 5.0  # in a log; a terminal counts the seconds


@asynccontextmanager
async def progress(words: str) -> AsyncIterator[None]:
    """Say on stderr that the work in this block goes on, and for how long."""
    told = asyncio.ensure_future(_count_seconds(words))
    try:
        yield
    finally:
        told.cancel()
        await asyncio.gather(told, return_exceptions=True)


async def _count_seconds(words: str) -> None:
    on_terminal = sys.stderr.isatty()
    begin, end = ("\r", "") if on_terminal else ("", "\n")
    started = monotonic()
    await asyncio.sleep(_PATIENCE_S)
    try:
        while True:
            seconds = round(monotonic() - started)
            text = f"{begin}cnc-station: {words}: {seconds} s"
            print(text, end=end, file=sys.stderr, flush=True)
            await asyncio.sleep(1.0 if on_terminal else _MENTION_EVERY_S)
    finally:
        if on_terminal:
            print(file=sys.stderr)


def print_progress(words: str, *, last: bool) -> None:
    """Show on a terminal how far work has come, in place of what was shown before."""
    if sys.stderr.isatty():
        print(f"\rcnc-station: {words}", end="\n" if last else "", file=sys.stderr, flush=True)


def print_warnings(sentences: Sequence[str]) -> None:
    """Print warnings on stderr, so that they never mix with an answer."""
    for sentence in sentences:
        say(f"cnc-station: warning: {sentence}", error=True)


def print_error(error: Exception, kind: str, *, as_json: bool) -> None:
    """Print an error on stderr."""
    named = error.errors if isinstance(error, InvalidInput) else ()
    if as_json:
        error_fields: dict[str, Any] = {"kind": kind, "message": str(error)}
        if named:
            error_fields["fields"] = [
                {"field": item.field, "reason": item.reason} for item in named
            ]
        print_json({"error": error_fields}, error=True)
        return
    for sentence in named or (error,):
        say(f"cnc-station: {sentence}", error=True)


def kind_of(error: CncStationError) -> str:
    """Return the kind of an error in one word, for JSON."""
    if isinstance(error, InvalidInput):
        return "invalid"
    if isinstance(error, NotPermitted):
        return "forbidden"
    return "conflict" if isinstance(error, Conflict | Fenced) else "unavailable"
