"""The seam to work without a machine: one small protocol, a file for each kind.

A handler knows nothing of jobs, databases or screens: it is given a payload and works until it is
done. It is run at least once: a station that dies in the middle has its runs tried again.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from cnc_station.engine.domain.errors import CncStationError


class HandlerFailed(CncStationError):
    """It could not be done, with a sentence that says why; it may be tried again."""


@dataclass(frozen=True, slots=True)
class HandlerOrder:
    """What a handler is asked to do. `attempt` counts from 1; `payload` is what whoever submitted
    the job has given: not checked by anybody else."""

    run_id: int
    job_id: int
    attempt: int
    payload: Mapping[str, Any]


class Handler(Protocol):
    """One kind of work. Its runs share it, several at the same time."""

    name: str  # "test.delay": as jobs name it

    async def run(self, order: HandlerOrder, progress: Callable[[float], None]) -> None:
        """Do it, and return when it is done; `progress` hears how much is, from 0 to 1.

        Runs on the event loop: what takes more than 5 ms is awaited. Raises HandlerFailed. To
        abort it, it is cancelled: then it stops what it has begun before it raises CancelledError.
        """
        ...
