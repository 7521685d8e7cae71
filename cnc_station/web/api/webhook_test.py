"""The routes of a receiver to try webhooks with, served only with the setting `webhook_test`."""

import asyncio
from collections import deque
from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field

from cnc_station.engine.queries import AboutStation, VerifyWebhook
from cnc_station.engine.timing import now_ms
from cnc_station.web.api.problems import Problem
from cnc_station.web.api.route import Call, Reply, Route
from cnc_station.web.api.values import Taken, TimeOut, Told
from cnc_station.web.webhook_receiver import KEPT, MOST_BYTES, ReceivedWebhook

_HIDDEN = frozenset({"authorization", "cookie"})


class Respond(StrEnum):
    """What may be answered on request."""

    OK = "200"
    ACCEPTED = "202"
    MOVED = "302"
    BAD = "400"
    UNKNOWN = "404"
    GONE = "410"
    TOO_MANY = "429"
    BROKEN = "500"
    AWAY = "503"


class RespondIn(Taken):
    """What to answer to a valid signature, and after how long."""

    respond: Respond = Respond.OK
    delay_ms: Annotated[int, Field(ge=0, le=60_000)] = 0


class VerifiedOut(Told):
    """Whether one of the shop's endpoints has signed the body."""

    valid: bool


class ReceivedOut(Told):
    """A request that came."""

    at: TimeOut
    valid: bool
    headers: dict[str, str]
    body: str

    @classmethod
    def of(cls, received: ReceivedWebhook) -> Self:
        return cls.model_validate(received)


class ReceivedListOut(Told):
    """The latest requests, newest first."""

    received: list[ReceivedOut]


def routes() -> Sequence[Route]:
    """Return the routes of a new receiver."""
    latest: deque[ReceivedWebhook] = deque(maxlen=KEPT)

    async def receive(call: Call) -> Reply:
        """Verify the signature of a body as a receiver should, and answer as asked."""
        body: bytes = call.body
        if len(body) > MOST_BYTES:
            raise Problem(413, f"The body may have {MOST_BYTES >> 10:,} KiB.")
        valid = await call.door.ask(VerifyWebhook(call.headers, body))
        headers = {name: text for name, text in call.headers.items() if name.lower() not in _HIDDEN}
        text = body.decode(errors="replace")
        latest.appendleft(ReceivedWebhook(now_ms(), valid, headers, text))
        query: RespondIn = call.query
        await asyncio.sleep(query.delay_ms / 1000)
        return Reply(VerifiedOut(valid=valid), int(query.respond) if valid else 401)

    async def show(_call: Call) -> Reply:
        return Reply(ReceivedListOut(received=[ReceivedOut.of(one) for one in latest]))

    answers = dict.fromkeys([401, *map(int, Respond)], VerifiedOut)
    return (
        Route(
            "POST",
            "/webhook-test",
            "Receive a webhook",
            VerifyWebhook,
            receive,
            answers,
            query=RespondIn,
            uploads=True,
        ),
        Route(
            "GET",
            "/webhook-test",
            "List the webhooks received",
            AboutStation,
            show,
            {200: ReceivedListOut},
        ),
    )
