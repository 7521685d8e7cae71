"""The common part of read-only drivers, without the protocol. The machine is started and stopped at
its own panel. If it does not report begin and end clearly, the driver waits for a person."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace

from cnc_station.engine.domain.errors import Conflict, Unavailable
from cnc_station.engine.drivers.base import (
    OnLoss,
    Order,
    RunAborted,
    RunFailed,
    RunInspection,
    RunOutcome,
)
from cnc_station.engine.drivers.proof import Part
from cnc_station.engine.drivers.publisher import StatusPublisher, bounded_identity
from cnc_station.engine.drivers.reported import IN_PROGRAM, Phase, Report
from cnc_station.engine.timing import GrowingPause
from cnc_station.engine.views import Abilities, Doing, Identity, Status

ABILITIES = Abilities(starts=False, holds=False, aborts=False, unlocks=False)
SETTLE_S = 3.0  # a counter or a name may follow the state after this time
_ONLY_WATCHED = "this machine can only be watched: use its own panel"
_CLOSED = "the connection was closed"
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.25, 15.0  # before the next attempt to connect
_NOT_REPORTED = "the machine does not report whether the part has been made"
_CONFIRM_DONE = "Confirm whether the part is done."
_CONFIRM_STARTED = "If it is the part of this job, confirm that you have started it at the panel."


class ReadOnlyDriver(StatusPublisher, ABC):
    """Implements `Driver` for a protocol that can only read reports. A subclass calls
    `_add_reports` with each report, and `_reports_lost` if it may have lost some."""

    on_loss = OnLoss.INTERRUPT
    abilities = ABILITIES

    def __init__(self, settle_s: float = SETTLE_S) -> None:
        super().__init__()
        self._settle_s = settle_s
        self._report: Report | None = None  # None: not connected
        self._changed = asyncio.Event()
        self._order: Order | None = None
        self._number = 1  # of the current part
        self._part: Part | None = None
        self._released = False
        self._waiting = 0  # calls that wait for the current part

        self._open = False  # between connect and close, with or without a connection
        self._task: asyncio.Task[None] | None = None
        self._why_lost = _CLOSED

    @abstractmethod
    async def _connect(self) -> Identity:
        """Connect, and report the present state with `_add_reports`. Raises Unavailable."""

    @abstractmethod
    async def _receive(self) -> None:
        """Report each change with `_add_reports` until the connection ends. Raises Unavailable."""

    @abstractmethod
    async def _disconnect(self) -> None:
        """Close the connection, if there is one."""

    async def connect(self) -> Identity:
        """Receives reports from then on."""
        self._open = True
        await self._stop_receiving()
        try:
            identity = bounded_identity(await self._connect())
        except Unavailable as error:
            await self._disconnect()
            self._publish_unreachable(str(error))
            raise
        self._task = asyncio.create_task(self._receive_until_lost(), name="read a machine")
        return identity

    async def close(self) -> None:
        """The machine is not affected."""
        self._open = False
        await self._stop_receiving()
        self._publish_unreachable(_CLOSED)  # a task that had not started yet could not publish this

    async def _stop_receiving(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait([task])
        await self._disconnect()

    async def _receive_until_lost(self) -> None:
        self._why_lost = _CLOSED
        try:
            await self._receive()
        except Unavailable as error:
            self._why_lost = str(error)
        finally:
            self._publish_unreachable(self._why_lost)

    def _connection_lost(self, why: str) -> None:
        """Handle a lost connection while `_receive` still waits."""
        self._why_lost = why
        if self._task is not None:
            self._task.cancel()

    def _add_reports(self, reports: Iterable[Report]) -> None:
        """Take reports in order. The last is the present state."""
        for report in reports:
            self._report = report
            if self._part is not None:
                self._part.add_report(report, self.now())
        self._changed.set()
        self._publish_status()

    def _publish_status(self) -> None:
        """Publish the status, with what the current part waits for."""
        report, part = self._report, self._part
        if report is None:
            return
        status = report.status()
        if part is not None and self._waiting and not (self._released or part.over):
            status = _waiting_status(status, report, part)
        self.publish(status)

    @contextmanager
    def _showing_the_wait(self) -> Iterator[None]:
        """While this is open, the status states what the current part waits for."""
        self._waiting += 1
        self._publish_status()
        try:
            yield
        finally:
            self._waiting -= 1
            self._publish_status()

    def _reports_lost(self) -> None:
        if self._part is not None:
            self._part.reports_lost()

    def _publish_unreachable(self, reason: str) -> None:
        self._report = None
        self._changed.set()
        self.publish(
            Status(Doing.UNREACHABLE, reason, "Check that it is switched on and on the network.")
        )

    def now(self) -> float:
        """Seconds of the clock that times what is reported."""
        return asyncio.get_running_loop().time()

    async def load(self, order: Order, part: int) -> tuple[str, ...]:
        """Only stores the order: the program is loaded at the panel. The machine need not be ready.
        The next part of a run counts from the end of the one before, and can be ordered without a
        connection: `start` waits for that too."""
        report = self._current_report() if part == 1 else self._report
        current = None if self._order is None else (self._order.run_id, self._number)
        before = self._part if current == (order.run_id, part - 1) else None
        self._set_part(order, part)
        if before is not None:
            self._part = before.next()
        if report is not None and self._part is not None:
            self._part.add_report(report, self.now())
        return ()

    async def start(self) -> None:
        """Wait until the machine reports the begin of the ordered program; this may take days, and
        lost connections are made again. Without program names the begin is never reported: a person
        confirms it, and `ended` is called meanwhile. Raises Unavailable only after `close`."""
        part = self._current_part()
        with self._showing_the_wait():
            await self._wait_for_begin(part)

    async def _wait_for_begin(self, part: Part) -> None:
        pause = GrowingPause(_FIRST_PAUSE_S, _LONGEST_PAUSE_S, jitter=0.5)
        while not (part.begun or self._released):
            if self._report is not None:
                pause.reset()
                self._changed.clear()
                await self._changed.wait()
            elif self._open:
                await asyncio.sleep(pause.next_s())
                with suppress(Unavailable):
                    await self.connect()
            else:
                raise Unavailable(self.status().why)

    async def ended(self) -> None:
        """Wait for proof of the end. If called before the begin was seen, a person has confirmed
        the begin. What runs now counts if it has the right name."""
        part = self._current_part()
        if not part.begun:
            part.confirm_start(self._current_report(), self.now())
        with self._showing_the_wait():
            await self._wait_for_end(part)
        if self._released:
            self._part = self._order = None
            raise RunAborted("released at the station; the machine received no command")
        if part.failure:
            raise RunFailed(part.failure, alarm=part.in_alarm)

    async def hold(self) -> None:
        raise Conflict(_ONLY_WATCHED)

    async def resume(self) -> None:
        raise Conflict(_ONLY_WATCHED)

    async def abort(self) -> None:
        """End the run in this station only. The machine gets no command and continues."""
        if self._part is not None:
            self._released = True
            self._changed.set()

    async def unlock(self) -> None:
        """Not possible: raises Conflict, unless the alarm was cleared at the panel meanwhile."""
        if self._current_report().status().doing is Doing.ALARM:
            raise Conflict(f"clear the alarm at the machine's own panel first: {self.status().why}")

    async def inspect_run(self, order: Order) -> RunInspection:
        """Uses what is stored of this run. Without that, the run is UNDER_WAY only if the ordered
        program is active now; what runs then counts as the first part not known to be done. A
        person has to count parts made in between."""
        report = self._current_report()
        if self._part is None or self._order is None or self._order.run_id != order.run_id:
            self._set_part(order, order.part)
            assert self._part is not None
            words = _description(report) + "".join(f" Now {doubt.now}." for doubt in report.doubts)
            if order.part > 1:
                words += f" {order.part - 1} of {order.parts} parts were done when last seen."
            if self._part.attach(report, self.now()):
                return RunInspection(RunOutcome.UNDER_WAY, words, order.part)
            self._part = self._order = None
            return RunInspection(RunOutcome.STOPPED, words, order.part)
        part, words = self._part, _description(report, self._part.baseline)
        if part.doubts:
            words += f" It may not be a part: {part.doubts}."
        if part.finished:
            return RunInspection(RunOutcome.FINISHED, words, self._number)
        if part.failure:
            return RunInspection(RunOutcome.STOPPED, f"{part.failure}. {words}", self._number)
        # If only a person can decide its end, a running program continues.
        going = (part.begun and not part.needs_decision) or (
            part.start_confirmed and report.phase in IN_PROGRAM
        )
        return RunInspection(
            RunOutcome.UNDER_WAY if going else RunOutcome.STOPPED, words, self._number
        )

    def _set_part(self, order: Order, number: int) -> None:
        self._order, self._number, self._released = order, number, False
        self._part = Part(order.name, self._settle_s)

    def _current_part(self) -> Part:
        if self._part is None:
            raise Conflict("there is no current part")
        return self._part

    def _current_report(self) -> Report:
        if self._report is None or self._report.phase is Phase.UNKNOWN:
            raise Unavailable(self.status().why)
        return self._report

    async def _wait_for_end(self, part: Part) -> None:
        """Wait for the end of the part. Raises Unavailable once it cannot be known any more."""
        while True:
            part.check_time(self.now())
            if part.over or self._released:
                return
            self._current_report()
            self._changed.clear()
            try:
                async with asyncio.timeout(part.seconds_left(self.now())):
                    await self._changed.wait()
            except TimeoutError:
                continue


def _waiting_status(status: Status, report: Report, part: Part) -> Status:
    """Return the status with what an unfinished part waits for, unless the machine explains it."""
    at_rest = status.doing in (Doing.READY, Doing.NOT_READY)
    reason, remedy = "", status.remedy
    if part.needs_decision:
        reason, remedy = (part.open_question(), _CONFIRM_DONE) if at_rest else ("", remedy)
    elif part.begun:
        doubtful = f"{part.doubts}: a person has to decide whether the part is done"
        reason = doubtful if part.doubts else ""
    elif part.start_confirmed:
        reason, remedy = (_NOT_REPORTED, _CONFIRM_DONE) if at_rest else ("", remedy)
    elif status.doing in (Doing.RUNNING, Doing.HELD) or at_rest:
        reason = part.waiting_reason(report)
        remedy = remedy or ("" if at_rest else _CONFIRM_STARTED)
    why = "; ".join(filter(None, (status.why, reason)))
    return replace(status, why=why, remedy=remedy)


def _description(report: Report, before: int | None = None) -> str:
    """Return what the machine reports, as text. `before`: its counter at the begin."""
    figures = report.figures
    text = f"The machine reports: {report.words or report.phase.value}"
    text += f", program {figures.program}" if figures.program else ", and no program name"
    if figures.parts is not None:
        text += f", part counter at {figures.parts}"
        text += "" if before is None else f" ({before} at the begin)"
    return text + "." + (f" Alarm: {report.alarm}." if report.alarm else "")
