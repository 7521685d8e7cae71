"""A run in hand, and the words that people say about it."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any

from cnc_station.engine.domain import transitions as t
from cnc_station.engine.domain.errors import Conflict
from cnc_station.engine.drivers.base import Driver, OnLoss, RunAborted
from cnc_station.engine.services.outcome import RUNNER
from cnc_station.engine.services.progress import Progress
from cnc_station.engine.store.new_runs import Claimed
from cnc_station.engine.views import AtClosing


class Wait(Enum):
    """What a run waits for a person to say."""

    SET_UP = auto()  # that it may start
    NEXT_PART = auto()  # that the next blank is in the machine
    END = auto()  # that it is done, where the machine may not say so itself


@dataclass(frozen=True, slots=True)
class Word:
    """What a person said: who, and why or with what."""

    actor: str
    reason: str = ""


@dataclass(slots=True)
class Live:
    """A run in hand. `stopped_by` is set before its driver is told to abort; `held` is what is
    written of it, `begun` whether its start is."""

    claimed: Claimed
    driver: Driver
    lease_ends: float
    task: asyncio.Task[t.Transition | None] | None = None
    progress: Progress | None = None
    part: int = 1  # the one in hand, from 1
    part_over: bool = False  # taken up after its end
    begun: bool = False
    held: bool = False
    stopped_by: str = ""
    stop_reason: str = ""
    defer: bool = False
    closing: bool = False
    lost: bool = False
    changing: asyncio.Lock = field(default_factory=asyncio.Lock)
    under_way: asyncio.Event = field(default_factory=asyncio.Event)  # told to begin, or never will
    _waits_for: Wait | None = None
    _said: asyncio.Future[Word | None] | None = None

    @property
    def starts_on_a_word(self) -> bool:
        """Whether a person has to say that it may start, or has started."""
        return self.claimed.operator_starts or not self.driver.abilities.starts

    @property
    def at_closing(self) -> AtClosing:
        """What becomes of it when the station is closed now."""
        if not self.begun:
            return AtClosing.RETURNED
        if self.driver.abilities.outlives:
            return AtClosing.GOES_ON
        harmless = self.driver.on_loss is OnLoss.RETRY
        return AtClosing.BEGINS_AGAIN if harmless else AtClosing.ABORTED

    def expect(self, wait: Wait) -> None:
        """From now on a person can say it: what is said before the run waits for it counts."""
        self._waits_for, self._said = wait, asyncio.get_running_loop().create_future()

    def word(self, wait: Wait) -> Coroutine[Any, Any, Word]:
        """Wait until a person says so. Raises RunAborted if the run is stopped instead."""
        if self._waits_for is not wait or self._said is None:
            self.expect(wait)
        assert self._said is not None
        return self._heard(self._said)

    async def _heard(self, said: asyncio.Future[Word | None]) -> Word:
        try:
            if self.stopped_by or self.lost:
                self.stop_waiting()
            word = await said
        finally:
            self._waits_for = self._said = None
        if word is None:
            raise RunAborted("stopped while it waited")
        return word

    def waits_for(self, wait: Wait) -> bool:
        """Whether it waits for just this."""
        return self._waits_for is wait and self._said is not None and not self._said.done()

    def say(self, wait: Wait, word: Word) -> None:
        """A person says it. Raises Conflict if nobody waits for that."""
        if not self.waits_for(wait) or self._said is None:
            raise Conflict(f"Job {self.claimed.job_id} does not wait for that.")
        self._said.set_result(word)

    def stop_waiting(self) -> None:
        """The run is to end: nobody needs to say anything any more."""
        if self._said is not None and not self._said.done():
            self._said.set_result(None)

    @property
    def stopper(self) -> str:
        """Who ended it."""
        return self.stopped_by or RUNNER
