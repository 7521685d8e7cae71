"""What a run waits for a person to say, and the reply."""

import asyncio
from dataclasses import dataclass
from enum import Enum, auto

from cnc_station.engine.domain.errors import Conflict
from cnc_station.engine.drivers.base import RunAborted


class OperatorPrompt(Enum):
    """What a run waits for a person to reply."""

    SET_UP = auto()  # that it may start
    NEXT_PART = auto()  # that the next blank is in the machine
    END = auto()  # that it is done, where the machine may not say so itself


@dataclass(frozen=True, slots=True)
class OperatorReply:
    """Who replied, and why or with what."""

    actor: str
    reason: str = ""


class PromptBox:
    """At most one prompt at a time, answered at most once."""

    def __init__(self) -> None:
        self._prompt: OperatorPrompt | None = None
        self._reply: asyncio.Future[OperatorReply | None] | None = None

    def prompt(self, prompt: OperatorPrompt) -> None:
        """From now on a person can reply: a reply given before the run waits for it counts."""
        self._prompt, self._reply = prompt, asyncio.get_running_loop().create_future()

    def waits_for(self, prompt: OperatorPrompt) -> bool:
        """Whether just this prompt is open."""
        return self._prompt is prompt and self._reply is not None and not self._reply.done()

    def reply(self, prompt: OperatorPrompt, reply: OperatorReply) -> None:
        """A person replies. Raises Conflict if nobody waits for that."""
        if not self.waits_for(prompt) or self._reply is None:
            raise Conflict("It does not wait for that.")
        self._reply.set_result(reply)

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
        """The run is to end: nobody needs to reply any more."""
        if self._reply is not None and not self._reply.done():
            self._reply.set_result(None)
