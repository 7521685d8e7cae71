"""The current part: what was sent of it, its progress, and how it ended."""

import asyncio
from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from cnc_station.engine.domain.errors import CncStationError
from cnc_station.engine.drivers.base import Order
from cnc_station.engine.drivers.grbl.position import line_at
from cnc_station.engine.drivers.grbl.prepare import Prepared
from cnc_station.engine.drivers.grbl.reports import Axes, Make, Picture, Point
from cnc_station.engine.drivers.grbl.settings import Patience
from cnc_station.engine.views import Doing


class Streamer:
    """Decides which lines to send: each once, in order, with never more than `room` bytes
    unanswered. Every line must fit into `room`. Source: "Character-Counting" in the Grbl v1.1
    interface documentation."""

    __slots__ = ("_lengths", "_lines", "_room", "answered", "in_flight", "sent")

    def __init__(self, lines: Sequence[bytes], room: int) -> None:
        self._lines = lines  # each with its newline
        self._room = room
        self._lengths: deque[int] = deque()
        self.in_flight = 0  # bytes sent and not yet answered
        self.sent = 0  # lines
        self.answered = 0

    def due(self) -> Sequence[bytes]:
        """Return the lines that fit now, and count them as sent."""
        first = self.sent
        while self.sent < len(self._lines):
            length = len(self._lines[self.sent])
            if self.in_flight + length > self._room:
                break
            self.in_flight += length
            self._lengths.append(length)
            self.sent += 1
        return self._lines[first : self.sent]

    def take_answer(self) -> None:
        """Count the oldest line in flight as answered. Does nothing if none is in flight."""
        if self._lengths:
            self.in_flight -= self._lengths.popleft()
            self.answered += 1

    @property
    def outstanding(self) -> int:
        """Lines sent and not yet answered."""
        return len(self._lengths)

    @property
    def done(self) -> bool:
        return self.answered == len(self._lines)


_PROOFS = 2
"""Consecutive reports that must show Idle after the last answer: a controller shows Idle for a
moment between accepting a line and starting to move."""
_PLANNER = 15  # motions, if the controller does not report it


@dataclass(slots=True)
class _Progress:
    """When the job last made progress: an answer, a movement, a person's hold."""

    at: float
    answered: int = 0
    axes: Axes | None = None
    waiting: int | None = None
    state: str = ""


