"""`Idempotency-Key`: what a request creates is created once for each key."""

import asyncio
import hashlib
import logging
import re
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

from aiohttp import web

from cnc_station.engine.commands import Command
from cnc_station.engine.domain.errors import FieldError, InvalidInput, Unavailable
from cnc_station.engine.door import Asks
from cnc_station.engine.once import FindReply, Once, RequestKey, StoredReply, StoreReply
from cnc_station.engine.queries import Query
from cnc_station.web.api.route import Call, Reply, Route

log = logging.getLogger(__name__)

T = TypeVar("T")
HEADER, REPLAYED = "Idempotency-Key", "Idempotency-Replayed"
KEY_PATTERN = "^[!-~]{1,200}$"
MOST_STORED = 64 * 1024  # bytes of a reply: a larger one is built anew for a replay
_MOST_AT_ONCE = 256 * 1024  # bytes that are hashed on the loop
_KEY = re.compile(KEY_PATTERN)


async def request_key(
    request: web.Request, content: bytes, *, confidential: bool = False
) -> RequestKey | None:
    """Return the key of a request, None if it has none. The hash of a `confidential` body is as
    slow to guess from as that of a password. Raises InvalidInput."""
    given = request.headers.getall(HEADER, ())
    if not given:
        return None
    if len(given) > 1 or not _KEY.fullmatch(given[0]):
        raise InvalidInput(FieldError(HEADER, "must be 1 to 200 visible ASCII characters, once"))
    said = f"{request.method} {request.raw_path}\n".encode() + content
    if confidential:
        slow = partial(hashlib.scrypt, n=2**14, r=8, p=1, dklen=32)
        return RequestKey(
            given[0], (await asyncio.to_thread(slow, said, salt=given[0].encode())).hex()
        )
    if len(said) > _MOST_AT_ONCE:
        digest = await asyncio.to_thread(hashlib.sha256, said)
    else:
        digest = hashlib.sha256(said)
    return RequestKey(given[0], digest.hexdigest())


class _OnceDoor:
    """A door that carries out the command of a route once for the key of a request."""

    def __init__(self, door: Asks, creates: type, request: RequestKey) -> None:
        self._door = door
        self._creates = creates
        self._request = request
        self.replayed = False

    async def execute(self, command: Command[T]) -> T:
        if type(command) is not self._creates:
            return await self._door.execute(command)
        once = await self._door.execute(Once(command, self._request))
        self.replayed = once.replayed
        return once.answer

    async def ask(self, query: Query[T]) -> T:
        return await self._door.ask(query)


async def reply_once(route: Route, call: Call, request: RequestKey) -> Reply:
    """Answer as the first request of the key was answered, or be that request."""
    stored = await call.door.ask(FindReply(route.asks, request))
    if stored is not None:
        headers = {**stored.headers, REPLAYED: "true"}
        return Reply(stored.body, stored.status, headers)
    door = _OnceDoor(call.door, route.asks, request)
    reply = await route.call(replace(call, door=door))
    if door.replayed:
        return replace(reply, headers={**reply.headers, REPLAYED: "true"})
    reply = replace(reply, content=reply.body())
    await _store(route.asks, call.door, request, reply)
    return reply


async def _store(creates: type[Any], door: Asks, request: RequestKey, reply: Reply) -> None:
    body = reply.body()
    if reply.secret or len(body) > MOST_STORED:
        return
    stored = StoredReply(reply.status, reply.headers, body)
    try:
        await door.execute(StoreReply(creates, request, stored))
    except Unavailable as error:  # what was asked for is done: a replay is built anew
        log.warning("the reply to a request was not stored: %s", error)
