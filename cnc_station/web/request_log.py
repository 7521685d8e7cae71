"""The line of each request in the log: of a streamed answer when it ends."""

import logging
import time
from collections.abc import AsyncIterator, Mapping

from aiohttp import web
from structlog.contextvars import bound_contextvars

from cnc_station.logs.repeats import HTTP
from cnc_station.web.authentication import DOOR

log = logging.getLogger(__name__)


class RequestLine:
    """The line about one request: neither its query nor its body or headers."""

    def __init__(self, request: web.Request, user: str, trace_id: str) -> None:
        self._request, self._user, self._trace_id = request, user, trace_id
        self._begun = time.perf_counter()
        self._streams = False

    def stream(self, parts: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """Return the parts of an answer. The line is written after the last one that is sent."""
        self._streams = self._request.method != "HEAD"
        return self._counted(parts)

    async def _counted(self, parts: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        sent = 0
        try:
            async for part in parts:
                yield part
                sent += len(part)
        finally:
            with bound_contextvars(trace_id=self._trace_id):
                self._write(200, sent)

    def end(self, response: web.StreamResponse) -> None:
        """Write the line, unless the answer is streamed."""
        if not self._streams:
            self._write(response.status, response.content_length or 0)

    def _write(self, status: int, sent: int) -> None:
        method, resource = self._request.method, self._request.match_info.route.resource
        route = resource.canonical if resource else "-"  # not the path: it may hold anything
        fields = {
            "event": HTTP,
            "method": method,
            "route": route,
            "status": status,
            "duration_ms": round((time.perf_counter() - self._begun) * 1000, 1),
            **self._caller(),
            "trace_id": self._trace_id,
            "bytes": sent,
        }
        log.info("%s %s: %d", method, route, status, extra=fields)

    def _caller(self) -> Mapping[str, str]:
        """Who asked, and whose jobs they see if not all."""
        door = self._request.get(DOOR)
        if door is None:
            return {"user_id": self._user}
        tenants = door.tenants
        told = {} if tenants is None else {"tenant": ", ".join(sorted(tenants))}
        return {"user_id": door.operator, **told}
