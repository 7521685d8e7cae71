"""`logs`: what the stations of a folder have logged, for people or as JSON."""

import datetime as dt
import logging
import re
import time
from collections.abc import Iterable
from itertools import islice

from cnc_station.cli.invocation import Call, Exit
from cnc_station.cli.output import clock, print_json, print_warnings, say
from cnc_station.engine.domain import table_values
from cnc_station.engine.domain.errors import FieldError, InvalidInput
from cnc_station.engine.domain.text_gate import visible
from cnc_station.engine.timing import now_ms
from cnc_station.logs.lines import timestamp
from cnc_station.logs.reader import LogFilter, LogFolder, LogLine
from cnc_station.logs.repeats import HTTP

EVERY_S = 0.5
_MOST_STATION = 20  # characters of a column
_AGO = re.compile(r"\d.*[a-zA-Z]")  # 90min, not 17:00


def logs(call: Call) -> int:
    """Print the newest lines that the options choose, oldest first, and with --follow those to
    come until it is interrupted."""
    args = call.args
    chosen = LogFilter(
        args.job,
        args.trace,
        args.station,
        _since(call),
        logging.getLevelNamesMapping()[args.level.upper()],
    )
    limit = max(1, args.limit)
    folder = LogFolder(call.config.logs)
    found = list(islice(folder.newest(chosen), limit + 1))
    printer = _Printer(call)
    more = len(found) > limit
    del found[limit:]
    found.reverse()
    found.sort(key=lambda line: line.timestamp)
    printer.print(found)
    print_warnings([*_notes(folder, more=more, limit=limit)])
    while args.follow:
        time.sleep(EVERY_S)
        printer.print(folder.new(chosen))
    return Exit.OK


def _since(call: Call) -> str:
    text: str | None = call.args.since
    if text is None:
        return ""
    if _AGO.fullmatch(text.strip()) and "T" not in text:
        try:
            return timestamp(now_ms() - round(table_values.seconds(text) * 1000))
        except ValueError as error:
            raise InvalidInput(FieldError("since", str(error))) from error
    at = call.moment("since", text)
    return timestamp(at) if at is not None else ""


def _notes(folder: LogFolder, *, more: bool, limit: int) -> Iterable[str]:
    for name, reason in folder.refused.items():
        yield f"{name} can't be read: {reason}"
    if folder.unreadable:
        yield f"{folder.unreadable:,} lines are not lines of a log and are left out"
    if more:
        yield f"only the newest {limit:,} lines are shown; more with --limit"


class _Printer:
    """Prints lines with their columns aligned, as far as they are known."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._width = 0

    def print(self, lines: Iterable[LogLine]) -> None:
        for line in lines:
            if self._call.json:
                print_json(line.fields, one_line=True)
            else:
                say(self._sentence(line), flush=True)

    def _sentence(self, line: LogLine) -> str:
        fields = line.fields
        station = visible(str(fields.get("station", "")), _MOST_STATION)
        self._width = max(self._width, len(station))
        at = round(dt.datetime.fromisoformat(line.timestamp).timestamp() * 1000)
        level = visible(str(fields.get("level", "")), 8).ljust(7)
        when = clock(at, self._call.config.time_zone)
        return f"{when}  {station.ljust(self._width)}  {level}  {_told(fields)}"


def _told(fields: dict[str, object]) -> str:
    """Return the message with what it does not say itself: its job and machine, how long a request
    took, and the last line of a traceback."""
    told = str(fields.get("message", ""))
    if (job := fields.get("job_id")) is not None and f"job {job}" not in told.lower():
        told += f" (job {job})"
    if (machine := fields.get("machine_id")) is not None:
        told += f" (machine {machine})"
    if fields.get("event") == HTTP:
        told += f" in {fields.get('duration_ms')} ms"
    trace = str(fields.get("exception", "")).strip()
    return f"{told}: {trace.splitlines()[-1]}" if trace else told
