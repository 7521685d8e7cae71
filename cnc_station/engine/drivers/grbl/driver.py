"""GRBL 1.1 and grblHAL. Programs are streamed line by line, so a run ends with its station. GRBL
has no checksum: a character lost on a bare serial cable can leave a valid line. USB and TCP
check."""

import asyncio
import hashlib
from typing import Self

from cnc_station.engine.domain.errors import Conflict, Unavailable
from cnc_station.engine.domain.machine import PositionMemory
from cnc_station.engine.drivers.base import (
    NotReady,
    OnLoss,
    Order,
    RunAborted,
    RunInspection,
    RunOutcome,
)
from cnc_station.engine.drivers.grbl import settings
from cnc_station.engine.drivers.grbl.controller import CYCLE_START, HOLD
from cnc_station.engine.drivers.grbl.job import Job
from cnc_station.engine.drivers.grbl.modes import Offsets, ParserState, to_set
from cnc_station.engine.drivers.grbl.operation import FORGOTTEN, Operation
from cnc_station.engine.drivers.grbl.prepare import Prepared, prepare
from cnc_station.engine.drivers.grbl.questions import Refused
from cnc_station.engine.drivers.grbl.reports import Make
from cnc_station.engine.drivers.grbl.settings import Patience, Settings
from cnc_station.engine.drivers.publisher import StatusPublisher, bounded_identity
from cnc_station.engine.views import Abilities, Doing, Identity

_WAITING_STATES = ("Hold", "Door", "Tool")  # states that wait for a person to resume
_FEED_MARK = "F100"


