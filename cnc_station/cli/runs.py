"""Commands about runs: the latest of all jobs, and one with its output."""

from collections.abc import Sequence
from functools import partial

from cnc_station.cli.bulk import BulkWork, run_confirmed
from cnc_station.cli.client import client, machine_id
from cnc_station.cli.invocation import Call, Exit
from cnc_station.cli.output import (
    clock,
    duration,
    print_fields,
    print_json,
    print_lines,
    print_table,
    say,
)
from cnc_station.engine.bulk import Bulk, jobs_to_retry, runs_to_cancel
from cnc_station.engine.commands import ActOnJobs, ActOnMatchingJobs
from cnc_station.engine.domain.actions import JobAction
from cnc_station.engine.domain.checks import MOST_ID
from cnc_station.engine.domain.errors import Conflict, FieldError, InvalidInput
from cnc_station.engine.domain.states import RunState
from cnc_station.engine.door import Asks
from cnc_station.engine.queries import ListJobs, ListRuns, RunById
from cnc_station.engine.views import RunDetail, RunFilter, RunRow


async def runs(call: Call) -> int:
    """Print the latest runs, newest first; or do one thing to all that match."""
    args = call.args
    async with client(call.config) as door:
        chosen = RunFilter(
            job_id=args.job,
            machine_id=await machine_id(door, args.machine) if args.machine else None,
            handler=args.handler,
            station=args.station,
            states=_states(args.outcome),
            since=call.moment("since", args.since),
            until=call.moment("until", args.until),
            text=" ".join(args.text),
        )
        if args.retry:
            return await _retry(call, door, chosen)
        if args.cancel:
            return await _cancel(call, door, chosen)
        found = await door.ask(ListRuns.of(chosen, max(1, args.limit)))
    if call.json:
        print_json({"runs": found})
        return Exit.OK
    print_table(
        ["RUN", "JOB", "NAME", "TRY", "MACHINE", "STATION", "STATE", "STARTED", "TOOK", "RESULT"],
        [_line(row, call) for row in found],
        right="RUN JOB TRY",
    )
    return Exit.OK


async def _retry(call: Call, door: Asks, runs: RunFilter) -> int:
    chosen = jobs_to_retry(runs)
    if chosen is None:
        raise InvalidInput(FieldError("outcome", "must be failed or cancelled to retry"))
    count = (await door.ask(ListJobs(chosen, (), 0, 0))).total
    if not call.json:
        say(f"{count:,} jobs of these runs can be retried.")
    expected = count if call.args.expect is None else call.args.expect
    command = ActOnMatchingJobs(JobAction.RETRY, chosen, expected)
    work = BulkWork("retry", count)
    return await run_confirmed(call, door, work, Bulk.matching(command))


async def _cancel(call: Call, door: Asks, runs: RunFilter) -> int:
    jobs = await runs_to_cancel(door, runs)
    if not call.json:
        say(f"{len(jobs):,} of these runs are under way in a handler.")
    if call.args.expect not in (None, len(jobs)):
        raise Conflict(f"That is not {call.args.expect:,}. Nothing was changed.")
    bulk = Bulk.each(jobs, partial(ActOnJobs, JobAction.ABORT))
    return await run_confirmed(call, door, BulkWork("cancel", len(jobs), "run"), bulk)


def _line(row: RunRow, call: Call) -> list[str]:
    return [
        str(row.id),
        str(row.job_id),
        row.job,
        str(row.attempt),
        row.machine,
        row.station,
        row.state,
        clock(row.started_at or row.assigned_at, call.config.time_zone),
        duration(_seconds(row)),
        row.error or row.result or "",
    ]


def _seconds(row: RunRow) -> float | None:
    if row.started_at is None or row.ended_at is None:
        return None
    return (row.ended_at - row.started_at) / 1000


def _states(names: Sequence[str]) -> frozenset[RunState]:
    try:
        return frozenset(RunState(name.lower()) for name in names)
    except ValueError as error:
        known = ", ".join(RunState)
        raise InvalidInput(FieldError("outcome", f"must be one of {known}")) from error


async def run(call: Call) -> int:
    """Print one run and its output. Raises Conflict if it does not exist."""
    run_id = min(max(0, call.args.id), MOST_ID)
    async with client(call.config) as door:
        detail = await door.ask(RunById(run_id))
    if detail is None:
        raise Conflict(f"There is no run {call.args.id}.")
    if call.json:
        print_json(detail)
        return Exit.OK
    _print_run(detail, call)
    return Exit.OK


def _print_run(detail: RunDetail, call: Call) -> None:
    row, zone = detail.row, call.config.time_zone
    print_fields(
        [
            ("Run", str(row.id)),
            ("Job", f"{row.job_id}  {row.job}"),
            ("Attempt", str(row.attempt)),
            ("Handler" if row.handler else "Machine", row.machine),
            ("Station", row.station),
            ("State", row.state),
            ("Assigned", clock(row.assigned_at, zone)),
            ("Started", clock(row.started_at, zone)),
            ("Ended", clock(row.ended_at, zone)),
            ("Took", duration(_seconds(row))),
            ("Error", row.error),
            ("Result", row.result or ""),
            ("Code", "" if row.code is None else str(row.code)),
            ("Payload", str(dict(detail.payload)) if detail.payload else ""),
        ]
    )
    if detail.output.text:
        size = f"{detail.output.size:,} bytes"
        say()
        say(f"Output so far ({size}):" if detail.live else f"Output ({size}):")
        print_lines(detail.output.text)
