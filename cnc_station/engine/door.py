"""The one door: commands, queries and the change stream, bound to a principal.

The window, the command line and the web see only this, the values of `commands`, `queries` and
`views`, and `domain`. Nothing here blocks its loop.
"""

import logging
from collections.abc import Callable
from dataclasses import replace
from time import perf_counter
from typing import Any, Protocol, TypeVar

from cnc_station.engine.commands import Command
from cnc_station.engine.domain import permissions
from cnc_station.engine.domain.notice import Notice
from cnc_station.engine.domain.principal import Principal
from cnc_station.engine.queries import LiveQuery, Query

log = logging.getLogger(__name__)

T = TypeVar("T")
Unsubscribe = Callable[[], None]


class Asks(Protocol):
    """What can be asked of a station, from its own process or from another one."""

    async def execute(self, command: Command[T]) -> T:
        """Change something. Raises InvalidInput, Conflict, NotPermitted, Fenced, Unavailable."""
        ...

    async def ask(self, query: Query[T]) -> T:
        """Look at something. Raises NotPermitted, Unavailable."""
        ...


class Door:
    """Checks the principal's right to what it asks, and logs how long each answer took.

    `answer` gives a live query's answer at once, and an awaitable for everything else.
    """

    def __init__(
        self,
        principal: Principal,
        answer: Callable[[Principal, Any], Any],
        subscribe: Callable[[Callable[[Notice], None]], Unsubscribe],
        subscribe_telemetry: Callable[[Callable[[frozenset[int]], None]], Unsubscribe],
    ) -> None:
        self._principal = principal
        self._answer = answer
        self.subscribe = subscribe
        """Call a listener on the engine's loop after each commit. Returns how to stop that."""
        self.subscribe_telemetry = subscribe_telemetry
        """The same with the ids of the machines that have new telemetry, a few times a second."""

    @property
    def operator(self) -> str:
        """The name that stands in the events of what is asked here."""
        return self._principal.name

    def rename_operator(self, name: str) -> None:
        """Somebody else acts from now on, with the same rights: a station without accounts takes
        the name that a person gives."""
        self._principal = replace(self._principal, name=name)

    async def execute(self, command: Command[T]) -> T:
        """See `Asks.execute`."""
        return await self._timed(command)

    async def ask(self, query: Query[T]) -> T:
        """See `Asks.ask`."""
        if isinstance(query, LiveQuery):
            answer: T = self.peek(query)
            return answer
        return await self._timed(query)

    def peek(self, query: LiveQuery[T]) -> T:
        """Answer from memory, at once."""
        permissions.check(self._principal, query)
        answer: T = self._answer(self._principal, query)
        return answer

    async def _timed(self, asked: Command[T] | Query[T]) -> T:
        permissions.check(self._principal, asked)
        started = perf_counter()
        try:
            answer: T = await self._answer(self._principal, asked)
        finally:
            log.debug("%s: %.1f ms", type(asked).__name__, (perf_counter() - started) * 1000)
        return answer
