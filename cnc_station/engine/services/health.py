"""Whether each thing the station depends on is there, as far as its last use showed."""

from collections.abc import Callable
from dataclasses import replace

from cnc_station.engine.timing import now_ms
from cnc_station.engine.views import Link

CONNECTED = "connected"
STANDALONE = "standalone"
OFFLINE = "offline"


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
