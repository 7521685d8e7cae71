"""The controller and the job in hand: hears what the controller says, and judges the job by it."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from cnc_station.engine.domain.errors import Unavailable
from cnc_station.engine.drivers.base import NotReady, RunFailed
from cnc_station.engine.drivers.grbl import meanings, showing
from cnc_station.engine.drivers.grbl.controller import HOLD, Controller
from cnc_station.engine.drivers.grbl.job import Job
from cnc_station.engine.drivers.grbl.reports import Report
from cnc_station.engine.drivers.grbl.settings import Patience, Settings
from cnc_station.engine.drivers.traffic import Traffic
from cnc_station.engine.views import Doing, Status

log = logging.getLogger(__name__)

FORGOTTEN = "The reset has cleared G92 and tool offsets: check the work zero."
_LOCKED = 9
_UNREACHABLE = "Check the cable, and that the controller is switched on."


class Operation:
    """Implements `Hears`. One at a time may act on the machine (`acting`); `doubt` is why its
    position must not be trusted, `resets` how often the controller has come up unasked since the
    job was loaded."""

    def __init__(self, where: Settings, patience: Patience) -> None:
        self.where = where
        self.patience = patience
        self.traffic = Traffic()
        self.acting = asyncio.Lock()
        self.job: Job | None = None
        self.doubt = ""
        self.resets = 0
        self.listeners: list[Callable[[Status], None]] = []
        self.status = Status(Doing.UNREACHABLE, why="not connected", remedy=_UNREACHABLE)
        self._connecting = asyncio.Lock()
        self._controller: Controller | None = None
        self._stopper: asyncio.Task[None] | None = None

    # --- the controller ---

    async def connect(self) -> Controller:
        """Anew, whatever there was. Raises Unavailable."""
        async with self._connecting:  # a serial port opens only once
            await self.disconnect("connected anew")
            controller = Controller(self.where, self.patience, self, self.traffic)
            try:
                await controller.open()
            except Unavailable as error:
                self._tell_unreachable(str(error))
                raise
            self._controller = controller
            self.show()
            return controller

    async def disconnect(self, why: str) -> None:
        """A job in hand is left to the controller."""
        controller, self._controller = self._controller, None
        stopper, self._stopper = self._stopper, None
        if stopper is not None:
            stopper.cancel()
            await asyncio.gather(stopper, return_exceptions=True)
        if controller is not None:
            await controller.close()
            self.lost(why)

    @property
    def controller(self) -> Controller:
        """Raises Unavailable if it can't be reached."""
        if self._controller is None or self._controller.gone:
            raise Unavailable(f"{self.where.address}: {self.status.why}")
        return self._controller

    async def asked(self) -> Report:
        """What it shows now. Raises Unavailable."""
        try:
            return await self.controller.fresh()
        except TimeoutError:
            raise Unavailable(f"{self.where.address} does not answer") from None

    @property
    def alarm(self) -> str:
        """The alarm it is in, in words."""
        controller = self._controller
        return showing.alarm(controller.picture, controller.message) if controller else ""

    # --- the job ---

    def feed(self) -> None:
        """Whatever fits into the controller now."""
        job = self.job
        if job is not None and job.feeding and (due := job.streamer.due()):
            self.controller.send(due)

    async def halt(self) -> Report:
        """The axes at rest and nothing left in the controller; what it shows then. A reset at rest
        keeps the position. Raises Unavailable."""
        controller = self.controller
        controller.realtime(HOLD)
        try:
            await controller.until(lambda shown: shown.at_rest, self.patience.stop)
        except TimeoutError:
            log.warning("%s does not stop at a feed hold: reset", self.where.address)
        return await controller.reset()

    def break_off(self, job: Job, words: str) -> None:
        """The lines after the one that is wrong are in the controller already: hold at once."""
        job.stopping = words
        self.controller.realtime(HOLD)
        self._stopper = asyncio.create_task(self._fail(job, self._halted))

    async def _halted(self) -> Report:
        async with self.acting:
            return await self.halt()

    async def _fail(self, job: Job, settled: Callable[[], Coroutine[Any, Any, Report]]) -> None:
        with contextlib.suppress(Unavailable):  # it was lost, and the job has ended with that
            report = await settled()
            job.end(RunFailed(job.stopping, alarm=report.state == "Alarm"))
        self.after_job()

    def _fail_locked(self, job: Job) -> None:
        near = job.line(self.controller.picture) or job.number(0)
        job.end(RunFailed(f"{self.alarm} (near line {near})", alarm=True))
        self.after_job()

    def after_job(self) -> None:
        """The job has its verdict."""
        if self._controller is not None:
            self._controller.running = False
        self.show()

    # --- what the controller says ---

    def answered(self, code: int) -> None:
        """To one line of the job, perhaps after it has ended, and while it is greeted anew."""
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

    def heard(self) -> None:
        """Feeds once for all answers that came together."""
        self.feed()

    def reported(self, report: Report) -> None:
        """The job is done, goes on, or stands."""
        if self._controller is None:  # not yet: it is being greeted
            return
        if report.state == "Home":
            self.doubt = ""
        if self.job is not None and self.job.feeding:
            self._judge(self.job, report)
        self.show()

    def _judge(self, job: Job, report: Report) -> None:
        picture = self.controller.picture
        now = asyncio.get_running_loop().time()
        if report.state == "Alarm":
            self._fail_locked(job)
        elif job.proven(picture, self.controller.polls):
            job.end()
            self.after_job()
        elif stands := job.stands(picture, now, self.patience):
            self.break_off(job, stands)

    def alarmed(self, code: int) -> None:
        """It stops by itself and takes nothing more."""
        log.warning("%s: %s", self.where.address, meanings.alarm(code))
        if self.job is not None and self.job.feeding:
            self._fail_locked(self.job)
        self.show()

    def was_reset(self) -> None:
        """Whatever it had is gone, and nothing more is sent."""
        self.resets += 1
        job = self.job
        if job is not None and job.feeding:
            job.stopping = (
                f"the controller was reset near line {job.number(job.streamer.answered)}."
                f" {FORGOTTEN}"
            )
            self._stopper = asyncio.create_task(self._fail(job, self.asked))

    def lost(self, reason: str) -> None:
        """It may go on with what it has; nobody can tell."""
        job = self.job
        if job is not None and job.live:
            if job.wrong:
                job.end(RunFailed(f"{job.stopping}; and then {reason}"))
            else:
                job.end(Unavailable(f"{self.where.address}: {reason}"))
        self._tell_unreachable(reason)

    # --- telling ---

    def show(self) -> None:
        """Tell the listeners, if there is anything new."""
        controller = self._controller
        if controller is not None and not controller.gone:
            message, picture = controller.message, controller.picture
            self._tell(showing.status(picture, self.job, message=message, doubt=self.doubt))

    def _tell_unreachable(self, why: str) -> None:
        self._tell(Status(Doing.UNREACHABLE, why=why, remedy=_UNREACHABLE))

    def _tell(self, status: Status) -> None:
        if status != self.status:
            self.status = status
            for listener in tuple(self.listeners):
                listener(status)
