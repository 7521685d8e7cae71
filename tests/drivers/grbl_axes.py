"""The motion of the fake GRBL: a planner and axes that move along straight lines in time."""

import math
from collections import deque
from dataclasses import dataclass

Place = tuple[float, float, float]


@dataclass(slots=True)
class Block:
    target: Place
    seconds: float
    feed: float


class Axes:
    """`speed`: machine seconds per real second; infinite makes every move at once.

    `lag`: real seconds between the first queued move and the start of the axes, in which a
    controller shows Idle. `braking`: real seconds of a feed hold. `rests` counts how often they
    came to rest because nothing was queued: more than once in a program means a starved buffer.
    """

    def __init__(self, room: int, speed: float, lag: float = 0.02, braking: float = 0.03) -> None:
        self.room = room
        self.speed = speed
        self.lag = lag
        self.braking = braking
        self.place: Place = (0.0, 0.0, 0.0)
        self.blocks: deque[Block] = deque()
        self.most_blocks = 0
        self.rests = 0
        self._from: Place = self.place
        self._begun: float | None = None  # the start time of the first block; None: at rest
        self._sets_off: float | None = None
        self._stops: float | None = None

    @property
    def end(self) -> Place:
        """The end of the last queued move."""
        return self.blocks[-1].target if self.blocks else self.place

    @property
    def moving(self) -> bool:
        return self._begun is not None

    @property
    def braking_now(self) -> bool:
        return self._stops is not None

    @property
    def feed(self) -> float:
        return self.blocks[0].feed if self._begun is not None and self.blocks else 0.0

    def queue(self, target: Place, feed: float, now: float) -> None:
        seconds = math.dist(self.end, target) / feed * 60 / self.speed
        if seconds == 0 and not self.blocks:
            self.place = target
            return
        self.blocks.append(Block(target, seconds, feed))
        self.most_blocks = max(self.most_blocks, len(self.blocks))
        if self._begun is None and self._sets_off is None:
            self._sets_off = now + self.lag

    def advance(self, now: float) -> None:
        if self._begun is None and self._sets_off is not None and now >= self._sets_off:
            self._begun, self._sets_off, self._from = self._sets_off, None, self.place
        if self._stops is not None and now >= self._stops:
            self._move_to(self._stops)
            self._begun = self._stops = None
        if self._begun is not None:
            self._move_to(now)
            if not self.blocks:
                self._begun = self._stops = None
                self.rests += 1

    def _move_to(self, now: float) -> None:
        while self.blocks and self._begun is not None:
            block = self.blocks[0]
            gone = now - self._begun
            if gone < block.seconds:
                share = gone / block.seconds
                pairs = zip(self._from, block.target, strict=True)
                x, y, z = (a + (b - a) * share for a, b in pairs)
                self.place = (x, y, z)
                return
            self.place = self._from = block.target
            self._begun += block.seconds
            self.blocks.popleft()

    def brake(self, now: float) -> None:
        self._sets_off = None
        if self._begun is not None and self._stops is None:
            self._stops = now + self.braking

    def go_on(self, now: float) -> None:
        if not self.blocks:
            return
        rest = self.blocks[0]
        share = math.dist(self.place, rest.target) / (math.dist(self._from, rest.target) or 1.0)
        rest.seconds *= min(1.0, share)
        self._sets_off = now

    def stop_dead(self) -> None:
        self.blocks.clear()
        self._begun = self._sets_off = self._stops = None

    def next_event(self) -> float | None:
        """The time of the next change; None if there is none."""
        if self._stops is not None:
            return self._stops
        if self._sets_off is not None:
            return self._sets_off
        if self._begun is not None and self.blocks:
            return self._begun + self.blocks[0].seconds
        return None
