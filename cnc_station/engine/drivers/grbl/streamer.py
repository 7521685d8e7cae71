"""Streaming by counting characters: the controller's receive buffer is kept full, never over."""

from collections import deque
from collections.abc import Sequence


class Streamer:
    """Says what to send when, for one program.

    What must hold: the bytes sent and not yet answered, newlines included, never exceed `room`;
    each line is sent once, in order. Every line must fit into `room`.
    """

    __slots__ = ("_in_flight", "_lengths", "_lines", "_room", "answered", "sent")

    def __init__(self, lines: Sequence[bytes], room: int) -> None:
        self._lines = lines  # each with its newline
        self._room = room
        self._lengths: deque[int] = deque()
        self._in_flight = 0
        self.sent = 0  # lines
        self.answered = 0

    def due(self) -> Sequence[bytes]:
        """The lines that fit now, counted as sent from here on."""
        first = self.sent
        while self.sent < len(self._lines):
            length = len(self._lines[self.sent])
            if self._in_flight + length > self._room:
                break
            self._in_flight += length
            self._lengths.append(length)
            self.sent += 1
        return self._lines[first : self.sent]

    def take_answer(self) -> None:
        """The oldest line in flight was answered. Without one it does nothing."""
        if self._lengths:
            self._in_flight -= self._lengths.popleft()
            self.answered += 1

    @property
    def in_flight(self) -> int:
        """Bytes."""
        return self._in_flight

    @property
    def outstanding(self) -> int:
        """Lines."""
        return len(self._lengths)

    @property
    def done(self) -> bool:
        """Whether every line was answered."""
        return self.answered == len(self._lines)
