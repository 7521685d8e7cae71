"""Sockets, subprocesses, threads and signals under the application's loop."""

import asyncio
import os
import signal
import socket
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.ui.running import running
from tests.until import until

CONNECTIONS = 8
LINES = 200


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(1 << 16):
        writer.write(data)
        await writer.drain()
    writer.close()
    await writer.wait_closed()


async def test_eight_connections_at_a_time_echo_every_line_in_order() -> None:
    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    address = server.sockets[0].getsockname()

    async def talk(number: int) -> list[bytes]:
        reader, writer = await asyncio.open_connection(*address)
        heard = []
        for line in range(LINES):
            writer.write(b"%d %d\n" % (number, line))
            heard.append(await asyncio.wait_for(reader.readline(), 60))
        writer.close()
        await writer.wait_closed()
        return heard

    heard = await asyncio.gather(*(talk(number) for number in range(CONNECTIONS)))
    assert heard == [[b"%d %d\n" % (n, line) for line in range(LINES)] for n in range(CONNECTIONS)]
    server.close()
    await server.wait_closed()
    await until(lambda: len(asyncio.all_tasks()) == 1)
    assert len(running()._timers) <= CONNECTIONS * 2 + 1


async def test_more_than_the_buffers_hold_arrives_whole() -> None:
    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    sent = bytes(range(256)) * 16_384
    writer.write(sent)
    assert await reader.readexactly(len(sent)) == sent
    writer.close()
    await writer.wait_closed()
    server.close()
    await server.wait_closed()


async def test_a_reader_is_called_while_there_is_something_to_read_and_not_once_removed() -> None:
    ours, theirs = socket.socketpair()
    got = bytearray()
    with ours, theirs:
        running().add_reader(ours, lambda: got.extend(ours.recv(1)))
        theirs.send(b"abc")
        await until(lambda: got == b"abc")
        assert running().remove_reader(ours)
        assert not running().remove_reader(ours)
        theirs.send(b"d")
        await asyncio.sleep(0.01)
        assert got == b"abc"


async def test_a_reader_that_fails_is_reported_and_called_again(loop_errors: list[str]) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:

        def read() -> None:
            raise ValueError(ours.recv(1))

        running().add_reader(ours, read)
        theirs.send(b"ab")
        await until(lambda: len(loop_errors) == 2)
        running().remove_reader(ours)
    loop_errors.clear()


async def test_a_reader_can_replace_or_remove_itself() -> None:
    ours, theirs = socket.socketpair()
    got: list[bytes] = []
    with ours, theirs:

        def first() -> None:
            got.append(b"first " + ours.recv(1))
            running().add_reader(ours, second)

        def second() -> None:
            got.append(b"second " + ours.recv(1))
            running().remove_reader(ours)

        running().add_reader(ours, first)
        theirs.send(b"abc")
        await until(lambda: len(got) == 2)
        await asyncio.sleep(0.01)
        assert got == [b"first a", b"second b"]


async def test_a_writer_is_called_while_there_is_room() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        sent: list[int] = []

        def write() -> None:
            sent.append(ours.send(b"x"))
            if len(sent) == 3:
                running().remove_writer(ours)

        running().add_writer(ours, write)
        await until(lambda: len(sent) == 3)
        assert theirs.recv(10) == b"xxx"


async def test_a_subprocess_is_fed_read_and_waited_for() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        "import sys; print(sys.stdin.read().upper()); sys.exit(7)",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await process.communicate(b"spindle")
    assert out.strip() == b"SPINDLE"
    assert process.returncode == 7


async def test_a_killed_subprocess_is_noticed() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", "import time; time.sleep(3600)"
    )
    process.kill()
    assert await process.wait() != 0


async def test_work_in_threads_comes_back_to_the_loop() -> None:
    loop = running()
    here = threading.get_ident()
    there = await asyncio.gather(
        *(loop.run_in_executor(None, threading.get_ident) for _ in range(8))
    )
    assert here not in there
    with ThreadPoolExecutor(1, "writer") as pool:
        name = await loop.run_in_executor(pool, lambda: threading.current_thread().name)
    assert name.startswith("writer")


async def test_an_error_in_a_thread_is_raised_where_it_is_awaited() -> None:
    with pytest.raises(ZeroDivisionError):
        await asyncio.to_thread(lambda: 1 // 0)


@pytest.mark.skipif(os.name == "nt", reason="asyncio has no signal handlers on Windows")
async def test_a_signal_handler_runs_in_the_loop() -> None:
    arrived = asyncio.Event()
    running().add_signal_handler(signal.SIGUSR1, arrived.set)
    os.kill(os.getpid(), signal.SIGUSR1)
    await arrived.wait()
    assert running().remove_signal_handler(signal.SIGUSR1)
