"""A fake GRBL 1.1h or grblHAL, for tests.

Written from the project's notes about the answers of real controllers (their GRBL section): no such
controller can be installed where the tests run. Beyond those notes, from the published meaning of
GRBL's messages: the soft limit's alarm after which a GRBL 1.1 answers nothing until it is reset,
`$$`, check mode, and the rarer error numbers.

Bytes in, bytes out; `grbl_wire` connects it to a pseudo-terminal or a TCP port. Tests can make it
misbehave.
"""

import asyncio
import re
from collections.abc import Callable

from tests.drivers.grbl_board import Board
from tests.drivers.grbl_program import Asked, waits_for_the_axes

MARK = "F100"  # for the detection of a reset: not part of the program, and not counted
_REALTIME = re.compile(rb"[?!~\x18]")


class FakeGrbl(Board):
    """`at[n]` is called before the nth program line (from 1) is taken. `errors[n]` refuses it with
    that number. The answer to a line in `swallowed` never comes."""

    def __init__(
        self,
        *,
        hal: bool = False,
        speed: float = 1.0,
        homing: bool = False,
        travel: float = 1000.0,
        tells_blocks: bool | None = None,
    ) -> None:
        super().__init__(hal=hal, speed=speed, homing=homing, tells_blocks=tells_blocks)
        self.travel = travel
        self.at: dict[int, Callable[[], object]] = {}
        self.errors: dict[int, int] = {}
        self.swallowed: set[int] = set()
        self.spindle_stops_in = 0.0  # seconds in which it takes no bytes
        self.taken: list[str] = []
        self.lines = 0
        self._stop_length = 0
        self._timer: asyncio.TimerHandle | None = None

    def take(self, data: bytes) -> None:
        """Receive bytes. Real-time characters are processed before the buffer."""
        if self.deaf:
            return
        at = 0
        for found in _REALTIME.finditer(data):
            self._take(data[at : found.start()])
            at = found.end()
            self._work()
            self._realtime(found.group())
        self._take(data[at:])
        self._work()

    def _take(self, data: bytes) -> None:
        if not self.mute:
            self.buffer.take(data)

    # --- real-time commands ---

    def _realtime(self, command: bytes) -> None:
        if command == b"\x18":
            self.reset()
        elif self.mute:
            return
        elif command == b"?":
            self.say(self.report())
        elif self.locked:
            return
        elif command == b"!":
            self._held = True
            self.axes.brake(self._now())
        elif command == b"~" and self._held and not self.axes.braking_now and not self.door:
            self._held = False
            self.axes.go_on(self._now())
            if self._stop:
                self._stop = False
                self._answer(0)
        self._work()

    # --- lines ---

    def _work(self) -> None:
        now = self._now()
        self.axes.advance(now)
        while self._step(now):
            pass
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        event = self.axes.next_event()
        if event is not None:
            self._timer = asyncio.get_running_loop().call_at(event, self._work)

    def _step(self, now: float) -> bool:
        """Take the next line, if there is one and it can be taken now."""
        came = self.buffer.first() if self._takes_lines() else None
        if came is None:
            return False
        line = came.decode("latin-1").strip("\r\n")
        if not self._room_for(line, now):
            return False
        self.buffer.drop(came)
        if line == "" or line[0] == "$":
            self._last_error = 0
            answer: int | None = self._command(line)
        else:
            self.lines += line != MARK
            self.at.pop(self.lines, _nothing)()
            if self.buffer.empty:  # it was reset just now
                return False
            answer = self._program_line(line, now)
        if answer is None:  # an M0 or a dwell: answered when it continues
            self._stop_length = len(came)
            return False
        self._answer(answer, len(came))
        return True

    def _takes_lines(self) -> bool:
        return not (self.mute or self.stalled or self._held or self._stop)

    def _answer(self, error: int, length: int | None = None) -> None:
        if error < 0:
            return
        self.buffer.answered(self._stop_length if length is None else length)
        if self.lines in self.swallowed:
            self.swallowed.discard(self.lines)
        else:
            self.say(f"error:{error}" if error else "ok")

    def _room_for(self, line: str, now: float) -> bool:
        if waits_for_the_axes(line):
            return not self.axes.blocks
        self.axes.advance(now)
        return len(self.axes.blocks) < self.axes.room

    def _program_line(self, line: str, now: float) -> int | None:
        """Return the number of an error, 0, None for an M0, or less than 0 without an answer."""
        if self._last_error:
            return self._last_error
        error: int | None = 9 if self.locked else self.errors.pop(self.lines, 0)
        if not error:
            error = self._run(line, now)
        if error and error > 0 and self.hal:
            self._last_error = error
        return error

    def _run(self, line: str, now: float) -> int | None:
        turned = self.program.turns
        asked = self.program.read(line, self.axes.end)
        if isinstance(asked, int):
            return asked
        if line != MARK:
            self.taken.append(line)
        if turned and not self.program.turns and self.spindle_stops_in:
            self._pause(Asked(dwell=self.spindle_stops_in * self.axes.speed))
            return None
        if asked.stops or asked.dwell is not None:
            self._pause(asked)
            return None
        if asked.ends:
            self.say("[MSG:Pgm End]")
        if asked.target is None:
            return 0
        if max(map(abs, asked.target)) > self.travel:
            self.raise_alarm(2)
            return -1
        self.axes.queue(asked.target, asked.feed, now)
        return 0

    def _pause(self, asked: Asked) -> None:
        self._stop, self._held = True, asked.stops
        if asked.dwell is not None:
            seconds = asked.dwell / self.axes.speed
            if asked.turn is not None:
                self._turning = (self.memory.fourth or 0.0, asked.turn, self._now(), seconds)
            asyncio.get_running_loop().call_later(seconds, self._end_dwell)

    def _end_dwell(self) -> None:
        if self._stop and not self._held:
            self._stop = False
            if self._turning is not None:
                self.memory.fourth, self._turning = self._turning[1], None
            self._answer(0)
            self._work()


def _nothing() -> None:
    pass