class Grbl(StatusPublisher):
    """Implements `Driver`."""

    on_loss = OnLoss.INTERRUPT
    abilities = Abilities(outlives=False)

    def __init__(self, where: Settings, patience: Patience = settings.DEFAULT) -> None:
        super().__init__()
        self._operation = Operation(where, patience, self)
        self._prepared: tuple[str, Prepared] | None = None

    @classmethod
    def make(cls, machine: dict[str, object]) -> Self:
        return cls(settings.from_machine(machine))

    async def connect(self) -> Identity:
        """A busy controller is identified later, before the first program."""
        controller = await self._operation.connect()
        shows = controller.picture.report.spelled
        details = [("Address", self._operation.where.address), ("Shows", shows)]
        if controller.info is None:
            return bounded_identity(Identity("GRBL", tuple(details)))
        make = controller.info.make
        details += [("Receive buffer", f"{make.buffer} bytes"), ("Options", make.options)]
        return bounded_identity(Identity(make.name, tuple(details)))

    async def close(self) -> None:
        """The controller executes the lines in its buffer, then stops."""
        await self._operation.disconnect("not connected")

    def recall(self, memory: PositionMemory | None) -> None:
        self._operation.position.recall(memory)

    def memory(self) -> PositionMemory | None:
        return self._operation.position.memory()

    async def confirm_position(self) -> None:
        """Also accepts the present controller and its settings."""
        operation = self._operation
        async with operation.acting:
            report = await operation.current_report()
            if report.state == "Alarm":
                raise Conflict(f"{operation.alarm}: unlock it first")
            if report.state != "Idle" or (operation.job is not None and operation.job.live):
                raise Conflict("it is not at rest: wait until it stops")
            info = await operation.controller.identify()
            operation.position.compare(await operation.controller.parser_state())
            operation.position.confirmed(info)
        operation.publish_status()

    async def load(self, order: Order, part: int) -> tuple[str, ...]:
        """All checks that need no motion are made here."""
        operation = self._operation
        if operation.job is not None and operation.job.live:
            raise NotReady("another program is running")
        operation.job = None
        await self._check_ready()
        controller = operation.controller
        if controller.info is None and (info := await controller.identify()) is not None:
            operation.position.recognise(info)
        make = Make() if controller.info is None else controller.info.make
        prepared = await self._prepare(order, make)
        stored = await controller.offsets()
        operation.job = Job(
            order,
            part,
            prepared,
            make,
            zero_cleared_by_reset=prepared.zero_cleared_by_reset or stored.cleared_by_reset,
        )
        operation.resets = 0
        changes = await self._set_modes(order, stored)
        self._must_be_ready()
        return changes

    async def _check_ready(self) -> None:
        await self._operation.current_report()
        self._must_be_ready()

    def _must_be_ready(self) -> None:
        self._operation.publish_status()
        status = self.status()
        if status.doing is not Doing.READY:
            raise NotReady(f"{status.why}. {status.remedy}")

    async def _set_modes(self, order: Order, stored: Offsets) -> tuple[str, ...]:
        operation = self._operation
        state = await self._modes()
        changes = to_set(order.program, state, stored)
        codes = "".join(code for code, _ in changes)
        lines = [codes] if codes else []
        if state.just_restarted:
            lines.append(_FEED_MARK)  # a reset clears it
        for line in lines:
            try:
                await operation.controller.ask(line)
            except Refused as error:
                raise NotReady(f"{line} could not be set: {error}") from error
        if lines and (left := to_set(order.program, await self._modes(), stored)):
            raise NotReady(f"the controller keeps {left[0][1]}, and the program needs {left[0][0]}")
        return tuple(f"{code} set ({before} was on)" for code, before in changes)

    async def _modes(self) -> ParserState:
        """Return the present modes. A restart since the last check makes the position unknown."""
        operation = self._operation
        state = await operation.controller.parser_state()
        if state is None:
            raise NotReady("the controller does not report its modes ($G)")
        operation.position.compare(state)
        self._must_be_ready()
        return state

    async def _prepare(self, order: Order, make: Make) -> Prepared:
        """Return the prepared program; prepared once for all parts of a run."""
        known = f"{make}{hashlib.sha256(order.source or b'').hexdigest()}"
        if self._prepared is None or self._prepared[0] != known:
            lines = await asyncio.to_thread(prepare, order.program, order.name, order.source, make)
            self._prepared = (known, lines)
        return self._prepared[1]

    async def start(self) -> None:
        """It has begun when the controller has taken a line, or moves."""
        operation, job = self._operation, self._operation.job
        if job is None or job.started:
            raise NotReady("no program is loaded")
        await self._check_ready()
        state = await self._modes()
        left = to_set(job.order.program, state, await operation.controller.offsets())
        if left:
            raise NotReady(f"{left[0][1]} was set after the program was loaded")
        self._must_be_ready()
        if operation.resets:
            raise NotReady("the controller was reset after the program was loaded")
        operation.controller.message = ""
        operation.controller.running = True
        job.start()
        operation.send_lines()
        operation.publish_status()
        await job.begun_or_ended()

    async def ended(self) -> None:
        """Done means: every line answered, and Idle reported after that."""
        if self._operation.job is None:
            raise NotReady("no program is loaded")
        await asyncio.shield(self._operation.job.verdict)

    def _running(self) -> Job:
        job = self._operation.job
        if job is None or not job.feeding:
            raise Conflict("No program runs.")
        return job

    async def hold(self) -> None:
        """`Hold:0` is at rest, `Hold:1` still decelerates."""
        controller, job = self._operation.controller, self._running()
        async with self._operation.acting:
            job.held_here = job.held_here or controller.picture.report.state != "Hold"
            controller.realtime(HOLD)
            try:
                await controller.until(
                    lambda shown: (
                        (shown.at_rest and shown.state in _WAITING_STATES) or not job.feeding
                    ),
                    self._operation.patience.stop,
                )
            except TimeoutError:
                shown = controller.picture.report.spelled
                raise Unavailable(f"The controller did not stop: it shows {shown}.") from None
            if not job.feeding:
                raise Conflict("The run had ended before it could be held.")

    async def resume(self) -> None:
        """Resumes a feed hold, an M0 and a tool change; not with an open door."""
        controller, job = self._operation.controller, self._running()
        async with self._operation.acting:
            report = await self._operation.current_report()
            if report.state not in _WAITING_STATES:
                return
            if report.state == "Door" and report.sub:
                raise Conflict("The safety door is open: close it first.")
            answered = job.streamer.answered
            job.held_here = False
            controller.realtime(CYCLE_START)
            try:
                await controller.until(
                    lambda shown: (
                        shown.state not in _WAITING_STATES
                        or job.streamer.answered > answered
                        or not job.feeding
                    ),
                    self._operation.patience.stop,
                )
            except TimeoutError:
                shown = controller.picture.report.spelled
                raise Conflict(f"The controller did not resume: it shows {shown}.") from None

    async def abort(self) -> None:
        """Feed hold, wait for standstill, reset: this keeps the position."""
        operation, job = self._operation, self._operation.job
        if job is None or job.verdict.done():
            return
        if not job.started:
            operation.job = None
            return
        if job.wrong:  # it is already being stopped
            await asyncio.wait([job.verdict])
            return
        job.stop(job.ABORTED, self.status().doing)
        operation.controller.realtime(HOLD)
        async with operation.acting:
            if job.verdict.done():
                return
            report = await operation.stop_and_reset(job)
            locked = f" It is locked: {operation.alarm}." if report.state == "Alarm" else ""
            job.end(RunAborted(f"aborted.{locked} {FORGOTTEN}"))
        operation.after_job()

    async def unlock(self) -> None:
        """Sends `$X`. If the position may be lost, homing is still needed."""
        operation = self._operation
        controller = operation.controller
        async with operation.acting:
            if (await operation.current_report()).state != "Alarm":
                return
            alarm_text = operation.alarm
            job = operation.job
            if controller.needs_reset or (job is not None and job.streamer.outstanding):
                await controller.reset()
            try:
                await controller.ask("$X")
            except Refused as error:
                raise Conflict(f"{alarm_text}; $X: {error}") from error
            if (await operation.current_report()).state == "Alarm":
                raise Conflict(f"{operation.alarm}: clear the cause at the machine first")
            operation.position.unlocked()
        operation.publish_status()

    async def inspect_run(self, order: Order) -> RunInspection:
        """Never UNDER_WAY: the lines not sent are lost with the station. Idle proves nothing."""
        operation = self._operation
        report = await operation.current_report()
        operation.publish_status()
        place = operation.controller.picture.place
        where = "" if place is None else " at X{:g} Y{:g} Z{:g}".format(*place)
        details = [f"The controller shows {report.spelled}{where}."]
        if report.state == "Alarm":
            details.append(f"{operation.alarm}.")
        elif not report.at_rest:
            details.append("It executes the lines left in its buffer, then stops.")
        job = operation.job
        if job is None or (job.order.run_id, job.order.attempt) != (order.run_id, order.attempt):
            details.append("How far the program had come is not known.")
            return RunInspection(RunOutcome.STOPPED, " ".join(details))
        taken, lines = job.streamer.answered, len(job.prepared.lines)
        upto = f", up to line {job.number(taken - 1)}" if taken else ""
        details.append(f"It had taken {taken} of {lines} lines{upto}.")
        if operation.resets:
            details.append("It has been reset since.")
        return RunInspection(RunOutcome.STOPPED, " ".join(details), job.part)
