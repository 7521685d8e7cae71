"""Answers to requests with an idempotency key."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

from cnc_station.engine import once
from cnc_station.engine.answers.context import AnswerContext, Writes
from cnc_station.engine.domain.errors import Conflict
from cnc_station.engine.domain.principal import Principal
from cnc_station.engine.store import once as store
from cnc_station.engine.store.transaction import StoreCommand

T = TypeVar("T")
Carry = Callable[[AnswerContext, Principal, Any], Awaitable[Any]]


class _OnceWriter:
    """Writes the one command of an answer under the key of a request."""

    def __init__(self, writer: Writes, principal: str, request: once.RequestKey) -> None:
        self._writer = writer
        self._principal = principal
        self._request = request
        self.replayed: bool | None = None

    async def write(self, command: StoreCommand[T]) -> T:
        if self.replayed is not None:
            raise RuntimeError(f"{type(command).__name__} is the second write of one key")
        own = store.OnceOnly(command, self._principal, self._request)
        written = await self._writer.write(own)
        self.replayed = written.replayed
        return written.result


async def execute_once(
    context: AnswerContext, principal: Principal, asked: once.Once[T], carry: Carry
) -> once.OnceAnswer[T]:
    """See `Once`. `carry` answers the command in it."""
    own = (principal.stored_name, asked.request.key)
    if own in context.keys_in_use:
        raise Conflict("The first request with this Idempotency-Key is still running.")
    context.keys_in_use.add(own)
    writer = _OnceWriter(context.writer, principal.stored_name, asked.request)
    try:
        answer = await carry(replace(context, writer=writer), principal, asked.command)
    finally:
        context.keys_in_use.discard(own)
    return once.OnceAnswer(answer, bool(writer.replayed))


async def find_reply(
    context: AnswerContext, principal: Principal, asked: once.FindReply, _carry: Carry
) -> once.StoredReply | None:
    """See `FindReply`."""
    look = partial(store.stored_reply, principal=principal.stored_name, request=asked.request)
    return await context.reader.read_now(look)


async def store_reply(
    context: AnswerContext, principal: Principal, asked: once.StoreReply, _carry: Carry
) -> None:
    """See `StoreReply`."""
    reply = store.StoreReply(principal.stored_name, asked.request, asked.reply)
    await context.writer.write(reply)


WITH_KEY: Mapping[type, Callable[[AnswerContext, Principal, Any, Carry], Awaitable[Any]]] = {
    once.Once: execute_once,
    once.FindReply: find_reply,
    once.StoreReply: store_reply,
}
