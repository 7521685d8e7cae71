"""How fast a program is streamed into a GRBL controller, beside the bare protocol.

Both talk over TCP to the same false controller in a process of its own, which takes no time to
move.
"""

import asyncio
import socket
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from cnc_station.engine.domain.nc import read
from cnc_station.engine.drivers.base import Order
from cnc_station.engine.drivers.grbl import Grbl, settings
from tests.benchmarks.figures import Effort, Figure, compared, in_turn

LINES = 20_000
CORNERS = (b"X20.000Y0.000", b"X20.125Y20.000", b"X0.000Y20.250", b"X0.000Y0.000")


@contextmanager
def _controller(*, hal: bool) -> Iterator[str]:
    command = [sys.executable, "-m", "tests.drivers.grbl_wire", *(["hal"] if hal else [])]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.stdin.close()


def _program(lines: int) -> bytes:
    moves = (b"G1" + CORNERS[i % 4] + b"F1200\n" for i in range(lines))
    return b"".join([b"G21G90\n", *moves, b"M30\n"])


def _bare(port: str, lines: Sequence[bytes], room: int) -> float:
    """Lines a second: count, send, block for answers."""
    host, _, number = port.rpartition(":")
    with socket.create_connection((host, int(number)), timeout=30) as link:
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        waiting: deque[int] = deque()
        in_flight = at = 0
        begun = time.perf_counter()
        while at < len(lines) or waiting:
            first = at
            while at < len(lines) and in_flight + len(lines[at]) <= room:
                waiting.append(len(lines[at]))
                in_flight += len(lines[at])
                at += 1
            link.sendall(b"".join(lines[first:at]))
            for _ in range(link.recv(4096).count(b"ok")):
                in_flight -= waiting.popleft()
        return len(lines) / (time.perf_counter() - begun)


async def _driven(port: str, source: bytes) -> float:
    """Lines a second, from the start to the proof that all was made."""
    driver = Grbl(settings.from_machine({"port": port}))
    await driver.connect()
    try:
        program = read(source)
        await driver.load(Order(1, 1, 1, 1, 1, 60.0, "bench.nc", program, source), 1)
        begun = time.perf_counter()
        await driver.start()
        await driver.ended()
        return program.lines / (time.perf_counter() - begun)
    finally:
        await driver.close()


def streaming(effort: Effort) -> list[Figure]:
    """Both dialects, which differ in the size of the receive buffer."""
    source = _program(effort.of(LINES))
    lines = source.splitlines(keepends=True)
    figures = []
    for name, hal, room in (("GRBL", False, 128), ("grblHAL", True, 1024)):
        with _controller(hal=hal) as port:
            driven, bare = in_turn(
                effort.repeats,
                lambda: asyncio.run(_driven(port, source)),
                lambda: _bare(port, lines, room),  # noqa: B023 - called in this round
            )
        figures.append(
            compared(
                f"{name}: streamed, {room} bytes of buffer",
                driven,
                "lines/s",
                bare,
                "bare protocol",
                at_least=0.5,
            )
        )
    return figures
