"""One line for each change of a job's state that this station has written.

The writer gives the rows of a commit away as they are; the thread of the log words them.
"""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import compress
from typing import Any, NamedTuple

from cnc_station.engine.domain.notice import Notice
from cnc_station.engine.domain.transitions import TRANSITIONS
from cnc_station.logs.lines import SERVICE, json_text, timestamp

LOGGER = "cnc_station.job_events"


class Words(NamedTuple):
    """What a transition is called, and what is said of its job."""

    event: str
    said: str
    level: int = logging.INFO


_WARNING = logging.WARNING
_LEVELS = {logging.INFO: "info", _WARNING: "warning"}
# Not here: what changes no state, and the assignment, which is followed by a start.
WORDS: Mapping[str, Words] = {
    "drafted": Words("draft", "saved as a draft"),
    "created": Words("submit", "submitted"),
    "submitted": Words("submit", "submitted"),
    "deleted": Words("delete", "deleted"),
    "released": Words("release", "in the queue"),
    "postponed": Words("delay", "delayed"),
    "paused": Words("pause", "paused"),
    "resumed": Words("resume", "resumed"),
    "expedited": Words("expedite", "is to run now"),
    "returned": Words("return", "back in the queue, not started"),
    "deferred": Words("defer", "put off before its start"),
    "started": Words("start", "started"),
    "held": Words("hold", "on hold"),
    "continued": Words("continue", "runs again"),
    "completed": Words("finish", "completed"),
    "requeued": Words("requeue", "back in the queue"),
    "failed_retry": Words("fail", "failed and is tried again", _WARNING),
    "failed_final": Words("dlq", "failed and needs attention", _WARNING),
    "aborted": Words("abort", "aborted"),
    "interrupted": Words("interrupt", "interrupted", _WARNING),
    "lost_returned": Words("return", "back in the queue: its station is gone", _WARNING),
    "lost_retry": Words("fail", "is tried again: its station is gone", _WARNING),
    "lost_final": Words("dlq", "needs attention: its station is gone", _WARNING),
    "lost_interrupted": Words("interrupt", "interrupted: its station is gone", _WARNING),
    "reattached": Words("reattach", "goes on after an interruption"),
    "cancelled": Words("cancel", "cancelled"),
    "restored": Words("retry", "restored"),
    "restored_paused": Words("restore", "restored and paused"),
    "retried": Words("retry", "queued again"),
    "scrapped": Words("retry", "queued again, its part is scrap"),
    "discarded": Words("discard", "discarded"),
    "accepted": Words("finish", "accepted as completed"),
    **{
        name: Words("override", f"set to {name.removeprefix('overridden_to_').replace('_', ' ')}")
        for name in TRANSITIONS
        if name.startswith("overridden_to_")
    },
}


_RELEASED_AGAIN = Words("retry", "in the queue again")  # after a run that failed


class WrittenEvents(NamedTuple):
    """The events of one commit: their rows, and its notice, which names their tenants."""

    rows: Sequence[Mapping[str, Any]]
    notice: Notice


_name = lru_cache(maxsize=1_000)(json_text)  # few people and customers are behind many events
sinks: list[Callable[[WrittenEvents], None]] = []  # where the events of each commit go


def log_events(rows: Sequence[Mapping[str, Any]], notice: Notice) -> None:
    """Log the events of a commit, if anything writes them. They must not change afterwards."""
    if rows:
        for sink in tuple(sinks):
            sink(WrittenEvents(rows, notice))


def event_lines(written: WrittenEvents, station: str) -> str:
    """Return the JSON lines of a commit, each with its line break."""
    service = f'"service":"{SERVICE}","station":{json_text(station)},"message":"job '
    return "".join([_line(*worded, service) for worded in _worded(written)])


def _line(row: Mapping[str, Any], tenant: str | None, words: Words, service: str) -> str:
    job_id, run_id, machine_id = row["job_id"], row["run_id"], row["machine_id"]
    reason = row["reason"]
    said = f"{words.said}: {json_text(reason)[1:-1]}" if reason else words.said
    run = "" if run_id is None else f',"run_id":{run_id}'
    machine = "" if machine_id is None else f',"machine_id":{machine_id}'
    of = f',"tenant":{_name(tenant)}' if tenant else ""
    return (
        f'{{"timestamp":"{timestamp(row["at"])}","level":"{_LEVELS[words.level]}",'
        f'{service}{job_id} {said}","event":"{words.event}","transition":"{row["type"]}",'
        f'"job_id":{job_id}{run}{machine},"trace_id":{json_text(row["trace_id"])},'
        f'"user_id":{_name(row["actor"])}{of}}}\n'
    )


def _worded(written: WrittenEvents) -> Iterator[tuple[Mapping[str, Any], str | None, Words]]:
    types, tenants = written.notice.columns.type, written.notice.columns.tenant
    if len(types) > len(written.rows):  # topics have no row
        tenants = tuple(compress(tenants, map(TRANSITIONS.__contains__, types)))
    for row, tenant in zip(written.rows, tenants, strict=True):
        words = WORDS.get(row["type"])
        if words is None or row["job_id"] is None:
            continue
        if row["type"] == "released" and row["details"]:
            words = _RELEASED_AGAIN
        yield row, tenant, words


def warn_of(written: WrittenEvents, handler: logging.Handler) -> None:
    """Pass on what needs a person's eye, as a sentence, and nothing else."""
    for row, _, words in _worded(written):
        if words.level >= _WARNING:
            said = f"job {row['job_id']} {words.said}"
            text = f"{said}: {row['reason']}" if row["reason"] else said
            handler.handle(logging.LogRecord(LOGGER, words.level, row["type"], 0, text, None, None))
