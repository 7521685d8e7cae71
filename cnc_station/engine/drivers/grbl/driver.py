"""GRBL 1.1 and grblHAL: programs are streamed line by line, so a run dies with its station.

What can't be noticed: GRBL has no checksum. A digit or a letter that is lost on the wire can leave
a line that is as good as any other. USB and TCP check what they carry; a bare serial cable does
not.
"""

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from typing import Self

from cnc_station.engine.domain.errors import Conflict, Unavailable
from cnc_station.engine.domain.position import PositionMemory
from cnc_station.engine.drivers.base import (
    Finding,
    Found,
    NotReady,
    OnLoss,
    Order,
    RunAborted,
)
from cnc_station.engine.drivers.grbl import meanings, settings
from cnc_station.engine.drivers.grbl.controller import GO_ON, HOLD
from cnc_station.engine.drivers.grbl.hearing import Refused
from cnc_station.engine.drivers.grbl.job import Job
from cnc_station.engine.drivers.grbl.operation import FORGOTTEN, Operation
from cnc_station.engine.drivers.grbl.prepare import Prepared, prepare
from cnc_station.engine.drivers.grbl.reports import Make
from cnc_station.engine.drivers.grbl.settings import Patience, Settings
from cnc_station.engine.views import Abilities, Doing, Identity, Message, Status

_WAITS = ("Hold", "Door", "Tool")  # for somebody to say that it may go on


