"""What `OutgoingHttp` needs of aiohttp: a session whose every connection is checked where it is
dialled, and bounded answers."""

import asyncio
import errno
import io
import socket
import ssl
import time
import zlib
from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from cnc_station import __version__
from cnc_station.engine.domain.dialled_address import refusal
from cnc_station.engine.domain.text_gate import visible
from cnc_station.engine.outgoing_http import KEPT_HEADERS, HttpAnswer, HttpFailed, HttpRequest

_MOST_HEADERS = 100
_LONGEST_LINE = 8190
_LONGEST_WORDS = 200  # of the library, with what the server sent
_KEEP_OPEN_S = 4.0  # Node's servers close after 5 s: a request on its way then would be lost
_COMPRESSED = {"gzip": 31, "x-gzip": 31, "deflate": zlib.MAX_WBITS}

AddressInfo = tuple[int, int, int, str, tuple[Any, ...]]


class _AddressRefused(OSError):
    """The address that would have been dialled is not allowed."""

    def __init__(self, words: str) -> None:
        super().__init__(errno.EACCES, words)


class HttpSession:
    """`executor` looks names up."""

    def __init__(self, executor: Executor, tls: ssl.SSLContext, proxy: str) -> None:
        self._proxy = proxy or None
        self._resolver = _Resolver(executor)
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                ssl=tls,
                resolver=self._resolver,
                socket_factory=_checked_socket,
                limit=0,  # the callers limit themselves, and those that hang must not stop others
                keepalive_timeout=_KEEP_OPEN_S,
            ),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            trust_env=False,
            skip_auto_headers=("Content-Type",),
            max_line_size=_LONGEST_LINE,
            max_field_size=_LONGEST_LINE,
            max_headers=_MOST_HEADERS,
        )

    async def send(self, request: HttpRequest, keep: int) -> HttpAnswer:
        """See `OutgoingHttp.send`."""
        started = time.perf_counter()
        with _translate_errors(request):
            async with asyncio.timeout(request.timeout_s):
                proxy = await self._proxy_for(request.url)
                async with self._session.request(
                    request.method,
                    request.url,
                    data=io.BytesIO(request.body) if request.body else None,
                    headers=_headers(request),
                    allow_redirects=False,
                    proxy=proxy,
                ) as response:
                    body, truncated = await _beginning(response, keep)
        return HttpAnswer(
            response.status,
            _kept_headers(response),
            body,
            truncated,
            time.perf_counter() - started,
        )

    async def _proxy_for(self, url: str) -> str | None:
        """The proxy dials the address, so what its name leads to is checked here as well. A name
        that only the proxy knows is left to it."""
        if self._proxy is None:
            return None
        host = URL(url).host or ""
        try:
            found = await self._resolver.resolve(host, 0)
        except OSError:
            return self._proxy
        addresses = [result["host"] for result in found]
        for address in addresses:
            _check(address)
        local = all(address.startswith("127.") or address == "::1" for address in addresses)
        return None if local else self._proxy

    async def close(self) -> None:
        await self._session.close()


class _Resolver(AbstractResolver):
    """Looks names up in threads of its own. Also understands numbers such as 0x7f.1."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(
            self._executor, socket.getaddrinfo, host, port, family, socket.SOCK_STREAM
        )
        return [
            ResolveResult(
                hostname=host,
                host=str(place[0]),
                port=int(place[1]),
                family=kind,
                proto=protocol,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for kind, _, protocol, _, place in found
        ]

    async def close(self) -> None:
        """Keep nothing open."""


def tls_context(ca_file: Path | None) -> ssl.SSLContext:
    """Return how servers prove who they are. Raises HttpFailed if the file has no certificates."""
    context = ssl.create_default_context()
    if ca_file is not None:
        try:
            context.load_verify_locations(cafile=ca_file)
        except (OSError, ssl.SSLError) as error:
            raise HttpFailed(f"{ca_file} contains no certificates: {error}.") from error
    return context


def _checked_socket(info: AddressInfo) -> socket.socket:
    """Make the socket that is about to be connected to this address."""
    family, kind, protocol, _, place = info
    _check(str(place[0]))
    return socket.socket(family=family, type=kind, proto=protocol)


def _check(address: str) -> None:
    if reason := refusal(address):
        raise _AddressRefused(f"requests to {address} are not allowed: it is {reason}")


def _headers(request: HttpRequest) -> dict[str, str]:
    return {
        "User-Agent": f"CNC-Station/{__version__}",
        "Accept-Encoding": "identity",
        **request.headers,
    }


def _kept_headers(response: aiohttp.ClientResponse) -> dict[str, str]:
    """Return the headers, up to `KEPT_HEADERS` characters: they are stored with each attempt. Bytes
    that are not UTF-8 become characters as in Latin-1."""
    kept: dict[str, str] = {}
    left = KEPT_HEADERS
    for name, value in response.headers.items():
        raw = value.encode("utf-8", "surrogateescape")
        shown = visible(value if raw.isascii() else _decoded(raw), left)
        left -= len(name) + len(shown)
        if left < 0:
            break
        kept[name] = shown
    return kept


def _decoded(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")


async def _beginning(response: aiohttp.ClientResponse, keep: int) -> tuple[bytes, bool]:
    """Read the first `keep` bytes. If there is more, close the connection instead of reading it."""
    raw = bytearray()
    async for chunk in response.content.iter_any():
        raw += chunk
        if len(raw) > keep:
            response.close()
            break
    truncated = len(raw) > keep
    encoding = response.headers.get("Content-Encoding", "").strip().lower()
    if encoding not in _COMPRESSED:
        return bytes(raw[:keep]), truncated
    try:
        plain = zlib.decompressobj(_COMPRESSED[encoding]).decompress(bytes(raw[:keep]), keep + 1)
    except zlib.error:
        return bytes(raw[:keep]), truncated
    return plain[:keep], truncated or len(plain) > keep


@contextmanager
def _translate_errors(request: HttpRequest) -> Iterator[None]:
    try:
        yield
    except TimeoutError as error:
        raise HttpFailed(f"There was no complete answer within {request.timeout_s:g} s.") from error
    except aiohttp.InvalidURL as error:
        raise HttpFailed("The address is not a valid URL.") from error
    except (aiohttp.ClientConnectorError, aiohttp.ClientConnectorCertificateError) as error:
        raise HttpFailed(_unconnected(error)) from error
    except aiohttp.ServerDisconnectedError as error:
        raise HttpFailed("The server closed the connection without an answer.") from error
    except aiohttp.ClientPayloadError as error:
        raise HttpFailed("The server closed the connection in the middle of its answer.") from error
    except aiohttp.ClientResponseError as error:
        words = " ".join(error.message.split())[:_LONGEST_WORDS]
        raise HttpFailed(f"The answer is not valid HTTP: {words}") from error
    except _AddressRefused as error:
        raise HttpFailed(f"No connection: {_reason(error)}.") from error
    except (aiohttp.ClientError, OSError, ValueError) as error:
        words = str(error) or type(error).__name__
        raise HttpFailed(f"The request failed: {words}.") from error


def _unconnected(
    error: aiohttp.ClientConnectorError | aiohttp.ClientConnectorCertificateError,
) -> str:
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return f"The name {error.host} was not found."
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        found = error.certificate_error
        why = str(getattr(found, "verify_message", "") or found).rstrip(".")
        return f"The certificate of {error.host} is not valid: {why}."
    return f"No connection to {error.host}: {_reason(error.os_error)}."


def _reason(error: OSError) -> str:
    return error.strerror or str(error) or type(error).__name__
