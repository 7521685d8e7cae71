"""Signals between the stations of a fleet. All are hints: the database is the truth."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from cnc_station.engine.domain.notice import Notice
from cnc_station.engine.views import Telemetry


@dataclass(frozen=True, slots=True)
class SignalHandlers:
    """Called on the loop when a signal arrives. `work` gets a machine type, `notice` gets MISSED if
    notices may be lost."""

    work: Callable[[str], None]
    notice: Callable[[Notice], None]
    telemetry: Callable[[Mapping[int, Telemetry]], None]


class Signals(Protocol):
    """A connection to the other stations. A lost signal costs time, but no facts."""

    @property
    def connected(self) -> bool:
        """Whether signals arrive now; otherwise the database is polled."""

    async def start(self, handlers: SignalHandlers) -> None:
        """Begin to listen. Retries after failures."""

    async def stop(self) -> None: ...

    def announce_work(self, claimable: Mapping[str, int]) -> None:
        """Announce how many jobs of each machine type have become claimable."""

    def wait_for(self, machine_types: frozenset[str]) -> None:
        """Wait for work for idle machines of these types."""

    def publish_notice(self, notice: Notice) -> None: ...

    def publish_telemetry(self, telemetry: Mapping[int, Telemetry]) -> None: ...

    async def ping(self) -> None:
        """Raises Unavailable if the connection is lost."""
