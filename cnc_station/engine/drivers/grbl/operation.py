"""A controller and its current job: receives the reports and decides about the job."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from cnc_station.engine.domain.errors import Unavailable
from cnc_station.engine.drivers.base import EndUnproven, NotReady, RunFailed
from cnc_station.engine.drivers.grbl import meanings, showing
from cnc_station.engine.drivers.grbl.controller import HOLD, Controller
from cnc_station.engine.drivers.grbl.job import Job
from cnc_station.engine.drivers.grbl.modes import ParserState
from cnc_station.engine.drivers.grbl.position import Observation, PositionTracker
from cnc_station.engine.drivers.grbl.reports import Report
from cnc_station.engine.drivers.grbl.settings import Patience, Settings
from cnc_station.engine.drivers.publisher import StatusPublisher
from cnc_station.engine.views import Doing, Status

log = logging.getLogger(__name__)

FORGOTTEN = "The reset has cleared G92 and tool offsets: check the work zero."
_RESTARTED = "it was reset, or switched off and on: its position, G92 and offsets are lost"
_CLEARED = "a reset has cleared G92 and tool offsets: check the work zero"
_LOCKED = 9
_SPINDLE_S = 120.0  # maximum time for a spindle to stop
_UNREACHABLE = "Check the cable, and that the controller is switched on."


class Operation:
    """Implements `ControllerListener`. `acting` allows one action on the machine at a time.
    `resets` counts unrequested restarts since the job was loaded."""

    def __init__(self, where: Settings, patience: Patience, publisher: StatusPublisher) -> None:
        self.where = where
        self.patience = patience
        self.acting = asyncio.Lock()
        self.job: Job | None = None
        self.position = PositionTracker()
        self.resets = 0
        self._publisher = publisher
        publisher.publish(Status(Doing.UNREACHABLE, why="not connected", remedy=_UNREACHABLE))
        self._connecting = asyncio.Lock()
        self._controller: Controller | None = None
        self._follow_up: asyncio.Task[None] | None = None

    async def connect(self) -> Controller:
        """Connect, closing any earlier connection. Raises Unavailable."""
        async with self._connecting:  # a serial port can only be opened once
            seamless = self._controller is not None and not self._controller.lost_reason
            await self.disconnect("reconnected")
            controller = Controller(self.where, self.patience, self, self._publisher.wire)
            try:
                await controller.open()
                await self._compare(controller, seamless=seamless)
            except Unavailable as error:
                await controller.close()
                self._publish_unreachable(str(error))
                raise
            self._controller = controller
            self.publish_status()
            return controller

    async def _compare(self, controller: Controller, *, seamless: bool) -> None:
        report = controller.picture.report
        at_rest = report.state in ("Idle", "Alarm") and not controller.needs_reset
        parser = await controller.parser_state() if at_rest else None
        self.position.connected(_observe(controller, parser), seamless=seamless)
        if controller.info is not None:
            self.position.recognise(controller.info)
        if report.state == "Alarm":
            self.position.lose(showing.alarm(controller.picture, controller.message))

    async def disconnect(self, why: str) -> None:
        """Disconnect. The controller keeps a running job."""
        controller, self._controller = self._controller, None
        follow_up, self._follow_up = self._follow_up, None
        if follow_up is not None:
            follow_up.cancel()
            await asyncio.gather(follow_up, return_exceptions=True)
        if controller is not None:
            await controller.close()
            self.lost(why)

    @property
    def controller(self) -> Controller:
        """The connected controller. Raises Unavailable if there is none."""
        if self._controller is None or self._controller.lost_reason:
            raise Unavailable(f"{self.where.address}: {self._publisher.status().why}")
        return self._controller

    async def current_report(self) -> Report:
        """Return a fresh report. Raises Unavailable."""
        try:
            return await self.controller.fresh_report()
        except TimeoutError:
            raise Unavailable(f"{self.where.address} does not answer") from None

    @property
    def alarm(self) -> str:
        controller = self._controller
        return showing.alarm(controller.picture, controller.message) if controller else ""

    def send_lines(self) -> None:
        job = self.job
        if job is not None and job.feeding and (due := job.streamer.due()):
            self.controller.send(due)

    async def stop_and_reset(self, job: Job) -> Report:
        """Stop the axes, then reset, and return the report after that. A reset at standstill keeps
        the position, except for a zero that it clears. Raises Unavailable."""
        controller = self.controller
        offset = controller.picture.offset
        controller.realtime(HOLD)
        try:
            await controller.until(lambda shown: shown.at_rest, self.patience.stop)
        except TimeoutError:
            log.warning("%s does not stop at a feed hold: reset", self.where.address)
        report = await controller.reset()
        self.position.restarted()
        moved = job.zero_cleared_by_reset is None and controller.picture.offset != offset
        if job.zero_cleared_by_reset or moved:
            self.position.lose(_CLEARED)
        return report

    def break_off(self, job: Job, words: str) -> None:
        """Stop a job with an error: hold at once, because the lines after the wrong one are
        sent."""
        job.stop(words, self._publisher.status().doing)
        self.controller.realtime(HOLD)
        self._follow_up = asyncio.create_task(
            self._fail(job, lambda: self._stop_and_reset_alone(job))
        )

    async def _stop_and_reset_alone(self, job: Job) -> Report:
        async with self.acting:
            return await self.stop_and_reset(job)

    async def _fail(self, job: Job, settled: Callable[[], Coroutine[Any, Any, Report]]) -> None:
        with contextlib.suppress(Unavailable):  # the connection was lost, which has ended the job
            report = await settled()
            job.end(RunFailed(job.stopping, alarm=report.state == "Alarm"))
        self.after_job()

    def _fail_locked(self, job: Job) -> None:
        near = job.line(self.controller.picture) or job.number(0)
        words = self.alarm
        if "position" not in words:
            words += "; its position is not certain"
        job.end(RunFailed(f"{words} (near line {near})", alarm=True))
        self.after_job()

    async def _prove(self, job: Job) -> None:
        """Decide whether the part is made, once every line was accepted and the machine is idle."""
        try:
            doubt = await self._doubt(job)
            if doubt is None and self.controller.picture.report.spindle:
                log.info("%s: the program left the spindle on: stopped", self.where.address)
                await self.controller.ask("M5M9", within_s=_SPINDLE_S)
                await self.current_report()
        except Unavailable as error:
            doubt = str(error)
        if not job.stopping:
            job.end(EndUnproven(f"every line was taken, but {doubt}") if doubt else None)
            self.after_job()

    async def _doubt(self, job: Job) -> str | None:
        """Return why the end is not proven. A feed rate persists until a reset, and the tool must
        stand at the end of the program."""
        controller = self.controller
        parser = await controller.parser_state()
        if job.keeps_feed and (parser is None or parser.just_restarted):
            self.position.lose(_RESTARTED)
            return "the controller was reset, or switched off and on, during the last moves"
        self.position.compare(parser)
        if not any(axis is not None for axis in job.prepared.ends_at):
            return None
        with contextlib.suppress(TimeoutError):  # the work offset is in some reports only
            await controller.until(lambda _: not self._misplaced(job), self.patience.offset)
        return self._misplaced(job)

    def _misplaced(self, job: Job) -> str | None:
        place = self.controller.picture.place
        if place is None:
            return "the controller does not report its work position"
        misplaced = job.misplaced(place, self.where.tolerance_mm)
        return f"the tool stands at {misplaced}" if misplaced else None

    def after_job(self) -> None:
        """Publish the status after the verdict."""
        if self._controller is not None:
            self._controller.running = False
        self.publish_status()

    def answered(self, code: int) -> None:
        """Also called after the end of a job, and while it reconnects."""
        job = self.job
        if job is None:
            return
        polls = self._controller.polls if self._controller is not None else 0
        if job.feeding and not job.streamer.outstanding:
            self.break_off(job, "the controller has answered more lines than it was sent")
        elif code == 0 or not job.feeding:
            job.take_answer(polls)
        elif code == _LOCKED and not job.begun:
            job.end(NotReady(f"{meanings.error(code)}. Unlock or home it."))
            job.take_answer(polls)
            self.after_job()
        else:
            index = job.streamer.answered
            words = f"line {job.number(index)} ({job.text(index)}): {meanings.error(code)}"
            self.break_off(job, words)

    def batch_received(self) -> None:
        """Sends once for all answers that came together."""
        self.send_lines()

    def reported(self, report: Report) -> None:
        """Decide whether the job is done, continues, or is stuck."""
        if self._controller is None:  # the connection is still being opened
            return
        jumped = self.position.observe(_observe(self._controller))
        if self.job is not None and self.job.feeding:
            self._judge(self.job, report)
        elif jumped:
            self._ask_whether_restarted()
        self.publish_status()

    def _judge(self, job: Job, report: Report) -> None:
        picture = self.controller.picture
        now = asyncio.get_running_loop().time()
        if report.state == "Alarm":
            self._fail_locked(job)
        elif job.proving:
            return
        elif job.proven(picture, self.controller.polls):
            job.proving = True
            self._follow_up = asyncio.create_task(self._prove(job))
        elif stall := job.stall_reason(picture, now, self.patience):
            self.break_off(job, stall)

    def alarmed(self, code: int) -> None:
        """The controller stops by itself and accepts no more lines."""
        log.warning("%s: %s", self.where.address, meanings.alarm(code))
        self.position.alarmed(meanings.alarm(code))
        if self.job is not None and self.job.feeding:
            self._fail_locked(self.job)
        self.publish_status()

    def unknown_line(self) -> None:
        self.position.suspect_restart()
        self._ask_whether_restarted()

    def _ask_whether_restarted(self) -> None:
        """Check for a restart between jobs. During a job this is checked at its end."""
        busy = self.job is not None and self.job.live
        asking = self._follow_up is not None and not self._follow_up.done()
        if self._controller is not None and not busy and not asking:
            self._follow_up = asyncio.create_task(self._check_restart())

    async def _check_restart(self) -> None:
        with contextlib.suppress(Unavailable):  # checked again after a reconnect
            self.position.compare(await self.controller.parser_state())
        self.publish_status()

    def was_reset(self) -> None:
        """The lines in the controller are lost. No more are sent."""
        self.resets += 1
        self.position.lose(_RESTARTED)
        self.position.restarted()
        job = self.job
        if job is not None and job.feeding:
            near = job.number(job.streamer.answered)
            job.stop(
                f"the controller was reset near line {near}: its position is lost. {FORGOTTEN}",
                self._publisher.status().doing,
            )
            self._follow_up = asyncio.create_task(self._fail(job, self.current_report))

    def lost(self, reason: str) -> None:
        """The controller may continue with its buffer."""
        job = self.job
        if job is not None and job.live:
            self.position.lose("the connection was lost during a run")
            if job.wrong:
                job.end(RunFailed(f"{job.stopping}; then {reason}"))
            else:
                job.end(Unavailable(f"{self.where.address}: {reason}"))
        self._publish_unreachable(reason)

    def publish_status(self) -> None:
        controller = self._controller
        if controller is not None and not controller.lost_reason:
            message, picture = controller.message, controller.picture
            position = self.position.position
            status = showing.status(picture, self.job, message=message, position=position)
            self._publisher.publish(status)

    def _publish_unreachable(self, why: str) -> None:
        position = self.position.position
        self._publisher.publish(Status(Doing.UNREACHABLE, why, _UNREACHABLE, position=position))


def _observe(controller: Controller, parser: ParserState | None = None) -> Observation:
    shown, picture = controller.picture.report, controller.picture
    return Observation(
        shown.state, shown.axes, picture.offset, parser, picture.homed, controller.welcomed
    )
