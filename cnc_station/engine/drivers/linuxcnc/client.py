"""A session with linuxcncrsh: lines of text over TCP.

Observed protocol: many requests can be sent at once and are answered in order. Each `get` has one
answer line that starts with its keyword (or `GET keyword NAK`). Each `set` is answered with `SET
keyword ACK` or NAK once verbose is on. Blank lines come in between. Only the text of an error or a
message can have several lines. `ACK` means received, not done.

linuxcncrsh parses the requests of all sessions in one buffer: two sessions that ask at the same
moment sometimes get a NAK, or the answer to another question. Some requests crash it: in 2.9, `get
spindle` and `get spindle_override` without a number end the process, and with it the running cut.
Another session may remove the number, so these must not be asked at all.
"""

import asyncio
import contextlib
import errno
import socket
from collections.abc import Coroutine, Sequence
from typing import Any, Self, TypeVar

from cnc_station.engine.domain.errors import Conflict, Unavailable
from cnc_station.engine.drivers.linuxcnc.settings import Settings
from cnc_station.engine.drivers.publisher import Traffic
from cnc_station.engine.drivers.unreachable import unreachable
from cnc_station.peers.limits import LINUXCNC
from cnc_station.peers.values import text

T = TypeVar("T")
PATIENCE_S = LINUXCNC.last_byte_s
NAK = "NAK"
ATTEMPTS = 3  # another session may have interfered
QUIET = frozenset({"REL_ACT_POS", "PROGRAM_LINE", "PROGRAM_CODES", "PLAT"})
TEXTS = frozenset({"ERROR ", "OPERATOR_DISPLAY ", "OPERATOR_TEXT "})
_QUICKACK = getattr(socket, "TCP_QUICKACK", None)


class Refused(Conflict):
    """The controller refused a command. The message is its answer."""


