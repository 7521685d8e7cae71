"""`$` commands and lines that set modes, with the lines that a controller answers before its ok."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from cnc_station.engine.domain.errors import Unavailable
from cnc_station.engine.drivers.grbl.hearing import Refused


@dataclass(slots=True)
class _Question:
    answer: asyncio.Future[list[str]]
    expects: str
    lines: list[str] = field(default_factory=list)


class Questions:
    """Asks one question at a time, only while no program line is unanswered.

    `send` sends a line.
    """

    def __init__(self, address: str, patience_s: float, send: Callable[[str], None]) -> None:
        self.address = address
        self._patience_s = patience_s
        self._send = send
        self._turn = asyncio.Lock()
        self._open: _Question | None = None

    async def ask(
        self, command: str, *, expects: str = "", within_s: float | None = None
    ) -> list[str]:
        """Return the lines before its ok.

        An ok without a line that starts with `expects` belongs to an earlier command. Raises
        Refused, Unavailable.
        """
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
        """Take over a line that may belong to an answer."""
        if self._open is not None:
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
