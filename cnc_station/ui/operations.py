"""Run a person's operations on the engine and show their results.

Every operation is a task with one owner. Its failure is shown in plain text; an internal error is
logged with its trace and shown once. Success is shown only after the engine's commit.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping, Sequence
from functools import partial
from typing import Any, Protocol

from cnc_station.engine.commands import (
    ActOnJobs,
    ActOnMachine,
    ActOnSchedules,
    Command,
    EditJob,
    TryDatabase,
    UndoJobActions,
)
from cnc_station.engine.domain.actions import JobAction, MachineAction, ScheduleAction
from cnc_station.engine.domain.errors import CncStationError, Conflict, Unavailable
from cnc_station.engine.door import Door
from cnc_station.engine.queries import ListStations
from cnc_station.engine.views import Answer, Presence, Undo
from cnc_station.ui import outcome_text
from cnc_station.ui.bulk_operations import BulkDisplay, BulkOperations, ShowRefused

log = logging.getLogger(__name__)
Fields = Mapping[int, Mapping[str, Any]]


class Notifier(Protocol):
    """Where the window shows messages: the toasts."""

    def say(self, words: str, undo: Callable[[], None] | None = None) -> None:
        """Something was done."""

    def fail(self, words: str, details: str = "", more: Callable[[], object] | None = None) -> None:
        """Something went wrong; it stays until it is read. `details` is the system's own text,
        `more` shows everything that went wrong."""


class Progress(Protocol):
    """Where the window shows that work takes long (it waits a second by itself)."""

    def start(self, words: str) -> None: ...

    def finish(self) -> None: ...


class Operations:
    """Runs operations as tasks that it owns, until `close`."""

    def __init__(
        self,
        door: Door,
        notifier: Notifier,
        progress: Progress,
        bulk_display: BulkDisplay,
        show_refused: ShowRefused,
    ) -> None:
        self.door = door
        self.bulk = BulkOperations(door, notifier, bulk_display, show_refused, self.run)
        """Actions on all jobs of a filter."""
        self._notifier = notifier
        self._progress = progress
        self._show_refused = show_refused
        self._tasks: set[asyncio.Task[None]] = set()
        self._busy = 0
        self._closed = False

    def run(self, work: Coroutine[Any, Any, Any], words: str = "") -> asyncio.Task[None]:
        """Run `work` in the background; `words` describe it while it takes long. After `close`
        nothing starts: a page's timer may fire once while the engine stops."""
        task = asyncio.get_running_loop().create_task(self._run(work, words))
        if self._closed:
            task.cancel()
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(lambda _: work.close())  # if cancelled before its start
        return task

    async def _run(self, work: Coroutine[Any, Any, Any], words: str) -> None:
        if words:
            self._busy += 1
            self._progress.start(words)
        try:
            await work
        except Unavailable as error:
            self._notifier.fail(str(error), error.raw)
        except CncStationError as error:
            self._notifier.fail(str(error))
        except Exception:
            log.exception("Window operation failed")
            self._notifier.fail("Internal error; the log has the details.")
        finally:
            if words:
                self._busy -= 1
                if not self._busy:
                    self._progress.finish()

    def act(self, action: JobAction, job_ids: Sequence[int], **arguments: Any) -> None:
        """Do one thing to jobs, show the result, and offer Undo."""
        command = ActOnJobs(action, tuple(job_ids), **arguments)
        words = f"{action.replace('_', ' ').capitalize()} …"
        self.run(self._execute(command, outcome_text.DONE[action]), words)

    def edit(self, after: Fields, before: Fields, done: str) -> None:
        """Change fields of jobs (by id), show `done`, and offer to restore `before`."""
        self.run(self._edit(after, before, done), f"{done}…")

    async def _edit(self, after: Fields, before: Fields, done: str) -> None:
        answers = []
        for job_id, changes in after.items():
            try:
                await self.door.execute(EditJob(job_id, changes))
                answers.append(Answer(job_id))
            except Conflict as error:
                answers.append(Answer(job_id, str(error)))
        back = {a.id: before[a.id] for a in answers if a.applied and a.id in before}
        self._report(
            answers, done, partial(self.edit, back, {}, outcome_text.AS_BEFORE) if back else None
        )

    def say(self, words: str, undo: Callable[[], None] | None = None) -> None:
        """Show that something was done that no action reports."""
        self._notifier.say(words, undo)

    def fail(self, words: str) -> None:
        """Show that something went wrong, until it is read."""
        self._notifier.fail(words)

    def take_back(self, steps: Sequence[Undo]) -> None:
        """Undo and report it."""
        self.run(self._execute(UndoJobActions(tuple(steps)), outcome_text.AS_BEFORE))

    async def _execute(self, command: Command[Sequence[Answer]], done: str) -> None:
        self._report(await self.door.execute(command), done)

    def act_on_schedules(self, action: ScheduleAction, schedule_ids: Sequence[int]) -> None:
        """Do one thing to schedules, show the result, and offer to take back a pause or its end."""
        self.run(self._act_on_schedules(action, tuple(schedule_ids)))

    async def _act_on_schedules(self, action: ScheduleAction, ids: Sequence[int]) -> None:
        answers = await self.door.execute(ActOnSchedules(action, ids))
        applied = [answer.id for answer in answers if answer.applied]
        back = outcome_text.OPPOSITE.get(action)
        undo = partial(self.act_on_schedules, back, applied) if back else None
        self._report(answers, outcome_text.SCHEDULE_DONE[action], undo, "schedule")

    def _report(
        self,
        answers: Sequence[Answer],
        done: str,
        undo: Callable[[], None] | None = None,
        noun: str = "job",
    ) -> None:
        applied = [answer for answer in answers if answer.applied]
        steps = [answer.undo for answer in applied if answer.undo]
        if applied:
            if steps:
                undo = partial(self.take_back, steps)
            self._notifier.say(outcome_text.applied(applied, done, noun), undo)
        refused = [answer for answer in answers if not answer.applied]
        if refused:
            words = outcome_text.refused(refused[0].error, len(refused))
            more = partial(self._show_refused, refused, len(refused), noun)
            self._notifier.fail(words, more=more if len(refused) > 1 else None)

    def act_on_machine(self, action: MachineAction, machine_id: int, reason: str = "") -> None:
        """Do one thing to a machine. Its card shows the result."""
        self.run(self.door.execute(ActOnMachine(action, machine_id, reason=reason)))

    def reconnect(self, machine_id: int, name: str) -> None:
        """Reconnect a machine's controller and show the result."""
        reconnect = ActOnMachine(MachineAction.RECONNECT, machine_id)
        self.run(self._retry(reconnect, name), f"Trying to reach {name}…")

    def try_database(self) -> None:
        """Retry the database and show the result."""
        self.run(self._retry(TryDatabase(), "The database"), "Trying the database …")

    async def _retry(self, command: Command[Any], name: str) -> None:
        await self.door.execute(command)
        self._notifier.say(f"{name} answers again")

    def look_for_station(self, name: str) -> None:
        """Check again whether a station is online, and show the result."""
        self.run(self._look_for_station(name))

    async def _look_for_station(self, name: str) -> None:
        found = next((row for row in await self.door.ask(ListStations()) if row.name == name), None)
        if found is not None and found.presence is not Presence.SILENT:
            left = found.presence is Presence.LEFT
            self._notifier.say(f"Station {name} was closed" if left else f"Station {name} is back")
            return
        self._notifier.fail(
            f"Station {name} still does not respond: look whether its PC is on, CNC Station runs "
            "there, and the network cable is plugged in."
        )

    @property
    def idle(self) -> bool:
        """Whether no operation is in progress."""
        return not self._tasks

    async def close(self) -> None:
        """Cancel every operation and wait for it."""
        self._closed = True
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
