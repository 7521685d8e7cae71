"""What people say about the runs in hand: hold, go on, end, put aside, start, done."""

import asyncio

from cnc_station.engine.domain import transitions as t
from cnc_station.engine.domain.errors import CncStationError, Conflict
from cnc_station.engine.services.live import Live, Wait, Word
from cnc_station.engine.services.live_runs import LiveRuns
from cnc_station.engine.services.outcome import move_of
from cnc_station.engine.services.retrying_writer import RetryingWriter


class Steering(LiveRuns):
    """Tells the controllers, and writes what they did."""

    def __init__(self, writer: RetryingWriter) -> None:
        super().__init__()
        self._writer = writer

    async def _under_way(self, job_id: int) -> Live:
        """A run that has begun with its claim is read as running while it is still being loaded:
        what is asked of its machine comes after its start. Raises Conflict."""
        live = self._of(job_id)
        if live.claimed.begun:
            await live.under_way.wait()
        return self._of(job_id)

    async def hold(self, job_id: int, actor: str, reason: str = "") -> None:
        """Stop the feed, and say so when the controller has. Raises Conflict, Unavailable."""
        live = await self._under_way(job_id)
        async with live.changing:
            await live.driver.hold()
            await self._writer.write_until_committed(
                move_of(live.claimed, t.HELD, actor, reason=reason)
            )
            live.held = True

    async def resume(self, job_id: int, actor: str) -> None:
        """Go on after a hold, or with the next part. Raises Conflict, Unavailable.

        Written first, since that proves the right to set the machine going; and written back if
        the controller does not go on.
        """
        live = await self._under_way(job_id)
        async with live.changing:
            await self._writer.write(move_of(live.claimed, t.CONTINUED, actor))
            live.held = False
            if live.waits_for(Wait.NEXT_PART):
                live.say(Wait.NEXT_PART, Word(actor))
                return
            try:
                await live.driver.resume()
            except CncStationError as error:
                await self._writer.write_until_committed(
                    move_of(live.claimed, t.HELD, reason=str(error))
                )
                live.held = True
                raise

    async def abort(self, job_id: int, actor: str, reason: str = "") -> None:
        """End the run for good; returns when that is written. Raises Conflict, Unavailable."""
        await self._stop(self._of(job_id), actor, reason, t.ABORTED)

    async def defer(self, job_id: int, actor: str, reason: str = "") -> None:
        """Not now: nothing was started, the job is paused, the machine free for another. Raises
        Conflict."""
        live = self._of(job_id)
        if live.begun:
            raise Conflict(f"Job {job_id} has begun: it can only be aborted.")
        live.defer = True
        await self._stop(live, actor, reason, t.DEFERRED)

    async def _stop(self, live: Live, actor: str, reason: str, wanted: t.Transition) -> None:
        live.stopped_by, live.stop_reason = actor, reason
        if live.begun:
            try:
                await live.driver.abort()
            except CncStationError:  # it goes on, as if nobody had asked
                live.stopped_by = live.stop_reason = ""
                raise
        live.stop_waiting()
        assert live.task is not None
        await asyncio.wait([live.task])
        if live.task.cancelled() or live.task.result() is not wanted:
            raise Conflict(f"Job {live.claimed.job_id} had ended before it could be {wanted.name}.")

    async def confirm(self, job_id: int, actor: str, reason: str = "") -> None:
        """A person says that the set-up is right, or that the machine was started at its panel.
        Raises Conflict if nobody waits for that."""
        self._of(job_id).say(Wait.SET_UP, Word(actor, reason))

    async def finish(self, job_id: int, actor: str, reason: str = "") -> None:
        """A person says that the run is done, where the machine is only watched. Raises
        Conflict."""
        self._of(job_id).say(Wait.END, Word(actor, reason))
