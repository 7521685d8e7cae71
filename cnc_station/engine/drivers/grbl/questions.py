"""The listener of a controller's messages, and questions (`$` commands, lines that set modes) with
their answers, some of which identify the controller."""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from cnc_station.engine.domain.errors import CncStationError, Unavailable
from cnc_station.engine.drivers.grbl import meanings, reports
from cnc_station.engine.drivers.grbl.reports import Make, Report
from cnc_station.peers.limits import GRBL


class Refused(CncStationError):
    """The controller answered a command with an error."""

    def __init__(self, code: int) -> None:
        super().__init__(meanings.error(code))
        self.code = code


class ControllerListener(Protocol):
    """Receives what a controller sends. Called from within the loop; must not block."""

    def answered(self, code: int) -> None:
        """A program line was accepted (0), or refused with an error."""

    def batch_received(self) -> None:
        """All lines received at once have been passed on."""

    def reported(self, report: Report) -> None: ...
    def alarmed(self, code: int) -> None: ...
    def unknown_line(self) -> None:
        """A line came that is not a known answer: possibly a custom welcome line."""

    def was_reset(self) -> None:
        """The controller restarted without a request from here."""

    def lost(self, reason: str) -> None: ...


class ChangeSignal:
    """Wakes all waiting tasks at once."""

    def __init__(self) -> None:
        self._waiting: list[asyncio.Future[None]] = []

    async def wait(self, within: float) -> None:
        """Wait for the next notification, or `within` seconds."""
        waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiting)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within):
                await waiting

    def notify(self) -> None:
        waiting, self._waiting = self._waiting, []
        for future in waiting:
            if not future.done():
                future.set_result(None)


@dataclass(slots=True)
class _Question:
    answer: asyncio.Future[list[str]]
    expects: str
    lines: list[str] = field(default_factory=list)


class Questions:
    """Sends one question at a time with `send`, only while no program line is unanswered."""

    def __init__(self, address: str, patience_s: float, send: Callable[[str], None]) -> None:
        self.address = address
        self._patience_s = patience_s
        self._send = send
        self._turn = asyncio.Lock()
        self._open: _Question | None = None

    async def ask(
        self, command: str, *, expects: str = "", within_s: float | None = None
    ) -> list[str]:
        """Return the lines before its ok. An ok without a line that starts with `expects` belongs
        to an earlier command. Raises Refused, Unavailable."""
        async with self._turn:
            question = _Question(asyncio.get_running_loop().create_future(), expects)
            self._open = question
            self._send(command)
            try:
                async with asyncio.timeout(within_s or self._patience_s):
                    return await question.answer
            except TimeoutError:
                raise Unavailable(f"{self.address} did not answer {command}") from None
            finally:
                self._open = None

    def line(self, text: str) -> None:
        if self._open is not None and len(self._open.lines) < GRBL.items:
            self._open.lines.append(text)

    def answered(self, code: int) -> bool:
        """Take over an ok (0) or an error. Return False if it belongs to a program line."""
        question = self._open
        if question is None:
            return False
        if question.answer.done():
            return True
        if code:
            question.answer.set_exception(Refused(code))
        elif any(line.startswith(question.expects) for line in question.lines or [""]):
            question.answer.set_result(question.lines)
        return True

    def give_up(self, why: str) -> None:
        """End the open question: no answer will come."""
        if self._open is not None and not self._open.answer.done():
            self._open.answer.set_exception(Unavailable(f"{self.address}: {why}"))


log = logging.getLogger(__name__)

_REPORTS_IN_INCHES, _HOMING = 13, 22  # numbers of settings


@dataclass(frozen=True, slots=True)
class ControllerInfo:
    """The make and settings of a controller. `homing`: whether homing is switched on; None if
    unknown. `inches`: whether it reports in inches. `build` is its firmware text, `settings` are
    all its settings by number."""

    make: Make
    inches: bool
    homing: bool | None
    build: str = ""
    settings: tuple[tuple[str, str], ...] = ()


async def read_info(questions: Questions, name: str | None) -> ControllerInfo | None:
    """Return the controller's info; None if it does not report it. Raises Unavailable. `name` comes
    from its welcome line. An earlier connection may have left half a line in the buffer. A `$` in
    it makes the line an error, so nothing moves; the second question is then understood."""
    for _ in range(2):
        try:
            answer = await questions.ask("$I", expects="[OPT:")
            return _read(answer, await questions.ask("$$"), name)
        except Refused as error:
            log.warning("%s does not identify itself: %s", questions.address, error)
    return None


def _read(answer: list[str], settings: list[str], name: str | None) -> ControllerInfo:
    values = dict(filter(None, map(reports.setting, settings)))
    homing = values.get(_HOMING)  # a bit mask in grblHAL; bit 0 switches it on
    build = next((line for line in answer if line.startswith("[VER:")), "").strip("[]")
    return ControllerInfo(
        reports.make(answer, name),
        inches=values.get(_REPORTS_IN_INCHES) == "1",
        homing=homing.isdecimal() and int(homing) % 2 == 1 if homing else None,
        build=build,
        settings=tuple((str(number), value) for number, value in sorted(values.items())),
    )
