"""The protocol of one controller: lines, answers, status reports and real-time commands."""

import asyncio
import logging
from collections.abc import Callable, Sequence

from cnc_station.engine.domain.errors import Unavailable
from cnc_station.engine.drivers.grbl import links, reports
from cnc_station.engine.drivers.grbl.modes import Offsets, ParserState, offsets, parser_state
from cnc_station.engine.drivers.grbl.questions import (
    ChangeSignal,
    ControllerInfo,
    ControllerListener,
    Questions,
    Refused,
    read_info,
)
from cnc_station.engine.drivers.grbl.reports import Picture, Report
from cnc_station.engine.drivers.grbl.settings import Patience, Settings
from cnc_station.engine.drivers.publisher import Traffic
from cnc_station.peers.limits import GRBL
from cnc_station.peers.pace import Budget

log = logging.getLogger(__name__)

HOLD, CYCLE_START, RESET, _POLL = b"!", b"~", b"\x18", b"?"
_NAMES = {RESET: "Ctrl-X"}
_LONGEST_LINE = 4096
_POLL_LOST_S = 0.5  # an unanswered poll is repeated after this time
_REPORT_LOGGED_S = 1.0  # interval of logged positions
_NEEDS_RESET = "Reset to continue"


class Controller:
    """One connection to a controller, and the listener of its link. `picture` is what it reports,
    `info` its make and settings (None until read), `message` its last message for people.
    `welcomed`: its welcome line came while the connection was opened."""

    def __init__(
        self, settings: Settings, patience: Patience, listener: ControllerListener, traffic: Traffic
    ) -> None:
        self._settings = settings
        self._patience = patience
        self._listener = listener
        self._traffic = traffic
        self._link: links.Link | None = None
        self._poller: asyncio.Task[None] | None = None
        self._partial_line = b""
        self._budget = Budget(GRBL)
        self._changed = ChangeSignal()
        self._questions = Questions(settings.address, patience.answer, self._send_command)
        self._connected = False  # the welcome line has come, or is not expected
        self._reset_asked = False
        self._poll_sent_at: float | None = None
        self._answered_poll = 0
        self._received_at = 0.0
        self._last_logged: tuple[str, float] = ("", 0.0)
        self._name: str | None = None
        self.lost_reason = ""  # why the connection is lost; "" while it is open
        self.polls = 0  # status reports requested so far
        self.running = False  # a job runs: poll more often
        self.needs_reset = False  # it sends no reports until it is reset
        self.picture = Picture()
        self.message = ""
        self.info: ControllerInfo | None = None
        self.welcomed = False

    async def open(self) -> None:
        """Connect. Raises Unavailable. A restart caused by connecting is not treated as a reset."""
        self._received_at = self._now()
        self._link = await links.open_link(self._settings, self)
        try:
            await self._wait_for_welcome()
            self._connected = True
            self._poller = asyncio.create_task(self._keep_polling())
            if self.picture.report.state in ("Idle", "Alarm"):
                await self.identify()
        except BaseException:
            await self.close()
            raise

    async def _wait_for_welcome(self) -> None:
        try:
            await self.fresh_report(self._patience.greeting)
        except TimeoutError:
            raise Unavailable(
                f"{self._settings.address} is open, but no GRBL answers there: check the baud rate,"
                " and reset the controller if a limit switch is pressed"
            ) from None

    async def close(self) -> None:
        """Close the link. The listener gets no more calls. May be called again."""
        self._close("closed")
        poller, self._poller = self._poller, None
        if poller is not None:
            poller.cancel()
            await asyncio.gather(poller, return_exceptions=True)
        if self._link is not None:
            await self._link.close()

    async def identify(self) -> ControllerInfo | None:
        """Read the make and the settings; None if the controller does not report them. Call only
        while it is idle or in alarm. Raises Unavailable."""
        info = await read_info(self._questions, self._name)
        if info is not None:
            self.info = info
            self.picture.inches = info.inches
        return info

    async def parser_state(self) -> ParserState | None:
        """Return the answer to `$G`; None if it has none. Raises Unavailable."""
        try:
            return parser_state(await self.ask("$G"))
        except Refused:
            return None

    async def offsets(self) -> Offsets:
        """Return the answer to `$#`; empty if the command is refused. Raises Unavailable."""
        try:
            return offsets(await self.ask("$#"))
        except Refused:
            return Offsets()

    def send(self, lines: Sequence[bytes]) -> None:
        """Send program lines, each with its newline. The caller counts the unanswered ones."""
        self._write(b"".join(lines))
        for line in lines:
            self._traffic.sent(line.decode("ascii").rstrip("\n"))

    def realtime(self, command: bytes) -> None:
        """Send a real-time command, which overtakes all queued lines."""
        self._traffic.sent(_NAMES.get(command) or command.decode("ascii"))
        self._write(command)

    async def ask(self, command: str, *, within_s: float | None = None) -> list[str]:
        """Send a `$` command or a line of modes. Return the lines before its ok. Not while program
        lines are unanswered. Raises Refused, Unavailable."""
        return await self._questions.ask(command, within_s=within_s)

    def _send_command(self, command: str) -> None:
        self._traffic.sent(command)
        self._write(command.encode("ascii") + b"\n")

    async def fresh_report(self, within: float | None = None) -> Report:
        """Return a report requested from now on. Raises TimeoutError, Unavailable."""
        wanted = self.polls + 1
        async with asyncio.timeout(within or self._patience.answer):
            while self._answered_poll < wanted and not self.needs_reset:
                self._poll()
                await self._wait_for_change(self._patience.poll_running)
        return self.picture.report

    async def until(self, fact: Callable[[Report], bool], within: float) -> Report:
        """Return the first report from now on for which `fact` is true. Raises TimeoutError,
        Unavailable."""
        async with asyncio.timeout(within):
            while not fact(await self.fresh_report()):
                await self._wait_for_change(self._patience.poll_running)
        return self.picture.report

    async def reset(self) -> Report:
        """Send Ctrl-X, which clears all lines. Return the next report. Raises Unavailable."""
        self._reset_asked = True
        self.realtime(RESET)
        try:
            async with asyncio.timeout(self._patience.answer):
                while self._reset_asked:
                    await self._wait_for_change(self._patience.answer)
            return await self.fresh_report()
        except TimeoutError:
            self._lose("it did not restart after a reset")
            raise Unavailable(f"{self._settings.address}: {self.lost_reason}") from None
        finally:
            self._reset_asked = False

    def _write(self, data: bytes) -> None:
        if self._link is None or self.lost_reason:
            raise Unavailable(f"{self._settings.address}: {self.lost_reason or 'not connected'}")
        self._link.write(data)

    def _poll(self) -> None:
        now = self._now()
        if self._poll_sent_at is None or now - self._poll_sent_at > _POLL_LOST_S:
            self._poll_sent_at = now
            self.polls += 1
            self._write(_POLL)

    async def _keep_polling(self) -> None:
        patience = self._patience
        while not self.lost_reason:
            if not self.needs_reset and self._now() - self._received_at > patience.silence:
                self._lose(f"no answer for {patience.silence:g} s")
                return
            if not self.needs_reset:
                self._poll()
            await self._pause(patience.poll_running if self.running else patience.poll)

    async def _pause(self, seconds: float) -> None:
        """Sleep, and exclude a standstill of this computer from the silence of the controller."""
        due = self._now() + seconds
        await asyncio.sleep(seconds)
        late = self._now() - due
        self._received_at = min(self._received_at + late, self._now())

    def data_received(self, data: bytes) -> None:
        """Process data from the link. An exception in here is a bug: it ends the connection, so
        that the machine does not seem watched."""
        if self.lost_reason:
            return
        if not self._budget.spend(len(data)):
            self._lose("it sends more than a controller does: is it another device?")
            return
        self._received_at = self._now()
        try:
            self._read_lines(data)
        except Exception:
            log.exception("cannot read the answer of %s", self._settings.address)
            self._lose("internal error: its answer could not be read")

    def link_ended(self) -> None:
        self._lose("the connection was lost")

    def _read_lines(self, data: bytes) -> None:
        *lines, rest = (self._partial_line + data).split(b"\n")
        self._partial_line = rest[-_LONGEST_LINE:]
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
        self._listener.batch_received()
        self._changed.notify()

    def _take_line(self, text: str) -> None:
        if text[0] == "<":
            self._take_report(text)
            return
        self._traffic.received(text)
        if text[0] in "[$":
            self._questions.line(text)
        if text.startswith("[MSG:"):
            self.message = text[5:].rstrip("]")
            self.needs_reset = self.needs_reset or self.message == _NEEDS_RESET
        elif (error := reports.code(text, "error")) is not None:
            self._answer(error)
        elif (alarm := reports.code(text, "ALARM")) is not None:
            self._take_alarm(alarm)
        elif text[0] in "[$>":
            return
        elif (name := reports.welcome(text)) is not None:
            self._take_welcome(name)
        elif self._reset_asked:  # a welcome line in the controller's own wording
            self._take_welcome(self._name)
        elif self._connected:
            self._listener.unknown_line()

    def _answer(self, code: int) -> None:
        if not self._questions.answered(code):
            self._listener.answered(code)

    def _take_report(self, text: str) -> None:
        report = reports.report(text)
        if report is None:
            self._traffic.received(text)
            return
        self._log_report(text, report)
        self.picture.take(report)
        self._answered_poll = self.polls
        self._poll_sent_at = None
        self._listener.reported(report)

    def _log_report(self, text: str, report: Report) -> None:
        spelled, at = self._last_logged
        if report.spelled != spelled or (
            self._now() - at >= _REPORT_LOGGED_S and report.machine != self.picture.report.machine
        ):
            self._last_logged = (report.spelled, self._now())
            self._traffic.received(text)

    def _take_alarm(self, code: int) -> None:
        self.picture.take_alarm(code)
        self.polls += 1
        self._answered_poll = self.polls
        self._listener.alarmed(code)

    def _take_welcome(self, name: str | None) -> None:
        self._name = name
        self.needs_reset = False
        self.message = ""
        self._poll_sent_at = None
        self.picture.forget()
        if self._reset_asked:
            self._reset_asked = False
        elif self._connected:
            self._listener.was_reset()
        else:
            self.welcomed = True

    async def _wait_for_change(self, within: float) -> None:
        """Wait for any data, or `within` seconds. Raises Unavailable."""
        await self._changed.wait(within)
        if self.lost_reason:
            raise Unavailable(f"{self._settings.address}: {self.lost_reason}")

    def _lose(self, reason: str) -> None:
        if not self.lost_reason:
            self._close(reason)
            self._listener.lost(reason)

    def _close(self, reason: str) -> None:
        self.lost_reason = self.lost_reason or reason
        self._questions.give_up(self.lost_reason)
        self._changed.notify()

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()
