"""The one shape of a service: a loop that does what there is to do, then waits for a hint."""

import asyncio
import logging
from abc import ABC, abstractmethod
from enum import Enum, auto

from cnc_station.engine.domain.errors import Unavailable
from cnc_station.engine.domain.notice import Notice, Predicate
from cnc_station.engine.timing import GrowingPause, Wake

log = logging.getLogger(__name__)

FIRST_PAUSE_S = 0.2
LONGEST_PAUSE_S = 5.0


class When(Enum):
    """When a service may run."""

    ALWAYS = auto()
    UNTIL_REPLACED = auto()  # not once another station has this one's name, and its machines
    LEADING = auto()  # begun anew with each term in which this station leads


class Service(ABC):
    """`run_once` does all there is and says how long it may rest if nobody wakes it.

    A subclass declares when it may run (`when`) and which events wake it (`wakes_on`; a missed
    notice may have had any of them). `lost_hint_s`: how soon it looks by itself where others have
    committed and a hint may have been lost; None: its own rest is short enough.

    If the environment fails it, it comes back after a growing pause, and says once why: what stays
    away for a weekend must not wash all else out of the log. A bug is logged with its trace and the
    loop goes on, so that one bad row never stops the shop.
    """

    when: When = When.UNTIL_REPLACED
    wakes_on: tuple[Predicate, ...] = ()
    lost_hint_s: float | None = None

    def __init__(self) -> None:
        self.wake = Wake()
        self._task: asyncio.Task[None] | None = None

    @abstractmethod
    async def run_once(self) -> float:
        """Do what there is to do; returns the longest rest in seconds."""

    async def start(self) -> None:
        """Begin the loop."""
        self._task = asyncio.create_task(self._loop(), name=type(self).__name__)

    async def stop(self) -> None:
        """End the loop where it rests or waits."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
        self.wake.forget()

    def hear(self, notice: Notice) -> None:
        """Wake if the notice may have something to do for it."""
        wakes_on = self.wakes_on
        if wakes_on and (notice.missed or any(w(e) for w in wakes_on for e in notice.events)):
            self.wake.hint()

    def look_within(self, seconds: float) -> None:
        """There may be something to do that is not urgent."""
        if self._task is not None:
            self.wake.hint_within(seconds)

    async def _loop(self) -> None:
        pause, said = GrowingPause(FIRST_PAUSE_S, LONGEST_PAUSE_S), ""
        while True:
            try:
                rest = await self.run_once()
                said = ""
                pause.reset()
            except Unavailable as error:
                if said != (said := str(error)):
                    log.warning("%s waits: %s", type(self).__name__, error)
                rest = pause.next_s()
            except (Exception, asyncio.CancelledError):
                if _is_to_end():
                    raise
                log.exception("%s failed and goes on", type(self).__name__)
                rest = pause.next_s()
            await self.wake.wait(rest)


def _is_to_end() -> bool:
    """Whether this task was cancelled, and not something that it waited for."""
    task = asyncio.current_task()
    return task is None or task.cancelling() > 0
