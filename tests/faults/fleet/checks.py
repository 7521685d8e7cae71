"""What must hold after every fault, from the database's rows and the drivers' notes."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row, select

from cnc_station.engine.store import schema
from tests.handlers.allowing import running
from tests.invariants import broken

# A process that wakes from SIGSTOP needs a moment until it has stopped what it drove.
WAKING_S = 1.0
RUN_ENDS = frozenset({"succeeded", "failed", "cancelled", "interrupted"})


@dataclass(frozen=True, slots=True)
class Span:
    """A time on the shared monotonic clock (ns)."""

    start: int
    end: int

    def without(self, other: "Span") -> "list[Span]":
        if other.end <= self.start or self.end <= other.start:
            return [self]
        pieces = [Span(self.start, other.start), Span(other.end, self.end)]
        return [piece for piece in pieces if piece.start < piece.end]


@dataclass(frozen=True, slots=True)
class Driven:
    """One run on a driver, in one process."""

    job_id: int
    run_id: int
    pid: int
    span: Span


def violations(
    connection: Connection,
    notes: Path,
    *,
    acknowledged: Sequence[int],
    frozen: Mapping[int, Sequence[Span]],
    died: Mapping[int, int],
    now: int,
) -> list[str]:
    """Everything that is not as it must be, in words. `frozen` and `died` are by process id."""
    events = connection.execute(select(schema.event).order_by(schema.event.c.id)).all()
    runs = {row.id: row for row in connection.execute(select(schema.run))}
    driven = read_notes(notes, died, now)
    return [
        *broken(connection),
        *_lost_jobs(connection, acknowledged),
        *_strangers(events, runs),
        *_one_run_after_another(events),
        *_leaders(events),
        *_overlaps(driven, frozen),
        *_unowned(driven, runs),
    ]


def read_notes(path: Path, died: Mapping[int, int], now: int) -> list[Driven]:
    """The drivers' runs; one whose process died ended with it."""
    begun: dict[tuple[int, int], tuple[int, int]] = {}
    driven: list[Driven] = []
    for line in path.read_text().splitlines() if path.exists() else ():
        at, pid, job_id, run_id, what = line.split()
        key = (int(pid), int(run_id))
        if what == "start":
            begun[key] = (int(at), int(job_id))
        else:
            start, _ = begun.pop(key)
            driven.append(Driven(int(job_id), key[1], key[0], Span(start, int(at))))
    for (pid_, run_), (start, job_) in begun.items():
        driven.append(Driven(job_, run_, pid_, Span(start, died.get(pid_, now))))
    return driven


def _lost_jobs(connection: Connection, acknowledged: Sequence[int]) -> Iterator[str]:
    there = {row.id: row.state for row in connection.execute(select(schema.job))}
    for job_id in acknowledged:
        if job_id not in there:
            yield f"job {job_id} was acknowledged and is gone"
        elif there[job_id] != "completed":
            yield f"job {job_id} is {there[job_id]} in the end"


def _strangers(events: Sequence[Row[Any]], runs: Mapping[int, Row[Any]]) -> Iterator[str]:
    """Only a run's own station writes about it, but for the reaper; nobody after its end."""
    ended: set[int] = set()
    for event in events:
        if event.run_id is None:
            continue
        if event.run_id in ended:
            yield f"run {event.run_id}: {event.type} by {event.station} after its end"
        if event.station != runs[event.run_id].station and event.actor != "reaper":
            yield f"run {event.run_id}: {event.type} by {event.station}, who does not own it"
        if event.run_state in RUN_ENDS:
            ended.add(event.run_id)


def _one_run_after_another(events: Sequence[Row[Any]]) -> Iterator[str]:
    live: dict[int, int] = {}
    for event in events:
        if event.run_id is None:
            continue
        if event.type == "assigned":
            if event.job_id in live:
                yield f"job {event.job_id}: run {event.run_id} beside run {live[event.job_id]}"
            live[event.job_id] = event.run_id
        elif event.run_state in RUN_ENDS and live.get(event.job_id) == event.run_id:
            del live[event.job_id]


def _leaders(events: Sequence[Row[Any]]) -> Iterator[str]:
    """Terms rise, and what a leader does stands between its election and the next."""
    holder, term = "", 0
    for event in events:
        if event.type == "leader_changed":
            name, _, number = event.reason.rpartition(", term ")
            if int(number) <= term:
                yield f"term {number} of {name} after term {term} of {holder}"
            holder, term = name, int(number)
        elif event.actor == "reaper" and event.station != holder:
            yield f"{event.station} reaped run {event.run_id} while {holder} led"


def _overlaps(driven: Sequence[Driven], frozen: Mapping[int, Sequence[Span]]) -> Iterator[str]:
    """No two drivers at one job at the same time; a frozen process drives nothing."""
    by_job: dict[int, list[tuple[Span, Driven]]] = defaultdict(list)
    for one in driven:
        pieces = [one.span]
        for span in frozen.get(one.pid, ()):
            waking = Span(span.start, span.end + round(WAKING_S * 1e9))
            pieces = [part for piece in pieces for part in piece.without(waking)]
        by_job[one.job_id] += [(piece, one) for piece in pieces]
    for job_id, pieces_of_job in by_job.items():
        ordered = sorted(pieces_of_job, key=lambda item: item[0].start)
        for (before, one), (after, other) in pairwise(ordered):
            if before.end > after.start and one.run_id != other.run_id:
                both = (min(before.end, after.end) - after.start) / 1e6
                yield f"job {job_id}: runs {one.run_id} and {other.run_id} at once, {both:.0f} ms"


def _unowned(driven: Sequence[Driven], runs: Mapping[int, Row[Any]]) -> Iterator[str]:
    """A driver runs only what its process was given, and once."""
    seen: set[int] = set()
    for one in driven:
        if one.run_id not in runs:
            yield f"run {one.run_id} was driven and is nowhere written"
        if one.run_id in seen:
            yield f"run {one.run_id} was driven twice"
        seen.add(one.run_id)


def commands_beside(notes: Path) -> Iterator[str]:
    """No command begins while another one for the same job, or a child of it, is there; and each
    has a new key."""
    keys: set[str] = set()
    for job_id, run_id, key, what in _command_notes(notes):
        if what == "beside":
            yield f"job {job_id}: the command of run {run_id} began beside another one"
        if what != "end" and key in keys:
            yield f"job {job_id}: a second command with the key of run {run_id}"
        keys.add(key)


def commands_unfinished(connection: Connection, notes: Path) -> Iterator[str]:
    """A job that is completed has a command that came to its end."""
    ended = {int(job_id) for job_id, _, _, what in _command_notes(notes) if what == "end"}
    job = schema.job.c
    query = select(job.id).where(job.handler == "shell.command", job.state == "completed")
    for job_id in set(connection.execute(query).scalars()) - ended:
        yield f"job {job_id} is completed, and its command never came to its end"


def _command_notes(notes: Path) -> Iterator[list[str]]:
    for line in notes.read_text().splitlines() if notes.exists() else ():
        yield line.split()


def commands_left(notes: Path) -> Iterator[str]:
    """No command is left, nor a child of it, when all jobs are done."""
    if left := running(str(notes)):
        yield f"commands are left running: {left}"
