"""Work without a machine: the protocol of a handler.

A handler gets a payload and works until it is done. It runs at least once: if its station dies, the
run is tried again.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from cnc_station.engine.domain.errors import CncStationError


class HandlerFailed(CncStationError):
    """The work failed, with a sentence that states why. It may be tried again."""


@dataclass(frozen=True, slots=True)
class HandlerOrder:
    """The work of one run. `attempt` counts from 1. `payload` is that of the job, unchecked."""

    run_id: int
    job_id: int
    attempt: int
    payload: Mapping[str, Any]


class Handler(Protocol):
    """One kind of work. Several runs share it at the same time."""

    name: str  # "test.delay": as jobs name it

    async def run(self, order: HandlerOrder, progress: Callable[[float], None]) -> None:
        """Do the work, and return when it is done. Report `progress` from 0 to 1.

        Runs on the event loop: await what takes more than 5 ms. Raises HandlerFailed. An abort
        cancels it: it must stop what it has begun before it raises CancelledError.
        """
