"""The machines that several test files use."""

import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from cnc_station.engine.drivers.linuxcnc import LinuxCnc
from cnc_station.engine.drivers.mtconnect import MTConnect
from tests import linuxcnc
from tests.conftest import serving
from tests.drivers.grbl_bench import FAST, Bench, bench
from tests.drivers.grbl_fake import FakeGrbl
from tests.drivers.linuxcnc_programs import connected
from tests.drivers.mtconnect_agent import FakeAgent
from tests.drivers.opcua_machines import OpcUaServer, needs_node
from tests.drivers.watched import HEARTBEAT_S, SETTLE_S


@pytest.fixture(scope="session")
def mill() -> Iterator[linuxcnc.LinuxCnc]:
    """A real LinuxCNC controller.

    Its tests are in the xdist group `linuxcnc`: one worker has it for all.
    """
    with serving(linuxcnc.LinuxCnc) as mill:
        yield mill


@pytest.fixture
def panel(mill: linuxcnc.LinuxCnc) -> Iterator[linuxcnc.Panel]:
    """The operator panel of the mill, ready to run programs."""
    with mill.ready_panel() as panel:
        yield panel


@pytest.fixture
async def milling(
    mill: linuxcnc.LinuxCnc,
    panel: linuxcnc.Panel,  # noqa: ARG001 - the machine has to be ready
) -> AsyncIterator[LinuxCnc]:
    """A connected driver for the mill."""
    async with connected(mill) as driver:
        yield driver


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port on which nothing listens, reserved for the test."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        yield one.getsockname()[1]


@pytest.fixture(params=["grbl", "grblHAL"])
def hal(request: pytest.FixtureRequest) -> bool:
    """Both dialects of GRBL."""
    return bool(request.param == "grblHAL")


@pytest.fixture(params=["tcp", "pty"])
def pty(request: pytest.FixtureRequest) -> bool:
    """Both kinds of connection: TCP and serial."""
    return bool(request.param == "pty")


@pytest.fixture
async def at(hal: bool) -> AsyncIterator[Bench]:
    """A driver that is connected to a fake GRBL."""
    async with bench(FakeGrbl(hal=hal, speed=FAST)) as it:
        yield it


@pytest.fixture
async def agent() -> AsyncIterator[FakeAgent]:
    """The agent of a mill that is ready and has made 12 parts."""
    async with FakeAgent() as agent:
        agent.ready(count=12)
        yield agent


@pytest.fixture
async def watcher(agent: FakeAgent) -> AsyncIterator[MTConnect]:
    """A driver of that mill, not connected yet."""
    watcher = MTConnect(agent.url, heartbeat_s=HEARTBEAT_S, settle_s=SETTLE_S)
    yield watcher
    await watcher.close()


@pytest.fixture(scope="session")
def opcua_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The certificates of OPC UA servers: creating each takes seconds.

    These tests are in the xdist group `opcua`.
    """
    needs_node()
    return tmp_path_factory.mktemp("opcua")


@pytest.fixture(scope="session")
def opcua_running(opcua_folder: Path) -> Iterator[OpcUaServer]:
    """One server for all tests; use `opcua_server`."""
    with OpcUaServer(opcua_folder) as server:
        yield server


@pytest.fixture
def opcua_server(opcua_running: OpcUaServer) -> OpcUaServer:
    """The server with its machine in the initial state."""
    opcua_running.put_back()
    return opcua_running
