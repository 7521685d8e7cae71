"""A client that sends bytes as they are, and reads what a server answers until it closes."""

import asyncio
import json
import ssl
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

LOCALHOST = "127.0.0.1"
PATIENCE_S = 20.0


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer. `headers`: by names in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def problem(self) -> Any:
        return json.loads(self.body)


async def send(
    port: int, data: bytes, *, end: bool = False, tls: ssl.SSLContext | None = None
) -> list[Answer]:
    """Send the bytes, and with `end` end this side. Return all answers, once the server closes."""
    reader, writer = await asyncio.open_connection(LOCALHOST, port, ssl=tls)
    received = bytearray()

    async def read() -> None:
        with suppress(OSError):
            while piece := await reader.read(65_536):
                received.extend(piece)

    async with asyncio.timeout(PATIENCE_S):
        reading = asyncio.create_task(read())
        with suppress(OSError):
            writer.write(data)
            await writer.drain()
            if end:
                writer.write_eof()
        await reading
    writer.close()
    return answers(bytes(received))


async def get(port: int, path: str = "/api/v1/machines", **headers: str) -> Answer:
    """GET with these headers, as `localhost` where none names the host."""
    given = {"Host": "localhost", "Connection": "close"}
    given |= {name.replace("_", "-"): value for name, value in headers.items()}
    return await ask(port, f"GET {path} HTTP/1.1", given)


async def ask(port: int, line: str, headers: dict[str, str]) -> Answer:
    """Return the one answer to a request without a body."""
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    (answer,) = await send(port, f"{line}\r\n{head}\r\n".encode())
    return answer


def answers(data: bytes) -> list[Answer]:
    """Return the answers that these bytes hold."""
    found = []
    while data:
        head, _, rest = data.partition(b"\r\n\r\n")
        line, *lines = head.decode("latin-1").split("\r\n")
        pairs = (one.partition(": ") for one in lines)
        headers = {name.lower(): value for name, _, value in pairs}
        size = int(headers.get("content-length", "0"))
        found.append(Answer(int(line.split()[1]), headers, rest[:size]))
        data = rest[size:]
    return found
