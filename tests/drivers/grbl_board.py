"""The board of the fake GRBL: its state, its reports, and its reset."""

import asyncio
from collections.abc import Callable, Sequence
from math import inf

from tests.drivers.grbl_axes import Axes, Place
from tests.drivers.grbl_buffer import Buffer
from tests.drivers.grbl_program import Memory, Program


class Board:
    """The state of the board, for any lines."""

    def __init__(
        self,
        *,
        hal: bool = False,
        speed: float = 1.0,
        homing: bool = False,
        tells_blocks: bool | None = None,
    ) -> None:
        self.hal = hal
        self.buffer = Buffer(1024 if hal else 128)
        self.axes = Axes(100 if hal else 15, speed, lag=0.0 if speed == inf else 0.02)
        self.tells_blocks = hal if tells_blocks is None else tells_blocks
        self.homing = homing
        self.locked = homing
        self.mute = False  # until reset
        self.deaf = False  # permanently
        self.stalled = False  # takes no more lines, but sends reports
        self.checking = False
        self.door = False
        self.homes = False
        self.greets = False  # sends its welcome line on each connection
        self.boots_for = 0.0  # seconds of booting on each connection
        self.resets = 0
        self.reset_while_moving = 0
        self.welcome: str | None = None  # its welcome line; None: that of its make
        self.work_only = False  # its reports hold WPos, and no MPos ($10=0)
        self.inches = False  # it reports in inches ($13=1)
        self.homed = False
        self.tells_homed = 0  # in so many reports after a reset
        self.memory = Memory()
        self.settings: list[str] = []  # settings beside the usual ones, "$100=250"
        self._out: Callable[[bytes], None] | None = None
        self._held = False
        self._stop = False  # in an M0, or a dwell
        self._last_error = 0
        self.reports = 0
        self.program = Program(self.memory)
        self._turning: tuple[float, float, float, float] | None = None  # from, to, when, seconds

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

    def say(self, text: str) -> None:
        if self._out is not None and not self.deaf:
            self._out(text.encode("latin-1") + b"\r\n")

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
        return "Run" if self.axes.moving or self._turning else "Idle"

    def report(self) -> str:
        """Return a report: WCO with every tenth, Ov with the one after it."""
        fields = [self.state, self._place()]
        if self.tells_blocks:
            free = self.axes.room - len(self.axes.blocks)
            fields.append(f"Bf:{free},{self.buffer.free}")
        fields.append(f"FS:{self.axes.feed / self._unit:.0f},{self.program.spindle:.0f}")
        if self.reports < self.tells_homed:
            fields.append(f"H:{self.homed:d}")
        if self.reports % 10 == 0 and not self.work_only:
            fields.append(f"WCO:{self._lengths(self.program.offset)}")
        elif self.reports % 10 == 1:
            fields.append("Ov:100,100,100")
        self.reports += 1
        return f"<{'|'.join(fields)}>"

    def _place(self) -> str:
        place, offset = self.axes.place, self.program.offset
        if self.work_only:
            x, y, z = (a - b for a, b in zip(place, offset, strict=True))
            return f"WPos:{self._lengths((x, y, z))}"
        fourth = "" if self.memory.fourth is None else f",{self._fourth():.3f}"
        return f"MPos:{self._lengths(place)}{fourth}"

    def _fourth(self) -> float:
        if self._turning is None:
            return self.memory.fourth or 0.0
        start, end, began, seconds = self._turning
        return start + (end - start) * min(1.0, (self._now() - began) / seconds)

    def _lengths(self, place: Place) -> str:
        return ",".join(f"{length / self._unit:.3f}" for length in place)

    @property
    def _unit(self) -> float:
        return 25.4 if self.inches else 1.0

    def reset(self) -> None:
        """Reset, as by Ctrl-X or by the button on the board."""
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
        self.locked, self.homed = self.homing, False
        self.axes.place = (0.0, 0.0, 0.0)
        self.resets += 1
        self._welcome()

    def _clear(self) -> None:
        self.axes.stop_dead()
        self.buffer.clear()
        self._held = self._stop = self.mute = self.stalled = self.checking = False
        self._last_error = self.reports = 0
        self.program = Program(self.memory)
        self._turning = None

    def _welcome(self) -> None:
        if self.welcome == "":
            return
        self.say("")
        if self.welcome is not None:
            self.say(self.welcome)
        elif self.hal:
            self.say("GrblHAL 1.1f ['$' or '$HELP' for help]")
        else:
            self.say("Grbl 1.1h ['$' for help]")
        if self.locked:
            self.say("[MSG:'$H'|'$X' to unlock]")

    def home(self, seconds: float = 0.5) -> None:
        """Home, as an operator does at its panel."""
        self.homes = True
        asyncio.get_running_loop().call_later(seconds, self._has_homed)

    def _has_homed(self) -> None:
        self.homes = self.locked = False
        self.homed, self.reports = True, 0
        self.axes.place = (0.0, 0.0, 0.0)

    def raise_alarm(self, code: int) -> None:
        """Raise an alarm. 1 and 2 silence a GRBL 1.1 until it is reset."""
        self.axes.advance(self._now())
        self.axes.stop_dead()
        self._held = self._stop = False
        self.locked = True
        self.say(f"ALARM:{code}")
        if code in (1, 2) and not self.hal:
            self.say("[MSG:Reset to continue]")
            self.mute = True

    def _command(self, line: str) -> int:
        idle = self.state in ("Idle", "Alarm", "Check")
        if idle and (told := self._told(line)):
            for text in told:
                self.say(text)
            return 0
        match line:
            case "$X" if self.locked:
                self.locked = False
                self.say("[MSG:Caution: Unlocked]")
            case "$H" if not self.homing:
                return 5
            case "$H" if idle:
                self._has_homed()
            case "$C" if self.state == "Idle":
                self.checking = True
            case "$X" | "":
                return 0
            case _:
                return 8 if not idle else 3
        return 0

    def _told(self, question: str) -> Sequence[str]:
        match question:
            case "$I" if self.hal:
                axes = 3 if self.memory.fourth is None else 4
                options = f"[OPT:VNML+,100,1024,{axes},0]"
                return ("[VER:1.1f.20240101:]", options, "[FIRMWARE:grblHAL]")
            case "$I":
                return ("[VER:1.1h.20190825:]", "[OPT:V,15,128]")
            case "$$":
                shown = (f"$10={int(not self.work_only)}", f"$13={int(self.inches)}", "$20=1")
                return (*shown, f"$22={int(self.homing)}", *self.settings)
            case "$G":
                return (self.program.state,)
            case "$#":
                return self.program.parameters
        return ()

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()
