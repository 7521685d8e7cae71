"""Commands that only read: jobs, one job, machines, events."""

from collections.abc import Sequence

from cnc_station.cli.client import client, machine_id
from cnc_station.cli.invocation import Call, Exit
from cnc_station.cli.output import clock, duration, print_fields, print_json, print_table, say
from cnc_station.engine.domain.checks import MOST_ID
from cnc_station.engine.domain.errors import Conflict, FieldError, InvalidInput
from cnc_station.engine.domain.event import Event
from cnc_station.engine.domain.states import OPEN_JOBS, JobState
from cnc_station.engine.queries import JobById, ListEvents, ListJobs, ListMachines
from cnc_station.engine.views import JobDetail, JobFilter, JobRow, Sort, SortKey


async def jobs(call: Call) -> int:
    """Print a page of the job list."""
    args = call.args
    chosen = job_filter(call)
    order = [_sort(args.sort)]
    asked = ListJobs(chosen, order, max(0, args.offset), max(1, args.limit), with_next=True)
    async with client(call.config) as door:
        page = await door.ask(asked)
    if call.json:
        print_json({"jobs": page.rows, "offset": page.offset, "total": page.total})
        return Exit.OK
    print_table(
        ["ID", "STATE", "PRIO", "TYPE", "JOB", "ORDER", "QTY", "DUE", "MACHINE", "NEXT"],
        [_job_line(row, call) for row in page.rows],
        right="ID PRIO QTY",
    )
    if len(page.rows) < page.total:
        say(f"{len(page.rows)} of {page.total:,} jobs; more with --limit and --offset.")
    return Exit.OK


def job_filter(call: Call) -> JobFilter:
    """Return the jobs that the options choose, by default the open ones."""
    args = call.args
    return JobFilter(
        ids=frozenset(args.id),
        states=_states(args.state),
        machine_types=frozenset(name.lower() for name in args.type),
        handlers=frozenset(args.handler),
        tenant=args.tenant,
        owner=args.owner,
        external_id=args.external_id,
        min_priority=args.min_priority,
        max_priority=args.max_priority,
        work_order=args.work_order,
        late=args.late,
        text=" ".join(args.text),
    )


def _states(names: Sequence[str]) -> frozenset[JobState]:
    if not names:
        return OPEN_JOBS
    if "all" in names:
        return frozenset()
    try:
        return frozenset(JobState(name.lower().replace(" ", "_")) for name in names)
    except ValueError as error:
        known = ", ".join(JobState)
        raise InvalidInput(FieldError("state", f"must be all or one of {known}")) from error


def _sort(text: str) -> Sort:
    try:
        return Sort(SortKey(text.removeprefix("-")), descending=text.startswith("-"))
    except ValueError as error:
        known = ", ".join(SortKey)
        raise InvalidInput(FieldError("sort", f"must be one of {known}")) from error


def _job_line(row: JobRow, call: Call) -> list[str]:
    due = clock(row.due_at, call.config.time_zone)[:16]
    return [
        str(row.id),
        row.state,
        str(row.priority),
        row.machine_type,
        row.title,
        row.work_order,
        str(row.quantity),
        f"{due} LATE" if row.late else due,
        row.machine,
        row.next,
    ]


async def job(call: Call) -> int:
    """Print one job with its runs and its events. Raises Conflict if it does not exist."""
    job_id = call.args.id
    async with client(call.config) as door:
        detail = await door.ask(JobById(job_id))
        if detail is None:
            raise Conflict(f"There is no job {job_id}.")
        events = await door.ask(ListEvents(job_id=job_id))
    if call.json:
        print_json({"job": detail, "events": events})
        return Exit.OK
    _print_job(detail, call)
    if detail.runs:
        say()
        print_table(
            ["RUN", "TRY", "MACHINE", "STATE", "STARTED", "ENDED", "RESULT"],
            [
                [
                    str(run.id),
                    str(run.attempt),
                    run.machine,
                    run.state,
                    clock(run.started_at, call.config.time_zone),
                    clock(run.ended_at, call.config.time_zone),
                    run.error or run.result or "",
                ]
                for run in detail.runs
            ],
            right="RUN TRY",
        )
    say()
    _print_events(events, call)
    return Exit.OK


def _print_job(detail: JobDetail, call: Call) -> None:
    row, zone = detail.row, call.config.time_zone
    program = f"{row.program_name} (revision {row.program_revision})" if row.program else ""
    print_fields(
        [
            ("Job", f"{row.id}  {row.title}"),
            ("State", f"{row.state} since {clock(row.state_since, zone)}"),
            ("Next", row.next),
            ("Last error", row.last_error),
            ("Description", row.description),
            ("Work order", row.work_order),
            ("External id", row.external_id),
            ("Machine type", row.machine_type),
            ("Machine", row.machine),
            ("Material", row.material),
            ("Complexity", str(row.complexity)),
            ("Priority", str(row.priority)),
            ("Quantity", str(row.quantity)),
            ("Time per part", duration(row.estimated_s)),
            ("Due", clock(row.due_at, zone)),
            ("Not before", clock(row.not_before, zone)),
            ("Program", program),
            ("After", ", ".join(f"{link.id} {link.title} ({link.state})" for link in detail.after)),
            ("Customer", row.customer),
            ("Tenant", row.tenant),
            ("Notes", row.notes),
            ("Handler", row.handler),
            ("Schedule", "" if detail.schedule_id is None else str(detail.schedule_id)),
            ("Payload", str(dict(detail.payload)) if detail.payload else ""),
            ("Attempts", str(row.attempt)),
            ("Owner", row.owner),
            ("Created", clock(row.created_at, zone)),
        ]
    )


async def machines(call: Call) -> int:
    """Print all machines and their states."""
    async with client(call.config) as door:
        rows = await door.ask(ListMachines())
    if call.json:
        print_json({"machines": rows})
        return Exit.OK
    print_table(
        ["ID", "NAME", "TYPE", "STATE", "SINCE", "POSITION", "JOB", "STATION", "DRIVER", "WHY"],
        [
            [
                str(row.id),
                row.spec.name,
                row.spec.machine_type,
                row.state,
                clock(row.state_since, call.config.time_zone),
                "" if row.position is None else row.position.position.basis,
                "" if row.job_id is None else str(row.job_id),
                row.station,
                row.spec.driver,
                row.not_ready or row.state_reason,
            ]
            for row in rows
        ],
        right="ID JOB",
    )
    return Exit.OK


async def events(call: Call) -> int:
    """Print events, oldest first."""
    args = call.args
    async with client(call.config) as door:
        found = await door.ask(
            ListEvents(
                job_id=args.job,
                machine_id=await machine_id(door, args.machine) if args.machine else None,
                after=min(max(0, args.after), MOST_ID),
                limit=max(1, args.limit),
            )
        )
    if call.json:
        print_json({"events": found})
    else:
        _print_events(found, call)
    return Exit.OK


def _print_events(found: Sequence[Event], call: Call) -> None:
    print_table(
        ["EVENT", "AT", "WHAT", "JOB", "MACHINE", "STATE", "BY", "REASON"],
        [
            [
                str(event.id),
                clock(event.at, call.config.time_zone),
                event.type.replace("_", " "),
                "" if event.job_id is None else str(event.job_id),
                "" if event.machine_id is None else str(event.machine_id),
                event.job_state or event.machine_state or "",
                event.actor,
                event.reason,
            ]
            for event in found
        ],
        right="EVENT JOB MACHINE",
    )
