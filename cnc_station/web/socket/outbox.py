"""What is to be sent to one client: bounded, and sent as fast as the client reads."""

import asyncio
from collections import deque

MOST_MESSAGES = 1_000
MOST_BYTES = 1024 * 1024
LOW = 100  # messages: room for more
STALLED_S = 2.0  # without a byte on its way: the client does not read
_HIGH_BYTES = 64 * 1024  # in the transport
_LOOK_S = 0.01


def frame(text: str) -> bytes:
    """A message as it is on the wire. It is the same for all clients: made once, it costs a third
    of what the WebSocket of aiohttp takes to make it for each of them."""
    data = text.encode()
    size = len(data)
    if size < 126:
        head = bytes((0x81, size))
    elif size < 1 << 16:
        head = b"\x81\x7e" + size.to_bytes(2, "big")
    else:
        head = b"\x81\x7f" + size.to_bytes(8, "big")
    return head + data


class Outbox:
    """The messages of a client that are not sent yet."""

    def __init__(self, transport: asyncio.WriteTransport) -> None:
        self._transport = transport
        self._frames: deque[bytes] = deque()
        self._size = 0
        self._left = asyncio.Event()  # for `send`
        self._has_room = asyncio.Event()
        self._moved_at = asyncio.get_running_loop().time()

    def put(self, message: bytes) -> bool:
        """Add a frame, to be sent with the next `flush`. Return False if there is no room."""
        unsent = self._size + len(message) + self._transport.get_write_buffer_size()
        if self._frames and (len(self._frames) >= MOST_MESSAGES or unsent > MOST_BYTES):
            return False
        self._frames.append(message)
        self._size += len(message)
        return True

    def flush(self) -> None:
        """Send what the client takes at once, and leave the rest to `send`."""
        if self._frames and not self._transport.get_write_buffer_size():
            self._moved_at = asyncio.get_running_loop().time()
            self._write()
        if self._frames:
            self._left.set()

    @property
    def is_stalled(self) -> bool:
        """Whether the client has not read for a while."""
        waited = asyncio.get_running_loop().time() - self._moved_at
        return bool(self._frames) and waited > STALLED_S

    async def room(self) -> bool:
        """Wait until most of it is sent. Return False if the client does not read."""
        while len(self._frames) > LOW:
            self._has_room.clear()
            try:
                async with asyncio.timeout(STALLED_S):
                    await self._has_room.wait()
            except TimeoutError:
                if self.is_stalled:
                    return False
        return True

    async def send(self) -> None:
        """Send the rest, until cancelled."""
        loop = asyncio.get_running_loop()
        buffered = 0
        while True:
            await self._left.wait()
            now_buffered = self._transport.get_write_buffer_size()
            if now_buffered < buffered:
                self._moved_at = loop.time()
            if now_buffered < _HIGH_BYTES:
                self._moved_at = loop.time()
                self._write()
            buffered = self._transport.get_write_buffer_size()
            if not self._frames:
                self._left.clear()
            elif self._transport.is_closing():
                raise ConnectionResetError
            else:
                await asyncio.sleep(_LOOK_S if buffered else 0)

    def _write(self) -> None:
        """Fill the transport's buffer, in one call: each is one of the system, too."""
        found: list[bytes] = []
        size = self._transport.get_write_buffer_size()
        while self._frames and size < _HIGH_BYTES:
            found.append(self._frames.popleft())
            size += len(found[-1])
            self._size -= len(found[-1])
        if not self._transport.is_closing():
            self._transport.write(found[0] if len(found) == 1 else b"".join(found))
        if len(self._frames) <= LOW:
            self._has_room.set()
