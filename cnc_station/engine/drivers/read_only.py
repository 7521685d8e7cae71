"""The half that drivers share which can only watch: the seam's side, without the protocol.

Such a machine is started and stopped at its own panel. Its driver says when it has begun the
ordered program and how that ended; where the machine leaves that open it waits: then a person's
word counts, not the driver's guess.
"""

import asyncio
import random
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
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
from cnc_station.engine.drivers.publisher import StatusPublisher
from cnc_station.engine.drivers.reported import IN_PROGRAM, Phase, Report
from cnc_station.engine.views import Abilities, Doing, Identity, Status

ABILITIES = Abilities(starts=False, holds=False, aborts=False, unlocks=False)
SETTLE_S = 3.0  # a counter or a name may follow the state that late
_ONLY_WATCHED = "this machine can only be watched: use its own panel"
_LET_GO = "the connection was let go"
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.25, 15.0  # before a connection is tried again
_UNTOLD = "the machine does not say whether the part has been made"
_SAY_DONE = "Say whether the part is done."
_SAY_STARTED = "If it is this job's part, say that you have started it at the panel."


class ReadOnlyDriver(StatusPublisher, ABC):
    """Implements `Driver` for a protocol that reaches the machine and hears what it reports. That
    calls `_saw` with each report, and `_missed` where it may have lost some.
    """

    on_loss = OnLoss.INTERRUPT
    abilities = ABILITIES

    def __init__(self, settle_s: float = SETTLE_S) -> None:
        super().__init__()
        self._settle_s = settle_s
        self._report: Report | None = None  # None: nobody answers
        self._turned = asyncio.Event()
        self._order: Order | None = None
        self._number = 1  # of the part in hand
        self._part: Part | None = None
        self._given_up = False
        self._waiting = 0  # calls that wait for the part in hand

        self._open = False  # between connect and close, whether anybody answers or not
        self._task: asyncio.Task[None] | None = None
        self._why_lost = _LET_GO

    # --- the protocol ------------------------------------------------------------------------

    @abstractmethod
    async def _reach(self) -> Identity:
        """Connect, and say with `_saw` how things are. Raises Unavailable."""

    @abstractmethod
    async def _hear(self) -> None:
        """Say with `_saw` what follows, until the connection ends. Raises Unavailable."""

    @abstractmethod
    async def _let_go(self) -> None:
        """Drop the connection, if there is one."""

    async def connect(self) -> Identity:
        """Reaches the machine and listens to it from then on."""
        self._open = True
        await self._leave()
        try:
            identity = await self._reach()
        except Unavailable as error:
            await self._let_go()
            self._lost(str(error))
            raise
        self._task = asyncio.create_task(self._follow(), name="listens to a machine")
        return identity

    async def close(self) -> None:
        """Stops listening; the machine does not mind."""
        self._open = False
        await self._leave()
        self._lost(_LET_GO)  # a listener that had not begun yet could not say so

    async def _leave(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait([task])
        await self._let_go()

    async def _follow(self) -> None:
        self._why_lost = _LET_GO
        try:
            await self._hear()
        except Unavailable as error:
            self._why_lost = str(error)
        finally:
            self._lost(self._why_lost)

    def _broke(self, why: str) -> None:
        """The connection has ended though `_hear` goes on waiting."""
        self._why_lost = why
        if self._task is not None:
            self._task.cancel()

    # --- what the machine says ---------------------------------------------------------------

    def _saw(self, reports: Iterable[Report]) -> None:
        """What it said, in order; the last is how things are now."""
        for report in reports:
            self._report = report
            if self._part is not None:
                self._part.see(report, self._now())
        self._turned.set()
        self._tell()

    def _tell(self) -> None:
        """How things are, and what the part in hand waits for."""
        report, part = self._report, self._part
        if report is None:
            return
        status = report.status()
        if part is not None and self._waiting and not (self._given_up or part.over):
            status = _waiting_status(status, report, part)
        self.publish(status)

    @contextmanager
    def _awaited(self) -> Iterator[None]:
        """Meanwhile the status says what the part in hand waits for."""
        self._waiting += 1
        self._tell()
        try:
            yield
        finally:
            self._waiting -= 1
            self._tell()

    def _missed(self) -> None:
        if self._part is not None:
            self._part.missed()

    def _lost(self, words: str) -> None:
        self._report = None
        self._turned.set()
        self.publish(
            Status(Doing.UNREACHABLE, words, "Check that it is switched on and on the network.")
        )

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    # --- the seam ----------------------------------------------------------------------------

    async def load(self, order: Order, part: int) -> tuple[str, ...]:
        """Only remembers the order: the program is loaded at the panel, so that the machine need
        not be ready. The next part of a run counts from the end of the one before, and may be
        ordered while nobody answers: `start` waits for that too."""
        report = self._reached() if part == 1 else self._report
        before = self._part if self._in_hand_is(order, part - 1) else None
        self._take(order, part)
        if before is not None:
            self._part = before.next()
        if report is not None and self._part is not None:
            self._part.see(report, self._now())
        return ()

    async def start(self) -> None:
        """Waits, for days if need be, until the machine reports that it has begun the ordered
        program; a connection that is lost meanwhile is made again. A machine that does not name
        its programs never reports that: then a person says so, and `ended` is called without this
        having returned. Raises Unavailable only after `close`."""
        part = self._in_hand()
        with self._awaited():
            await self._begun(part)

    async def _begun(self, part: Part) -> None:
        pause = _FIRST_PAUSE_S
        while not (part.begun or self._given_up):
            if self._report is not None:
                pause = _FIRST_PAUSE_S
                self._turned.clear()
                await self._turned.wait()
            elif self._open:
                await asyncio.sleep(pause * random.uniform(0.5, 1.0))
                pause = min(pause * 2, _LONGEST_PAUSE_S)
                with suppress(Unavailable):
                    await self.connect()
            else:
                raise Unavailable(self.status().why)

    async def ended(self) -> None:
        """Waits for proof of the end. Called before the begin was seen, it takes a person's word
        that the program runs, and counts what runs now if it has the right name."""
        part = self._in_hand()
        if not part.begun:
            part.vouch(self._reached(), self._now())
        with self._awaited():
            await self._until(lambda: part.over or self._given_up)
        if self._given_up:
            self._part = self._order = None
            raise RunAborted("given up at the station; the machine itself was not told")
        if part.failure:
            raise RunFailed(part.failure, alarm=part.in_alarm)

    async def hold(self) -> None:
        """Cannot."""
        raise Conflict(_ONLY_WATCHED)

    async def resume(self) -> None:
        """Cannot."""
        raise Conflict(_ONLY_WATCHED)

    async def abort(self) -> None:
        """Ends OUR run only: nothing is sent to the machine, and it goes on cutting."""
        if self._part is not None:
            self._given_up = True
            self._turned.set()

    async def unlock(self) -> None:
        """Cannot; fine where somebody has cleared the alarm at the panel meanwhile."""
        if self._reached().status().doing is Doing.ALARM:
            raise Conflict(f"clear the alarm at the machine's own panel first: {self.status().why}")

    async def inspect_run(self, order: Order) -> RunInspection:
        """From what is remembered of this run, if it is; else it goes on only if the machine is in
        the ordered program now, and nothing proves that it was finished. What runs then counts as
        the first part that is not known to be done: those made unseen are a person's to count."""
        report = self._reached()
        if self._part is None or self._order is None or self._order.run_id != order.run_id:
            self._take(order, order.part)
            assert self._part is not None
            words = _words(report) + "".join(f" Now {doubt.now}." for doubt in report.doubts)
            if order.part > 1:
                words += f" {order.part - 1} of {order.parts} parts were done when last seen."
            if self._part.take_up(report, self._now()):
                return RunInspection(RunOutcome.UNDER_WAY, words, order.part)
            self._part = self._order = None
            return RunInspection(RunOutcome.STOPPED, words, order.part)
        part, words = self._part, _words(report, self._part.baseline)
        if part.doubts:
            words += f" It may not be a part: {part.doubts}."
        if part.finished:
            return RunInspection(RunOutcome.FINISHED, words, self._number)
        if part.failure:
            return RunInspection(RunOutcome.STOPPED, f"{part.failure}. {words}", self._number)
        # Where only a person's word can end it anyway, a program that runs goes on.
        going = (part.begun and not part.untold) or (part.vouched and report.phase in IN_PROGRAM)
        return RunInspection(
            RunOutcome.UNDER_WAY if going else RunOutcome.STOPPED, words, self._number
        )

    # --- waiting -----------------------------------------------------------------------------

    def _take(self, order: Order, number: int) -> None:
        self._order, self._number, self._given_up = order, number, False
        self._part = Part(order.name, self._settle_s)

    def _in_hand_is(self, order: Order, part: int) -> bool:
        return self._order is not None and (self._order.run_id, self._number) == (
            order.run_id,
            part,
        )

    def _in_hand(self) -> Part:
        if self._part is None:
            raise Conflict("no part is in hand")
        return self._part

    def _reached(self) -> Report:
        if self._report is None or self._report.phase is Phase.UNKNOWN:
            raise Unavailable(self.status().why)
        return self._report

    async def _until(self, fact: Callable[[], bool]) -> None:
        """Raises Unavailable as soon as nobody can tell any more."""
        part = self._in_hand()
        while True:
            part.wait(self._now())
            if fact():
                return
            self._reached()
            self._turned.clear()
            try:
                async with asyncio.timeout(part.patience(self._now())):
                    await self._turned.wait()
            except TimeoutError:
                continue


def _waiting_status(status: Status, report: Report, part: Part) -> Status:
    """With what a part that is not over waits for, where that is not the machine's own affair."""
    at_rest = status.doing in (Doing.READY, Doing.NOT_READY)
    words, remedy = "", status.remedy
    if part.untold:
        words, remedy = (part.left_open(), _SAY_DONE) if at_rest else ("", remedy)
    elif part.begun:
        doubtful = f"{part.doubts}: a person has to say whether the part is done"
        words = doubtful if part.doubts else ""
    elif part.vouched:
        words, remedy = (_UNTOLD, _SAY_DONE) if at_rest else ("", remedy)
    elif status.doing in (Doing.RUNNING, Doing.HELD) or at_rest:
        words = part.awaits(report)
        remedy = remedy or ("" if at_rest else _SAY_STARTED)
    why = "; ".join(said for said in (status.why, words) if said)
    return replace(status, why=why, remedy=remedy)


def _words(report: Report, before: int | None = None) -> str:
    """All that the machine says, in a sentence or two. `before`: its counter when it began."""
    figures = report.figures
    said = f"The machine says: {report.words or report.phase.value}"
    said += f", program {figures.program}" if figures.program else ", and names no program"
    if figures.parts is not None:
        said += f", part counter at {figures.parts}"
        said += "" if before is None else f" (at its begin {before})"
    return said + "." + (f" Alarm: {report.alarm}." if report.alarm else "")
