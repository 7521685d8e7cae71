"""The conversation with one controller: lines, answers, status reports and real-time commands."""

import asyncio
import logging
from collections.abc import Callable, Sequence

from cnc_station.engine.domain.errors import Unavailable
from cnc_station.engine.drivers.grbl import identity, links, reports
from cnc_station.engine.drivers.grbl.hearing import Hears, News, Refused
from cnc_station.engine.drivers.grbl.identity import Who
from cnc_station.engine.drivers.grbl.modes import Offsets, ParserState, offsets, parser_state
from cnc_station.engine.drivers.grbl.picture import Picture
from cnc_station.engine.drivers.grbl.questions import Questions
from cnc_station.engine.drivers.grbl.reports import Make, Report
from cnc_station.engine.drivers.grbl.settings import Patience, Settings
from cnc_station.engine.drivers.traffic import Traffic

log = logging.getLogger(__name__)

HOLD, GO_ON, RESET, _POLL = b"!", b"~", b"\x18", b"?"
_SPELLED = {RESET: "Ctrl-X"}
_LONGEST_LINE = 4096
_POLL_LOST_S = 0.5  # after which an unanswered poll is repeated
_REPORT_NOTED_S = 1.0  # how often the log shows where a machine is
_MUTE = "Reset to continue"


