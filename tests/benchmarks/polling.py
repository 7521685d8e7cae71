"""What twenty machines cost that are asked ten times a second: computing time, and the loop's lag.

One real LinuxCNC controller runs a program and is asked for all that the driver asks; a process of
its own then gives those answers to twenty drivers, as twenty controllers on two cores would measure
themselves. Beside them the bare protocol: as many plain connections that send the same questions
and read the answers.
"""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import (
    AbstractAsyncContextManager,
    AsyncExitStack,
    asynccontextmanager,
    contextmanager,
    suppress,
)
from pathlib import Path
from tempfile import TemporaryDirectory

from cnc_station.engine.domain.nc import read
from cnc_station.engine.drivers.base import Order, RunOutcome
from cnc_station.engine.drivers.linuxcnc import LinuxCnc
from cnc_station.engine.drivers.linuxcnc.snapshot import asked
from tests import linuxcnc
from tests.benchmarks.figures import Effort, Figure, compared, percentile
from tests.tools.servers import ServerFailed

MACHINES = 20
EVERY_S = 0.1
SECONDS = 10.0
TICK_S = 0.002
QUESTIONS = (
    *asked(3),
    "echo",
    "comm_prot",
    "wait_mode",
    "set_wait",
    "user_linear_units",
    "inifile",
)
PROGRAM = b"G21 G90 G17 G94 G54\nF600\nG0 X0 Y0 Z1\nG1 X100\nG1 X0\nM2\n"
ORDER = Order(1, 1, 1, 1, 1, 60.0, "bench.ngc", read(PROGRAM), PROGRAM)

Cost = tuple[float, float]  # CPU in per cent of a core, lag p99 in ms


def _recorded() -> dict[str, str]:
    """What a real controller answers in the middle of a program that this station started."""
    with linuxcnc.LinuxCnc() as mill:
        with mill.panel as panel:
            panel.make_ready()
        asyncio.run(_begin(mill))
        with mill.watcher as watcher:
            return {words: _answer(watcher, words) for words in QUESTIONS}


async def _begin(mill: linuxcnc.LinuxCnc) -> None:
    driver = LinuxCnc.make({"port": mill.port, "program_folder": str(mill.programs)})
    await driver.connect()
    await driver.load(ORDER, 1)
    await driver.start()
    await driver.close()


def _answer(watcher: linuxcnc.Panel, words: str) -> str:
    """The whole line; a word that this version does not know is a NAK, and no failure."""
    name = words.split(maxsplit=1)[0]
    try:
        return f"{name.upper()} {watcher.get(words)}"
    except ServerFailed:
        return f"get {words} NAK"


@contextmanager
def _controllers(answers: Mapping[str, str]) -> Iterator[int]:
    """One process that stands for all of them; gives its port."""
    with subprocess.Popen(
        [sys.executable, "-m", __spec__.name, json.dumps(answers)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield int(process.stdout.readline())
        process.stdin.close()


async def _answering(answers: Mapping[str, str]) -> None:
    async def serve(lines: asyncio.StreamReader, to: asyncio.StreamWriter) -> None:
        while request := await _request(lines):
            said = {"hello": "HELLO ACK BENCH 1.1", "get": answers.get(request[4:], "")}
            word = request.split()[1]
            acknowledged = request if word == "echo" else f"SET {word.upper()} ACK"
            to.write(f"{said.get(request.split()[0], acknowledged)}\r\n".encode())
        to.close()

    server = await asyncio.start_server(serve, "127.0.0.1")
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)


async def _request(lines: asyncio.StreamReader) -> str:
    """The next one; "" when the driver has hung up, however."""
    with suppress(ConnectionError):
        return (await lines.readline()).decode().strip()
    return ""


async def _cost(seconds: float) -> Cost:
    loop = asyncio.get_running_loop()
    before, begun = time.process_time(), loop.time()
    lags = []
    while (now := loop.time()) < begun + seconds:
        await asyncio.sleep(TICK_S)
        lags.append((loop.time() - now - TICK_S) * 1000)
    computed = time.process_time() - before
    return computed / (loop.time() - begun) * 100, percentile(lags, 0.99)


@asynccontextmanager
async def _drivers(port: int) -> AsyncIterator[None]:
    """Each has found its run under way and follows it."""
    with TemporaryDirectory() as folder:
        async with AsyncExitStack() as stack:
            for _ in range(MACHINES):
                driver = LinuxCnc.make({"port": port, "program_folder": str(Path(folder))})
                await driver.connect()
                stack.push_async_callback(driver.close)
                assert (await driver.inspect_run(ORDER)).outcome is RunOutcome.UNDER_WAY
            yield


@asynccontextmanager
async def _bare(port: int) -> AsyncIterator[None]:
    questions = "".join(f"get {words}\r\n" for words in asked(3)).encode()

    async def ask() -> None:
        lines, to = await asyncio.open_connection("127.0.0.1", port)
        try:
            while True:
                to.write(questions)
                for _ in asked(3):
                    await lines.readline()
                await asyncio.sleep(EVERY_S)
        finally:
            to.close()

    asking = [asyncio.create_task(ask()) for _ in range(MACHINES)]
    try:
        yield
    finally:
        for task in asking:
            task.cancel()
        await asyncio.gather(*asking, return_exceptions=True)


def _measured(work: Callable[[], AbstractAsyncContextManager[None]], seconds: float) -> Cost:
    async def run() -> Cost:
        async with work():
            return await _cost(seconds)

    return asyncio.run(run())


def polling(effort: Effort) -> list[Figure]:
    """One round: what it costs hardly varies."""
    seconds = max(2.0, SECONDS * effort.share)
    with _controllers(_recorded()) as port:
        bare = _measured(lambda: _bare(port), seconds)
        driven = _measured(lambda: _drivers(port), seconds)
    cpu, lag = "CPU for 20 machines at 10 Hz", "loop lag p99 beside 20 machines"
    return [
        compared(cpu, driven[0], "% core", bare[0], "bare protocol"),
        compared(lag, driven[1], "ms", bare[1], "bare protocol", at_most=3.0),
    ]


if __name__ == "__main__":
    asyncio.run(_answering(json.loads(sys.argv[1])))
