"""One line for each change of a job's state that this station has written.

The writer gives the rows of a commit away as they are; the thread of the log words them.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from cnc_station.engine.domain.notice import Notice
from cnc_station.engine.domain.transitions import TRANSITIONS
from cnc_station.logs.lines import SERVICE, json_text, timestamp

LOGGER = "cnc_station.job_events"
_log = logging.getLogger(LOGGER)
_log.propagate = False  # the handlers of other records would get one record for each commit


class Words(NamedTuple):
    """What a transition is called, and what is said of its job."""

    event: str
    said: str
    level: int = logging.INFO


_WARNING = logging.WARNING
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


def log_events(rows: Sequence[Mapping[str, Any]], notice: Notice) -> None:
    """Log the events of a commit, if anything writes them. They must not change afterwards."""
    if rows and _log.handlers:
        _log.info("events", extra={"written": WrittenEvents(rows, notice)})


def event_lines(written: WrittenEvents, station: str) -> str:
    """Return the JSON lines of a commit, each with its line break."""
    service = f'"service":"{SERVICE}","station":{json_text(station)},"message":"job '
    return "".join(_lines(written, service))


def _lines(written: WrittenEvents, service: str) -> Iterator[str]:
    for row, tenant, words in _worded(written):
        kind, job_id, reason = row["type"], row["job_id"], row["reason"]
        said = f"{words.said}: {json_text(reason)[1:-1]}" if reason else words.said
        level = "warning" if words.level == _WARNING else "info"
        line = (
            f'{{"timestamp":"{timestamp(row["at"])}","level":"{level}",{service}{job_id} {said}",'
            f'"event":"{words.event}","transition":"{kind}","job_id":{job_id}'
        )
        if (run_id := row["run_id"]) is not None:
            line += f',"run_id":{run_id}'
        if (machine_id := row["machine_id"]) is not None:
            line += f',"machine_id":{machine_id}'
        line += f',"trace_id":{json_text(row["trace_id"])},"user_id":{json_text(row["actor"])}'
        yield f'{line},"tenant":{json_text(tenant)}}}\n' if tenant else f"{line}}}\n"


def _worded(written: WrittenEvents) -> Iterator[tuple[Mapping[str, Any], str | None, Words]]:
    columns = written.notice.columns
    tenants = (
        tenant
        for kind, tenant in zip(columns.type, columns.tenant, strict=True)
        if kind in TRANSITIONS
    )
    for row, tenant in zip(written.rows, tenants, strict=True):
        words = WORDS.get(row["type"])
        if row["type"] == "released" and row["details"]:
            words = _RELEASED_AGAIN
        if words is not None and row["job_id"] is not None:
            yield row, tenant, words


class JobWarnings(logging.Handler):
    """Passes on what needs a person's eye, as a sentence, and nothing else."""

    def __init__(self, handler: logging.Handler) -> None:
        super().__init__()
        self._handler = handler

    def emit(self, record: logging.LogRecord) -> None:
        written: WrittenEvents = vars(record)["written"]
        for row, _, words in _worded(written):
            if words.level >= _WARNING:
                said = f"job {row['job_id']} {words.said}"
                text = f"{said}: {row['reason']}" if row["reason"] else said
                self._handler.handle(
                    logging.LogRecord(LOGGER, words.level, row["type"], 0, "%s", (text,), None)
                )
