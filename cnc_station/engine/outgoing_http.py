"""The one client for outgoing HTTP, of webhooks and of handlers.

It sends only to addresses that `domain/dialled_address.py` allows. It follows no redirect: a
redirect is an answer. Whatever answers, and however slowly, time and memory are bounded.
"""

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from cnc_station.engine.domain.errors import CncStationError

if TYPE_CHECKING:
    from cnc_station.engine.http_session import HttpSession

KEPT_BYTES = 16 * 1024
KEPT_HEADERS = 8 * 1024  # characters
_LOOKUPS = 16  # names looked up at once: a name server that hangs holds no thread of others


class HttpFailed(CncStationError):
    """There is no complete answer; the sentence states why."""


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """`timeout_s` covers everything: the name's look-up, the connection and the whole answer."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    timeout_s: float = 30.0


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """Any status is an answer. `body` is its beginning, decompressed; `truncated` if there was
    more, which was not read."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    truncated: bool
    duration_s: float


class OutgoingHttp:
    """One for each station: connections are shared and kept open between requests.

    `proxy` is the address of an HTTP proxy for everything outside this computer; `ca_file` contains
    certificates of authorities trusted besides the system's.
    """

    def __init__(self, proxy: str = "", ca_file: Path | None = None) -> None:
        self._proxy = proxy
        self._ca_file = ca_file
        self._threads: ThreadPoolExecutor | None = None
        self._opening: asyncio.Task[HttpSession] | None = None

    async def send(self, request: HttpRequest, *, keep: int = KEPT_BYTES) -> HttpAnswer:
        """Return the answer with the first `keep` bytes of its body. Raises HttpFailed. If this is
        cancelled, the connection is closed."""
        if self._opening is None:
            self._opening = asyncio.create_task(self._open())
        try:
            session = await asyncio.shield(self._opening)
        except HttpFailed:  # the file of certificates: it may be put right
            self._opening = None
            raise
        return await session.send(request, keep)

    async def _open(self) -> "HttpSession":
        """Open the session at the first request: the library takes a fifth of a second to load."""
        if self._threads is None:
            self._threads = ThreadPoolExecutor(_LOOKUPS, thread_name_prefix="http")
        loop = asyncio.get_running_loop()
        prepared = await loop.run_in_executor(self._threads, _prepare, self._ca_file)
        return prepared(self._threads, self._proxy)

    async def close(self) -> None:
        """Close all connections, also of requests under way."""
        opening, self._opening = self._opening, None
        if opening is not None:
            with contextlib.suppress(HttpFailed):
                await (await opening).close()
        if self._threads is not None:
            self._threads.shutdown(wait=False, cancel_futures=True)
            self._threads = None


def _prepare(ca_file: Path | None) -> "Callable[[Executor, str], HttpSession]":
    """Load the library and the certificates. Blocks."""
    from cnc_station.engine.http_session import HttpSession, tls_context  # noqa: PLC0415 - slow

    tls = tls_context(ca_file)
    return lambda executor, proxy: HttpSession(executor, tls, proxy)
