"""Client of an MTConnect agent: HTTP GET, and one endless answer (stream). An answer keeps
the limits of `MTCONNECT`; a stream sends something within `PATIENCE` heartbeats. Failures are
Unavailable; what the agent refuses is returned as a `Refusal`."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module
from itertools import islice
from typing import TYPE_CHECKING

from cnc_station.engine.domain.errors import Unavailable
from cnc_station.engine.drivers.mtconnect.bodies import Body
from cnc_station.engine.drivers.mtconnect.documents import (
    BadDocument,
    Devices,
    Document,
    Refusal,
    Streams,
    parse,
)
from cnc_station.engine.drivers.publisher import LONGEST, MOST, Traffic
from cnc_station.engine.drivers.unreachable import raw_words, shown, unreachable
from cnc_station.peers.limits import MTCONNECT
from cnc_station.peers.pace import Budget
from cnc_station.peers.values import text

if TYPE_CHECKING:
    from aiohttp import ClientResponse, ClientSession

PATIENCE = 2.5  # in heartbeats
_HEADER_LINES = 50
_BLANK_LINES = 50
_AT_ONCE = 8 * 1024  # bytes of a document that is parsed faster than a thread begins
_LEAST_COST = MTCONNECT.bytes_per_s // 20  # so that no more than 20 documents a second are read
_REDIRECTS = 3
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
        budget = Budget(MTCONNECT)
        async with self._get(path) as response:
            if not response.content_type.startswith("multipart/"):
                answer = await self._only(response)
                if not isinstance(answer, Refusal):
                    raise Unavailable("the agent does not stream what it observes")
                yield answer
                return
            boundary = _boundary(response.headers.get("Content-Type", ""))
            body = Body(response, self._shown)
            while True:
                async with self._in_time(silence):
                    data = await _next_part(body, boundary)
                if data is None:
                    return
                try:
                    document = await _parsed(data)
                except BadDocument as error:
                    raise Unavailable(
                        f"the agent sent a document that can't be read: {error}"
                    ) from error
                if isinstance(document, Devices):
                    raise Unavailable("the agent sent a probe instead of observations")
                self._note(document, data)
                yield document
                await budget.spend_slowly(max(len(data), _LEAST_COST))

    async def _only(self, response: "ClientResponse") -> Document:
        async with self._in_time(MTCONNECT.last_byte_s):
            data = await Body(response, self._shown).whole()
        try:
            document = await _parsed(data)
        except BadDocument as error:
            raise Unavailable(
                f"{self._shown} is not an MTConnect agent (status {response.status}; {error})"
            ) from error
        self._note(document, data)
        return document

    @asynccontextmanager
    async def _get(self, path: str) -> AsyncIterator["ClientResponse"]:
        if self._session is None:
            await asyncio.to_thread(import_module, "aiohttp")  # keep the event loop free
        import aiohttp  # noqa: PLC0415 - half a second, needed for such machines only

        if self._session is None:
            timeout = aiohttp.ClientTimeout(total=None, sock_connect=MTCONNECT.first_byte_s)
            self._session = aiohttp.ClientSession(
                timeout=timeout, headers=_HEADERS, auto_decompress=False
            )
        self._traffic.sent(f"GET {path}")
        try:
            async with self._in_time(MTCONNECT.first_byte_s):
                response = await self._response(self._session, path)
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
        except OSError as error:
            words = f"the connection to {self._shown} broke in the middle of a document"
            raise Unavailable(words, raw=raw_words(error)) from error

    async def _response(self, session: "ClientSession", path: str) -> "ClientResponse":
        """Return the answer, also after redirects to other paths of the same agent. One to another
        address is refused: it would get the request, and perhaps the password."""
        from yarl import URL  # noqa: PLC0415 - comes with aiohttp

        try:
            url = URL(self._url + path)
        except ValueError as error:
            raise Unavailable(f"{self._shown} is not a valid address") from error
        for _ in range(_REDIRECTS + 1):
            response = await session.get(url, allow_redirects=False)
            if response.status not in (301, 302, 303, 307, 308):
                return response
            response.close()
            try:
                target = url.join(URL(response.headers.get("Location", "")))
                other = target.origin() != url.origin()
            except ValueError as error:
                raise Unavailable(f"{self._shown} redirects to something unknown") from error
            if other:
                raise Unavailable(
                    f"{self._shown} redirects to {text(str(target.origin()), 200)}: CNC Station "
                    "asks only the address in the settings"
                )
            url = target.with_user(url.user).with_password(url.password)
        raise Unavailable(f"{self._shown} redirects again and again")

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
            latest = islice(document.observations, max(0, len(document.observations) - MOST), None)
            for seen in latest:
                self._traffic.received(f"{seen.sequence} {seen.kind} {seen.item}: {seen.value}")
        else:
            self._traffic.received(data[: LONGEST * 4].decode(errors="replace"))


async def _parsed(data: bytes) -> Document:
    """Parse a document off the loop, unless it is small. Raises BadDocument."""
    return parse(data) if len(data) <= _AT_ONCE else await asyncio.to_thread(parse, data)


def _boundary(content_type: str) -> bytes:
    for field in content_type.split(";")[1:]:
        name, _, value = field.strip().partition("=")
        if name.lower() == "boundary":
            boundary = value.strip().strip('"')
            if boundary:
                return b"--" + boundary.removeprefix("--").encode()
    raise Unavailable("the agent's stream does not name its boundary")


async def _next_part(body: Body, boundary: bytes) -> bytes | None:
    """Return the body of the next part; None at the end. Reads the body by its Content-length
    alone: the boundary after it may come only with the next part."""
    if not await _up_to(body, boundary):
        return None
    length = 0
    for _ in range(_HEADER_LINES):
        line = await body.line()
        if not line:
            return None
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length":
            number = value.partition(b";")[0].strip()  # common agents end it with one
            length = int(number) if number.isdigit() and len(number) <= 10 else 0
        if not line.strip():
            break
    if length <= 0:
        raise Unavailable("a part of the agent's stream has no usable Content-length")
    return await body.exactly(length)


async def _up_to(body: Body, boundary: bytes) -> bool:
    for _ in range(_BLANK_LINES):
        line = await body.line()
        stripped = line.strip()
        if stripped == boundary:
            return True
        if not line or stripped == boundary + b"--":
            return False
        if stripped:
            break
    raise Unavailable("the agent's stream is not valid: a boundary is missing")
