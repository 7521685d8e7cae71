"""A receiver of webhooks for trying them out: it verifies signatures, answers well or badly, and
shows what came."""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from aiohttp import web

from cnc_station.engine.domain.webhook_signature import verify
from cnc_station.engine.timing import now_ms

KEPT = 50
MOST_BYTES = 1_048_576
HANG, CLOSE = "hang", "close"
LONGEST_DELAY_S = 600.0


@dataclass(frozen=True, slots=True)
class Response:
    """What is answered after `delay_s`: HANG, CLOSE or a status; but 401 instead of a success to a
    signature that is not valid."""

    status: int | str = 200
    delay_s: float = 0.0

    @classmethod
    def read(cls, text: str, delay_s: float) -> "Response":
        """Raises ValueError with the reason."""
        word = text.strip().lower()
        if not 0 <= delay_s <= LONGEST_DELAY_S:
            raise ValueError(f"must wait at most {LONGEST_DELAY_S:g} s")
        if word in {HANG, CLOSE}:
            return cls(word, delay_s)
        if not word.isdecimal() or not 200 <= int(word) <= 599:
            raise ValueError("must be a status from 200 to 599, hang or close")
        return cls(int(word), delay_s)


@dataclass(frozen=True, slots=True)
class ReceivedWebhook:
    """One request. `valid` is None if there is no secret to verify it with."""

    at: int
    valid: bool | None
    headers: Mapping[str, str]
    body: str


@dataclass(slots=True)
class WebhookReceiver:
    """Keeps the latest requests. Without a `secret`, every signature counts as valid."""

    secret: str | None = None
    on_receipt: Callable[[ReceivedWebhook], None] = lambda _: None
    latest: deque[ReceivedWebhook] = field(default_factory=lambda: deque(maxlen=KEPT))

    async def receive(self, request: web.Request, response: Response) -> web.StreamResponse:
        """Note a request and answer it."""
        body = await request.read()
        headers = dict(request.headers)
        valid = None if self.secret is None else verify(self.secret, headers, body, time.time())
        received = ReceivedWebhook(now_ms(), valid, headers, body.decode(errors="replace"))
        self.latest.append(received)
        self.on_receipt(received)
        await asyncio.sleep(response.delay_s)
        if response.status == HANG:
            await asyncio.Event().wait()
        if response.status == CLOSE and request.transport is not None:
            request.transport.close()
        status = response.status if isinstance(response.status, int) else 200
        if valid is False and status < 300:
            status = 401
        return web.json_response({"valid": valid is not False}, status=status)


def application(receiver: WebhookReceiver, response: Response) -> web.Application:
    """Return an application that receives webhooks at every address."""

    async def handle(request: web.Request) -> web.StreamResponse:
        return await receiver.receive(request, response)

    app = web.Application(client_max_size=MOST_BYTES)
    app.router.add_route("*", "/{anything:.*}", handle)
    return app
