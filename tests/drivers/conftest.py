"""The machines that several test files drive."""

import socket
from collections.abc import AsyncIterator, Iterator

import pytest

from cnc_station.engine.drivers.linuxcnc import LinuxCnc
from tests import linuxcnc
from tests.conftest import serving
from tests.drivers.linuxcnc_programs import connected


@pytest.fixture(scope="session")
def mill() -> Iterator[linuxcnc.LinuxCnc]:
    """A real LinuxCNC controller. Those who use it are in the xdist group `linuxcnc`: one worker
    has it for all."""
    with serving(linuxcnc.LinuxCnc) as mill:
        yield mill


@pytest.fixture
def panel(mill: linuxcnc.LinuxCnc) -> Iterator[linuxcnc.Panel]:
    """Its operator, who has made it ready."""
    with mill.panel as panel:
        panel.make_ready()
        yield panel


@pytest.fixture
async def milling(
    mill: linuxcnc.LinuxCnc,
    panel: linuxcnc.Panel,  # noqa: ARG001 - the machine has to be ready
) -> AsyncIterator[LinuxCnc]:
    """A station's driver for it, connected."""
    async with connected(mill) as driver:
        yield driver


@pytest.fixture
def silent_port() -> int:
    """Where nobody listens."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port
