"""Asks each dependency whether it is there, so that the window knows within two seconds."""

import asyncio
from collections.abc import Awaitable, Callable

from cnc_station.engine.domain.errors import Unavailable
from cnc_station.engine.services.health import Health
from cnc_station.engine.services.service import Service, When

EVERY_S = 0.8
PATIENCE_S = 1.0


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
