"""Do one thing to all jobs that match a filter, with their number first."""

import asyncio
import contextlib
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from cnc_station.cli.client import client, machine_id
from cnc_station.cli.invocation import Call, Exit
from cnc_station.cli.output import plain, print_json, print_progress, print_table, say
from cnc_station.cli.show import job_filter
from cnc_station.engine.bulk import Bulk, BulkProgress, BulkSummary
from cnc_station.engine.commands import ActOnMatchingJobs
from cnc_station.engine.domain.actions import JobAction
from cnc_station.engine.domain.errors import Conflict, FieldError, InvalidInput
from cnc_station.engine.domain.states import OPEN_JOBS, JobState
from cnc_station.engine.door import Asks
from cnc_station.engine.queries import ListJobs
from cnc_station.engine.views import JobFilter


async def act(call: Call) -> int:
    """Print how many jobs match, do it where the number was confirmed, and print what came of it.

    Ctrl+C stops it after the batch that is being written.
    """
    async with client(call.config) as door:
        command = await _command(call, door)
        if not _confirmed(call, command):
            raise Conflict(
                f"Nothing was changed. To do it, add --yes or --expect {command.expected_count}."
            )
        bulk = Bulk.matching(command)
        with _stopped_by_interrupt(bulk.stop):
            summary = await bulk.run(door, _tell)
    _print(call, command.action, summary)
    if summary.stopped:
        return Exit.INTERRUPTED
    return Exit.REFUSED if summary.refused or summary.error else Exit.OK


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


def _confirmed(call: Call, command: ActOnMatchingJobs) -> bool:
    if call.args.yes or call.args.expect is not None:
        return True
    if call.json or not (sys.stdin.isatty() and sys.stdout.isatty()):
        return False
    words = call.args.action.replace("-", " ")
    return input(f"{words} {command.expected_count:,} jobs? [y/N] ").strip().lower() in {"y", "yes"}


@contextmanager
def _stopped_by_interrupt(stop: Callable[[], None]) -> Iterator[None]:
    """A second Ctrl+C ends the command at once."""
    loop = asyncio.get_running_loop()

    def heard() -> None:
        loop.remove_signal_handler(signal.SIGINT)
        stop()

    with contextlib.suppress(NotImplementedError):  # Windows: the first one ends it at once
        loop.add_signal_handler(signal.SIGINT, heard)
    try:
        yield
    finally:
        with contextlib.suppress(NotImplementedError):
            loop.remove_signal_handler(signal.SIGINT)


def _tell(progress: BulkProgress) -> None:
    count, total = progress.done + progress.refused, progress.total
    print_progress(f"{count:,} of {total:,} jobs", last=count >= total)


def _print(call: Call, action: JobAction, summary: BulkSummary) -> None:
    if call.json:
        names = ("total", "done", "refused", "left_alone", "stopped", "error", "refusals")
        told: dict[str, Any] = {name: plain(getattr(summary, name)) for name in names}
        for refusal in told["refusals"]:
            del refusal["undo"]
        print_json({"action": action.value, **told})
        return
    if summary.refusals:
        print_table(
            ["JOB", "REFUSED"], [[str(r.id), r.error] for r in summary.refusals], right="JOB"
        )
    if summary.refused > len(summary.refusals):
        say(f"These are the first {len(summary.refusals):,} that were refused.")
    say(f"{summary.done:,} of {summary.total:,} jobs changed, {summary.refused:,} refused.")
    if summary.left_alone:
        say(f"{summary.left_alone:,} had changed meanwhile and were left alone.")
    if summary.stopped:
        say("Stopped; the others are as they were.")
    if summary.error:
        say(f"cnc-station: {summary.error}", error=True)
