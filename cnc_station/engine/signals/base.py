"""What stations of a fleet tell each other. All of it is hints: the database is the truth."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from cnc_station.engine.domain.notice import Notice
from cnc_station.engine.views import Telemetry


@dataclass(frozen=True, slots=True)
class SignalHandlers:
    """What a station does with what it hears; called on its loop. `notice` gets MISSED where
    notices may have been lost."""

    work: Callable[[], None]
    notice: Callable[[Notice], None]
    telemetry: Callable[[Mapping[int, Telemetry]], None]


class Signals(Protocol):
    """A way to the other stations. Losing anything on it costs time, never a fact."""

    @property
    def connected(self) -> bool:
        """Whether hints come through now; without it the database is looked at instead."""
        ...

    async def start(self, handlers: SignalHandlers) -> None:
        """Begin to listen, and keep trying where that fails."""
        ...

    async def stop(self) -> None:
        """Let go of every connection."""
        ...

    def announce_work(self, claimable: Mapping[str, int]) -> None:
        """So many jobs for each machine type have become claimable."""
        ...

    def wait_for(self, machine_types: frozenset[str]) -> None:
        """This station has idle machines of these types and found nothing for them."""
        ...

    def publish_notice(self, notice: Notice) -> None:
        """This has been committed."""
        ...

    def publish_telemetry(self, telemetry: Mapping[int, Telemetry]) -> None:
        """What this station's machines do at this moment."""
        ...

    async def ping(self) -> None:
        """Raises Unavailable if the way is not there."""
        ...
