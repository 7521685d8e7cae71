"""The controller and the job in hand: hears what the controller says, and judges the job by it."""

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
from cnc_station.engine.drivers.grbl.position import PositionWatch, Sight
from cnc_station.engine.drivers.grbl.reports import Report
from cnc_station.engine.drivers.grbl.settings import Patience, Settings
from cnc_station.engine.drivers.traffic import Traffic
from cnc_station.engine.views import Doing, Status

log = logging.getLogger(__name__)

FORGOTTEN = "The reset has cleared G92 and tool offsets: check the work zero."
_RESTARTED = (
    "it was reset, or switched off and on: its position is lost, and so are G92 and offsets"
)
_CLEARED = "a reset has cleared G92 and tool offsets: check the work zero"
_LOCKED = 9
_SPINDLE_S = 120.0  # that a spindle may take to stop
_UNREACHABLE = "Check the cable, and that the controller is switched on."


class Operation:
    """Implements `Hears`. One at a time may act on the machine (`acting`); `position` is what is
    known of where it stands, `resets` how often the controller has come up unasked since the job
    was loaded."""

    def __init__(self, where: Settings, patience: Patience) -> None:
        self.where = where
        self.patience = patience
        self.traffic = Traffic()
        self.acting = asyncio.Lock()
        self.job: Job | None = None
        self.position = PositionWatch()
        self.resets = 0
        self.listeners: list[Callable[[Status], None]] = []
        self.status = Status(Doing.UNREACHABLE, why="not connected", remedy=_UNREACHABLE)
        self._connecting = asyncio.Lock()
        self._controller: Controller | None = None
        self._follow_up: asyncio.Task[None] | None = None

    # --- the controller ---

    async def connect(self) -> Controller:
        """Anew, whatever there was. Raises Unavailable."""
        async with self._connecting:  # a serial port opens only once
            seamless = self._controller is not None and not self._controller.gone
            await self.disconnect("connected anew")
            controller = Controller(self.where, self.patience, self, self.traffic)
            try:
                await controller.open()
                await self._compare(controller, seamless=seamless)
            except Unavailable as error:
                await controller.close()
                self._tell_unreachable(str(error))
                raise
            self._controller = controller
            self.show()
            return controller

    async def _compare(self, controller: Controller, *, seamless: bool) -> None:
        """With what was known before."""
        report = controller.picture.report
        at_rest = report.state in ("Idle", "Alarm") and not controller.mute
        parser = await controller.parser_state() if at_rest else None
        self.position.connected(_sight(controller, parser), seamless=seamless)
        if controller.who is not None:
            self.position.recognise(controller.who)
        if report.state == "Alarm":
            self.position.lose(showing.alarm(controller.picture, controller.message))

    async def disconnect(self, why: str) -> None:
        """A job in hand is left to the controller."""
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

    async def halt(self, job: Job) -> Report:
        """The axes at rest and nothing left in the controller; what it shows then. A reset at rest
        keeps the position, but for a zero that it forgets. Raises Unavailable."""
        controller = self.controller
        offset = controller.picture.offset
        controller.realtime(HOLD)
        try:
            await controller.until(lambda shown: shown.at_rest, self.patience.stop)
        except TimeoutError:
            log.warning("%s does not stop at a feed hold: reset", self.where.address)
        report = await controller.reset()
        self.position.came_up()
        moved = job.forgets is None and controller.picture.offset != offset
        if job.forgets or moved:
            self.position.lose(_CLEARED)
        return report

    def break_off(self, job: Job, words: str) -> None:
        """The lines after the one that is wrong are in the controller already: hold at once."""
        job.stop(words, self.status.doing)
        self.controller.realtime(HOLD)
        self._follow_up = asyncio.create_task(self._fail(job, lambda: self._halted(job)))

    async def _halted(self, job: Job) -> Report:
        async with self.acting:
            return await self.halt(job)

    async def _fail(self, job: Job, settled: Callable[[], Coroutine[Any, Any, Report]]) -> None:
        with contextlib.suppress(Unavailable):  # it was lost, and the job has ended with that
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
        """Every line was taken and it stands idle: whether the part is made."""
        try:
            doubt = await self._doubt(job)
            if doubt is None and self.controller.picture.report.spindle:
                await self._stop_spindle()
        except Unavailable as error:
            doubt = str(error)
        if not job.stopping:
            job.end(EndUnproven(f"every line was taken, but {doubt}") if doubt else None)
            self.after_job()

    async def _doubt(self, job: Job) -> str | None:
        """A feed rate stays until a reset; and the tool must stand where the program ends."""
        controller = self.controller
        parser = await controller.parser_state()
        if job.keeps_feed and (parser is None or parser.fresh):
            self.position.lose(_RESTARTED)
            return "the controller was reset, or switched off and on, in the last moves"
        self.position.compare(parser)
        if not any(axis is not None for axis in job.ends_at):
            return None
        with contextlib.suppress(TimeoutError):  # its work offset is told now and then only
            await controller.until(lambda _: not self._misplaced(job), self.patience.offset)
        return self._misplaced(job)

    def _misplaced(self, job: Job) -> str | None:
        place = self.controller.picture.place
        if place is None:
            return "the controller does not tell where it stands in work coordinates"
        misplaced = job.misplaced(place, self.where.tolerance_mm)
        return f"the tool stands at {misplaced}" if misplaced else None

    async def _stop_spindle(self) -> None:
        """The program has left it on."""
        log.info("%s: the program left the spindle on: stopped", self.where.address)
        await self.controller.ask("M5M9", within_s=_SPINDLE_S)
        await self.asked()

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
        jumped = self.position.show(_sight(self._controller))
        if self.job is not None and self.job.feeding:
            self._judge(self.job, report)
        elif jumped:
            self._ask_whether_restarted()
        self.show()

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
        elif stands := job.stands(picture, now, self.patience):
            self.break_off(job, stands)

    def alarmed(self, code: int) -> None:
        """It stops by itself and takes nothing more."""
        log.warning("%s: %s", self.where.address, meanings.alarm(code))
        self.position.alarmed(meanings.alarm(code))
        if self.job is not None and self.job.feeding:
            self._fail_locked(self.job)
        self.show()

    def strange(self) -> None:
        """Perhaps a welcome of its own."""
        self.position.hint()
        self._ask_whether_restarted()

    def _ask_whether_restarted(self) -> None:
        """Between jobs; during one it is asked at the end."""
        busy = self.job is not None and self.job.live
        asking = self._follow_up is not None and not self._follow_up.done()
        if self._controller is not None and not busy and not asking:
            self._follow_up = asyncio.create_task(self._check_restart())

    async def _check_restart(self) -> None:
        with contextlib.suppress(Unavailable):  # then it is looked at when it is back
            self.position.compare(await self.controller.parser_state())
        self.show()

    def was_reset(self) -> None:
        """Whatever it had is gone, and nothing more is sent."""
        self.resets += 1
        self.position.lose(_RESTARTED)
        self.position.came_up()
        job = self.job
        if job is not None and job.feeding:
            near = job.number(job.streamer.answered)
            job.stop(
                f"the controller was reset near line {near}: its position is lost. {FORGOTTEN}",
                self.status.doing,
            )
            self._follow_up = asyncio.create_task(self._fail(job, self.asked))

    def lost(self, reason: str) -> None:
        """It may go on with what it has; nobody can tell."""
        job = self.job
        if job is not None and job.live:
            self.position.lose("the connection was lost in the middle of a run")
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
            position = self.position.position
            self._tell(showing.status(picture, self.job, message=message, position=position))

    def _tell_unreachable(self, why: str) -> None:
        position = self.position.position
        self._tell(Status(Doing.UNREACHABLE, why, _UNREACHABLE, position=position))

    def _tell(self, status: Status) -> None:
        if status != self.status:
            self.status = status
            for listener in tuple(self.listeners):
                listener(status)


def _sight(controller: Controller, parser: ParserState | None = None) -> Sight:
    shown, picture = controller.picture.report, controller.picture
    return Sight(shown.state, shown.axes, picture.offset, parser, picture.homed, controller.greeted)
