"""`submit`: submit one job from the options of the command line."""

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from cnc_station.cli.client import client, machine_id
from cnc_station.cli.invocation import Call, Exit
from cnc_station.cli.output import print_json, print_warnings, say
from cnc_station.engine.commands import AddProgram, SubmitJobs
from cnc_station.engine.domain import table_values as values
from cnc_station.engine.domain.errors import FieldError, InvalidInput
from cnc_station.engine.domain.job import JobSpec
from cnc_station.engine.domain.tables import numbers
from cnc_station.engine.door import Asks
from cnc_station.engine.outside_file import MOST_PROGRAM_BYTES, read_outside_file
from cnc_station.engine.queries import ListPrograms, ProgramByHash
from cnc_station.engine.timing import now_ms
from cnc_station.engine.views import ProgramRow

_TEXTS = (
    *("name", "machine_type", "material", "work_order", "operation", "tenant", "handler"),
    *("description", "notes", "customer", "external_id"),
)


async def submit(call: Call) -> int:
    """Store the program, if there is one, and the job."""
    found = job_fields(call)
    content = await program_content(call)
    async with client(call.config) as door:
        program = await add_references(door, call, found, content)
        spec = JobSpec(**{"name": "", **found}, source="from the command line")
        (job_id,) = await door.execute(SubmitJobs([spec]))
        warnings = _notes(call)
        if program and program.warnings:
            warnings += await _warnings(door, program)
    if call.json:
        sha256 = program.sha256 if program else None
        print_json({"id": job_id, "program": sha256, "warnings": warnings})
    else:
        print_warnings(warnings)
        say(f"Job {job_id} submitted.")
    return Exit.OK


async def add_references(
    door: Asks, call: Call, found: dict[str, Any], content: bytes | None
) -> ProgramRow | None:
    """Store the program, if there is one, and add it and the machine to the fields of the job."""
    program = await _program(door, content, call)
    if program:
        found["program"] = program.sha256
        found.setdefault("estimated_s", program.duration_s)
        found.setdefault("name", Path(program.name).stem)
    if name := call.args.pinned_machine_id:
        found["pinned_machine_id"] = await machine_id(door, name)
    return program


def job_fields(call: Call) -> dict[str, Any]:
    """Return the fields of the job. Raises InvalidInput with every invalid option."""
    zone = ZoneInfo(call.config.time_zone) if call.config.time_zone else None
    moment = partial(values.moment, now=now_ms(), zone=zone)
    parsers: dict[str, Callable[[str], Any]] = {
        **dict.fromkeys(_TEXTS, str),
        **dict.fromkeys(("complexity", "quantity", "axes", "retry_limit"), numbers.whole),
        "priority": values.priority,
        "estimated_s": values.seconds,
        "timeout_s": values.seconds,
        "due_at": moment,
        "not_before": partial(moment, ends_day=False),
        "envelope": values.envelope,
        "payload": values.payload,
    }
    errors: list[FieldError] = []
    found: dict[str, Any] = {"draft": call.args.draft}
    for field, parse in parsers.items():
        text: str | None = getattr(call.args, field)
        if text is None:
            continue
        try:
            found[field] = parse(text)
        except ValueError as error:
            errors.append(FieldError(field, str(error)))
    try:
        found["after"] = tuple(numbers.whole(text) for text in call.args.after or ())
    except ValueError as error:
        errors.append(FieldError("after", str(error)))
    if errors:
        raise InvalidInput(*errors)
    return found


async def program_content(call: Call) -> bytes | None:
    """Return the content of the program's file, if there is one."""
    path = Path(call.args.program or "")
    return await read_outside_file(path, MOST_PROGRAM_BYTES) if _is_there(path) else None


def _is_there(path: Path) -> bool:
    return os.path.lexists(path) and not path.is_dir()


async def _program(door: Asks, content: bytes | None, call: Call) -> ProgramRow | None:
    """Store the program of a file, or find the newest stored one of this name."""
    if not call.args.program:
        return None
    name = Path(call.args.program).name
    if content is not None:
        return await door.execute(AddProgram(name, content))
    kept = [row for row in await door.ask(ListPrograms(name)) if row.name == name]
    if not kept:
        raise InvalidInput(FieldError("program", f"there is no file and no stored program {name}"))
    return max(kept, key=lambda row: row.revision)


def _notes(call: Call) -> list[str]:
    """Return what to know about the times of the options."""
    zone = ZoneInfo(call.config.time_zone) if call.config.time_zone else None
    texts = ((field, getattr(call.args, field)) for field in ("due_at", "not_before"))
    notes = ((field, values.moment_note(text, now_ms(), zone)) for field, text in texts if text)
    return [f"{field}: {note}" for field, note in notes if note]


async def _warnings(door: Asks, program: ProgramRow) -> list[str]:
    detail = await door.ask(ProgramByHash(program.sha256))
    findings = detail.findings if detail else ()
    return [f"{program.name}, line {found.line}: {found.message}" for found in findings]
