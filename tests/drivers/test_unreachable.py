"""Errors of the operating system about a controller, in words for the person at the machine."""

import asyncio
import errno
import socket
import ssl
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import serial

from cnc_station.engine.domain.errors import Unavailable
from cnc_station.engine.drivers import registry
from cnc_station.engine.drivers.unreachable import unreachable

MILL = "192.0.2.5 port 5007"
PORT = "/dev/ttyUSB0"
NETWORK = (
    (ConnectionRefusedError(errno.ECONNREFUSED, "Connect call failed"), "does not answer"),
    (OSError(errno.ECONNREFUSED, "x"), "refuses the connection"),
    (OSError(errno.ETIMEDOUT, "x"), "does not answer"),
    (TimeoutError(), "does not answer"),
    (OSError(errno.EHOSTUNREACH, "x"), "switched on"),
    (OSError(errno.EHOSTDOWN, "x"), "switched on"),
    (OSError(errno.ENETUNREACH, "x"), "no network"),
    (OSError(errno.ENETDOWN, "x"), "no network"),
    (OSError(errno.EADDRNOTAVAIL, "x"), "no network"),
    (socket.gaierror(socket.EAI_NONAME, "x"), "no computer of that name"),
    (socket.gaierror(socket.EAI_NODATA, "x"), "no computer of that name"),
    (socket.gaierror(socket.EAI_AGAIN, "x"), "looked up"),
    (UnicodeError("label too long"), "no computer of that name"),
    (OSError(errno.EACCES, "x"), "does not allow CNC Station to connect"),
    (OSError(errno.ECONNRESET, "x"), "closed the connection"),
    (OSError(errno.ECONNABORTED, "x"), "closed the connection"),
    (OSError(errno.EPIPE, "x"), "closed the connection"),
    (asyncio.IncompleteReadError(b"", 1), "closed the connection"),
    (ssl.SSLCertVerificationError(1, "self-signed"), "certificate"),
    (ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER]"), "secure connection"),
    (OSError(errno.ENOBUFS, "x"), "can't be reached"),
    (OSError("Multiple exceptions: [Errno 111] (::1), [Errno 113] (127.0.0.1)"), "refuses"),
)
SERIAL = (
    (OSError(errno.ENOENT, "x"), "does not exist: is the cable plugged in?"),
    (OSError(errno.ENODEV, "x"), "does not exist: is the cable plugged in?"),
    (OSError(errno.ENXIO, "x"), "does not exist: is the cable plugged in?"),
    (OSError(errno.EIO, "x"), "cable"),
    (OSError(errno.EBUSY, "x"), "another program uses"),
    (OSError(errno.EAGAIN, "x"), "another program uses"),
    (OSError(errno.EACCES, "x"), "dialout"),
    (OSError(errno.ENOTTY, "x"), "is not a serial port"),
    (TimeoutError(), "does not answer"),
    (serial.SerialException("could not open port: FileNotFoundError(2, 'x')"), "does not exist"),
    (serial.SerialException("could not open port: PermissionError(13, 'x')"), "another program"),
    (serial.SerialException("Could not configure port: (25, 'x')"), "is not a serial port"),
    (serial.SerialException("Could not configure port: (22, 'x')"), "can't be used"),
)


@pytest.mark.parametrize(("error", "words"), NETWORK, ids=repr)
def test_an_error_of_the_network_is_a_sentence_and_keeps_the_raw_words_apart(
    error: Exception, words: str
) -> None:
    said = unreachable(MILL, error)
    assert words in str(said)
    assert MILL in str(said)
    assert "Errno" not in str(said)
    assert type(error).__name__ in said.raw
    assert str(error) in said.raw


@pytest.mark.parametrize(("error", "words"), SERIAL, ids=repr)
def test_an_error_of_a_serial_port_is_a_sentence_that_names_the_port(
    error: Exception, words: str
) -> None:
    said = unreachable(PORT, error, serial=True)
    assert words in str(said)
    assert PORT in str(said)


@pytest.fixture
async def hangs_up() -> AsyncIterator[int]:
    """A port that closes each connection at once, with a reset."""

    async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.abort()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()


def settings(driver: str, host: str, port: int, folder: Path) -> Mapping[str, Any]:
    return {
        "grbl": {"port": f"{host}:{port}"},
        "linuxcnc": {"host": host, "port": str(port), "program_folder": str(folder)},
        "mtconnect": {"url": f"http://{host}:{port}"},
        "opcua": {"url": f"opc.tcp://{host}:{port}"},
    }[driver]


DRIVERS = ("grbl", "linuxcnc", "mtconnect", "opcua")


async def fails(driver: str, given: Mapping[str, Any]) -> Unavailable:
    made = registry.make(driver, dict(given))
    try:
        with pytest.raises(Unavailable) as refusal:
            await made.connect()
        for said in (str(refusal.value), made.status().why):
            assert "Errno" not in said
            assert "Connect call" not in said
            assert "Error" not in said
    finally:
        await made.close()
    return refusal.value


@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_a_port_at_which_nothing_listens_does_not_answer(
    driver: str, host: str, unused_tcp_port: int, tmp_path: Path
) -> None:
    said = await fails(driver, settings(driver, host, unused_tcp_port, tmp_path))
    assert "does not answer" in str(said)
    assert str(unused_tcp_port) in str(said)
    assert str(errno.ECONNREFUSED) in said.raw


@pytest.mark.parametrize("driver", DRIVERS)
async def test_an_unknown_computer_name_is_reported_as_such(driver: str, tmp_path: Path) -> None:
    said = await fails(driver, settings(driver, "no-such-machine.invalid", 5007, tmp_path))
    assert "does not answer" in str(said)
    assert "name" in str(said)


@pytest.mark.parametrize("driver", DRIVERS)
async def test_a_controller_that_closes_the_connection_at_once_is_reported_in_words(
    driver: str, hangs_up: int, tmp_path: Path
) -> None:
    await fails(driver, settings(driver, "127.0.0.1", hangs_up, tmp_path))
