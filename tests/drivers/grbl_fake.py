"""A false GRBL 1.1h or grblHAL, for tests.

Written from the project's page on what real controllers were seen to answer on the wire (its GRBL
section): no controller of this kind can be installed where the tests run. Beyond that page, from
the published meaning of GRBL's messages: the soft limit's alarm after which a GRBL 1.1 answers
nothing until it is reset, `$$`, check mode, and the rarer error numbers.

It takes bytes and gives bytes; `grbl_wire` puts it on a pseudo-terminal or a TCP port. It can be
told to misbehave.
"""

import asyncio
import re
from collections.abc import Callable
from math import inf, isnan

from tests.drivers.grbl_axes import Axes, Place

_REALTIME = re.compile(rb"[?!~\x18]")
_WORD = re.compile(r"([A-Z])([-+]?[0-9]*\.?[0-9]*)")
_M0 = re.compile(r"M00?(?![0-9])")
_G4 = re.compile(r"G0?4P([0-9.]+)")
_END = re.compile(r"M0?2(?![0-9])|M30")
_SYNCHRONOUS = re.compile(r"G0?4(?![0-9])|M0?[02](?![0-9])|M30")
_G = {"0", "1", "2", "3", "4", "10", "17", "18", "19", "20", "21", "28", "30", "40", "49", "53"}
_G |= {"54", "55", "56", "57", "58", "59", "61", "80", "90", "91", "92", "93", "94"}
_M = {"0", "1", "2", "3", "4", "5", "8", "9", "30"}
_RAPID = 6000.0