class Controller:
    """One connection, made anew after a loss; the `Ear` of its link.

    What it shows is in `picture`; `who` it is, None until it could be asked; `message` the last it
    had for people; `greeted` whether it came up while the connection was being made.
    """

    def __init__(
        self, settings: Settings, patience: Patience, hears: Hears, traffic: Traffic
    ) -> None:
        self._settings = settings
        self._patience = patience
        self._hears = hears
        self._traffic = traffic
        self._link: links.Link | None = None
        self._poller: asyncio.Task[None] | None = None
        self._rest = b""
        self._news = News()
        self._questions = Questions(settings.address, patience.answer, self._say)
        self._up = False  # greeted
        self._reset_asked = False
        self._asked_at: float | None = None
        self._answered_poll = 0
        self._heard_at = 0.0
        self._noted: tuple[str, float] = ("", 0.0)
        self._name: str | None = None
        self.gone = ""  # why it is no more
        self.polls = 0  # status reports asked for so far
        self.running = False  # ask more often
        self.mute = False  # says nothing until it is reset
        self.picture = Picture()
        self.message = ""
        self.who: Who | None = None
        self.greeted = False

    # --- opening and closing ---

    async def open(self) -> None:
        """Raises Unavailable. A controller that comes up because of it is expected to."""
        self._heard_at = self._now()
        self._link = await links.opened(self._settings, self)
        try:
            await self._greet()
            self._up = True
            self._poller = asyncio.create_task(self._keep_polling())
            if self.picture.report.state in ("Idle", "Alarm"):
                await self.identify()
        except BaseException:
            await self.close()
            raise

    async def _greet(self) -> None:
        try:
            await self.fresh(self._patience.greeting)
        except TimeoutError:
            raise Unavailable(
                f"{self._settings.address} is open, but no GRBL answers there: check the baud rate,"
                " and press the controller's reset if it stands on a limit switch"
            ) from None

    async def close(self) -> None:
        """Lets go of the wire; nothing is told any more. May be called again."""
        self._close("closed")
        poller, self._poller = self._poller, None
        if poller is not None:
            poller.cancel()
            await asyncio.gather(poller, return_exceptions=True)
        if self._link is not None:
            await self._link.close()

    async def identify(self) -> Who | None:
        """Find out who it is; None if it does not say. Only while it is idle or in alarm; raises
        Unavailable."""
        who = await identity.found(self._questions, self._name)
        if who is not None:
            self.who = who
            self.picture.inches = who.inches
        return who

    @property
    def make(self) -> Make | None:
        """None until it could be asked."""
        return None if self.who is None else self.who.make

    async def parser_state(self) -> ParserState | None:
        """What `$G` tells; None if that is nothing. As `ask`, but nothing is Refused."""
        try:
            return parser_state(await self.ask("$G"))
        except Refused:
            return None

    async def offsets(self) -> Offsets:
        """What `$#` tells; as `parser_state`."""
        try:
            return offsets(await self.ask("$#"))
        except Refused:
            return Offsets()

    # --- speaking ---

    def send(self, lines: Sequence[bytes]) -> None:
        """Program lines, each with its newline. The caller counts what is unanswered."""
        self._write(b"".join(lines))
        for line in lines:
            self._traffic.sent(line.decode("ascii").rstrip("\n"))

    def realtime(self, command: bytes) -> None:
        """One of the commands that overtake everything that waits."""
        self._traffic.sent(_SPELLED.get(command) or command.decode("ascii"))
        self._write(command)

    async def ask(self, command: str, *, within_s: float | None = None) -> list[str]:
        """A `$` command or a line of modes, and what was said before its ok. Not while program
        lines are unanswered. Raises Refused, Unavailable."""
        return await self._questions.ask(command, within_s=within_s)

    def _say(self, command: str) -> None:
        self._traffic.sent(command)
        self._write(command.encode("ascii") + b"\n")

    async def fresh(self, within: float | None = None) -> Report:
        """A report asked for from now on. Raises TimeoutError, Unavailable."""
        wanted = self.polls + 1
        async with asyncio.timeout(within or self._patience.answer):
            while self._answered_poll < wanted and not self.mute:
                self._poll()
                await self._change(self._patience.poll_running)
        return self.picture.report

    async def until(self, fact: Callable[[Report], bool], within: float) -> Report:
        """The first report, asked for from now on, for which `fact` is true. Raises TimeoutError,
        Unavailable."""
        async with asyncio.timeout(within):
            while not fact(await self.fresh()):
                await self._change(self._patience.poll_running)
        return self.picture.report

    async def reset(self) -> Report:
        """Ctrl-X: it forgets every line it has; what it shows once it is up again. Raises
        Unavailable."""
        self._reset_asked = True
        self.realtime(RESET)
        try:
            async with asyncio.timeout(self._patience.answer):
                while self._reset_asked:
                    await self._change(self._patience.answer)
            return await self.fresh()
        except TimeoutError:
            self._lose("it did not come up after a reset")
            raise Unavailable(f"{self._settings.address}: {self.gone}") from None
        finally:
            self._reset_asked = False

    def _write(self, data: bytes) -> None:
        if self._link is None or self.gone:
            raise Unavailable(f"{self._settings.address}: {self.gone or 'not connected'}")
        self._link.write(data)

    def _poll(self) -> None:
        """Ask for a report, unless one is on its way."""
        now = self._now()
        if self._asked_at is None or now - self._asked_at > _POLL_LOST_S:
            self._asked_at = now
            self.polls += 1
            self._write(_POLL)

    async def _keep_polling(self) -> None:
        patience = self._patience
        while not self.gone:
            if not self.mute and self._now() - self._heard_at > patience.silence:
                self._lose(f"no answer for {patience.silence:g} s")
                return
            if not self.mute:
                self._poll()
            await self._pause(patience.poll_running if self.running else patience.poll)

    async def _pause(self, seconds: float) -> None:
        """For so long as this computer stands still nobody asks: that is not the controller's
        silence."""
        due = self._now() + seconds
        await asyncio.sleep(seconds)
        late = self._now() - due
        self._heard_at = min(self._heard_at + late, self._now())

    # --- listening ---

    def take(self, data: bytes) -> None:
        """From the link. An error in here is a bug, and must not leave a machine unwatched."""
        if self.gone:
            return
        self._heard_at = self._now()
        try:
            self._take(data)
        except Exception:
            log.exception("what %s said could not be read", self._settings.address)
            self._lose("internal error: its answer could not be read")

    def end(self) -> None:
        """From the link."""
        self._lose("the connection was lost")

    def _take(self, data: bytes) -> None:
        *lines, rest = (self._rest + data).split(b"\n")
        self._rest = rest[-_LONGEST_LINE:]
        taken = 0
        for line in lines:
            stripped = line.strip()
            if stripped == b"ok":
                taken += 1
                self._answer(0)
            elif stripped:
                self._take_line(stripped.decode("ascii", "replace"))
        if taken:
            self._traffic.received("ok" if taken == 1 else f"ok ({taken} lines)")
        self._hears.heard()
        self._news.tell()

    def _take_line(self, text: str) -> None:
        if text[0] == "<":
            self._take_report(text)
            return
        self._traffic.received(text)
        if text[0] in "[$":
            self._questions.line(text)
        if text.startswith("[MSG:"):
            self.message = text[5:].rstrip("]")
            self.mute = self.mute or self.message == _MUTE
        elif (error := reports.code(text, "error")) is not None:
            self._answer(error)
        elif (alarm := reports.code(text, "ALARM")) is not None:
            self._take_alarm(alarm)
        elif text[0] in "[$>":
            return
        elif (name := reports.welcome(text)) is not None:
            self._take_welcome(name)
        elif self._reset_asked:  # a greeting of its own
            self._take_welcome(self._name)
        elif self._up:
            self._hears.strange()

    def _answer(self, code: int) -> None:
        if not self._questions.answered(code):
            self._hears.answered(code)

    def _take_report(self, text: str) -> None:
        report = reports.report(text)
        if report is None:
            self._traffic.received(text)
            return
        self._note_report(text, report)
        self.picture.take(report)
        self._answered_poll = self.polls
        self._asked_at = None
        self._hears.reported(report)

    def _note_report(self, text: str, report: Report) -> None:
        spelled, at = self._noted
        if report.spelled != spelled or (
            self._now() - at >= _REPORT_NOTED_S and report.machine != self.picture.report.machine
        ):
            self._noted = (report.spelled, self._now())
            self._traffic.received(text)

    def _take_alarm(self, code: int) -> None:
        self.picture.take_alarm(code)
        self.polls += 1
        self._answered_poll = self.polls
        self._hears.alarmed(code)

    def _take_welcome(self, name: str | None) -> None:
        self._name = name
        self.mute = False
        self.message = ""
        self._asked_at = None
        self.picture.forget()
        if self._reset_asked:
            self._reset_asked = False
        elif self._up:
            self._hears.was_reset()
        else:
            self.greeted = True

    # --- waiting, and the end ---

    async def _change(self, within: float) -> None:
        """Until anything is heard, or `within` seconds at most. Raises Unavailable."""
        await self._news.wait(within)
        if self.gone:
            raise Unavailable(f"{self._settings.address}: {self.gone}")

    def _lose(self, reason: str) -> None:
        if not self.gone:
            self._close(reason)
            self._hears.lost(reason)

    def _close(self, reason: str) -> None:
        self.gone = self.gone or reason
        self._questions.give_up(self.gone)
        self._news.tell()

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()
