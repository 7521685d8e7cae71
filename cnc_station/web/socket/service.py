"""Serves the WebSocket: who a client is, what it sends, and how its connection ends."""

import asyncio
import logging
from contextlib import suppress
from functools import partial
from socket import SO_SNDBUF, SOL_SOCKET
from typing import Any

from aiohttp import WSMessage, WSMsgType, web

from cnc_station.engine.domain.errors import FieldError, InvalidInput
from cnc_station.engine.domain.notice import Notice, Topic
from cnc_station.engine.domain.principal import STATION
from cnc_station.engine.door import Door
from cnc_station.peers.limits import WEBSOCKET
from cnc_station.peers.pace import Budget
from cnc_station.web.api.problems import Problem
from cnc_station.web.socket import protocol
from cnc_station.web.socket.access import Access, Identify, TokenRefused, of_accounts
from cnc_station.web.socket.client import Client
from cnc_station.web.socket.outbox import Outbox
from cnc_station.web.socket.protocol import Close, Ending
from cnc_station.web.socket.tail import Tail

log = logging.getLogger(__name__)

PATHS = ("/ws", "/api/v1/ws")
HEARTBEAT_S = 20.0
CLOSE_S = 10.0  # for a client to read the last messages
STOP_S = 1.0
SEND_BUFFER = 128 * 1024
_BEARER = "bearer "
_MESSAGE_COST = 500  # bytes: understanding a message costs more than receiving it
_READERS = 2  # clients that catch up at the same moment


