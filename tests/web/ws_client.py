"""A client of a station's WebSocket."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

MOST_S = 20.0
Told = dict[str, Any]


class Listener:
    """One connection."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket

    async def send(self, **message: object) -> None:
        await self.socket.send_json(message)

    async def told(self) -> Told:
        """The next message."""
        message: Told = json.loads(await self.socket.receive_str(timeout=MOST_S))
        return message

    async def subscribe(self, **asked: object) -> str:
        """Return the cursor at which the subscription begins."""
        await self.send(type="SUBSCRIBE", **asked)
        answer = await self.told()
        assert answer["type"] == "SUBSCRIBED", answer
        cursor: str = answer["lastEventId"]
        return cursor

    async def events(self, count: int) -> list[Told]:
        found = [await self.told() for _ in range(count)]
        assert all(one["type"] == "EVENT" for one in found), found
        return found

    async def closed(self) -> int:
        """What else comes is thrown away; the code with which the station ends the connection."""
        while True:
            message = await self.socket.receive(timeout=MOST_S)
            if message.type in {aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED}:
                assert self.socket.close_code is not None
                return self.socket.close_code


@asynccontextmanager
async def listening(
    session: aiohttp.ClientSession, path: str = "/ws", **headers: str
) -> AsyncIterator[Listener]:
    async with session.ws_connect(path, headers=headers, max_msg_size=0) as socket:
        yield Listener(socket)
