"""The station's side of its local socket."""

import asyncio
import contextlib
import hmac
import logging
import secrets
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from importlib import import_module
from typing import Any

from cnc_station import __version__, private_files
from cnc_station.config import Config
from cnc_station.engine.commands import Command, SignOff, SignOn
from cnc_station.engine.domain import json_text
from cnc_station.engine.domain.admission import operator
from cnc_station.engine.domain.errors import CncStationError, Conflict, Unavailable
from cnc_station.engine.domain.principal import Principal, local_principal
from cnc_station.engine.door import Door
from cnc_station.engine.queries import BearerOf
from cnc_station.local_socket.place import MOST_BYTES, Place, check_private, place_of, write_port
from cnc_station.peers.limits import LOCAL_SOCKET

log = logging.getLogger(__name__)

CODEC = "cnc_station.local_socket.codec"
MOST_CLIENTS = 16
SILENCE_S = 600.0  # from a client that is connected
HELLO_BYTES = 4_096
_LOOK_EVERY_S = 0.25  # whether a client is still there
_TABLES = (b'{"PreviewImport":', b'{"ImportJobs":')
FINISH_S = 2.0  # to finish answers when the station closes


@asynccontextmanager
async def listening(
    config: Config, door: Callable[[Principal], Door], place: Place | None = None
) -> AsyncIterator[None]:
    """Answer programs of this user within the block. A station that can't listen only logs the
    reason; the command line then opens the database itself."""
    server = LocalServer(door, place or place_of(config))
    try:
        await server.start()
    except (OSError, Unavailable) as error:
        log.error("the local socket can't be opened: %s", error)  # noqa: TRY400 - a sentence
    try:
        yield
    finally:
        await server.stop()


class LocalServer:
    """Each client has its own task, with one request at a time."""

    def __init__(self, door: Callable[[Principal], Door], place: Place) -> None:
        self._door = door
        self._place = place
        self._token = "" if place.unix else secrets.token_urlsafe(32)
        self._server: asyncio.Server | None = None
        self._clients: set[asyncio.Task[None]] = set()
        self._answering: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Listen. Replaces the socket of a dead station. Raises OSError, Unavailable."""
        file = self._place.file
        private_files.make_folder(file.parent)
        check_private(file.parent)
        if not self._place.unix:
            self._server = await asyncio.start_server(
                self._connected, "127.0.0.1", 0, limit=MOST_BYTES
            )
            write_port(file, self._server.sockets[0].getsockname()[1], self._token)
            return
        if await _answers(file):
            raise Unavailable(f"another program listens on {file}")
        file.unlink(missing_ok=True)
        self._server = await asyncio.start_unix_server(self._connected, file, limit=MOST_BYTES)
        file.chmod(private_files.FILE_MODE)  # nobody else can enter its folder

    async def stop(self) -> None:
        """Accept no more requests, and finish those being answered."""
        if self._server is None:
            return
        self._server.close()
        self._place.file.unlink(missing_ok=True)
        for idle in self._clients - self._answering:
            idle.cancel()
        if self._answering:
            await asyncio.wait(self._answering, timeout=FINISH_S)
        clients = tuple(self._clients)
        for client in clients:
            client.cancel()
        await asyncio.gather(*clients, return_exceptions=True)

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._clients) >= MOST_CLIENTS:
            writer.close()
            return
        task = asyncio.get_running_loop().create_task(self._serve(reader, writer))
        self._clients.add(task)
        task.add_done_callback(self._clients.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._converse(reader, writer)
        except (OSError, ValueError, TimeoutError) as error:  # ValueError: a line without an end
            log.warning("a local client was disconnected: %s", repr(error))
        except Exception:
            log.exception("a local client was disconnected")
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.to_thread(import_module, CODEC)  # pydantic takes a fifth of a second
        from cnc_station.local_socket import codec  # noqa: PLC0415 - with the first client

        task = asyncio.current_task()
        assert task is not None
        hello = await asyncio.wait_for(reader.readline(), LOCAL_SOCKET.first_byte_s)
        try:
            door = self._door(local_principal(self._operator(hello), "command line", owner=True))
        except CncStationError as error:
            writer.write(codec.dump_error(error))
            await writer.drain()
            return
        while self._server is not None and self._server.is_serving():
            line = await asyncio.wait_for(reader.readline(), SILENCE_S)
            if not line:
                return
            self._answering.add(task)
            try:
                writer.write(await _while_heard(reader, line, _answer(door, line)))
                await writer.drain()
            finally:
                self._answering.discard(task)

    def _operator(self, hello: bytes) -> str:
        """Return the operator that the client names. Raises Conflict, Unavailable, InvalidInput."""
        told: Any = json_text.load(hello) if len(hello) <= HELLO_BYTES else None
        if not isinstance(told, dict) or not hmac.compare_digest(
            str(told.get("token", "")).encode(), self._token.encode()
        ):
            raise Conflict("This is not a program of the station's user.")
        if told.get("version") != __version__:
            raise Unavailable(
                f"The station at work here runs version {__version__}: use that version's "
                "command line."
            )
        return operator(str(told.get("operator", "")))


async def _while_heard(
    reader: asyncio.StreamReader, line: bytes, answer: Coroutine[Any, Any, bytes]
) -> bytes:
    """Return the answer. Stop reading a table whose client has gone: nothing is stored before."""
    task = asyncio.ensure_future(answer)
    try:
        while not task.done():
            await asyncio.wait([task], timeout=_LOOK_EVERY_S)
            if reader.at_eof() and line.startswith(_TABLES):
                task.cancel()
        return b"" if task.cancelled() else task.result()
    finally:
        task.cancel()


async def _answer(door: Door, line: bytes) -> bytes:
    """Return the answer as a line. Large lines are converted off the loop."""
    from cnc_station.local_socket import codec  # noqa: PLC0415 - as above

    try:
        asked = await asyncio.to_thread(codec.load_request, line)
        answer = await _carry_out(door, asked)
        return await asyncio.to_thread(codec.dump_answer, asked, answer)
    except CncStationError as error:
        return codec.dump_error(error)
    except Exception:
        log.exception("a local client's request failed")
        return codec.dump_error(CncStationError("Internal error: see the station's log."))


async def _carry_out(door: Door, asked: Any) -> Any:
    """Return what the door answers. Whoever signs on stays so until the connection ends."""
    match asked:
        case SignOn(credentials):
            return await door.sign_on(credentials)
        case SignOff():
            return await door.sign_off()
        case BearerOf(token):
            return await door.use_token(token)
        case Command():
            return await door.execute(asked)
    return await door.ask(asked)


async def _answers(file: Any) -> bool:
    """Return whether a program listens there."""
    try:
        _, writer = await asyncio.open_unix_connection(file)
    except OSError:
        return False
    writer.close()
    return True
