"""One run, from the first word to its controller to the word of how it ended.

For each part: load, start, wait for the end. In between, what the machine does by itself is
followed; a connection that breaks is made again, and the controller is asked what has become of the
run: it is never started twice.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable
from typing import Any

from cnc_station.engine.domain import transitions as t
from cnc_station.engine.domain.errors import CncStationError, Unavailable
from cnc_station.engine.drivers.base import (
    EndUnproven,
    NotReady,
    OnLoss,
    Order,
    RunAborted,
    RunFailed,
    RunOutcome,
)
from cnc_station.engine.services.following import CONTROLLER, Following
from cnc_station.engine.services.live import Live, Wait, Word
from cnc_station.engine.services.outcome import RUNNER, Judge, Outcome, move_of
from cnc_station.engine.services.retrying_writer import RetryingWriter
from cnc_station.engine.store.parts import RecordModesSet, RecordPartDone

log = logging.getLogger(__name__)

_DONE = "Part {} of {} is done"
_NEXT_BLANK = "take it out, load the next blank"
# An unreachable controller is given up after so long; one that is only watched is in nobody's way,
# and what stands between may be an old computer that starts up.
RECONNECT_S, RECONNECT_WATCHED_S = 30.0, 600.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.25, 3.0


class Interrupted(CncStationError):
    """Nobody can tell whether the part is good: a person has to decide."""


class Drive:
    """Drives one run."""

    def __init__(
        self,
        writer: RetryingWriter,
        judge: Judge,
        live: Live,
        order: Order,
        *,
        reattached: bool = False,
    ) -> None:
        """`reattached`: an earlier life of this program has started it, and it goes on."""
        self._writer = writer
        self._judge = judge
        self._live = live
        self._order = order
        self._taken_up = reattached
        self._following = Following(writer, live)
        self._timer = asyncio.timeout(None)

    async def to_its_end(self) -> Outcome:
        """Returns how it ended. Raises Fenced or Conflict when others have decided that, and
        RunAborted for a run that was stopped."""
        live = self._live
        unsubscribe = live.driver.subscribe(self._following.hear)
        try:
            async with self._timer:
                await self._all_parts()
        except NotReady as error:
            return Outcome(t.REQUEUED if live.begun else t.RETURNED, str(error), refused=True)
        except (Interrupted, EndUnproven) as error:
            return Outcome(t.INTERRUPTED, str(error))
        except RunFailed as error:
            return self._judge.failed(live.claimed, str(error), alarm=error.alarm)
        except TimeoutError:
            if not self._timer.expired():  # the driver's own: a socket's, say
                raise
            await live.driver.abort()
            limit = f"took longer than its limit of {live.claimed.timeout_s:g} s"
            return self._judge.failed(live.claimed, limit)
        finally:
            unsubscribe()
            await self._following.over()
        return Outcome(t.COMPLETED)

    async def _all_parts(self) -> None:
        live = self._live
        if self._taken_up:
            self._limit_time()
            self._following.hear(live.driver.status())
            told = not live.part_over and await self._see_out()
        else:
            told = await self._first_part()
        for part in range(live.part + 1, self._order.parts + 1):
            if told:
                return
            if not live.driver.abilities.starts:
                await self._say_done(part - 1)
            if self._tended:
                await self._person(f"{_DONE.format(part - 1, self._order.parts)}: {_NEXT_BLANK}")
            await self._next_part(part)
            told = await self._see_out(begins=True)

    async def _next_part(self, part: int) -> None:
        """Begun, as soon as the machine lets it: the parts before it are not made again."""
        live = self._live
        while True:
            live.part = part
            self._unless_stopped()
            try:
                modes_set = await live.driver.load(self._order, part)
                if live.driver.abilities.starts:
                    await self._record(modes_set)
                    self._unless_stopped()
                    await self._begin()
                return
            except NotReady as error:
                await self._person(f"{_DONE.format(part - 1, self._order.parts)}, but {error}")

    async def _say_done(self, part: int) -> None:
        """Where nothing at the machine tells which part is in hand, a station that is started again
        has to read it."""
        claimed = self._live.claimed
        await self._writer.write_until_committed(
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
            claimed = self._live.claimed
            await self._writer.write_until_committed(
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
        claimed, driver = self._live.claimed, self._live.driver
        real = driver.on_loss is OnLoss.INTERRUPT and driver.abilities.starts
        return real and (claimed.operator_starts or claimed.operator_clears)

    async def _first_part(self) -> bool:
        """Whether a person said that the run is done."""
        live = self._live
        word = Word(RUNNER)
        if not live.driver.abilities.starts:
            await live.driver.load(self._order, live.part)
            word = await self._first(self._by_itself(), live.word(Wait.SET_UP))
        elif live.claimed.operator_starts:
            word = await live.word(Wait.SET_UP)
        modes_set: tuple[str, ...] = ()
        if live.driver.abilities.starts:
            modes_set = await live.driver.load(self._order, live.part)
        self._unless_stopped()
        if not live.claimed.begun:
            await self._say_started(word)
        await self._record(modes_set)
        self._limit_time()
        self._unless_stopped()
        if live.driver.abilities.starts:
            await self._begin()
        live.under_way.set()
        return await self._see_out()

    async def _say_started(self, word: Word) -> None:
        """Others may read it before this returns. What they then ask for comes after it, and what
        the machine does meanwhile is told."""
        live = self._live
        if not live.driver.abilities.starts:
            live.expect(Wait.END)
        async with live.changing:
            await self._writer.write_until_committed(
                move_of(
                    live.claimed,
                    t.STARTED,
                    word.actor,
                    reason=word.reason,
                    program=live.claimed.program,
                    material=live.claimed.material,
                )
            )
            live.begun = True
        self._following.hear(live.driver.status())

    async def _by_itself(self) -> Word:
        """The machine has begun, started at its panel."""
        await self._begin()
        return Word(CONTROLLER)

    async def _begin(self) -> None:
        """After this it may be cutting. A connection lost just then leaves the question to
        `_see_out`."""
        try:
            await self._live.driver.start()
        except Unavailable as error:
            if self._live.driver.on_loss is OnLoss.RETRY:
                raise RunFailed(str(error)) from error
            log.warning("run %s: lost while it was started: %s", self._order.run_id, error)

    async def _see_out(self, *, begins: bool = False) -> bool:
        """Until the part is done; whether a person said that all of the run is, who may know it
        while the machine can't be asked. `begins`: as in `_ended`."""
        if self._live.driver.abilities.starts:
            await self._ended()
            return False
        word = self._live.word(Wait.END)
        return await self._first(self._ended(begins=begins), word) is not None

    async def _ended(self, *, begins: bool = False) -> None:
        """Until the part is done, whatever happens to the connection. `begins`: somebody has yet
        to start it at a machine that is watched; the job's limit is not for that wait."""
        driver = self._live.driver
        while True:
            try:
                if begins:
                    self._timer.reschedule(None)
                    await driver.start()
                    self._limit_time()
                await driver.ended()
                return
            except Unavailable as error:
                if driver.on_loss is OnLoss.RETRY:
                    raise RunFailed(str(error)) from error
                log.warning("run %s: connection lost: %s", self._order.run_id, error)
                if await self._ask_again(str(error)):
                    return

    async def _ask_again(self, lost: str) -> bool:
        """Reach the controller again and ask; whether the part is done. Raises Interrupted."""
        loop = asyncio.get_running_loop()
        starts = self._live.driver.abilities.starts
        give_up = loop.time() + (RECONNECT_S if starts else RECONNECT_WATCHED_S)
        pause = FIRST_PAUSE_S
        while True:
            try:
                await self._live.driver.connect()
                found = await self._live.driver.inspect_run(self._order)
                break
            except Unavailable as error:
                lost = str(error)
            if loop.time() >= give_up:
                raise Interrupted(f"the connection was lost and did not come back: {lost}")
            self._unless_stopped()
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))
            pause = min(pause * 2, LONGEST_PAUSE_S)
        log.warning("run %s: %s (%s)", self._order.run_id, found.outcome, found.detail)
        if found.outcome is RunOutcome.STOPPED:
            raise Interrupted(found.detail)
        return found.outcome is RunOutcome.FINISHED

    async def _person(self, words: str) -> None:
        """Held until a person says by continuing that it may go on."""
        live = self._live
        async with live.changing:
            if not live.held:
                await self._writer.write_until_committed(
                    move_of(live.claimed, t.HELD, RUNNER, reason=words)
                )
                live.held = True
        self._timer.reschedule(None)
        await live.word(Wait.NEXT_PART)
        self._limit_time()

    def _limit_time(self) -> None:
        """A job's limit is for the controller's work, not for people's."""
        limit = self._live.claimed.timeout_s
        if limit is not None:
            self._timer.reschedule(asyncio.get_running_loop().time() + limit)

    def _unless_stopped(self) -> None:
        """A process that stood still wakes wherever it was, perhaps just before it starts a
        machine; others may have taken over. Raises RunAborted."""
        live = self._live
        if live.lease_ends <= asyncio.get_running_loop().time():
            live.lost = True
        if live.lost:
            log.warning("lost the lease of run %s before it began", live.claimed.run_id)
            raise RunAborted("its lease has ended")
        if live.stopped_by:
            raise RunAborted("stopped before it began")

    @staticmethod
    async def _first(one: Awaitable[Any], other: Awaitable[Any]) -> Any:
        """Whichever comes first; the other is dropped."""
        tasks = [asyncio.ensure_future(one), asyncio.ensure_future(other)]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            return done.pop().result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
