"""What comes in for one run: work at its controller, and a person's reply to its prompt."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum, auto

from cnc_station.engine.domain.errors import CncStationError, Conflict
from cnc_station.engine.drivers.base import RunAborted

log = logging.getLogger(__name__)

Work = Callable[[], Awaitable[None]]


class RunInbox:
    """Does the work in order, one after the other, while it is open. Earlier work waits for that.

    All work asks the controller and writes the result, so no two may overlap. A task exists only
    while there is work: most runs end without any. `gone` refuses what comes too late.
    """

    __slots__ = ("_current", "_gone", "_open", "_serving", "_waiting")

    def __init__(self, gone: str) -> None:
        self._gone = gone
        self._waiting: deque[tuple[Work, asyncio.Future[None]]] = deque()
        self._open = False
        self._serving: asyncio.Task[None] | None = None
        self._current: asyncio.Future[None] | None = None

    def put(self, work: Work) -> asyncio.Future[None]:
        """Queue the work. The future is done when the work is, with its error if it fails."""
        result: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((work, result))
        self._serve_if_open()
        return result

    def open(self) -> None:
        self._open = True
        self._serve_if_open()

    def refuse(self) -> None:
        """Refuse what still waits. The current work goes on."""
        self._open = False
        while self._waiting:
            _, result = self._waiting.popleft()
            _settle(result, Conflict(self._gone))

    def close(self) -> None:
        """Refuse what still waits, and cancel the current work."""
        self.refuse()
        if self._serving is not None:
            self._serving.cancel()
            if self._current is not None:
                _settle(self._current, Conflict(self._gone))

    def _serve_if_open(self) -> None:
        if self._open and self._waiting and self._serving is None:
            self._serving = asyncio.create_task(self._serve())

    async def _serve(self) -> None:
        try:
            while self._open and self._waiting:
                work, self._current = self._waiting.popleft()
                try:
                    await work()
                except Exception as error:
                    if not isinstance(error, CncStationError):
                        log.exception("a run's message failed")
                    _settle(self._current, error)
                else:
                    _settle(self._current, None)
        finally:
            self._serving = self._current = None


def _settle(result: asyncio.Future[None], error: Exception | None) -> None:
    if result.done():  # the caller was cancelled
        return
    if error is None:
        result.set_result(None)
    else:
        result.set_exception(error)


class OperatorPrompt(Enum):
    """What a run waits for a person to confirm."""

    SET_UP = auto()  # that it may start
    NEXT_PART = auto()  # that the next part may start
    END = auto()  # that it is done, where the machine may not report that


@dataclass(frozen=True, slots=True)
class OperatorReply:
    """Who replied, and the reason given."""

    actor: str
    reason: str = ""


class PromptBox:
    """At most one prompt at a time, answered at most once."""

    __slots__ = ("_prompt", "_reply")

    def __init__(self) -> None:
        self._prompt: OperatorPrompt | None = None
        self._reply: asyncio.Future[OperatorReply | None] | None = None

    def prompt(self, prompt: OperatorPrompt) -> None:
        """Accept a reply from now on, also before the run waits for it."""
        self._prompt, self._reply = prompt, asyncio.get_running_loop().create_future()

    def waits_for(self, prompt: OperatorPrompt) -> bool:
        return self._prompt is prompt and self._reply is not None and not self._reply.done()

    def reply(self, prompt: OperatorPrompt, reply: OperatorReply) -> bool:
        """Answer the prompt. Return whether it was open."""
        if not self.waits_for(prompt) or self._reply is None:
            return False
        self._reply.set_result(reply)
        return True

    async def wait(self, prompt: OperatorPrompt) -> OperatorReply:
        """Wait for the reply. Raises RunAborted if the prompt is dismissed instead."""
        if self._prompt is not prompt or self._reply is None:
            self.prompt(prompt)
        assert self._reply is not None
        try:
            reply = await self._reply
        finally:
            self._prompt = self._reply = None
        if reply is None:
            raise RunAborted("stopped while it waited")
        return reply

    def dismiss(self) -> None:
        """Close the prompt without a reply: the run is to end."""
        if self._reply is not None and not self._reply.done():
            self._reply.set_result(None)