class WebSockets:
    """Every client hears of the whole fleet from this station alone."""

    def __init__(self, door: Door, identify: Identify | None = None) -> None:
        self._identify = identify or of_accounts(door)
        self._subscribe = door.subscribe
        self._door = door.of_principal(STATION)
        self._tail = Tail(self._door)
        self._clients: set[Client] = set()
        self._handlers: set[asyncio.Task[Any]] = set()
        self._reading = asyncio.Semaphore(_READERS)

    def add_to(self, app: web.Application) -> None:
        for path in PATHS:
            app.router.add_get(path, self._serve)
        app.on_shutdown.append(self._stop)

    async def _stop(self, _app: web.Application) -> None:
        for client in self._clients:
            client.end(Ending(Close.STOPS, "the station stops"))
        if self._handlers:
            await asyncio.wait(self._handlers, timeout=STOP_S)

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse(
            heartbeat=HEARTBEAT_S, max_msg_size=4 * protocol.MOST_MESSAGE, compress=False
        )
        if not socket.can_prepare(request):
            raise web.HTTPUpgradeRequired(text="Connect with a WebSocket.")
        await socket.prepare(request)
        _limit_kernel_buffer(request)
        handler = asyncio.current_task()
        assert handler is not None
        self._handlers.add(handler)
        assert request.transport is not None
        outbox = Outbox(request.transport)
        client = Client(self._door, self._tail, outbox, self._reading)
        self._clients.add(client)
        try:
            await self._follow(request, socket, client, outbox)
        finally:
            self._clients.discard(client)
            self._handlers.discard(handler)
        return socket

    async def _follow(
        self,
        request: web.Request,
        socket: web.WebSocketResponse,
        client: Client,
        outbox: Outbox,
    ) -> None:
        """Until the client leaves, or its connection must end."""
        loop = asyncio.get_running_loop()
        changed = asyncio.Event()
        changed.set()  # the rights may have changed before this client was heard of
        unsubscribe = self._subscribe(partial(_hear, changed))
        checking = loop.create_task(self._check_again(request, client, changed))
        receiving = loop.create_task(self._receive(request, socket, client))
        sending = loop.create_task(outbox.send())
        self._tail.add(client)
        try:
            ends: set[asyncio.Future[Any]] = {receiving, sending, checking, client.ended}
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            unsubscribe()
            tasks = (receiving, sending, checking)
            for task in tasks:
                task.cancel()
            results = await asyncio.gather(*tasks, return_exceptions=True)
            await client.close()
            await self._tail.remove(client)
        for result in results:
            if isinstance(result, Exception) and not isinstance(result, ConnectionError):
                log.error("a client of the WebSocket could not be served", exc_info=result)
                client.end(Ending(Close.STOPS, "internal error"))
        if client.ended.done():
            await _close(request, socket, client.ended.result())

    async def _receive(
        self, request: web.Request, socket: web.WebSocketResponse, client: Client
    ) -> None:
        """Do what the client asks for, until it leaves or `client.ended` says why not."""
        budget = Budget(WEBSOCKET)
        try:
            token = _token(request)
            access = await self._identify(token, request)
            if access is None:
                token = await self._first_token(socket)
                access = await self._access(token, request)
            client.admit(access, token)
            async for message in socket:
                text = _text(message)
                await budget.spend_slowly(len(text) + _MESSAGE_COST)
                await self._obey(client, text, request)
        except TokenRefused as error:
            text = protocol.error_text(Problem(401, str(error)))
            client.end(Ending(Close.TOKEN, "token", (text,)))
        except InvalidInput as error:
            client.end(protocol.bad_message(error))

    async def _check_again(
        self, request: web.Request, client: Client, changed: asyncio.Event
    ) -> None:
        """End the client when its token is revoked, or its account may see other jobs now."""
        while True:
            await changed.wait()
            changed.clear()
            if (before := client.access) is None:
                continue
            try:
                access = await self._access(client.token, request)
            except TokenRefused as error:
                text = protocol.error_text(Problem(401, str(error)))
                client.end(Ending(Close.TOKEN, "token", (text,)))
                return
            if access.tenants != before.tenants:
                client.end(Ending(Close.TOKEN, "other rights"))
                return

    async def _first_token(self, socket: web.WebSocketResponse) -> str:
        """Return the token of the first message. Raises TokenRefused."""
        try:
            message = await socket.receive(timeout=WEBSOCKET.first_byte_s)
        except TimeoutError:
            raise TokenRefused("No AUTH message came in time.") from None
        if message.type in {WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED}:
            raise ConnectionError("the client has left")
        asked = protocol.read(_text(message))
        if not isinstance(asked, protocol.Auth):
            raise TokenRefused("The first message must be AUTH.")
        return asked.token

    async def _access(self, token: str | None, request: web.Request) -> Access:
        access = await self._identify(token, request)
        if access is None:
            raise TokenRefused("This token is not valid.")
        return access

    async def _obey(self, client: Client, text: str, request: web.Request) -> None:
        """Raises InvalidInput, TokenRefused."""
        match protocol.read(text):
            case protocol.Auth() as asked:  # also a new token, before the old one expires
                client.admit(await self._access(asked.token, request), asked.token)
            case protocol.Subscribe() as asked:
                client.subscribe(asked)
            case protocol.Unsubscribe(tenant=tenant):
                client.unsubscribe(tenant)
            case _:
                client.put(protocol.text_of("PONG"))


def _hear(changed: asyncio.Event, notice: Notice) -> None:
    if Topic.ACCOUNTS_READ in notice.columns.type:
        changed.set()


def _limit_kernel_buffer(request: web.Request) -> None:
    """By itself a system keeps some MB of what a client does not read."""
    transport = request.transport
    kernel = None if transport is None else transport.get_extra_info("socket")
    if kernel is not None:
        kernel.setsockopt(SOL_SOCKET, SO_SNDBUF, SEND_BUFFER)


def _token(request: web.Request) -> str | None:
    header = request.headers.get("Authorization")
    if header is None:
        return None
    return header[len(_BEARER) :].strip() if header.lower().startswith(_BEARER) else header


def _text(message: WSMessage) -> str:
    """Raises InvalidInput for what is not text."""
    if message.type is not WSMsgType.TEXT:
        raise InvalidInput(FieldError("message", "must be text"))
    return str(message.data)


async def _close(request: web.Request, socket: web.WebSocketResponse, ending: Ending) -> None:
    """Send the last messages and the code. A client that does not read them is cut off."""
    with suppress(TimeoutError, ConnectionError):
        async with asyncio.timeout(CLOSE_S):
            for text in ending.texts:
                await socket.send_str(text)
            await socket.close(code=ending.code, message=ending.reason.encode())
            return
    if request.transport is not None:
        request.transport.abort()
