"""Telemetry for the screen: one look at all machines at work, a few times a second."""

from collections.abc import Callable, Mapping

from cnc_station.engine.services.service import Service, When
from cnc_station.engine.views import Telemetry

EVERY_S = 0.2
AT_REST_S = 60.0


class Ticker(Service):
    """Keeps the latest telemetry by machine id; `tell` hears which machines have news."""

    when = When.ALWAYS

    def __init__(
        self,
        look: Callable[[], dict[int, Telemetry]],
        tell: Callable[[frozenset[int]], None],
        busy: Callable[[], bool],
    ) -> None:
        super().__init__()
        self._busy = busy
        self._look = look
        self._tell = tell
        self._latest: Mapping[int, Telemetry] = {}

    def latest(self, machine_id: int) -> Telemetry | None:
        """The latest of one machine at work."""
        return self._latest.get(machine_id)

    @property
    def all(self) -> Mapping[int, Telemetry]:
        """The latest of every machine at work."""
        return self._latest

    def begin(self) -> None:
        """A machine begins to work: look now, unless looking is under way."""
        if not self._latest:
            self.wake.hint()

    async def run_once(self) -> float:
        """Look at all of them; rest for long when nothing runs. A run that has only just been taken
        says nothing yet: that is no rest."""
        before, self._latest = self._latest, self._look()
        if news := before.keys() | self._latest.keys():
            self._tell(frozenset(news))
        return EVERY_S if self._latest or self._busy() else AT_REST_S
