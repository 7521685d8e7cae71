"""Telemetry for the window: from all machines at work, a few times a second."""

from collections.abc import Callable, Mapping

from cnc_station.engine.services.service import Service, When
from cnc_station.engine.views import Telemetry

EVERY_S = 0.2
AT_REST_S = 60.0


class Ticker(Service):
    """`latest` is the telemetry by machine id. `publish` gets the ids of machines with news."""

    when = When.ALWAYS

    def __init__(
        self,
        read: Callable[[], dict[int, Telemetry]],
        publish: Callable[[frozenset[int]], None],
        busy: Callable[[], bool],
    ) -> None:
        super().__init__()
        self._busy = busy
        self._read = read
        self._publish = publish
        self.latest: Mapping[int, Telemetry] = {}

    def begin(self) -> None:
        """Run now if it rests: a machine begins to work."""
        if not self.latest:
            self.wake.hint()

    async def run_once(self) -> float:
        """Read all telemetry. Rest for long only if there is no run; a new one has no telemetry
        yet."""
        before, self.latest = self.latest, self._read()
        if news := before.keys() | self.latest.keys():
            self._publish(frozenset(news))
        return EVERY_S if self.latest or self._busy() else AT_REST_S
