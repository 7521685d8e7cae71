"""What is to be sent to one client: bounded, and sent as fast as the client reads."""

import asyncio
from collections import deque

from aiohttp import web

MOST_MESSAGES = 1_000
MOST_BYTES = 1024 * 1024
LOW = 100  # messages: room for more
STALLED_S = 2.0  # without a message on its way: the client does not read


class Outbox:
    """The messages of a client that are not sent yet."""

    def __init__(self, socket: web.WebSocketResponse) -> None:
        self._socket = socket
        self._texts: deque[str] = deque()
        self._size = 0
        self._filled, self._has_room = asyncio.Event(), asyncio.Event()
        self._moved_at = asyncio.get_running_loop().time()

    def put(self, text: str) -> bool:
        """Send a message as soon as possible. Return False if there is no room for it."""
        size = len(text)  # of what is not ASCII, bytes are a few more
        full = len(self._texts) >= MOST_MESSAGES or self._size + size > MOST_BYTES
        if full and self._texts:
            return False
        if not self._texts:
            self._moved_at = asyncio.get_running_loop().time()
            self._filled.set()
        self._texts.append(text)
        self._size += size
        return True

    @property
    def is_stalled(self) -> bool:
        """Whether the client has not read for a while."""
        waited = asyncio.get_running_loop().time() - self._moved_at
        return bool(self._texts) and waited > STALLED_S

    async def room(self) -> bool:
        """Wait until most of it is sent. Return False if the client does not read."""
        while len(self._texts) > LOW:
            self._has_room.clear()
            try:
                async with asyncio.timeout(STALLED_S):
                    await self._has_room.wait()
            except TimeoutError:
                if self.is_stalled:
                    return False
        return True

    async def send(self) -> None:
        """Send what is put in, until cancelled. Raises ConnectionError if the client has gone."""
        loop = asyncio.get_running_loop()
        while True:
            await self._filled.wait()
            while self._texts:
                await self._socket.send_str(self._texts[0])
                self._size -= len(self._texts.popleft())
                self._moved_at = loop.time()
                if len(self._texts) <= LOW:
                    self._has_room.set()
            self._filled.clear()
