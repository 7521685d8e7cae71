"""Stream a program by character counting: keep the receive buffer full, without an overflow."""

from collections import deque
from collections.abc import Sequence


class Streamer:
    """Decides which lines to send, for one program.

    The bytes sent and not yet answered, newlines included, never exceed `room`. Each line is sent
    once, in order. Every line must fit into `room`. Source: the streaming protocol
    "Character-Counting" in the Grbl v1.1 interface documentation.
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
        """Return the lines that fit now, and count them as sent."""
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
        """Count the oldest line in flight as answered. Does nothing if none is in flight."""
        if self._lengths:
            self._in_flight -= self._lengths.popleft()
            self.answered += 1

    @property
    def in_flight(self) -> int:
        """Bytes sent and not yet answered."""
        return self._in_flight

    @property
    def outstanding(self) -> int:
        """Lines sent and not yet answered."""
        return len(self._lengths)

    @property
    def done(self) -> bool:
        """Whether every line was answered."""
        return self.answered == len(self._lines)
