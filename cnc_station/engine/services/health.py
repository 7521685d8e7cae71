"""Whether each thing the station depends on is there, as far as its last use showed."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

from cnc_station.engine.domain.errors import Unavailable
from cnc_station.engine.services.service import Service, When
from cnc_station.engine.timing import now_ms
from cnc_station.engine.views import Link

CONNECTED = "connected"
STANDALONE = "standalone"
OFFLINE = "offline"
EVERY_S = 0.8
PATIENCE_S = 1.0


class Health:
    """Links by name; `on_change` is called when one comes or goes, `on_return` when one is back
    that was away: what happened meanwhile may have been missed. Those named in `own` are part of
    this PC: what works there stands alone."""

    def __init__(
        self,
        on_change: Callable[[], None],
        on_return: Callable[[], None] = lambda: None,
        own: frozenset[str] = frozenset(),
    ) -> None:
        self._on_change = on_change
        self._on_return = on_return
        self._own = own
        self._links: dict[str, Link] = {}

    def links(self) -> tuple[Link, ...]:
        """All of them, in the order they were first seen."""
        return tuple(self._links.values())

    def is_up(self, name: str) -> bool:
        """Whether its last use went well."""
        known = self._links.get(name)
        return known is not None and known.state != OFFLINE

    def is_down(self, name: str) -> bool:
        """Whether its last use failed."""
        known = self._links.get(name)
        return known is not None and known.state == OFFLINE

    def up(self, name: str) -> None:
        """It has just worked."""
        self._set(name, STANDALONE if name in self._own else CONNECTED, "")

    def down(self, name: str, detail: str) -> None:
        """It has just failed, and why."""
        self._set(name, OFFLINE, detail)

    def _set(self, name: str, state: str, detail: str) -> None:
        known = self._links.get(name)
        if known is None or known.state != state:
            self._links[name] = Link(name, state, now_ms(), detail)
            self._on_change()
            if known is not None and known.state == OFFLINE:
                self._on_return()
        elif known.detail != detail:  # it may be there again, and refuse the password
            self._links[name] = replace(known, detail=detail)
            self._on_change()


class HealthProbe(Service):
    """`ping` answers, or raises Unavailable; one that does not answer in time counts as away.

    A question that got no answer is not asked again until it has ended: a paused server would
    else collect them.
    """

    when = When.ALWAYS

    def __init__(self, name: str, ping: Callable[[], Awaitable[None]], health: Health) -> None:
        super().__init__()
        self._name = name
        self._ping = ping
        self._health = health
        self._asked: asyncio.Future[None] | None = None

    async def run_once(self) -> float:
        """Ask, or wait for the last answer a little longer."""
        if self._asked is None:
            self._asked = asyncio.ensure_future(self._ping())
        done, _ = await asyncio.wait([self._asked], timeout=PATIENCE_S)
        if not done:
            if not self._health.is_down(self._name):  # else it is known already why
                self._health.down(self._name, "does not answer")
            return EVERY_S
        asked, self._asked = self._asked, None
        try:
            asked.result()
        except Unavailable as error:
            self._health.down(self._name, str(error))
        else:
            self._health.up(self._name)
        return EVERY_S

    async def stop(self) -> None:
        """Without waiting for an answer."""
        await super().stop()
        if self._asked is not None:
            self._asked.cancel()
            await asyncio.gather(self._asked, return_exceptions=True)
