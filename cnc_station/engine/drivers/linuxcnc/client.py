"""A session with linuxcncrsh: lines of text over TCP.

What was seen on the wire: requests may be sent many at once and are answered in order, each `get`
with one line that starts with its word (or `GET word NAK`), each `set` with `SET word ACK` or NAK
once verbose is on; blank lines come in between. Only the text of an error or a message may run over
several lines.
`ACK` means heard, not done. It parses all sessions' words in one place: two that ask at the same
moment now and then get a NAK, or the answer to another question. Some requests are deadly: in 2.9
`get spindle` and `get spindle_override` without a number end the process, and with it the machine's
cut; another session may take the number away, so it must not be asked at all.
"""

import asyncio
import contextlib
import errno
import socket
from collections.abc import Coroutine, Sequence
from typing import Any, Self, TypeVar

from cnc_station.engine.domain.errors import Conflict, Unavailable
from cnc_station.engine.drivers.linuxcnc.settings import Settings
from cnc_station.engine.drivers.traffic import Traffic
from cnc_station.engine.drivers.unreachable import unreachable

T = TypeVar("T")
PATIENCE_S = 5.0
NAK = "NAK"
ATTEMPTS = 3  # where another session may have come in between
QUIET = frozenset({"REL_ACT_POS", "PROGRAM_LINE", "PROGRAM_CODES", "PLAT"})
TEXTS = frozenset({"ERROR ", "OPERATOR_DISPLAY ", "OPERATOR_TEXT "})
_QUICKACK = getattr(socket, "TCP_QUICKACK", None)


def _may_go_on(question: str, answer: str) -> bool:
    return question in TEXTS and answer.upper() not in {"OK", NAK}


class Refused(Conflict):
    """The controller did not take a command; the text is its answer."""


class Client:
    """One session. Requests of several coroutines follow one another; one that is cancelled is
    still answered, so that the next gets its own answer. Raises Unavailable once it is broken."""

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
        self._turn = asyncio.Lock()
        self._told: dict[str, str] = {}
        self._under_way: set[asyncio.Task[Any]] = set()
        self.greeting = ""

    @classmethod
    async def connect(cls, settings: Settings, traffic: Traffic) -> Self:
        """Says hello, and nothing that would take control from another session."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                reader, writer = await asyncio.open_connection(settings.host, settings.port)
        except (OSError, UnicodeError) as error:  # the latter for a name that can't be one
            raise unreachable(f"LinuxCNC at {settings.address}", error) from error
        client = cls(reader, writer, traffic, settings.address)
        try:
            await client._whole(client._hello(settings.connect_password))
        except BaseException:
            await client.close()
            raise
        return client

    async def close(self) -> None:
        """Hang up; the controller keeps doing what it does."""
        for task in tuple(self._under_way):
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)
        self._writer.close()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()

    async def ask(self, *words: str) -> list[str]:
        """Asks all in one go; the answers without the word they start with, NAK where it knows no
        such word."""
        return await self._whole(self._ask(words))

    async def set(self, words: str) -> None:
        """Tells it to do something; it has then heard it. Raises Refused."""
        answer = await self._whole(self._set(words))
        word = words.split(maxsplit=1)[0].upper()
        if answer.upper() != f"SET {word} ACK":
            raise Refused(answer)

    async def settle(self) -> None:
        """Lets every answer pass that is still under way, so that the next ones are our own."""
        await self._whole(self._settle())

    async def _whole(self, exchange: Coroutine[object, object, T]) -> T:
        """An exchange that is not left half-way, whoever stops waiting for it."""
        task = asyncio.create_task(self._alone(exchange))
        self._under_way.add(task)
        task.add_done_callback(self._over)
        return await asyncio.shield(task)

    def _over(self, task: asyncio.Task[Any]) -> None:
        self._under_way.discard(task)
        if not task.cancelled():
            task.exception()  # heard, also where nobody waits for it any more

    async def _alone(self, exchange: Coroutine[object, object, T]) -> T:
        try:
            async with self._turn, asyncio.timeout(PATIENCE_S):
                return await exchange
        except TimeoutError as error:
            self._writer.close()  # a late answer would be taken for another one's
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
            self._send("set echo off")  # which nothing answers yet
            if (await self._reply("get echo", "ECHO O")).upper() == "ECHO OFF":
                break
        answer = await self._reply("set verbose on", "SET VERBOSE ACK")
        if not answer.upper().endswith("ACK"):
            reason = "does not speak as linuxcncrsh does"
            raise Unavailable(f"what answers at {self._address} {reason}: {answer}")

    async def _reply(self, request: str, expected: str) -> str:
        """The line that starts as expected, whatever is echoed before; else the last NAK."""
        line = ""
        for _ in range(ATTEMPTS):
            self._send(request)
            while not (line := await self._line()).upper().endswith(f" {NAK}"):
                if line.upper().startswith(expected):
                    return line
        return line

    async def _settle(self) -> None:
        self._send("get comm_prot")  # asked for nowhere else
        while not (await self._line()).upper().startswith("COMM_PROT"):
            pass

    async def _ask(self, words: Sequence[str]) -> list[str]:
        """One line for each question, but for a text's, of which any line may be more text until
        the next answer."""
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
            elif done and _may_go_on(starts[done - 1], answers[-1]) and start[:4] != "GET ":
                answers[-1] += f" {line}"
            else:
                answers.append(NAK)  # or the answer to another session's question
        self._note(words, answers)
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
            # It writes each answer by itself, and all but the first wait to be acknowledged. Asked
            # for after each request: sending ends it.
            self._writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, _QUICKACK, 1)

    async def _line(self) -> str:
        """The next line with anything in it."""
        while True:
            try:
                line = await self._reader.readline()
            except ValueError as error:  # longer than the reader's buffer
                raise OSError("no lines") from error
            if not line:
                raise ConnectionResetError(errno.ECONNRESET, "it has hung up")
            text = line.decode("utf-8", "replace").strip()
            if text:
                return text

    def _note(self, words: Sequence[str], answers: Sequence[str]) -> None:
        """Only what is news: the same is asked ten times a second."""
        for asked, answer in zip(words, answers, strict=True):
            if asked.split(maxsplit=1)[0].upper() in QUIET or self._told.get(asked) == answer:
                continue
            self._told[asked] = answer
            self._traffic.sent(f"get {asked}")
            self._traffic.received(f"{asked.upper()} {answer}")
