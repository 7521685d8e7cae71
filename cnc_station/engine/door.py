"""The one door of a station: commands, queries and notices, bound to a principal.

Every command is admitted here (`domain.admission`): no text reaches the answers unchecked. The
right of the principal is checked where it is answered, with what its account may do by then.

The window, the command line and the web use only this, `commands`, `queries`, `views` and `domain`.
Nothing here blocks its loop.
"""

import logging
from collections.abc import Callable
from dataclasses import replace
from time import perf_counter
from typing import Any, Protocol, TypeVar

from cnc_station.engine.commands import Command, SignOff, SignOn
from cnc_station.engine.domain import admission
from cnc_station.engine.domain.accounts import Credentials
from cnc_station.engine.domain.notice import Notice
from cnc_station.engine.domain.principal import Principal
from cnc_station.engine.queries import BearerOf, LiveQuery, Query
from cnc_station.engine.views.accounts import SignedOn
from cnc_station.engine.views.tokens import TokenBearer

log = logging.getLogger(__name__)

T = TypeVar("T")
Unsubscribe = Callable[[], None]


class Asks(Protocol):
    """Commands and queries to a station, from its own process or another one."""

    async def execute(self, command: Command[T]) -> T:
        """Change something. Raises InvalidInput, Conflict, NotPermitted, Fenced, Unavailable."""

    async def ask(self, query: Query[T]) -> T:
        """Read something. Raises NotPermitted, Unavailable."""


class Door:
    """Binds commands and queries to a principal, and logs how long each took.

    `answer` returns the answer to a live query at once, and an awaitable for all others.
    """

    def __init__(
        self,
        principal: Principal,
        answer: Callable[[Principal, Any], Any],
        subscribe: Callable[[Callable[[Notice], None]], Unsubscribe],
        subscribe_telemetry: Callable[[Callable[[frozenset[int]], None]], Unsubscribe],
    ) -> None:
        self._principal = self._nobody = principal
        self._answer = answer
        self.subscribe = subscribe
        """Call a listener on the engine's loop after each commit. Returns how to unsubscribe."""
        self.subscribe_telemetry = subscribe_telemetry
        """Call a listener with the ids of machines with new telemetry, a few times a second."""

    @property
    def operator(self) -> str:
        """The name in the events of what is asked here."""
        return self._principal.name

    @property
    def tenants(self) -> frozenset[str] | None:
        """The only ones whose jobs it shows; None: all."""
        return self._principal.tenants

    def of_principal(self, principal: Principal) -> "Door":
        """Return a door of the same station for another principal."""
        return Door(principal, self._answer, self.subscribe, self.subscribe_telemetry)

    async def of_token(self, token: str, origin: str) -> tuple["Door", TokenBearer]:
        """Return a door for the bearer of a token. `origin` is for the history. Raises
        NotSignedOn."""
        bearer = await self.ask(BearerOf(token))
        return self.of_principal(replace(bearer.principal, origin=origin)), bearer

    def from_origin(self, origin: str) -> "Door":
        """Return a door for the same principal with another origin, for the history."""
        return self.of_principal(replace(self._nobody, origin=origin))

    def rename_operator(self, name: str) -> None:
        """Act under another name with the same rights: a station without accounts accepts any
        name of a person. Raises InvalidInput."""
        self._principal = replace(self._principal, name=admission.operator(name))

    async def sign_on(self, credentials: Credentials) -> SignedOn:
        """Act as the person of these credentials from now on. Raises NotSignedOn, Locked, Conflict;
        whoever was signed on then stays so."""
        signed_on = await self.execute(SignOn(credentials))
        self._principal = signed_on.principal
        return signed_on

    async def use_token(self, token: str) -> TokenBearer:
        """Act as the bearer of a token from now on. Raises NotSignedOn."""
        bearer = await self.ask(BearerOf(token))
        self._principal = bearer.principal
        return bearer

    async def sign_off(self) -> None:
        """Act as nobody from now on, whatever becomes of the record."""
        command, self._principal, gone = SignOff(), self._nobody, self._principal
        await self._timed(command, gone)

    async def execute(self, command: Command[T], *, word: Credentials | None = None) -> T:
        """Change something; with `word` by the right of another person, for this command only.
        Raises what the command says, and NotSignedOn or Locked for the word."""
        command = admission.admitted(command)
        if word is None:
            return await self._timed(command)
        permitting = (await self.execute(SignOn(word))).principal
        return await self._timed(command, replace(permitting, for_whom=self.operator))

    async def ask(self, query: Query[T]) -> T:
        if isinstance(query, LiveQuery):
            answer: T = self.peek(query)
            return answer
        return await self._timed(admission.searchable(query))

    def peek(self, query: LiveQuery[T]) -> T:
        """Answer a live query at once, from memory."""
        answer: T = self._answer(self._principal, query)
        return answer

    async def _timed(self, asked: Command[T] | Query[T], by: Principal | None = None) -> T:
        started = perf_counter()
        try:
            answer: T = await self._answer(by or self._principal, asked)
        finally:
            log.debug("%s: %.1f ms", type(asked).__name__, (perf_counter() - started) * 1000)
        return answer