class FakeGrbl:
    """`at[n]` is done before the nth program line (from 1) is taken; `errors[n]` refuses it with
    that number; the answer to a line in `swallowed` never comes; the bytes of program text in
    `lost` (counted from 0) never arrive."""

    def __init__(
        self,
        *,
        hal: bool = False,
        speed: float = 1.0,
        homing: bool = False,
        travel: float = 1000.0,
        tells_blocks: bool | None = None,
    ) -> None:
        self.hal = hal
        self.buffer = 1024 if hal else 128
        self.axes = Axes(100 if hal else 15, speed, lag=0.0 if speed == inf else 0.02)
        self.tells_blocks = hal if tells_blocks is None else tells_blocks
        self.homing = homing
        self.travel = travel
        self.locked = homing
        self.mute = False  # until reset
        self.deaf = False  # for good
        self.stalled = False  # takes no more lines, but reports
        self.checking = False
        self.door = False
        self.homes = False
        self.greets = False  # says who it is when somebody connects
        self.boots_for = 0.0  # seconds, because somebody connects
        self.at: dict[int, Callable[[], object]] = {}
        self.errors: dict[int, int] = {}
        self.swallowed: set[int] = set()
        self.lost: set[int] = set()
        # what it has seen
        self.taken: list[str] = []
        self.lines = 0
        self.received = 0
        self.most_waiting = 0  # bytes not yet answered
        self.overflowed = 0  # bytes for which there was no room
        self.resets = 0
        self.reset_while_moving = 0
        self._out: Callable[[bytes], None] | None = None
        self._waiting = bytearray()
        self._unanswered = 0
        self._held = False
        self._stop = False  # in an M0, or a dwell
        self._stop_length = 0
        self._last_error = 0
        self._reports = 0
        self._motion = "0"
        self._absolute = True
        self._feed = 0.0
        self._spindle = 0.0
        self._timer: asyncio.TimerHandle | None = None

    # --- the wire ---

    def attach(self, out: Callable[[bytes], None]) -> None:
        self._out = out
        if self.greets:
            self._welcome()
        if self.boots_for:
            self.deaf = True
            asyncio.get_running_loop().call_later(self.boots_for, self._boot)

    def _boot(self) -> None:
        self.deaf = False
        self.switch_off_and_on()

    def detach(self) -> None:
        self._out = None

    def take(self, data: bytes) -> None:
        """Realtime characters are picked out before the buffer."""
        if self.deaf:
            return
        at = 0
        for found in _REALTIME.finditer(data):
            self._buffer(data[at : found.start()])
            at = found.end()
            self._work()
            self._realtime(found.group())
        self._buffer(data[at:])
        self._work()

    def _buffer(self, data: bytes) -> None:
        if not data or self.mute:
            return
        if self.lost:
            first, self.received = self.received, self.received + len(data)
            data = bytes(b for i, b in enumerate(data, first) if i not in self.lost)
        room = self.buffer - self._unanswered
        if len(data) > room:
            self.overflowed += len(data) - room
            data = data[: max(0, room)]
        self._waiting += data
        self._unanswered += len(data)
        self.most_waiting = max(self.most_waiting, self._unanswered)

    def say(self, text: str) -> None:
        if self._out is not None and not self.deaf:
            self._out(text.encode("latin-1") + b"\r\n")

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

    @property
    def state(self) -> str:
        if self.homes:
            return "Home"
        if self.locked:
            return "Alarm"
        if self.door:
            return "Door:1"
        if self._held:
            return "Hold:1" if self.axes.braking_now else "Hold:0"
        if self.checking:
            return "Check"
        return "Run" if self.axes.moving else "Idle"

    def report(self) -> str:
        """WCO comes with every tenth report, Ov with the one after it."""
        x, y, z = self.axes.place
        fields = [self.state, f"MPos:{x:.3f},{y:.3f},{z:.3f}"]
        if self.tells_blocks:
            free = self.axes.room - len(self.axes.blocks)
            fields.append(f"Bf:{free},{self.buffer - self._unanswered}")
        fields.append(f"FS:{self.axes.feed:.0f},{self._spindle:.0f}")
        if self._reports % 10 == 0:
            fields.append("WCO:10.000,20.000,-5.000")
        elif self._reports % 10 == 1:
            fields.append("Ov:100,100,100")
        self._reports += 1
        return f"<{'|'.join(fields)}>"

    def reset(self) -> None:
        """As by Ctrl-X, or by the button on the board."""
        self.axes.advance(self._now())
        self.resets += 1
        if self.axes.moving:
            self.reset_while_moving += 1
            self.locked = True
            self.say("ALARM:3")
        self._clear()
        self._welcome()

    def switch_off_and_on(self) -> None:
        self._clear()
        self.locked = self.homing
        self.axes.place = (0.0, 0.0, 0.0)
        self.resets += 1
        self._welcome()

    def _clear(self) -> None:
        self.axes.stop_dead()
        self._waiting.clear()
        self._unanswered = 0
        self._held = self._stop = self.mute = self.stalled = self.checking = False
        self._last_error = self._reports = 0
        self._motion, self._absolute, self._feed, self._spindle = "0", True, 0.0, 0.0

    def _welcome(self) -> None:
        self.say("")
        if self.hal:
            self.say("GrblHAL 1.1f ['$' or '$HELP' for help]")
        else:
            self.say("Grbl 1.1h ['$' for help]")
        if self.locked:
            self.say("[MSG:'$H'|'$X' to unlock]")

    def home(self, seconds: float = 0.5) -> None:
        """As somebody does at its panel."""
        self.homes = True
        asyncio.get_running_loop().call_later(seconds, self._has_homed)

    def _has_homed(self) -> None:
        self.homes = self.locked = False
        self.axes.place = (0.0, 0.0, 0.0)

    def raise_alarm(self, code: int) -> None:
        """1 and 2 leave a GRBL 1.1 mute until it is reset."""
        self.axes.advance(self._now())
        self.axes.stop_dead()
        self._held = self._stop = False
        self.locked = True
        self.say(f"ALARM:{code}")
        if code in (1, 2) and not self.hal:
            self.say("[MSG:Reset to continue]")
            self.mute = True

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
        if not self._takes_lines():
            return False
        end = self._waiting.find(b"\n")
        if end < 0:
            return False
        line = self._waiting[:end].decode("latin-1").strip("\r")
        if not self._room_for(line, now):
            return False
        del self._waiting[: end + 1]
        length = end + 1
        if line == "" or line[0] == "$":
            self._last_error = 0
            answer: int | None = self._command(line)
        else:
            self.lines += 1
            self.at.pop(self.lines, _nothing)()
            if not self._unanswered:  # it was told to reset, just now
                return False
            answer = self._program_line(line, now)
        if answer is None:  # an M0 or a dwell: answered when it goes on
            self._stop_length = length
            return False
        self._answer(answer, length)
        return True

    def _takes_lines(self) -> bool:
        return not (self.mute or self.stalled or self._held or self._stop)

    def _answer(self, error: int, length: int | None = None) -> None:
        if error < 0:
            return
        self._unanswered -= self._stop_length if length is None else length
        if self.lines in self.swallowed:
            self.swallowed.discard(self.lines)
        else:
            self.say(f"error:{error}" if error else "ok")

    def _room_for(self, line: str, now: float) -> bool:
        if _waits_for_the_axes(line):
            return not self.axes.blocks
        self.axes.advance(now)
        return len(self.axes.blocks) < self.axes.room

    def _command(self, line: str) -> int:
        idle = self.state in ("Idle", "Alarm", "Check")
        match line:
            case "$X" if self.locked:
                self.locked = False
                self.say("[MSG:Caution: Unlocked]")
            case "$H" if not self.homing:
                return 5
            case "$H" if idle:
                self.locked = False
                self.axes.place = (0.0, 0.0, 0.0)
            case "$I" if idle:
                self._say_who()
            case "$$" if idle:
                for setting in ("$10=1", "$13=0", "$20=1", f"$22={int(self.homing)}"):
                    self.say(setting)
            case "$C" if self.state == "Idle":
                self.checking = True
            case "$X" | "":
                return 0
            case _:
                return 8 if not idle else 3
        return 0

    def _say_who(self) -> None:
        if self.hal:
            for line in ("[VER:1.1f.20240101:]", "[OPT:VNML+,100,1024,3,0]", "[FIRMWARE:grblHAL]"):
                self.say(line)
        else:
            self.say("[VER:1.1h.20190825:]")
            self.say("[OPT:V,15,128]")

    def _program_line(self, line: str, now: float) -> int | None:
        """The number of an error, 0, None for an M0, or less than 0 where nothing is answered."""
        if self._last_error:
            return self._last_error
        error: int | None = 9 if self.locked else self.errors.pop(self.lines, 0)
        if not error:
            error = self._run(line, now)
        if error and error > 0 and self.hal:
            self._last_error = error
        return error

    def _run(self, line: str, now: float) -> int | None:
        words = _WORD.findall(line)
        if "".join(letter + digits for letter, digits in words) != line:
            return 1
        letters = [letter for letter, _ in words if letter not in "GM"]
        if len(set(letters)) < len(letters):
            return 25
        for letter, digits in words:
            error = self._word(letter, digits) if digits.strip("+-.") else 2
            if error:
                return error
        self.taken.append(line)
        if self._stops(line):
            return None
        if _END.search(line):
            self.say("[MSG:Pgm End]")
        target = [float(dict(words).get(axis, "nan")) for axis in "XYZ"]
        return 0 if all(map(isnan, target)) else self._move(target, now)

    def _stops(self, line: str) -> bool:
        dwell = _G4.search(line)
        if dwell:
            seconds = float(dwell[1]) / self.axes.speed
            asyncio.get_running_loop().call_later(seconds, self._end_dwell)
        self._held = _M0.search(line) is not None
        self._stop = self._held or dwell is not None
        return self._stop

    def _end_dwell(self) -> None:
        if self._stop and not self._held:
            self._stop = False
            self._answer(0)
            self._work()

    def _word(self, letter: str, digits: str) -> int:
        number = f"{float(digits):g}"
        match letter:
            case "G" if number not in _G:
                return 20
            case "M" if number not in _M:
                return 20
            case "G" if number in ("0", "1", "2", "3"):
                self._motion = number
            case "G" if number in ("90", "91"):
                self._absolute = number == "90"
            case "F":
                self._feed = float(digits)
            case "S":
                self._spindle = float(digits)
            case "X" | "Y" | "Z" | "I" | "J" | "K" | "R" | "N" | "P" | "L" | "T" | "G" | "M":
                pass
            case _:
                return 20
        return 0

    def _move(self, words: list[float], now: float) -> int:
        if self._motion != "0" and not self._feed:
            return 22
        here = self.axes.end
        target: Place = tuple(  # type: ignore[assignment] # - three go in, three come out
            here[i] if isnan(word) else word + (0.0 if self._absolute else here[i])
            for i, word in enumerate(words)
        )
        if max(map(abs, target)) > self.travel:
            self.raise_alarm(2)
            return -1
        self.axes.queue(target, _RAPID if self._motion == "0" else self._feed, now)
        return 0

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()


def _nothing() -> None:
    pass


def _waits_for_the_axes(line: str) -> bool:
    return _SYNCHRONOUS.search(line) is not None
