"""The steps of one run at its machine: for each part load, start and wait for the end.

A lost connection is made again, and the controller is asked what became of the run. A run is never
started twice.
"""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

from cnc_station.engine.domain import transitions as t
from cnc_station.engine.domain.errors import CncStationError, Unavailable
from cnc_station.engine.drivers.base import (
    EndUnproven,
    NotReady,
    OnLoss,
    Order,
    RunFailed,
    RunInspection,
    RunOutcome,
)
from cnc_station.engine.services.run_ending import RUNNER, Judge, RunEnding, move_of
from cnc_station.engine.services.run_inbox import OperatorPrompt, OperatorReply
from cnc_station.engine.services.run_phase import Phase
from cnc_station.engine.services.run_state import CONTROLLER, RunState
from cnc_station.engine.store.parts import RecordModesSet, RecordPartDone
from cnc_station.engine.timing import GrowingPause

log = logging.getLogger(__name__)

# How long to try to reach a controller again. Longer for one that is only watched: it blocks
# nobody, and the computer in between may have to start up.
RECONNECT_S, RECONNECT_WATCHED_S = 30.0, 600.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.25, 3.0


class Interrupted(CncStationError):
    """Nobody can tell whether the part is good: a person has to decide."""


class RunSteps:
    """The steps of one run. `found` is what became of a run that an earlier life of this station
    started; it goes on from there."""

    def __init__(
        self, state: RunState, judge: Judge, order: Order, found: RunInspection | None
    ) -> None:
        self._state = state
        self._executor = state.executor
        self._claimed = state.claimed
        self._starts = state.executor.abilities.starts  # otherwise it is only watched
        self._judge = judge
        self._order = order
        self._found = found
        self._timer = asyncio.timeout(None)

    async def run(self) -> RunEnding:
        """Return how the run ended. Raises RunAborted if it was stopped, Fenced or Conflict if
        another station has decided about it."""
        state = self._state
        unsubscribe = self._executor.subscribe(state.hear)
        try:
            async with self._timer:
                await self._all_parts()
        except NotReady as error:
            return RunEnding(t.REQUEUED if state.begun else t.RETURNED, str(error), refused=True)
        except (Interrupted, EndUnproven) as error:
            return RunEnding(t.INTERRUPTED, str(error))
        except RunFailed as error:
            return self._judge.failed(
                self._claimed, str(error), alarm=error.alarm, final=error.final
            )
        except TimeoutError:
            if not self._timer.expired():  # the driver's own: of a socket, for example
                raise
            await self._executor.abort()
            limit = f"took longer than its limit of {self._claimed.timeout_s:g} s"
            return self._judge.failed(self._claimed, limit)
        finally:
            unsubscribe()
            await state.settled()
        return RunEnding(t.COMPLETED)

    async def _all_parts(self) -> None:
        state, parts = self._state, self._order.parts
        if self._found is None:
            all_done = await self._first_part()
        else:
            self._limit_time()
            state.hear(self._executor.status())
            all_done = self._found.outcome is not RunOutcome.FINISHED and await self._see_out()
        real = self._starts and self._executor.on_loss is OnLoss.INTERRUPT
        tended = real and (self._claimed.operator_starts or self._claimed.operator_clears)
        for part in range(state.part + 1, parts + 1):
            if all_done:
                return
            done = f"Part {part - 1} of {parts} is done"
            if not self._starts:  # the machine does not tell which part it makes
                await self._record_done(part - 1)
            if tended:
                await self._pause(f"{done}: take it out, load the next blank")
            await self._begin_next_part(part, done)
            all_done = await self._see_out(begins=True)

    async def _first_part(self) -> bool:
        """Make the first part. Return whether a person has ended the whole run."""
        state, executor = self._state, self._executor
        by = OperatorReply(RUNNER)
        modes_set: tuple[str, ...] = ()
        if not self._starts:
            await executor.load(self._order, state.part)
            set_up = state.reply_to(OperatorPrompt.SET_UP)
            by = await _first_completed(self._begins_by_itself(), set_up)
        else:
            if self._claimed.operator_starts:
                by = await state.reply_to(OperatorPrompt.SET_UP)
            modes_set = await executor.load(self._order, state.part)
        await state.unless_stopped()
        if not state.begun:
            await self._record_start(by)
        await self._record_modes(modes_set)
        self._limit_time()
        await state.unless_stopped()
        if state.phase is Phase.STARTING:  # otherwise its lease, or a failed abort, came back to it
            state.enter(Phase.RUNNING)
        if not self._claimed.begun:
            state.hear(executor.status())
        if self._starts:
            await self._start()
        return await self._see_out()

    async def _begin_next_part(self, part: int, done: str) -> None:
        """Begin a part as soon as the machine is ready. Finished parts are not made again."""
        state = self._state
        while True:
            state.part = part
            await state.unless_stopped()
            try:
                modes_set = await self._executor.load(self._order, part)
                if self._starts:
                    await self._record_modes(modes_set)
                    await state.wait_while_held()
                    await self._start()
                return
            except NotReady as error:
                await self._pause(f"{done}, but {error}")

    async def _record_start(self, by: OperatorReply) -> None:
        """Write the start. Others may read it before this returns: what they ask for waits, and
        what the machine does meanwhile is written later."""
        if not self._starts:
            self._state.prompts.prompt(OperatorPrompt.END)
        self._state.enter(Phase.STARTING)
        await self._state.writer.write_until_committed(
            move_of(
                self._claimed,
                t.STARTED,
                by.actor,
                reason=by.reason,
                program=self._claimed.program,
                material=self._claimed.material,
            )
        )

    async def _record_done(self, part: int) -> None:
        run, told = self._claimed, f"part {part} of {self._order.parts}"
        await self._state.writer.write_until_committed(
            RecordPartDone(
                run.job_id, run.run_id, run.token, run.machine_id, part, told, CONTROLLER
            )
        )

    async def _record_modes(self, modes_set: tuple[str, ...]) -> None:
        if modes_set:
            run, told = self._claimed, "; ".join(modes_set)
            await self._state.writer.write_until_committed(
                RecordModesSet(run.job_id, run.run_id, run.token, run.machine_id, told, RUNNER)
            )

    async def _begins_by_itself(self) -> OperatorReply:
        await self._start()
        return OperatorReply(CONTROLLER)

    async def _start(self) -> None:
        """Start the machine: it may cut from here on. If the connection is lost in this moment,
        `_see_out` finds out whether it does."""
        try:
            await self._executor.start()
        except Unavailable as error:
            if self._executor.on_loss is OnLoss.RETRY:
                raise RunFailed(str(error)) from error
            log.warning("run %s: lost while it was started: %s", self._order.run_id, error)

    async def _see_out(self, *, begins: bool = False) -> bool:
        """Wait until the part is done. Return whether a person has ended the whole run, as is
        possible at a machine that is only watched. `begins`: see `_ended`."""
        if self._starts:
            await self._ended()
            return False
        done = self._state.reply_to(OperatorPrompt.END)
        return await _first_completed(self._ended(begins=begins), done) is not None

    async def _ended(self, *, begins: bool = False) -> None:
        """Wait until the part is done, even if the connection is lost meanwhile. `begins`: a person
        has yet to start it at the panel; the job's time limit excludes that wait."""
        while True:
            try:
                if begins:
                    self._timer.reschedule(None)
                    await self._executor.start()
                    self._limit_time()
                await self._executor.ended()
                return
            except Unavailable as error:
                if self._executor.on_loss is OnLoss.RETRY:
                    raise RunFailed(str(error)) from error
                log.warning("run %s: connection lost: %s", self._order.run_id, error)
                if await self._is_done_after_loss(str(error)):
                    return

    async def _is_done_after_loss(self, lost: str) -> bool:
        """Reach the controller again. Return whether the part is done. Raises Interrupted."""
        loop = asyncio.get_running_loop()
        give_up = loop.time() + (RECONNECT_S if self._starts else RECONNECT_WATCHED_S)
        pause = GrowingPause(FIRST_PAUSE_S, LONGEST_PAUSE_S, jitter=0.5)
        while True:
            try:
                await self._executor.connect()
                found = await self._executor.inspect_run(self._order)
                break
            except Unavailable as error:
                lost = str(error)
            if loop.time() >= give_up:
                raise Interrupted(f"the connection was lost and did not come back: {lost}")
            await self._state.unless_stopped()
            await asyncio.sleep(pause.next_s())
        log.warning("run %s: %s (%s)", self._order.run_id, found.outcome, found.detail)
        if found.outcome is RunOutcome.STOPPED:
            raise Interrupted(found.detail)
        return found.outcome is RunOutcome.FINISHED

    async def _pause(self, reason: str) -> None:
        self._timer.reschedule(None)
        await self._state.pause(reason)
        self._limit_time()

    def _limit_time(self) -> None:
        """Start the job's time limit, which counts the controller's work and no pauses."""
        limit = self._claimed.timeout_s
        if limit is not None:
            self._timer.reschedule(asyncio.get_running_loop().time() + limit)


async def _first_completed(
    machine: Coroutine[Any, Any, Any], person: Coroutine[Any, Any, Any]
) -> Any:
    """Return the first result and cancel the other. If both come at once, a failure of the machine
    counts first, then the person's reply."""
    at_machine, by_person = tasks = [asyncio.create_task(machine), asyncio.create_task(person)]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    if at_machine in done and (failure := at_machine.exception()):
        raise failure
    return (by_person if by_person in done else at_machine).result()
