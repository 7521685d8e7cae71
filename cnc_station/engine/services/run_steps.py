"""What is done at the machine of one run, from the first word to its controller to its end.

For each part: load, start, wait for the end. A connection that breaks is made again, and the
controller is asked what has become of the run: it is never started twice.
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
from cnc_station.engine.services.operator_prompt import OperatorPrompt, OperatorReply
from cnc_station.engine.services.run_ending import RUNNER, Judge, RunEnding, move_of
from cnc_station.engine.services.run_state import CONTROLLER, RunState
from cnc_station.engine.store.parts import RecordModesSet, RecordPartDone
from cnc_station.engine.timing import GrowingPause

log = logging.getLogger(__name__)

_DONE = "Part {} of {} is done"
_NEXT_BLANK = "take it out, load the next blank"
# An unreachable controller is given up after so long; one that is only watched is in nobody's way,
# and what stands between may be an old computer that starts up.
RECONNECT_S, RECONNECT_WATCHED_S = 30.0, 600.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.25, 3.0


class Interrupted(CncStationError):
    """Nobody can tell whether the part is good: a person has to decide."""


class RunSteps:
    """The steps of one run, one after the other."""

    def __init__(
        self, state: RunState, judge: Judge, order: Order, found: RunInspection | None
    ) -> None:
        """`found`: an earlier life of this program has started it, and it goes on from there."""
        self._state = state
        self._executor = state.executor
        self._judge = judge
        self._order = order
        self._found = found
        self._timer = asyncio.timeout(None)

    async def run(self) -> RunEnding:
        """Returns how it ended. Raises Fenced or Conflict when others have decided that, and
        RunAborted for a run that was stopped."""
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
            return self._judge.failed(state.claimed, str(error), alarm=error.alarm)
        except TimeoutError:
            if not self._timer.expired():  # the driver's own: a socket's, say
                raise
            await self._executor.abort()
            limit = f"took longer than its limit of {state.claimed.timeout_s:g} s"
            return self._judge.failed(state.claimed, limit)
        finally:
            unsubscribe()
            await state.settled()
        return RunEnding(t.COMPLETED)

    async def _all_parts(self) -> None:
        state = self._state
        all_done = await (self._first_part() if self._found is None else self._reattach())
        for part in range(state.part + 1, self._order.parts + 1):
            if all_done:
                return
            if not self._executor.abilities.starts:
                await self._record_done(part - 1)
            if self._tended:
                await self._pause(f"{_DONE.format(part - 1, self._order.parts)}: {_NEXT_BLANK}")
            await self._next_part(part)
            all_done = await self._see_out(begins=True)

    async def _reattach(self) -> bool:
        """Whether a person said that the run is done."""
        assert self._found is not None
        self._limit_time()
        self._state.hear(self._executor.status())
        return self._found.outcome is not RunOutcome.FINISHED and await self._see_out()

    async def _next_part(self, part: int) -> None:
        """Begun, as soon as the machine lets it: the parts before it are not made again."""
        while True:
            self._state.part = part
            await self._state.unless_stopped()
            try:
                modes_set = await self._executor.load(self._order, part)
                if self._executor.abilities.starts:
                    await self._record(modes_set)
                    await self._state.wait_while_held()
                    await self._start()
                return
            except NotReady as error:
                await self._pause(f"{_DONE.format(part - 1, self._order.parts)}, but {error}")

    async def _record_done(self, part: int) -> None:
        """Where nothing at the machine tells which part is in hand, a station that is started again
        has to read it."""
        claimed = self._state.claimed
        await self._state.writer.write_until_committed(
            RecordPartDone(
                claimed.job_id,
                claimed.run_id,
                claimed.token,
                claimed.machine_id,
                part,
                f"part {part} of {self._order.parts}",
                CONTROLLER,
            )
        )

    async def _record(self, modes_set: tuple[str, ...]) -> None:
        """What a driver had to set before this part."""
        if modes_set:
            claimed = self._state.claimed
            await self._state.writer.write_until_committed(
                RecordModesSet(
                    claimed.job_id,
                    claimed.run_id,
                    claimed.token,
                    claimed.machine_id,
                    "; ".join(modes_set),
                    RUNNER,
                )
            )

    @property
    def _tended(self) -> bool:
        """Whether a person changes the part between two starts from here."""
        claimed, executor = self._state.claimed, self._executor
        real = executor.on_loss is OnLoss.INTERRUPT and executor.abilities.starts
        return real and (claimed.operator_starts or claimed.operator_clears)

    async def _first_part(self) -> bool:
        """Whether a person said that the run is done."""
        state, executor = self._state, self._executor
        by = OperatorReply(RUNNER)
        if not executor.abilities.starts:
            await executor.load(self._order, state.part)
            set_up = state.reply_to(OperatorPrompt.SET_UP)
            by = await self._first_completed(self._begins_by_itself(), set_up)
        elif state.claimed.operator_starts:
            by = await state.reply_to(OperatorPrompt.SET_UP)
        modes_set: tuple[str, ...] = ()
        if executor.abilities.starts:
            modes_set = await executor.load(self._order, state.part)
        await state.unless_stopped()
        if not state.begun:
            await self._record_start(by)
        await self._record(modes_set)
        self._limit_time()
        await state.unless_stopped()
        state.started()
        if executor.abilities.starts:
            await self._start()
        return await self._see_out()

    async def _record_start(self, by: OperatorReply) -> None:
        """Others may read it before this returns. What they then ask for comes after it, and what
        the machine does meanwhile is told."""
        state = self._state
        if not self._executor.abilities.starts:
            state.prompts.prompt(OperatorPrompt.END)
        state.starting()
        await state.writer.write_until_committed(
            move_of(
                state.claimed,
                t.STARTED,
                by.actor,
                reason=by.reason,
                program=state.claimed.program,
                material=state.claimed.material,
            )
        )

    async def _begins_by_itself(self) -> OperatorReply:
        """The machine has begun, started at its panel."""
        await self._start()
        return OperatorReply(CONTROLLER)

    async def _start(self) -> None:
        """After this it may be cutting. A connection lost just then leaves the question to
        `_see_out`."""
        try:
            await self._executor.start()
        except Unavailable as error:
            if self._executor.on_loss is OnLoss.RETRY:
                raise RunFailed(str(error)) from error
            log.warning("run %s: lost while it was started: %s", self._order.run_id, error)

    async def _see_out(self, *, begins: bool = False) -> bool:
        """Until the part is done; whether a person said that all of the run is, who may know it
        while the machine can't be asked. `begins`: as in `_ended`."""
        if self._executor.abilities.starts:
            await self._ended()
            return False
        done = self._state.reply_to(OperatorPrompt.END)
        return await self._first_completed(self._ended(begins=begins), done) is not None

    async def _ended(self, *, begins: bool = False) -> None:
        """Until the part is done, whatever happens to the connection. `begins`: somebody has yet
        to start it at a machine that is watched; the job's limit is not for that wait."""
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
                if await self._ask_again(str(error)):
                    return

    async def _ask_again(self, lost: str) -> bool:
        """Reach the controller again and ask; whether the part is done. Raises Interrupted."""
        loop = asyncio.get_running_loop()
        starts = self._executor.abilities.starts
        give_up = loop.time() + (RECONNECT_S if starts else RECONNECT_WATCHED_S)
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

    async def _pause(self, words: str) -> None:
        """Held until a person says by resuming that it may go on."""
        self._timer.reschedule(None)
        await self._state.pause(OperatorPrompt.NEXT_PART, words)
        self._limit_time()

    def _limit_time(self) -> None:
        """A job's limit is for the controller's work, not for people's."""
        limit = self._state.claimed.timeout_s
        if limit is not None:
            self._timer.reschedule(asyncio.get_running_loop().time() + limit)

    @staticmethod
    async def _first_completed(
        machine: Coroutine[Any, Any, Any], person: Coroutine[Any, Any, Any]
    ) -> Any:
        """Whichever comes first; the other is dropped. Where both come at once, a failure at the
        machine counts, and otherwise what the person says."""
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