class Client:
    """One session. Requests of several coroutines are queued. A cancelled one is still answered, so
    that the next gets its own answer. Raises Unavailable after the connection is broken."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        traffic: Traffic,
        address: str,
    ) -> None:
        self._address = address
        self._reader = reader
        self._writer = writer
        self._traffic = traffic
        self._lock = asyncio.Lock()
        self._last_answers: dict[str, str] = {}
        self._running: set[asyncio.Task[Any]] = set()
        self._lines_left = self._bytes_left = 0  # of the present exchange
        self.greeting = ""

    @classmethod
    async def connect(cls, settings: Settings, traffic: Traffic) -> Self:
        """Connect and say hello. Takes no control from another session."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                reader, writer = await asyncio.open_connection(settings.host, settings.port)
        except (OSError, UnicodeError) as error:  # ValueError: an impossible host name
            raise unreachable(f"LinuxCNC at {settings.address}", error) from error
        client = cls(reader, writer, traffic, settings.address)
        try:
            await client._run_shielded(client._hello(settings.connect_password))
        except BaseException:
            await client.close()
            raise
        return client

    async def close(self) -> None:
        """Disconnect. The controller continues what it does."""
        for task in tuple(self._running):
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        self._writer.close()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()

    async def ask(self, *words: str) -> list[str]:
        """Send all questions at once. Return the answers without their keyword; NAK if unknown."""
        return await self._run_shielded(self._ask(words))

    async def set(self, words: str) -> None:
        """Send a command. Returns when the controller has received it. Raises Refused."""
        answer = await self._run_shielded(self._set(words))
        word = words.split(maxsplit=1)[0].upper()
        if answer.upper() != f"SET {word} ACK":
            raise Refused(answer)

    async def settle(self) -> None:
        """Receive all pending answers, so that the next ones belong to the next requests."""
        await self._run_shielded(self._settle())

    async def _run_shielded(self, exchange: Coroutine[object, object, T]) -> T:
        """Run an exchange to its end, even if the caller is cancelled."""
        task = asyncio.create_task(self._exclusively(exchange))
        self._running.add(task)
        task.add_done_callback(self._finished)
        return await asyncio.shield(task)

    def _finished(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if not task.cancelled():
            task.exception()  # retrieved, even if no caller waits for it

    async def _exclusively(self, exchange: Coroutine[object, object, T]) -> T:
        try:
            async with self._lock, asyncio.timeout(PATIENCE_S):
                self._lines_left, self._bytes_left = LINUXCNC.items, LINUXCNC.bytes
                return await exchange
        except TimeoutError as error:
            self._writer.close()  # a late answer would be taken for that of another request
            reason = f"did not answer within {PATIENCE_S:g} s"
            raise Unavailable(f"LinuxCNC at {self._address} {reason}") from error
        except OSError as error:
            self._writer.close()
            raise unreachable(f"LinuxCNC at {self._address}", error) from error
        finally:
            exchange.close()

    async def _hello(self, password: str) -> None:
        self.greeting = await self._reply(f"hello {password} cnc-station 1.0", "HELLO ACK")
        self._traffic.sent("hello *** cnc-station 1.0")
        self._traffic.received(self.greeting)
        if not self.greeting.upper().startswith("HELLO ACK"):
            raise Unavailable(f"LinuxCNC at {self._address} refuses the connect password")
        for _ in range(ATTEMPTS):
            self._send("set echo off")  # not answered yet
            if (await self._reply("get echo", "ECHO O")).upper() == "ECHO OFF":
                break
        answer = await self._reply("set verbose on", "SET VERBOSE ACK")
        if not answer.upper().endswith("ACK"):
            reason = "does not speak the protocol of linuxcncrsh"
            raise Unavailable(f"the server at {self._address} {reason}: {text(answer, 200)}")

    async def _reply(self, request: str, expected: str) -> str:
        """Return the line that starts with `expected`, after any echo; otherwise the last NAK."""
        line = ""
        for _ in range(ATTEMPTS):
            self._send(request)
            while not (line := await self._line()).upper().endswith(f" {NAK}"):
                if line.upper().startswith(expected):
                    return line
        return line

    async def _settle(self) -> None:
        self._send("get comm_prot")  # not requested anywhere else
        while not (await self._line()).upper().startswith("COMM_PROT"):
            pass

    async def _ask(self, words: Sequence[str]) -> list[str]:
        """Return one line for each question. A text has all lines until the next answer."""
        self._send(*(f"get {word}" for word in words))
        starts = [word.split(maxsplit=1)[0].upper() + " " for word in words]
        answers: list[str] = []
        while (done := len(answers)) < len(words):
            line = await self._line()
            start = f"{line.upper()} "
            ahead = (index for index in range(done, len(words)) if start.startswith(starts[index]))
            if (found := next(ahead, None)) is not None:
                answers += [NAK] * (found - done)
                answers.append(line[len(starts[found]) :].strip())
            elif (  # a text goes on
                done
                and starts[done - 1] in TEXTS
                and answers[-1].upper() not in {"OK", NAK}
                and not start.startswith("GET ")
            ):
                answers[-1] += f" {line}"
            else:
                answers.append(NAK)  # or the answer to a question of another session
        self._log_new_answers(words, answers)
        return answers

    async def _set(self, words: str) -> str:
        self._send(f"set {words}")
        answer = await self._line()
        secret = words.startswith("enable ") and words != "enable off"
        self._traffic.sent("set enable ***" if secret else f"set {words}")
        self._traffic.received(answer)
        return answer

    def _send(self, *requests: str) -> None:
        self._writer.write("".join(f"{request}\r\n" for request in requests).encode())
        if _QUICKACK is not None:
            # It writes each answer separately, and all but the first wait for an acknowledgement
            # (Nagle, delayed ACK). Quick ACK is set after each request, because sending ends it.
            self._writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, _QUICKACK, 1)

    async def _line(self) -> str:
        while True:
            try:
                line = await self._reader.readline()
            except ValueError as error:  # longer than the buffer of the reader
                raise OSError("no lines") from error
            self._lines_left -= 1
            self._bytes_left -= len(line)
            if min(self._lines_left, self._bytes_left) < 0:
                self._writer.close()
                reason = "sends more than it was asked for: is it another program?"
                raise Unavailable(f"the server at {self._address} {reason}")
            if not line:
                raise ConnectionResetError(errno.ECONNRESET, "it has closed the connection")
            told = line.decode("utf-8", "replace").strip()
            if told:
                return told

    def _log_new_answers(self, words: Sequence[str], answers: Sequence[str]) -> None:
        """Record only new answers: the same questions are asked ten times a second."""
        for asked, answer in zip(words, answers, strict=True):
            if (
                asked.split(maxsplit=1)[0].upper() in QUIET
                or self._last_answers.get(asked) == answer
            ):
                continue
            self._last_answers[asked] = answer
            self._traffic.sent(f"get {asked}")
            self._traffic.received(f"{asked.upper()} {answer}")