class Grbl:
    """Implements `Driver`."""

    on_loss = OnLoss.INTERRUPT
    abilities = Abilities(outlives=False)

    def __init__(self, where: Settings, patience: Patience = settings.DEFAULT) -> None:
        self._operation = Operation(where, patience)
        self._prepared: tuple[str, Prepared] | None = None

    @classmethod
    def make(cls, machine: dict[str, object]) -> Self:
        """From a machine's driver settings."""
        return cls(settings.from_machine(machine))

    async def connect(self) -> Identity:
        """Asks who it is, unless it is busy: then before the first program."""
        controller = await self._operation.connect()
        make, shows = controller.make, controller.picture.report.spelled
        details = [("Address", self._operation.where.address), ("Shows", shows)]
        if make is None:
            return Identity("GRBL", tuple(details))
        details += [("Receive buffer", f"{make.buffer} bytes"), ("Options", make.options)]
        return Identity(make.name, tuple(details))

    async def close(self) -> None:
        """The controller makes what it has in its buffer, and stops there."""
        await self._operation.disconnect("not connected")
        self._operation.doubt = ""  # whoever opens the port meanwhile can home the machine

    # --- its position ---

    def recall(self, memory: PositionMemory | None) -> None:
        """A doubt of an earlier life is one still."""
        if memory is not None and not memory.position.known:
            self._operation.doubt = memory.position.reason

    def memory(self) -> PositionMemory | None:
        """See `Driver.memory`."""
        position = self._operation.status.position
        return None if position is None else PositionMemory(position)

    async def confirm_position(self) -> None:
        """See `Driver.confirm_position`."""
        await self._operation.asked()
        self._operation.doubt = ""
        self._operation.show()

    # --- a part ---

    async def load(self, order: Order, part: int) -> tuple[str, ...]:
        """Everything that can be known to go wrong is found here, before anything moves."""
        operation = self._operation
        if operation.job is not None and operation.job.live:
            raise NotReady("another program runs")
        operation.job = None
        await self._check_ready()
        controller = operation.controller
        if controller.make is None:
            await controller.identify()
        make = controller.make or Make()
        prepared = await self._prepare(order, make)
        operation.job = Job(order, part, prepared, make)
        operation.resets = 0
        return ()

    async def _check_ready(self) -> None:
        await self._operation.asked()
        self._operation.show()
        status = self._operation.status
        if status.doing is not Doing.READY:
            raise NotReady(f"{status.why}. {status.remedy}")

    async def _prepare(self, order: Order, make: Make) -> Prepared:
        """Once for all parts of a run."""
        known = f"{make}{hashlib.sha256(order.source or b'').hexdigest()}"
        if self._prepared is None or self._prepared[0] != known:
            prepared = await asyncio.to_thread(
                prepare, order.program, order.name, order.source, make
            )
            self._prepared = (known, prepared)
        return self._prepared[1]

    async def start(self) -> None:
        """Fills the controller's buffer; it has begun when it has taken a line, or moves."""
        operation, job = self._operation, self._operation.job
        if job is None or job.started:
            raise NotReady("no program is loaded")
        await self._check_ready()
        if operation.resets:
            raise NotReady("the controller was reset after the program was loaded")
        operation.controller.message = ""
        operation.controller.running = True
        job.start()
        operation.feed()
        operation.show()
        await job.begun_or_ended()

    async def ended(self) -> None:
        """Done is: every line answered, and Idle seen after that."""
        if self._operation.job is None:
            raise NotReady("no program is loaded")
        await asyncio.shield(self._operation.job.verdict)

    # --- holding, going on, ending ---

    def _running(self) -> Job:
        job = self._operation.job
        if job is None or not job.feeding:
            raise Conflict("No program runs.")
        return job

    async def hold(self) -> None:
        """`Hold:0` is at rest, `Hold:1` still stopping."""
        controller, job = self._operation.controller, self._running()
        async with self._operation.acting:
            job.held_here = job.held_here or controller.picture.report.state != "Hold"
            controller.realtime(HOLD)
            try:
                await controller.until(
                    lambda shown: (shown.at_rest and shown.state in _WAITS) or not job.feeding,
                    self._operation.patience.stop,
                )
            except TimeoutError:
                shown = controller.picture.report.spelled
                raise Unavailable(f"The controller did not stop: it shows {shown}.") from None
            if not job.feeding:
                raise Conflict("The run had ended before it could be held.")

    async def resume(self) -> None:
        """Out of a feed hold, an M0 and a tool change; not while the safety door is open."""
        controller, job = self._operation.controller, self._running()
        async with self._operation.acting:
            report = await self._operation.asked()
            if report.state not in _WAITS:
                return
            if report.state == "Door" and report.sub:
                raise Conflict("The safety door is open: close it first.")
            answered = job.streamer.answered
            job.held_here = False
            controller.realtime(GO_ON)
            try:
                await controller.until(
                    lambda shown: (
                        shown.state not in _WAITS
                        or job.streamer.answered > answered
                        or not job.feeding
                    ),
                    self._operation.patience.stop,
                )
            except TimeoutError:
                shown = controller.picture.report.spelled
                raise Conflict(f"The controller did not go on: it shows {shown}.") from None

    async def abort(self) -> None:
        """Feed hold, wait until it is at rest, reset: so it keeps its position."""
        operation, job = self._operation, self._operation.job
        if job is None or job.verdict.done():
            return
        if not job.started:
            operation.job = None
            return
        if job.wrong:  # it is being stopped already
            await asyncio.wait([job.verdict])
            return
        job.stopping = job.ABORTED
        operation.controller.realtime(HOLD)
        async with operation.acting:
            if job.verdict.done():
                return
            report = await operation.halt()
            locked = f" It is locked: {operation.alarm}." if report.state == "Alarm" else ""
            job.end(RunAborted(f"aborted.{locked} {FORGOTTEN}"))
        operation.after_job()

    async def unlock(self) -> None:
        """`$X`. The lock goes; where the position may be lost, the machine has to home first."""
        operation = self._operation
        controller = operation.controller
        async with operation.acting:
            if (await operation.asked()).state != "Alarm":
                return
            words, code = operation.alarm, controller.picture.alarm
            job = operation.job
            if controller.mute or (job is not None and job.streamer.outstanding):
                await controller.reset()
            try:
                await controller.ask("$X")
            except Refused as error:
                raise Conflict(f"{words}; $X: {error}") from error
            if (await operation.asked()).state == "Alarm":
                raise Conflict(f"{operation.alarm}: put that right at the machine first")
            if controller.homing and (code is None or code in meanings.POSITION_LOST):
                operation.doubt = "unlocked without homing: its position is not certain"
        operation.show()

    # --- looking ---

    async def look(self, order: Order) -> Found:
        """Nobody but this program knows what was still to come, so it is never under way; and Idle
        alone proves nothing."""
        operation = self._operation
        report = await operation.asked()
        operation.show()
        place = operation.controller.picture.place
        where = "" if place is None else " at X{:g} Y{:g} Z{:g}".format(*place)
        words = [f"The controller shows {report.spelled}{where}."]
        if report.state == "Alarm":
            words.append(f"{operation.alarm}.")
        elif not report.at_rest:
            words.append("It still makes what was left in its buffer, and stops there.")
        job = operation.job
        if job is None or (job.order.run_id, job.order.attempt) != (order.run_id, order.attempt):
            words.append("How far the program had come is not known.")
            return Found(Finding.STOPPED, " ".join(words))
        taken, lines = job.streamer.answered, len(job.prepared.lines)
        upto = f", up to line {job.number(taken - 1)}" if taken else ""
        words.append(f"It had taken {taken} of {lines} lines{upto}.")
        if operation.resets:
            words.append("It was reset meanwhile.")
        return Found(Finding.STOPPED, " ".join(words), job.part)

    def status(self) -> Status:
        """As of the last report."""
        return self._operation.status

    def listen(self, listener: Callable[[Status], None]) -> Callable[[], None]:
        """Called when something has changed."""
        self._operation.listeners.append(listener)
        return lambda: self._operation.listeners.remove(listener)

    def traffic(self) -> Sequence[Message]:
        """Without the polls, and without reports that say nothing new."""
        return self._operation.traffic.messages()
