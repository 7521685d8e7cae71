"""The base of all services: a loop that does all pending work, then waits for a hint."""

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
    UNTIL_REPLACED = auto()  # until another station has taken this one's name and machines
    LEADING = auto()  # started again with each term in which this station leads


class Service(ABC):
    """A subclass declares when it may run (`when`) and which events wake it (`wakes_on`; a missed
    notice may have had any of them). `lost_hint_s` is how soon it runs after a commit of another
    station whose hint may have been lost; None: its own rest is short enough.

    If a dependency is lost, it retries after growing pauses and logs the reason once: a loss over a
    weekend must not fill the log. A bug is logged with its trace and the loop goes on, so that one
    bad row never stops the shop.
    """

    when: When = When.UNTIL_REPLACED
    wakes_on: tuple[Predicate, ...] = ()
    lost_hint_s: float | None = None

    def __init__(self) -> None:
        self.wake = Wake()
        self._task: asyncio.Task[None] | None = None

    @abstractmethod
    async def run_once(self) -> float:
        """Process all pending work. Return the maximum idle time in seconds."""

    async def start(self) -> None:
        self._task = asyncio.create_task(self._loop(), name=type(self).__name__)

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
        self.wake.forget()

    def hear(self, notice: Notice) -> None:
        if self.wakes_on and (notice.missed or any(wakes(notice) for wakes in self.wakes_on)):
            self.wake.hint()

    def look_within(self, seconds: float) -> None:
        """Run within so long: there may be work that is not urgent."""
        if self._task is not None:
            self.wake.hint_within(seconds)

    async def _loop(self) -> None:
        pause, logged = GrowingPause(FIRST_PAUSE_S, LONGEST_PAUSE_S), ""
        while True:
            try:
                rest = await self.run_once()
                logged = ""
                pause.reset()
            except Unavailable as error:
                if logged != (logged := str(error)):
                    log.warning("%s waits: %s", type(self).__name__, error)
                rest = pause.next_s()
            except (Exception, asyncio.CancelledError):
                task = asyncio.current_task()
                if task is None or task.cancelling():  # the task itself, not what it waited for
                    raise
                log.exception("%s failed and goes on", type(self).__name__)
                rest = pause.next_s()
            await self.wake.wait(rest)
