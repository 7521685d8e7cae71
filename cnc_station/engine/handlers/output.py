"""What a run has printed: its first and its last bytes, however much comes."""

from collections import deque

from cnc_station.engine.views import MOST_OUTPUT, RunOutput

KEPT = MOST_OUTPUT // 2  # bytes at each end


class Output:
    """Takes any amount of text in bounded memory. `size` counts all bytes."""

    def __init__(self, kept: int = KEPT) -> None:
        self._kept = kept
        self._first = bytearray()
        self._last: deque[bytes] = deque()
        self._last_size = 0
        self.size = 0

    def write(self, data: bytes | str) -> None:
        if isinstance(data, str):
            data = data.encode("utf-8", "replace")
        self.size += len(data)
        room = self._kept - len(self._first)
        if room > 0:
            self._first += data[:room]
            data = data[room:]
        if not data:
            return
        data = data[-self._kept :]
        self._last.append(bytes(data))
        self._last_size += len(data)
        while self._last_size - len(self._last[0]) >= self._kept:
            self._last_size -= len(self._last.popleft())

    def kept(self) -> RunOutput:
        """Return what is kept, as text that any database can store, marked where it is cut."""
        truncated = self.size > 2 * self._kept
        return RunOutput(self._text(truncated=truncated), self.size, truncated)

    def end(self, most: int) -> str:
        """Return the last `most` bytes as text, marked where they are cut; `most` is at most what
        is kept at each end."""
        last = (bytes(self._first) + b"".join(self._last))[-most:]
        if len(last) == self.size:
            return storable(last.decode("utf-8", "replace"))
        left_out = self.size - len(last)
        end = _whole_end(last).decode("utf-8", "replace")
        return storable(f"[… {left_out:,} bytes left out …]\n{end}")

    def _text(self, *, truncated: bool) -> str:
        last = b"".join(self._last)[-self._kept :]
        if not truncated:
            return storable((bytes(self._first) + last).decode("utf-8", "replace"))
        left_out = self.size - len(self._first) - len(last)
        first = _whole_start(bytes(self._first)).decode("utf-8", "replace")
        end = _whole_end(last).decode("utf-8", "replace")
        return storable(f"{first}\n[… {left_out:,} bytes left out …]\n{end}")


def storable(text: str) -> str:
    """Replace the characters that a database cannot store."""
    if text.isascii() and "\x00" not in text:
        return text
    return text.encode("utf-8", "replace").decode().replace("\x00", "\ufffd")


def _whole_start(data: bytes) -> bytes:
    """Drop a character that is cut at the end."""
    for back in range(1, min(4, len(data) + 1)):
        lead = data[-back]
        if lead >= 0xC0:
            length = 2 + (lead >= 0xE0) + (lead >= 0xF0)
            return data[:-back] if length > back else data
        if lead < 0x80:
            break
    return data


def _whole_end(data: bytes) -> bytes:
    """Drop a character that is cut at the start."""
    skip = 0
    while skip < min(3, len(data)) and 0x80 <= data[skip] < 0xC0:
        skip += 1
    return data[skip:]
