"""The state of each dependency, by its last use and by regular probes."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace

from cnc_station.engine.domain.errors import Unavailable
from cnc_station.engine.services.service import Service, When
from cnc_station.engine.timing import now_ms
from cnc_station.engine.views import Link

log = logging.getLogger(__name__)

CONNECTED = "connected"
STANDALONE = "standalone"
OFFLINE = "offline"
EVERY_S = 0.8
PATIENCE_S = 1.0


class Health:
    """Links by name. `on_change` is called when one changes, `on_return` when a lost one is back:
    notices may have been missed meanwhile. Those in `own` are part of this computer."""

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
        return tuple(self._links.values())

    def is_up(self, name: str) -> bool:
        known = self._links.get(name)
        return known is not None and known.state != OFFLINE

    def is_down(self, name: str) -> bool:
        known = self._links.get(name)
        return known is not None and known.state == OFFLINE

    def up(self, name: str) -> None:
        self._set(name, STANDALONE if name in self._own else CONNECTED, "")

    def down(self, name: str, detail: str) -> None:
        self._set(name, OFFLINE, detail)

    def _set(self, name: str, state: str, detail: str) -> None:
        known = self._links.get(name)
        if known is None or known.state != state:
            self._log(name, known, state, detail)
            self._links[name] = Link(name, state, now_ms(), detail)
            self._on_change()
            if known is not None and known.state == OFFLINE:
                self._on_return()
        elif known.detail != detail:  # for example, it answers again and refuses the password
            self._links[name] = replace(known, detail=detail)
            self._on_change()

    def _log(self, name: str, known: Link | None, state: str, detail: str) -> None:
        """Log a link that is lost or back, and at the start one to another computer."""
        if state == OFFLINE:
            log.warning("%s is not reachable: %s", name, detail)
        elif known is not None:
            log.info("%s is reachable again", name)
        elif name not in self._own:
            log.info("%s is reachable", name)


class HealthProbe(Service):
    """Asks one dependency regularly, so that the window shows its loss within two seconds.

    `ping` returns or raises Unavailable; without an answer in time the dependency counts as lost.
    A ping without an answer is not repeated until it has ended: a paused server would collect them.
    """

    when = When.ALWAYS

    def __init__(self, name: str, ping: Callable[[], Awaitable[None]], health: Health) -> None:
        super().__init__()
        self._name = name
        self._ping = ping
        self._health = health
        self._pinged: asyncio.Future[None] | None = None

    async def run_once(self) -> float:
        """Ping, or wait a little longer for the answer to the last ping."""
        if self._pinged is None:
            self._pinged = asyncio.ensure_future(self._ping())
        done, _ = await asyncio.wait([self._pinged], timeout=PATIENCE_S)
        if not done:
            if not self._health.is_down(self._name):  # otherwise the reason is already known
                self._health.down(self._name, "does not answer")
            return EVERY_S
        pinged, self._pinged = self._pinged, None
        try:
            pinged.result()
        except Unavailable as error:
            self._health.down(self._name, str(error))
        else:
            self._health.up(self._name)
        return EVERY_S

    async def stop(self) -> None:
        await super().stop()
        if self._pinged is not None:
            self._pinged.cancel()
            await asyncio.gather(self._pinged, return_exceptions=True)
