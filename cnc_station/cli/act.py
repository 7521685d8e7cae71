"""Do one thing to all jobs that match a filter, with their number first."""

from cnc_station.cli.bulk import BulkWork, run_confirmed
from cnc_station.cli.client import client, machine_id
from cnc_station.cli.invocation import Call
from cnc_station.cli.output import say
from cnc_station.cli.show import job_filter
from cnc_station.engine.bulk import Bulk
from cnc_station.engine.commands import ActOnMatchingJobs
from cnc_station.engine.domain.actions import JobAction
from cnc_station.engine.domain.errors import FieldError, InvalidInput
from cnc_station.engine.domain.states import OPEN_JOBS, JobState
from cnc_station.engine.door import Asks
from cnc_station.engine.queries import ListJobs
from cnc_station.engine.views import JobFilter


async def act(call: Call) -> int:
    """Print how many jobs match, do it where that was confirmed, and print the result."""
    async with client(call.config) as door:
        command = await _command(call, door)
        work = BulkWork(call.args.action.replace("-", " "), command.expected_count)
        return await run_confirmed(call, door, work, Bulk.matching(command))


async def _command(call: Call, door: Asks) -> ActOnMatchingJobs:
    args = call.args
    chosen = job_filter(call)
    if chosen == JobFilter(states=OPEN_JOBS) and not args.state:
        raise InvalidInput(FieldError("filter", "is missing: say which jobs, for example --type"))
    page = await door.ask(ListJobs(chosen, (), 0, 0))
    if not call.json:
        say(f"{page.total:,} jobs match.")
    return ActOnMatchingJobs(
        JobAction(args.action.replace("-", "_")),
        chosen,
        page.total if args.expect is None else args.expect,
        reason=args.reason,
        machine_id=await machine_id(door, args.machine) if args.machine else None,
        until=call.moment("until", args.until),
        state=_state(args.to),
    )


def _state(name: str | None) -> JobState | None:
    try:
        return None if name is None else JobState(name.lower().replace(" ", "_"))
    except ValueError as error:
        raise InvalidInput(FieldError("to", f"must be one of {', '.join(JobState)}")) from error
