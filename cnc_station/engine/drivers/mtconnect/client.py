"""Client of an MTConnect agent: HTTP GET, and one endless answer (stream). An answer takes at most
`ANSWER_S`; a stream sends something within `PATIENCE` heartbeats. Failures are Unavailable; what
the agent refuses is returned as a `Refusal`."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module
from typing import TYPE_CHECKING

from cnc_station.engine.domain.errors import Unavailable
from cnc_station.engine.drivers.mtconnect.documents import (
    BadDocument,
    Devices,
    Document,
    Refusal,
    Streams,
    parse,
)
from cnc_station.engine.drivers.publisher import Traffic
from cnc_station.engine.drivers.unreachable import raw_words, shown, unreachable

if TYPE_CHECKING:
    from aiohttp import ClientResponse, ClientSession, StreamReader

ANSWER_S = 10.0
PATIENCE = 2.5  # in heartbeats
LARGEST = 32 * 1024 * 1024  # maximum bytes of one document
_HEADER_LINES = 50
# Some agents also speak JSON, and compressed data arrives late.
_HEADERS = {"Accept": "text/xml, */*;q=0.5", "Accept-Encoding": "identity"}


class Agent:
    """One agent at `url` (without a slash at its end)."""

    def __init__(self, url: str, heartbeat_s: float, traffic: Traffic) -> None:
        self._url = url
        self._shown = shown(url)
        self._heartbeat_s = heartbeat_s
        self._traffic = traffic
        self._session: ClientSession | None = None

    async def close(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def ask(self, path: str) -> Document:
        async with self._get(path) as response:
            return await self._only(response)

    async def stream(self, path: str) -> AsyncGenerator[Streams | Refusal, None]:
        """Return each document of the stream, heartbeats included, until the agent ends it."""
        silence = max(self._heartbeat_s * PATIENCE, 0.5)
        async with self._get(path) as response:
            if not response.content_type.startswith("multipart/"):
                answer = await self._only(response)
                if not isinstance(answer, Refusal):
                    raise Unavailable("the agent does not stream what it observes")
                yield answer
                return
            boundary = _boundary(response.headers.get("Content-Type", ""))
            while True:
                async with self._in_time(silence):
                    data = await _next_part(response.content, boundary)
                if data is None:
                    return
                try:
                    document = parse(data)
                except BadDocument as error:
                    raise Unavailable(
                        f"the agent sent a document that can't be read: {error}"
                    ) from error
                if isinstance(document, Devices):
                    raise Unavailable("the agent sent a probe instead of observations")
                self._note(document, data)
                yield document

    async def _only(self, response: "ClientResponse") -> Document:
        data = bytearray()
        async with self._in_time(ANSWER_S):
            async for chunk in response.content.iter_any():
                data += chunk
                if len(data) > LARGEST:
                    raise Unavailable(f"the answer of {self._shown} is too long")
        try:
            document = parse(bytes(data))
        except BadDocument as error:
            raise Unavailable(
                f"{self._shown} is not an MTConnect agent (status {response.status}; {error})"
            ) from error
        self._note(document, bytes(data))
        return document

    @asynccontextmanager
    async def _get(self, path: str) -> AsyncIterator["ClientResponse"]:
        if self._session is None:
            await asyncio.to_thread(import_module, "aiohttp")  # keep the event loop free
        import aiohttp  # noqa: PLC0415 - half a second, needed for such machines only

        if self._session is None:
            timeout = aiohttp.ClientTimeout(total=None, sock_connect=ANSWER_S)
            self._session = aiohttp.ClientSession(timeout=timeout, headers=_HEADERS)
        self._traffic.sent(f"GET {path}")
        try:
            async with self._in_time(ANSWER_S):
                response = await self._session.get(self._url + path)
            async with response:
                yield response
        except aiohttp.ClientConnectorCertificateError as error:
            raise unreachable(self._shown, error.certificate_error) from error
        except aiohttp.ClientConnectorError as error:
            raise unreachable(self._shown, error.os_error) from error
        except (aiohttp.ClientOSError, aiohttp.ServerTimeoutError) as error:
            raise unreachable(self._shown, error) from error
        except aiohttp.ClientError as error:
            raw = raw_words(error).replace(self._url, self._shown)
            raise Unavailable(f"the connection to {self._shown} broke", raw=raw) from error
        except (asyncio.IncompleteReadError, OSError) as error:
            words = f"the connection to {self._shown} broke in the middle of a document"
            raise Unavailable(words, raw=raw_words(error)) from error

    @asynccontextmanager
    async def _in_time(self, seconds: float) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(seconds):
                yield
        except TimeoutError:
            raise Unavailable(f"{self._shown} has not answered for {seconds:g} s") from None

    def _note(self, document: Document, data: bytes) -> None:
        """Record a document in the machine log. An empty document is only a heartbeat."""
        if isinstance(document, Streams):
            for seen in document.observations:
                self._traffic.received(f"{seen.sequence} {seen.kind} {seen.item}: {seen.value}")
        else:
            self._traffic.received(data.decode(errors="replace"))


def _boundary(content_type: str) -> bytes:
    for field in content_type.split(";")[1:]:
        name, _, value = field.strip().partition("=")
        if name.lower() == "boundary":
            boundary = value.strip().strip('"')
            if boundary:
                return b"--" + boundary.removeprefix("--").encode()
    raise Unavailable("the agent's stream does not name its boundary")


async def _next_part(content: "StreamReader", boundary: bytes) -> bytes | None:
    """Return the body of the next part; None at the end. Reads the body by its Content-length
    alone: the boundary after it may come only with the next part."""
    if not await _up_to(content, boundary):
        return None
    length = 0
    for _ in range(_HEADER_LINES):
        line = await _line(content)
        if not line:
            return None
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length":
            number = value.partition(b";")[0].strip()  # common agents end it with one
            length = int(number) if number.isdigit() and len(number) <= 10 else 0
        if not line.strip():
            break
    if not 0 < length <= LARGEST:
        raise Unavailable("a part of the agent's stream has no usable Content-length")
    return await content.readexactly(length)


async def _up_to(content: "StreamReader", boundary: bytes) -> bool:
    while line := await _line(content):
        stripped = line.strip()
        if stripped == boundary:
            return True
        if stripped == boundary + b"--":
            return False
        if stripped:
            raise Unavailable("the agent's stream is not valid: a boundary is missing")
    return False


async def _line(content: "StreamReader") -> bytes:
    try:
        return await content.readline()
    except ValueError as error:
        raise Unavailable("the agent's stream is not valid: a line without an end") from error
