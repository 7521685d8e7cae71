"""The runs of this station: taken from the dispatcher and driven to their ends.

What the machine did is written until it is written; who lost the right to write it is told so
and stops acting.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any

from cnc_station.engine.domain import transitions as t
from cnc_station.engine.domain.errors import CncStationError, Conflict, Fenced, Unavailable
from cnc_station.engine.drivers.base import Driver, OnLoss, Order, RunAborted, RunFailed
from cnc_station.engine.services.drive import Drive
from cnc_station.engine.services.library import Library
from cnc_station.engine.services.live import Live, Wait
from cnc_station.engine.services.outcome import RUNNER, Judge, Outcome, move_of
from cnc_station.engine.services.progress import Progress
from cnc_station.engine.services.retrying_writer import RetryingWriter
from cnc_station.engine.services.steering import Steering
from cnc_station.engine.store.machines import MoveMachine
from cnc_station.engine.store.new_runs import Claimed
from cnc_station.engine.store.readiness import SetReadiness
from cnc_station.engine.views import AtClosing

log = logging.getLogger(__name__)

PATIENCE_S = 5.0
WRITING_S = 60.0  # what a run that has ended is leased for, so that its end can be written
CLOSED = "the station was closed while it ran"
_WHEN_CLOSED = {
    AtClosing.RETURNED: t.RETURNED,
    AtClosing.BEGINS_AGAIN: t.REQUEUED,
    AtClosing.ABORTED: t.INTERRUPTED,
    AtClosing.GOES_ON: t.INTERRUPTED,  # it began while the station was told to close
}
TAKEN_BACK = "it went on while the station was not heard of"


class Runner(Steering):
    """Drives all live runs of this station."""

    def __init__(
        self,
        writer: RetryingWriter,
        library: Library,
        drivers: Mapping[int, Driver],
        judge: Judge,
        on_refused: Callable[[int], None] = lambda _: None,
        on_over: Callable[[int], None] = lambda _: None,
    ) -> None:
        """`on_refused` hears of a machine that would not start, `on_over` of one that is left to
        itself again."""
        super().__init__(writer)
        self._library = library
        self._drivers = drivers
        self._judge = judge
        self._on_refused = on_refused
        self._on_over = on_over
        self._giving_back: set[asyncio.Task[object]] = set()

    def take(self, claimed: Claimed, lease_ends: float = float("inf")) -> None:
        """Begin to drive a claimed run; it may be acted on until `lease_ends` (the loop's clock),
        unless the lifeline asks for more."""
        driver = self._drivers.get(claimed.machine_id)
        if driver is None:
            self._keep(self._give_back(claimed))
            return
        live = Live(claimed, driver, lease_ends, begun=claimed.begun)
        if live.starts_on_a_word:
            live.expect(Wait.SET_UP)
        self._drive(live)

    def at_once(self) -> frozenset[int]:
        """The machines whose runs may begin with their claim."""
        return frozenset(
            machine_id for machine_id, driver in self._drivers.items() if driver.abilities.at_once
        )

    def reattach(self, claimed: Claimed, lease_ends: float, part: int, *, over: bool) -> None:
        """Go on with a run that an earlier life of this station has started: `part` is under way,
        or `over`. That it was taken up is written already."""
        driver = self._drivers[claimed.machine_id]
        live = Live(claimed, driver, lease_ends, part=part, begun=True, part_over=over)
        self._drive(live)

    async def take_back(self, lease_s: float) -> None:
        """Runs whose lease was lost and which still cut go on as ours, if nobody has decided
        about them meanwhile."""
        for live in [live for live in self._live.values() if live.lost]:
            ends = asyncio.get_running_loop().time() + lease_s
            if live.driver.on_loss is OnLoss.INTERRUPT and await self._take_back(live, lease_s):
                live.lease_ends = ends
                live.lost = False

    async def _take_back(self, live: Live, lease_s: float = WRITING_S) -> bool:
        try:
            await self._writer.write(
                move_of(live.claimed, t.REATTACHED, reason=TAKEN_BACK, lease_s=lease_s)
            )
        except (Fenced, Conflict) as error:
            log.warning("run %s is not ours any more: %s", live.claimed.run_id, error)
            return False
        live.held = False
        return True

    def _drive(self, live: Live) -> None:
        self._keep_in_hand(live)
        name = f"run {live.claimed.run_id}"
        live.task = asyncio.create_task(self._see_through(live), name=name)
        live.task.add_done_callback(lambda _: self._forget(live))

    def _forget(self, live: Live) -> None:
        del self._live[live.claimed.run_id]
        live.under_way.set()
        self._on_over(live.claimed.machine_id)

    def _keep(self, work: Coroutine[Any, Any, object]) -> None:
        task = asyncio.create_task(work)
        self._giving_back.add(task)
        task.add_done_callback(self._giving_back.discard)

    async def give_back(self, claimed: Sequence[Claimed]) -> None:
        """Claimed just as the station is closed: nothing was begun. Raises Unavailable."""
        await asyncio.gather(
            *(
                self._writer.write(
                    move_of(one, t.REQUEUED if one.begun else t.RETURNED, reason=CLOSED)
                )
                for one in claimed
            )
        )

    async def _give_back(self, claimed: Claimed) -> None:
        """The machine has no driver: asked for at once, so that no claim comes in between."""
        reason = "its driver is not there"
        back = t.REQUEUED if claimed.begun else t.RETURNED
        await asyncio.gather(
            self._writer.write_until_committed(move_of(claimed, back, reason=reason)),
            self._writer.write_until_committed(
                MoveMachine((t.DISCONNECTED,), claimed.machine_id, RUNNER, reason)
            ),
            return_exceptions=True,
        )

    async def _see_through(self, live: Live) -> t.Transition | None:
        """Drive a run to its end; returns how it ended, None if others have decided that."""
        begun = asyncio.get_running_loop().time()
        try:
            outcome = await self._outcome(live)
            if outcome is None or (live.lost and not await self._take_back(live)):
                return None
            return await self._write(live, outcome, asyncio.get_running_loop().time() - begun)
        except (Fenced, Conflict) as error:
            log.warning("run %s of job %s: %s", live.claimed.run_id, live.claimed.job_id, error)
        except Exception:
            log.exception("run %s of job %s", live.claimed.run_id, live.claimed.job_id)
        return None

    async def _outcome(self, live: Live) -> Outcome | None:
        claimed = live.claimed
        reattached = live.begun and not claimed.begun
        try:
            order = await self.order(claimed)
            live.progress = Progress(order)
            await self._after_former(claimed)
            drive = Drive(self._writer, self._judge, live, order, reattached=reattached)
            return await drive.to_its_end()
        except (Fenced, Conflict):
            raise
        except RunAborted:
            return None if live.lost else self._stopped(live)
        except (RunFailed, Unavailable) as error:
            return self._judge.failed(claimed, str(error))
        except Exception as error:
            log.exception("run %s of job %s", claimed.run_id, claimed.job_id)
            reason = f"internal error: {error}"
            if live.begun and live.driver.on_loss is OnLoss.INTERRUPT:  # it may be cutting still
                return Outcome(t.INTERRUPTED, reason)
            return self._judge.failed(claimed, reason)

    @staticmethod
    def _stopped(live: Live) -> Outcome:
        """Because somebody asked for it."""
        if live.defer:
            return Outcome(t.DEFERRED, live.stop_reason, live.stopper)
        if not live.closing:
            return Outcome(t.ABORTED, live.stop_reason, live.stopper)
        return Outcome(_WHEN_CLOSED[live.at_closing], CLOSED)

    async def _after_former(self, claimed: Claimed) -> None:
        """The same job may be here again while the run that lost its lease is still stopping."""
        if claimed.attempt == 1:
            return
        former = [
            live.task
            for live in self._live.values()
            if live.lost and live.claimed.job_id == claimed.job_id and live.task is not None
        ]
        if former:
            await asyncio.wait(former)

    async def order(self, claimed: Claimed) -> Order:
        """What a driver is asked to make. Raises RunFailed."""
        kept = await self._library.kept(claimed.program) if claimed.program else None
        if claimed.program and kept is None:
            raise RunFailed("its program is no longer kept")
        return Order(
            run_id=claimed.run_id,
            job_id=claimed.job_id,
            attempt=claimed.attempt,
            complexity=claimed.complexity,
            parts=claimed.quantity,
            estimated_s=claimed.estimated_s,
            name=kept.name if kept else claimed.name,
            program=kept.program if kept else None,
            source=kept.source if kept else None,
            part=claimed.parts_done + 1,
        )

    async def _write(self, live: Live, outcome: Outcome, seconds: float) -> t.Transition:
        claimed = live.claimed
        half_made = _half_made(live, outcome.transition)
        if outcome.alarm:
            with contextlib.suppress(Conflict):  # somebody was quicker, or an answer was lost
                await self._writer.write_until_committed(
                    MoveMachine(
                        (t.ALARMED,),
                        claimed.machine_id,
                        RUNNER,
                        outcome.reason,
                        part_on_it=half_made,
                    )
                )
        ending = self._writer.write_until_committed(
            move_of(
                claimed,
                outcome.transition,
                outcome.actor,
                reason=outcome.reason,
                backoff_s=outcome.backoff_s,
                seconds=seconds,
                part_on_it=half_made,
            )
        )
        if outcome.refused:  # asked for at once, so that no claim comes in between
            self._on_refused(claimed.machine_id)
            refusal = SetReadiness(claimed.machine_id, outcome.reason, RUNNER)
            await asyncio.gather(ending, self._writer.write_until_committed(refusal))
        else:
            await ending
        return outcome.transition

    async def let_go(self, now: float) -> None:
        """Stop acting on the runs whose lease has ended: others may have taken over. Nothing is
        written about them, and what may be half made goes on: nobody else will begin it blindly.
        """
        lost = [live for live in self._live.values() if live.lease_ends <= now and not live.lost]
        for live in lost:
            log.warning("lost the lease of run %s", live.claimed.run_id)
            live.lost = True
            live.stop_waiting()
        stopping = [live.driver.abort() for live in lost if live.driver.on_loss is OnLoss.RETRY]
        for answer in await asyncio.gather(*stopping, return_exceptions=True):
            if isinstance(answer, Exception):
                log.warning("a run that was lost could not be stopped: %s", answer)

    async def stop(self) -> None:
        """Let go of what goes on without us, stop the rest and write what became of it; what
        can't be written in `PATIENCE_S` is left to the recovery at the next start."""
        for live in list(self._live.values()):
            if live.at_closing is AtClosing.GOES_ON:
                assert live.task is not None
                live.task.cancel()
                continue
            live.closing = True
            live.stopped_by = RUNNER
            live.stop_waiting()
            if live.begun:
                await self._stop_for_closing(live)
        tasks = [live.task for live in self._live.values() if live.task is not None]
        if tasks:
            _, unwritten = await asyncio.wait(tasks, timeout=PATIENCE_S)
            for task in unwritten:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    @staticmethod
    async def _stop_for_closing(live: Live) -> None:
        try:
            await live.driver.abort()
        except CncStationError as error:  # the others are stopped all the same
            log.warning("run %s could not be stopped: %s", live.claimed.run_id, error)


def _half_made(live: Live, ending: t.Transition) -> bool:
    """Whether a part lies on the machine that nobody knows to be good."""
    real = live.driver.on_loss is OnLoss.INTERRUPT
    return real and live.begun and ending not in (t.COMPLETED, t.REQUEUED)
