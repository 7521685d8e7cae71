"""The client's side: a running station's door, for a program of the same user."""

import asyncio
import json
from typing import Any, TypeVar

from cnc_station import __version__
from cnc_station.config import Config
from cnc_station.engine.commands import Command
from cnc_station.engine.domain import admission
from cnc_station.engine.domain.errors import Unavailable
from cnc_station.engine.queries import Query
from cnc_station.local_socket.place import Place, check_private, place_of, read_port
from cnc_station.peers.limits import LOCAL_SOCKET

T = TypeVar("T")

CONNECT_S = LOCAL_SOCKET.first_byte_s
ANSWER_S = LOCAL_SOCKET.last_byte_s


class StationDoor:
    """Implements `Asks` over a connection. One request at a time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def execute(self, command: Command[T]) -> T:
        answer: T = await self._request(admission.admitted(command))
        return answer

    async def ask(self, query: Query[T]) -> T:
        answer: T = await self._request(admission.searchable(query))
        return answer

    async def _request(self, asked: object) -> Any:
        from cnc_station.local_socket import codec  # noqa: PLC0415 - only if a station answers

        try:
            async with asyncio.timeout(ANSWER_S):
                self._writer.write(codec.dump_request(asked))
                await self._writer.drain()
                line = await self._reader.readline()
        except (OSError, ValueError, TimeoutError) as error:
            raise Unavailable(f"The station did not answer: {error}") from error
        if not line.endswith(b"\n"):
            raise Unavailable("The station ended before it answered; it may have done it.")
        return codec.load_answer(asked, line)

    def close(self) -> None:
        self._writer.close()


async def connect(config: Config, place: Place | None = None) -> StationDoor | None:
    """Return the door of the station at work with these settings; None if there is none. Raises
    Unavailable if it does not answer, or its socket can't be trusted."""
    place = place or place_of(config)
    try:
        place.file.stat()
    except OSError:  # none, or in a folder that this user may not enter
        return None
    check_private(place.file.parent)
    try:
        async with asyncio.timeout(CONNECT_S):
            reader, writer, token = await _open(place)
    except TimeoutError:
        raise Unavailable(f"Station {config.station} is at work but does not answer.") from None
    except (OSError, ValueError, KeyError):  # left behind by a station that was killed
        return None
    hello = {"version": __version__, "operator": config.operator, "token": token}
    writer.write(json.dumps(hello).encode() + b"\n")
    return StationDoor(reader, writer)


async def _open(place: Place) -> tuple[asyncio.StreamReader, asyncio.StreamWriter, str]:
    limit = 512 * 1024 * 1024  # the station is trusted, and an export may be large
    if place.unix:
        return *await asyncio.open_unix_connection(place.file, limit=limit), ""
    port, token = read_port(place.file)
    return *await asyncio.open_connection("127.0.0.1", port, limit=limit), token