class Job:
    """A program that is being sent. Nothing is sent after the `verdict`, or while it is `stopping`.
    `keeps_feed`: the controller must still have a feed rate at the end. `zero_cleared_by_reset`: a
    reset would clear a zero that the job uses (None: unknown)."""

    ABORTED = "aborted"

    def __init__(
        self,
        order: Order,
        part: int,
        prepared: Prepared,
        make: Make,
        *,
        zero_cleared_by_reset: bool | None,
    ) -> None:
        self.order = order
        self.part = part
        self.prepared = prepared
        self.streamer = Streamer(prepared.lines, make.buffer)
        self.verdict: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.verdict.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
        self.started = False
        self.begun = False  # the controller has accepted a line, or reports motion
        self._begun_or_ended = asyncio.Event()
        self.held_here = False
        self.zero_cleared_by_reset = zero_cleared_by_reset
        self.keeps_feed = not prepared.inverse_time
        self.proving = False  # the end of the program is being verified
        self.stopping = ""  # the reason; "" if it is not being stopped
        self.shown = Doing.RUNNING  # the status when the stop was requested
        self._proofs = 0
        self._last_answer_poll = 0
        self._planner = make.blocks or _PLANNER
        self._line = 0
        self._place: Point | None = None
        self._progress = _Progress(asyncio.get_running_loop().time())

    @property
    def live(self) -> bool:
        """Whether it runs or is held."""
        return self.started and not self.verdict.done()

    @property
    def feeding(self) -> bool:
        """Whether lines may be sent."""
        return self.live and not self.stopping

    @property
    def wrong(self) -> bool:
        """Whether it is being stopped because something is wrong."""
        return bool(self.stopping) and self.stopping is not self.ABORTED

    def stop(self, why: str, shown: Doing) -> None:
        """Send no more lines. Until the verdict, the status stays as `shown`."""
        self.stopping = why
        self.shown = Doing.HELD if shown is Doing.HELD else Doing.RUNNING

    def start(self) -> None:
        self.started = True
        self._progress = _Progress(asyncio.get_running_loop().time())

    async def begun_or_ended(self) -> None:
        """Wait for the begin. Raises the verdict if it ended without having begun."""
        await self._begun_or_ended.wait()
        if not self.begun:
            await asyncio.shield(self.verdict)

    def _begin(self) -> None:
        self.begun = True
        self._begun_or_ended.set()

    def end(self, error: CncStationError | None = None) -> None:
        """Set the verdict. Only the first one counts."""
        if self.verdict.done():
            return
        self._begun_or_ended.set()
        if error is None:
            self.verdict.set_result(None)
        else:
            self.verdict.set_exception(error)

    def take_answer(self, polls: int) -> None:
        """Count an accepted line; `polls` reports had been requested by then."""
        if self.live:
            self._begin()
        self.streamer.take_answer()
        self._last_answer_poll = polls
        self._proofs = 0

    def number(self, index: int) -> int:
        """Return the line number in the file, from 1."""
        return self.prepared.numbers[min(index, len(self.prepared.numbers) - 1)]

    def text(self, index: int) -> str:
        return self.prepared.lines[index].decode("ascii").strip()

    @property
    def waits_at(self) -> str:
        """`M0 on line 12` if the controller waits there for a person, otherwise ""."""
        index = self.streamer.answered
        stop = self.prepared.stops.get(index)
        return f"{stop} on line {self.number(index)}" if stop else ""

    def line(self, picture: Picture) -> int | None:
        """Return the file line being executed: the N word reported, or the first in the planner."""
        taken = self.streamer.answered
        if not taken:
            return None
        named = self.prepared.named.get(picture.report.line or 0)
        if named is not None:
            return named
        moving = bisect_left(self.prepared.moving, taken)  # how many of the accepted lines move
        waiting = picture.blocks_waiting
        if waiting is None:
            return self._line_by_place(picture, taken, moving)
        if waiting == 0 or moving == 0:
            return self.number(taken - 1)
        return self.number(self.prepared.moving[max(0, moving - waiting)])

    def _line_by_place(self, picture: Picture, taken: int, moving: int) -> int:
        """Find the line by position, for a controller that does not report its planner."""
        program, place = self.order.program, picture.place
        if picture.report.state == "Idle" and self.streamer.done:
            return self.number(taken - 1)
        if program is None or place is None or moving == 0:
            return self._line or self.number(0)
        if place != self._place:
            window = self.prepared.moving[max(0, moving - self._planner - 1) : moving]
            lines = [n for n in map(self.number, window) if n >= self._line]
            self._line = line_at(program, lines, place, self._place) if lines else self._line
            self._place = place
        return self._line

    def fraction(self, line: int | None) -> float | None:
        """Return the fraction of the part's time, by the times of the program reader."""
        program = self.order.program
        if program is None or line is None or program.duration_s <= 0:
            return None
        made = bisect_right(program.moves.line, line - 1)
        return program.moves.starts_s(made) / program.duration_s if made else 0.0

    def proven(self, picture: Picture, answering_poll: int) -> bool:
        """Return whether this report completes the proof that the whole program was executed. The
        proof is: every line answered, and Idle in reports requested after the last answer."""
        idle = picture.report.state == "Idle" and not picture.blocks_waiting
        if not self.streamer.done or not idle or answering_poll <= self._last_answer_poll:
            self._proofs = 0
            return False
        self._proofs += 1
        return self._proofs >= _PROOFS

    def misplaced(self, place: Point, tolerance_mm: float) -> str | None:
        """Return where the tool stands and where its program ends, if these differ."""
        axes = zip("XYZ", self.prepared.ends_at, place, strict=True)
        wrong = [
            f"{axis}{now:g} where the program ends at {axis}{end:g}"
            for axis, end, now in axes
            if end is not None and abs(end - now) > tolerance_mm
        ]
        return ", ".join(wrong) or None

    def stall_reason(self, picture: Picture, now: float, patience: Patience) -> str:
        """Return why the job is stuck; "" while it may still continue by itself."""
        report, last = picture.report, self._progress
        if report.state != "Idle":
            self._begin()
        answered = self.streamer.answered
        waiting = picture.blocks_waiting
        progressed = (answered, report.axes, waiting) != (last.answered, last.axes, last.waiting)
        if progressed or report.state != last.state or report.state in ("Hold", "Door", "Tool"):
            self._progress = _Progress(now, answered, report.axes, waiting, report.state)
            return ""
        still_s = now - last.at - self.prepared.waits.get(answered, 0.0)
        lines = self.streamer.outstanding
        if report.state == "Idle" and lines and still_s > patience.idle:
            return (
                f"the controller is idle and has not answered {lines} line{'s' * (lines > 1)}, the"
                f" first of them line {self.number(answered)}: something was lost on the wire"
            )
        if still_s > patience.still:
            return (
                f"the controller shows {report.spelled} but has not moved for {patience.still:g} s,"
                f" at line {self.number(answered)}"
            )
        return ""
