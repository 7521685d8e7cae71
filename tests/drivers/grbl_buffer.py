"""The receive buffer of the fake GRBL: bytes stay in it until their line is answered."""


class Buffer:
    """A buffer of `size` bytes. The bytes in `lost` (counted from the first received) never
    arrive."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.lost: set[int] = set()
        self.most_waiting = 0  # bytes not yet answered
        self.overflowed = 0  # bytes for which there was no room
        self._received = 0
        self._waiting = bytearray()
        self._unanswered = 0

    @property
    def free(self) -> int:
        return self.size - self._unanswered

    @property
    def empty(self) -> bool:
        return not self._unanswered

    def take(self, data: bytes) -> None:
        if self.lost:
            first, self._received = self._received, self._received + len(data)
            data = bytes(b for i, b in enumerate(data, first) if i not in self.lost)
        if len(data) > self.free:
            self.overflowed += len(data) - self.free
            data = data[: max(0, self.free)]
        self._waiting += data
        self._unanswered += len(data)
        self.most_waiting = max(self.most_waiting, self._unanswered)

    def first(self) -> bytes | None:
        """The next whole line, with its newline; it stays in the buffer."""
        end = self._waiting.find(b"\n")
        return None if end < 0 else bytes(self._waiting[: end + 1])

    def drop(self, line: bytes) -> None:
        """Mark the first line as read. It counts until it is answered."""
        del self._waiting[: len(line)]

    def answered(self, length: int) -> None:
        self._unanswered -= length

    def clear(self) -> None:
        self._waiting.clear()
        self._unanswered = 0
