"""`schedule`: list and change the schedules of the shop."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from cnc_station.cli.bulk import act_on_matching_schedules
from cnc_station.cli.client import client
from cnc_station.cli.invocation import Call, Exit
from cnc_station.cli.output import (
    clock,
    duration,
    print_fields,
    print_json,
    print_table,
    print_warnings,
    say,
)
from cnc_station.cli.submit import add_references, job_fields, program_content
from cnc_station.engine.commands import (
    CreateSchedule,
    DeleteSchedule,
    EditSchedule,
    PauseSchedule,
    ResumeSchedule,
    TriggerSchedule,
)
from cnc_station.engine.domain import table_values as values
from cnc_station.engine.domain.actions import ScheduleAction
from cnc_station.engine.domain.errors import Conflict, FieldError, InvalidInput
from cnc_station.engine.domain.job import JobSpec
from cnc_station.engine.domain.schedule import CatchUp, Overlap, Schedule
from cnc_station.engine.door import Asks
from cnc_station.engine.queries import ListSchedules, PreviewSchedule, ScheduleById, ScheduleRuns
from cnc_station.engine.timing import now_ms
from cnc_station.engine.views import DueRow, SchedulePreview, ScheduleRow, ScheduleRun

_LOCAL_TIME = Path("/etc/localtime")  # a link to the file of the zone


async def list_schedule(call: Call) -> int:
    """Print all schedules."""
    async with client(call.config) as door:
        rows = await door.ask(ListSchedules())
    if call.json:
        print_json({"schedules": rows})
        return Exit.OK
    print_table(
        ["ID", "NAME", "RULE", "ZONE", "NEXT", "LAST", "OUTCOME", "JOB"],
        [
            [
                str(row.id),
                row.spec.name,
                row.spec.cron,
                row.spec.time_zone,
                "paused" if row.spec.paused else clock(row.next_due, row.spec.time_zone)[:16],
                clock(row.last.due_at, row.spec.time_zone)[:16] if row.last else "",
                outcome(row.last),
                row.spec.job.name,
            ]
            for row in rows
        ],
        right="ID",
    )
    print_warnings([f"{row.spec.name}: {text}" for row in rows for text in row.warnings])
    return Exit.OK


def outcome(run: ScheduleRun | None) -> str:
    """Return what came of a due time: the state of its job, or why there is none."""
    if run is None:
        return ""
    return run.job_state or run.state


async def add_schedule(call: Call) -> int:
    """Store a new schedule."""
    fields, job = _schedule_fields(call), job_fields(call)
    content = await program_content(call)
    async with client(call.config) as door:
        await add_references(door, call, job, content)
        name = call.args.schedule
        spec = Schedule(
            name=name,
            job=JobSpec(**{"name": name, **job}),
            paused=call.args.paused,
            **{"time_zone": zone_of(call), **fields},
        )
        seen = await door.ask(PreviewSchedule(spec))
        schedule_id = await door.execute(CreateSchedule(spec))
    if call.json:
        print_json({"id": schedule_id, **_shown(seen)})
        return Exit.OK
    say(f"Schedule {schedule_id} added.")
    _print_times(seen, spec.time_zone)
    return Exit.OK


async def edit_schedule(call: Call) -> int:
    """Change the fields that were given."""
    fields, job = _schedule_fields(call), job_fields(call)
    content = await program_content(call)
    async with client(call.config) as door:
        row = await _found(door, call)
        await add_references(door, call, job, content)
        if call.args.rename:
            fields["name"] = call.args.rename
        spec = replace(row.spec, **fields, job=replace(row.spec.job, **job))
        await door.execute(EditSchedule(row.id, spec, row.version))
        seen = await door.ask(PreviewSchedule(spec))
    if call.json:
        print_json({"id": row.id, **_shown(seen)})
        return Exit.OK
    say(f"Schedule {row.id} changed.")
    _print_times(seen, spec.time_zone)
    return Exit.OK


async def next_schedule(call: Call) -> int:
    """Print the next times of a stored schedule, or of the rule given."""
    fields = _schedule_fields(call)
    async with client(call.config) as door:
        if call.args.schedule:
            spec = replace((await _found(door, call)).spec, **fields)
        elif call.args.cron:
            job = JobSpec("preview", handler="test.echo", estimated_s=0.0)
            spec = Schedule(**{"name": "preview", "time_zone": zone_of(call), "job": job, **fields})
        else:
            raise InvalidInput(FieldError("schedule", "name one, or a rule with --cron"))
        seen = await door.ask(PreviewSchedule(spec))
    if call.json:
        print_json(_shown(seen))
        return Exit.OK
    _print_times(seen, spec.time_zone)
    return Exit.OK


async def pause_schedule(call: Call) -> int:
    """Pause one schedule, all that match, or all."""
    async with client(call.config) as door:
        if call.args.match:
            return await act_on_matching_schedules(call, door, ScheduleAction.PAUSE)
        changed = await door.execute(PauseSchedule(await _one_or_all(door, call)))
    return _print_changed(call, changed, "paused")


async def resume_schedule(call: Call) -> int:
    """Resume one schedule, all that match, or all."""
    async with client(call.config) as door:
        if call.args.match:
            return await act_on_matching_schedules(call, door, ScheduleAction.RESUME)
        changed = await door.execute(ResumeSchedule(await _one_or_all(door, call)))
    return _print_changed(call, changed, "resumed")


async def trigger_schedule(call: Call) -> int:
    """Make a job of a schedule, or of all that match, now."""
    async with client(call.config) as door:
        if call.args.match:
            return await act_on_matching_schedules(call, door, ScheduleAction.TRIGGER)
        job_id = await door.execute(TriggerSchedule((await _found(door, call)).id))
    if call.json:
        print_json({"job": job_id})
    else:
        say(f"Job {job_id} submitted.")
    return Exit.OK


async def delete_schedule(call: Call) -> int:
    """Delete a schedule, or all that match."""
    async with client(call.config) as door:
        if call.args.match:
            return await act_on_matching_schedules(call, door, ScheduleAction.DELETE)
        row = await _found(door, call)
        await door.execute(DeleteSchedule(row.id))
    return _print_changed(call, (row.id,), "deleted")


async def runs_schedule(call: Call) -> int:
    """Print the history of a schedule."""
    async with client(call.config) as door:
        row = await _found(door, call)
        found = await door.ask(ScheduleRuns(row.id, max(1, call.args.limit)))
    if call.json:
        print_json({"runs": found})
        return Exit.OK
    zone = row.spec.time_zone
    print_table(
        ["DUE", "HANDLED", "OUTCOME", "JOB", "TOOK", "BY", "REASON"],
        [
            [
                clock(run.due_at, zone),
                clock(run.fired_at, zone),
                outcome(run),
                "" if run.job_id is None else str(run.job_id),
                duration(run.seconds),
                run.actor,
                run.reason,
            ]
            for run in found
        ],
        right="JOB",
    )
    return Exit.OK


async def _found(door: Asks, call: Call) -> ScheduleRow:
    """Return the schedule of this number or name. Raises Conflict, InvalidInput."""
    wanted = call.args.schedule
    if not wanted:
        raise InvalidInput(FieldError("schedule", "is missing: its number or name"))
    if wanted.isdecimal() and (row := await door.ask(ScheduleById(int(wanted)))) is not None:
        return row
    named = [row for row in await door.ask(ListSchedules()) if row.spec.name == wanted]
    if len(named) > 1:
        numbers = ", ".join(str(row.id) for row in named)
        raise InvalidInput(FieldError("schedule", f"{wanted} is the name of several: {numbers}"))
    if not named:
        raise Conflict(f"There is no schedule {wanted}.")
    return named[0]


async def _one_or_all(door: Asks, call: Call) -> int | None:
    if bool(call.args.schedule) == call.args.all:
        raise InvalidInput(FieldError("schedule", "name one, or give --match or --all"))
    return None if call.args.all else (await _found(door, call)).id


def _schedule_fields(call: Call) -> dict[str, Any]:
    """Return the fields of the schedule that were given. Raises InvalidInput with every invalid
    option."""
    args, errors = call.args, []
    found: dict[str, Any] = {
        name: value
        for name in ("cron", "time_zone")
        if (value := getattr(args, name, None)) is not None
    }
    if args.catch_up:
        found["catch_up"] = CatchUp(args.catch_up)
    if args.overlap:
        found["overlap"] = Overlap(args.overlap)
    zone = ZoneInfo(call.config.time_zone) if call.config.time_zone else None
    for name in ("jitter_s", "starts_at", "ends_at"):
        if (text := getattr(args, name)) is None:
            continue
        try:
            if name == "jitter_s":
                found[name] = values.seconds(text)
            else:
                ends = name == "ends_at"
                found[name] = values.moment(text, now=now_ms(), zone=zone, ends_day=ends)
        except ValueError as error:
            errors.append(FieldError(name, str(error)))
    if errors:
        raise InvalidInput(*errors)
    return found


def zone_of(call: Call) -> str:
    """Return the time zone of the settings, or of this computer. Raises InvalidInput."""
    if name := call.config.time_zone:
        return name
    _, found, name = str(_LOCAL_TIME.resolve()).partition("/zoneinfo/")
    if not found:
        raise InvalidInput(FieldError("time_zone", "give it with --zone: Europe/Berlin"))
    return name


def _shown(seen: SchedulePreview) -> Mapping[str, Any]:
    times = [{"at": time.at, "local": _local(time), "note": time.note} for time in seen.times]
    return {"words": seen.words, "next": times, "warnings": seen.warnings, "rule": seen.rule}


def _local(time: DueRow) -> str:
    zone = dt.timezone(dt.timedelta(seconds=time.offset_s))
    return dt.datetime.fromtimestamp(time.at / 1000, zone).isoformat(" ", "minutes")


def _print_times(seen: SchedulePreview, zone: str) -> None:
    print_fields([("Rule", seen.words), ("Time zone", zone), ("Clock changes", seen.rule)])
    for time in seen.times:
        say(f"  {_local(time)}{f'  ({time.note})' if time.note else ''}")
    print_warnings(seen.warnings)


def _print_changed(call: Call, ids: tuple[int, ...], what: str) -> int:
    if call.json:
        print_json({what: ids})
    elif not ids:
        say("Nothing to change.")
    else:
        named = "Schedule" if len(ids) == 1 else "Schedules"
        say(f"{named} {', '.join(map(str, ids))} {what}.")
    return Exit.OK
