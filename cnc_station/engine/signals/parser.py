"""The parser of redis-py, with limits: what answers at the port may be another program."""

import asyncio
from typing import Any

from redis._parsers.resp2 import _AsyncRESP2Parser
from redis.exceptions import ConnectionError as Lost
from redis.exceptions import InvalidResponse

from cnc_station.peers.limits import KB, MB, REDIS

_DEPTH = 8  # of arrays in arrays; a Redis needs two
_LARGEST_VALUE = 512 * MB  # of Redis itself
_PIECE = 64 * KB
_MOST = 2 * REDIS.bytes  # bytes of one answer


class BoundedParser(_AsyncRESP2Parser):
    """Raises InvalidResponse for an answer that is too long, too deep or not RESP2."""

    def __init__(self, socket_read_size: int) -> None:
        super().__init__(socket_read_size)
        self._left = self._depth = self._count = 0

    async def read_response(self, disable_decoding: bool = False) -> Any:
        self._left, self._depth, self._count = _MOST, 0, 0
        try:
            return await super().read_response(disable_decoding)
        except ValueError as error:  # not a number, or a line without an end
            raise InvalidResponse(f"Protocol Error: {error}") from error

    async def _read_response(self, disable_decoding: bool = False) -> Any:
        self._depth += 1
        self._count += 1
        if self._depth > _DEPTH or self._count > REDIS.items:
            raise InvalidResponse("Protocol Error: an array of too many values")
        answer = await super()._read_response(disable_decoding)
        self._depth -= 1
        return answer

    async def _read(self, length: int) -> bytes:
        if REDIS.bytes < length <= _LARGEST_VALUE:
            return await self._skip(length + 2)
        self._spend(length)
        return await super()._read(length)

    async def _skip(self, count: int) -> bytes:
        """Read over a value that is too long. The subscription goes on, with an empty value."""
        left = count - max(0, len(self._buffer) - self._pos)
        while left > 0:
            piece = await self._stream.read(min(left, _PIECE)) if self._stream else b""
            if not piece:
                raise Lost("the connection ended in the middle of a value")
            left -= len(piece)
            await asyncio.sleep(0)
        self._pos += count
        return b""

    async def _readline(self) -> bytes:
        line = await super()._readline()
        self._spend(len(line) + 2)
        return line

    def _spend(self, count: int) -> None:
        self._left -= count
        if count < 0 or self._left < 0:
            raise InvalidResponse("Protocol Error: the answer is too long")
