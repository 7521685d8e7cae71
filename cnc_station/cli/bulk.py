"""One thing done to many items: confirmed by their number, watched, stopped by Ctrl+C, told."""

import asyncio
import contextlib
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from cnc_station.cli.invocation import Call, Exit
from cnc_station.cli.output import plain, print_json, print_progress, print_table, say
from cnc_station.engine.bulk import Bulk, BulkProgress, BulkSummary, plural
from cnc_station.engine.commands import ActOnSchedules
from cnc_station.engine.domain.actions import ScheduleAction
from cnc_station.engine.domain.errors import Conflict, FieldError, InvalidInput
from cnc_station.engine.door import Asks
from cnc_station.engine.queries import ListSchedules


@dataclass(frozen=True, slots=True)
class BulkWork:
    """What is done, to how many items, and what each of them is."""

    action: str
    count: int
    noun: str = "job"

    @property
    def things(self) -> str:
        return plural(self.noun)


async def run_confirmed(call: Call, door: Asks, work: BulkWork, bulk: Bulk) -> int:
    """Do it where its number was confirmed, and print what came of it. Raises Conflict
    otherwise."""
    if not _confirmed(call, work):
        raise Conflict(f"Nothing was changed. To do it, add --yes or --expect {work.count}.")
    return await run_watched(call, door, work, bulk)


async def run_watched(call: Call, door: Asks, work: BulkWork, bulk: Bulk) -> int:
    """Do it, and print what came of it. Ctrl+C stops it after the batch that is being written."""

    def tell(progress: BulkProgress) -> None:
        count, total = progress.done + progress.refused, progress.total
        print_progress(f"{count:,} of {total:,} {work.things}", last=count >= total)

    with _stopped_by_interrupt(bulk.stop):
        summary = await bulk.run(door, tell)
    _print(call, work, summary)
    if summary.stopped:
        return Exit.INTERRUPTED
    return Exit.REFUSED if summary.refused or summary.error else Exit.OK


async def act_on_matching_schedules(call: Call, door: Asks, action: ScheduleAction) -> int:
    """Do it to all schedules that `--match` selects. Raises InvalidInput, Conflict."""
    if call.args.schedule:
        raise InvalidInput(FieldError("schedule", "name one, or give --match"))
    rows = await door.ask(ListSchedules())
    ids = [row.id for row in rows if row.matches(call.args.match)]
    if not call.json:
        say(f"{len(ids):,} schedules match.")
    if call.args.expect not in (None, len(ids)):
        raise Conflict(f"That is not {call.args.expect:,}. Nothing was changed.")
    bulk = Bulk.each(ids, partial(ActOnSchedules, action))
    return await run_confirmed(call, door, BulkWork(action.value, len(ids), "schedule"), bulk)


def _confirmed(call: Call, work: BulkWork) -> bool:
    if call.args.yes or call.args.expect is not None:
        return True
    if call.json or not (sys.stdin.isatty() and sys.stdout.isatty()):
        return False
    asked = f"{work.action} {work.count:,} {work.things}? [y/N] "
    return input(asked).strip().lower() in {"y", "yes"}


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


def _print(call: Call, work: BulkWork, summary: BulkSummary) -> None:
    if call.json:
        names = ("total", "done", "refused", "left_alone", "stopped", "error", "refusals")
        told: dict[str, Any] = {name: plain(getattr(summary, name)) for name in names}
        for refusal in told["refusals"]:
            del refusal["undo"]
        print_json({"action": work.action.replace(" ", "_"), **told})
        return
    if summary.refusals:
        head = work.noun.upper()
        refused = [[str(one.id), one.error] for one in summary.refusals]
        print_table([head, "REFUSED"], refused, right=head)
    if summary.refused > len(summary.refusals):
        say(f"These are the first {len(summary.refusals):,} that were refused.")
    say(
        f"{summary.done:,} of {summary.total:,} {work.things} changed, {summary.refused:,} refused."
    )
    if summary.left_alone:
        say(f"{summary.left_alone:,} had changed meanwhile and were left alone.")
    if summary.stopped:
        say("Stopped; the others are as they were.")
    if summary.error:
        say(f"cnc-station: {summary.error}", error=True)
