"""The body of an agent's answer, decompressed in small steps and never beyond its limit."""

import zlib
from typing import TYPE_CHECKING

from cnc_station.engine.domain.errors import Unavailable
from cnc_station.peers.limits import MTCONNECT

if TYPE_CHECKING:
    from aiohttp import ClientResponse

_PIECE = 64 * 1024
_LONGEST_LINE = 8 * 1024
_ENCODINGS = {"": 0, "identity": 0, "gzip": 31, "x-gzip": 31, "deflate": 15}


class Body:
    """Reads the body of a response. Raises Unavailable for what exceeds the limits."""

    def __init__(self, response: "ClientResponse", address: str) -> None:
        encoding = response.headers.get("Content-Encoding", "").strip().lower()
        if encoding not in _ENCODINGS:
            raise Unavailable(f"the answer of {address} is compressed in an unknown way")
        self._address = address
        self._content = response.content
        self._inflater = zlib.decompressobj(_ENCODINGS[encoding]) if _ENCODINGS[encoding] else None
        self._packed = b""
        self._buffer = bytearray()

    async def whole(self) -> bytes:
        """Return all of it, up to the limit for one document."""
        data = self._buffer
        while piece := await self._next_piece():
            data += piece
            if len(data) > MTCONNECT.bytes:
                raise self._too_long()
        return bytes(data)

    async def line(self) -> bytes:
        """Return the next line with its end; what is left at the end of the body."""
        searched = 0
        while (end := self._buffer.find(b"\n", searched)) < 0:
            searched = len(self._buffer)
            if searched > _LONGEST_LINE:
                raise Unavailable("the agent's stream is not valid: a line without an end")
            if not await self._fill():
                return self._cut(searched)
        return self._cut(end + 1)

    async def exactly(self, count: int) -> bytes:
        """Return so many bytes. Raises Unavailable if there are fewer."""
        if count > MTCONNECT.bytes:
            raise self._too_long()
        while len(self._buffer) < count:
            if not await self._fill():
                raise Unavailable(
                    f"the connection to {self._address} broke in the middle of a document"
                )
        return self._cut(count)

    def _too_long(self) -> Unavailable:
        return Unavailable(f"the answer of {self._address} is too long")

    def _cut(self, count: int) -> bytes:
        data = bytes(self._buffer[:count])
        del self._buffer[:count]
        return data

    async def _fill(self) -> bool:
        piece = await self._next_piece()
        self._buffer += piece
        return bool(piece)

    async def _next_piece(self) -> bytes:
        """Return what comes next, decompressed; nothing at the end."""
        if self._inflater is None:
            return await self._content.read(_PIECE)
        while not self._inflater.eof:
            packed = self._packed or await self._content.read(_PIECE)
            try:
                piece = self._inflater.decompress(packed, _PIECE)
            except zlib.error as error:
                words = f"the answer of {self._address} is not compressed as it claims"
                raise Unavailable(words, raw=str(error)) from error
            self._packed = self._inflater.unconsumed_tail
            if piece or not packed:
                return piece
        return b""
