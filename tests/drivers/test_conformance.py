"""Every driver against its counterpart: see `conformance`."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from cnc_station.engine.domain.nc import read
from cnc_station.engine.drivers.base import Order
from cnc_station.engine.drivers.grbl import settings as grbl_settings
from cnc_station.engine.drivers.grbl.driver import Grbl
from cnc_station.engine.drivers.linuxcnc import LinuxCnc
from cnc_station.engine.drivers.mtconnect import MTConnect
from cnc_station.engine.drivers.opcua import OpcUa
from tests import linuxcnc
from tests.drivers import watched
from tests.drivers.conformance import Bench, StartingDriver, WatchingDriver
from tests.drivers.grbl_bench import QUICK
from tests.drivers.grbl_fake import FakeGrbl
from tests.drivers.grbl_wire import TcpWire
from tests.drivers.mtconnect_agent import FakeAgent
from tests.drivers.opcua_machines import OpcUaServer
from tests.until import until

HEAD = "G21 G90 G17 G94 G54\nG0 X0 Y0 Z1\n"
SHORT = f"{HEAD}G1 X3 F1800\nY2\nG0 Z2\nM2\n"
LONG = f"{HEAD}G1 X40 F600\nY5\nG0 Z2\nM2\n"
UNSTATED = "G0 X4 Y4\nG1 X5 Y5 F1200\nM2\n"
_runs = iter(range(1_000, 9_999))


def order_of(source: str) -> Order:
    program = read(source.encode())
    return Order(next(_runs), 1, 1, 1, 1, 10.0, "part.nc", program, source.encode())


@pytest.mark.xdist_group("linuxcnc")
class TestLinuxCnc(StartingDriver):
    """The real controller."""

    @pytest.fixture
    def bench(
        self,
        mill: linuxcnc.LinuxCnc,
        panel: linuxcnc.Panel,
        silent_port: int,
    ) -> Bench:
        folder = str(mill.programs)
        driver, nowhere = (
            LinuxCnc.make({"port": port, "program_folder": folder})
            for port in (mill.port, silent_port)
        )

        def in_inches() -> None:
            panel.command("G20 G91")
            panel.make("mode", "auto")

        def place() -> tuple[float, ...]:
            return tuple(float(number) for number in panel.get("abs_act_pos").split()[:3])

        return Bench(
            driver,
            nowhere,
            order_of(SHORT),
            order_of(LONG),
            leave_modes=lambda: asyncio.to_thread(in_inches),
            unstated=order_of(UNSTATED),
            place=place,
            stop_short=lambda: asyncio.to_thread(panel.set, "abort"),
        )


@pytest.mark.parametrize("hal", [False, True], ids=["grbl", "grblhal"])
class TestGrbl(StartingDriver):
    """The fake, in both dialects: see grbl_fake."""

    @pytest.fixture
    async def bench(self, hal: bool, silent_port: int) -> AsyncIterator[Bench]:
        fake = FakeGrbl(hal=hal)
        fake.take(b"F100\n")  # it has been used: a restart between two connections would be visible
        wire = TcpWire(fake)
        await wire.put_back()

        def make(port: str = wire.port) -> Grbl:
            return Grbl(grbl_settings.from_machine({"port": port}), QUICK)

        async def leave_modes() -> None:
            fake.take(b"G20G91\n")

        async def lose_position() -> None:
            fake.switch_off_and_on()

        async def stop_short() -> None:
            await until(lambda: fake.axes.moving)
            fake.welcome = ""
            fake.switch_off_and_on()

        yield Bench(
            make(),
            make(f"127.0.0.1:{silent_port}"),
            order_of(SHORT),
            order_of(LONG),
            leave_modes=leave_modes,
            unstated=order_of(UNSTATED),
            place=lambda: fake.axes.place,
            lose_position=lose_position,
            stop_short=stop_short,
            next_life=make,
        )
        await wire.pull_out()


class TestMtConnect(WatchingDriver):
    """The fake: see mtconnect_agent."""

    @pytest.fixture
    async def bench(self, silent_port: int) -> AsyncIterator[Bench]:
        async with FakeAgent() as agent:
            agent.ready(count=12)

            async def begin() -> None:
                agent.say(pgm=watched.PROGRAM, exec="ACTIVE")

            async def finish() -> None:
                agent.say(count="13", exec="PROGRAM_COMPLETED")

            urls = (agent.url, f"http://127.0.0.1:{silent_port}")
            driver, nowhere = (MTConnect(url, heartbeat_s=2.0) for url in urls)
            yield Bench(driver, nowhere, watched.order(), watched.order(), begin, finish)


@pytest.mark.xdist_group("opcua")
class TestOpcUa(WatchingDriver):
    """node-opcua with the OPC Foundation's model."""

    @pytest.fixture
    def bench(self, opcua_server: OpcUaServer, silent_port: int) -> Bench:
        server = opcua_server

        async def begin() -> None:
            await asyncio.to_thread(server.do, "program", watched.PROGRAM)
            await asyncio.to_thread(server.do, "state", "Running")

        async def finish() -> None:
            await asyncio.to_thread(server.do, "parts", 1)
            await asyncio.to_thread(server.do, "state", "Ended")

        urls = (server.url, f"opc.tcp://127.0.0.1:{silent_port}")
        driver, nowhere = (OpcUa(url, settle_s=0.5) for url in urls)
        return Bench(driver, nowhere, watched.order(), watched.order(), begin, finish)
