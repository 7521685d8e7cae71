"""Connecting to a fake GRBL, serial and TCP, in any state."""

import asyncio

import pytest

from cnc_station.engine.domain.errors import Unavailable
from cnc_station.engine.drivers.grbl import KIND
from cnc_station.engine.views import Doing
from tests.drivers.grbl_bench import FAST, Bench, bench, order, square
from tests.drivers.grbl_fake import FakeGrbl
from tests.until import until


async def test_the_identity_contains_the_size_of_the_buffer(hal: bool, pty: bool) -> None:
    async with bench(FakeGrbl(hal=hal), pty=pty) as it:
        identity = await it.driver.connect()
        assert identity.controller == ("grblHAL 1.1f" if hal else "Grbl 1.1h")
        assert ("Receive buffer", "1024 bytes" if hal else "128 bytes") in identity.details
        assert it.driver.status().doing is Doing.READY


async def test_connecting_twice_and_closing_twice_are_harmless(at: Bench) -> None:
    await at.driver.connect()
    assert at.driver.status().doing is Doing.READY
    await at.driver.close()
    await at.driver.close()
    assert at.driver.status().doing is Doing.UNREACHABLE


async def test_half_a_line_left_by_another_program_moves_nothing(hal: bool) -> None:
    fake = FakeGrbl(hal=hal, speed=FAST)
    fake.take(b"G0X50")
    async with bench(fake) as it:
        assert (await it.driver.connect()).controller.endswith("1.1f" if hal else "1.1h")
        assert fake.taken == []
        await it.make(square(2))


async def test_two_connects_at_once_share_the_wire(hal: bool, pty: bool) -> None:
    async with bench(FakeGrbl(hal=hal, speed=FAST), pty=pty) as it:
        await asyncio.gather(it.driver.connect(), it.driver.connect())
        await it.make(square(2))


async def test_a_busy_controller_is_not_disturbed_by_connecting(hal: bool) -> None:
    fake = FakeGrbl(hal=hal, speed=1.0)
    fake.take(b"G0X100\n")
    async with bench(fake) as it:
        await until(lambda: fake.axes.moving)
        identity = await it.driver.connect()
        assert ("Shows", "Run") in identity.details
        assert (await it.driver.inspect_run(order(square(1)))).detail.count("It executes") == 1
        assert fake.axes.moving
        fake.axes.speed = FAST
        await it.shows(Doing.READY)
        await it.make(square(1))
        assert fake.resets == 0


async def test_a_welcome_line_on_connecting_is_not_a_reset(hal: bool) -> None:
    fake = FakeGrbl(hal=hal, speed=FAST)
    fake.greets = True
    async with bench(fake) as it:
        await it.make(square(2))


async def test_connecting_waits_for_a_board_that_boots_when_its_port_is_opened(hal: bool) -> None:
    fake = FakeGrbl(hal=hal, speed=FAST)
    fake.boots_for = 1.2  # longer than a poll counts as lost
    async with bench(fake) as it:
        assert it.driver.status().doing is Doing.READY
        await it.make(square(2))


@pytest.mark.parametrize(
    ("settings", "wrong"),
    [
        ({}, "the address of the controller"),
        ({"port": "host:99999"}, "TCP port"),
        ({"port": "COM3", "baud": "fast"}, "baud"),
    ],
)
def test_invalid_settings_are_refused(settings: dict[str, object], wrong: str) -> None:
    with pytest.raises(ValueError, match=wrong):
        KIND.make(settings)


@pytest.mark.parametrize(
    "port", ["/dev/ttyUSB0", "COM3", "10.0.0.5:23", "tcp://cnc:23", "[::1]:23"]
)
def test_ports_and_addresses_are_distinguished(port: str) -> None:
    KIND.make({"port": port, "baud": "115200"})


@pytest.mark.parametrize(
    ("port", "why"),
    [
        ("/dev/none-such", "the serial port /dev/none-such does not exist"),
        ("127.0.0.1:1", "127.0.0.1 port 1 does not answer"),
        ("/dev/null", "/dev/null is not a serial port"),
        ("a.invalid:23", "a.invalid port 23 does not answer .*name"),
    ],
)
async def test_a_missing_port_is_unavailable(port: str, why: str) -> None:
    with pytest.raises(Unavailable, match=f"^{why}"):
        await KIND.make({"port": port}).connect()


async def test_a_serial_port_serves_one_program_at_a_time() -> None:
    async with bench(FakeGrbl(), pty=True) as it:
        with pytest.raises(Unavailable, match="another program uses the serial port"):
            await KIND.make({"port": it.wire.port}).connect()
