"""When the position of a LinuxCNC machine is known, and what a person has to confirm."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from cnc_station.engine.domain.errors import Conflict, Unavailable
from cnc_station.engine.domain.machine import PositionBasis
from cnc_station.engine.drivers.base import NotReady, RunOutcome
from cnc_station.engine.drivers.linuxcnc import LinuxCnc
from cnc_station.engine.drivers.linuxcnc import client as wire
from cnc_station.engine.views import Doing
from tests import linuxcnc
from tests.conftest import serving
from tests.drivers.linuxcnc_programs import BLINK, SQUARE, begin, connected, driver_of, order_of
from tests.until import until

pytestmark = pytest.mark.xdist_group("linuxcnc")


def basis(driver: LinuxCnc) -> PositionBasis:
    position = driver.status().position
    assert position is not None
    memory = driver.memory()
    assert memory is not None
    assert memory.position == position
    return position.basis


async def test_a_homed_machine_knows_its_position(milling: LinuxCnc) -> None:
    assert basis(milling) is PositionBasis.HOMED
    assert milling.status().doing is Doing.READY


async def test_a_restarted_machine_has_no_position_until_it_is_homed(
    mill: linuxcnc.LinuxCnc,
) -> None:
    mill.stop()
    mill.start()
    with mill.panel as panel:
        panel.switch_on()
        panel.make("mode", "auto")
        async with connected(mill) as driver:
            assert basis(driver) is PositionBasis.LOST
            assert driver.status().why == "not homed"
            with pytest.raises(Conflict, match="home it instead"):
                await driver.confirm_position()
            with pytest.raises(NotReady, match="not homed"):
                await driver.load(order_of(SQUARE), 1)
            await asyncio.to_thread(panel.make_ready)
            await until(lambda: driver.status().doing is Doing.READY)
            assert basis(driver) is PositionBasis.HOMED


async def test_another_controller_at_the_address_waits_for_a_person_also_after_restarts(
    mill: linuxcnc.LinuxCnc, milling: LinuxCnc
) -> None:
    order = await begin(milling, BLINK)
    await milling.ended()
    memory = milling.memory()
    assert memory is not None
    with serving(lambda: linuxcnc.LinuxCnc("MILL2")) as second:
        with second.panel as panel:
            panel.make_ready()
        for _ in range(2):  # a restarted station has the same doubt
            async with connected(second) as driver:
                driver.recall(memory)
                await driver.link.read_snapshot()
                status = driver.status()
                assert status.doing is Doing.NOT_READY
                assert f"another controller answers at 127.0.0.1 port {second.port}" in status.why
                assert "MILL2" in status.why
                with pytest.raises(NotReady, match="another controller"):
                    await driver.load(order, 1)
                memory = driver.memory()
                assert memory is not None
                assert not memory.position.known
        async with connected(second) as driver:
            driver.recall(memory)
            await driver.link.read_snapshot()
            await driver.confirm_position()
            assert driver.status().doing is Doing.READY
            assert basis(driver) is PositionBasis.CONFIRMED
            confirmed = driver.memory()
        async with connected(second) as driver:
            driver.recall(confirmed)
            await driver.link.read_snapshot()
            assert basis(driver) is PositionBasis.CONFIRMED
            await begin(driver, BLINK)
            await driver.ended()
    async with connected(mill) as driver:  # the first one is now the other one
        driver.recall(confirmed)
        await driver.link.read_snapshot()
        assert driver.status().doing is Doing.NOT_READY
        assert (await driver.inspect_run(order)).outcome is RunOutcome.STOPPED


async def test_the_first_controller_belongs_to_the_machine(
    mill: linuxcnc.LinuxCnc, milling: LinuxCnc
) -> None:
    memory = milling.memory()
    driver = driver_of(mill)
    driver.recall(None)
    await driver.connect()
    assert driver.memory() == memory
    await driver.close()
    assert driver.memory() == memory


async def test_an_invalid_mark_counts_as_none(mill: linuxcnc.LinuxCnc, milling: LinuxCnc) -> None:
    memory = milling.memory()
    assert memory is not None
    for text in ("", "[]", "{}", "nonsense", '["a", [1, 2]]'):
        driver = driver_of(mill)
        driver.recall(replace(memory, mark=text))
        await driver.connect()
        assert driver.status().doing is Doing.READY
        await driver.close()


async def test_a_g92_offset_left_by_a_program_waits_for_a_person(
    milling: LinuxCnc, mill: linuxcnc.LinuxCnc, panel: linuxcnc.Panel
) -> None:
    await begin(milling, "%\nG21 G90 G54 G49\nG0 X0 Y0 Z5\nG92 X3\n%\n")
    await milling.ended()
    await until(lambda: milling.status().doing is Doing.NOT_READY)
    assert "a G92 offset is active" in milling.status().why
    assert "G92.1" in milling.status().remedy
    assert basis(milling) is PositionBasis.LOST
    with pytest.raises(NotReady, match="G92"):
        await milling.load(order_of(SQUARE), 1)

    await milling.confirm_position()
    assert milling.status().doing is Doing.READY
    memory = milling.memory()
    async with connected(mill) as later:
        later.recall(memory)
        await later.link.read_snapshot()
        assert later.status().doing is Doing.READY
        await begin(later, BLINK)
        await later.ended()
        assert later.status().doing is Doing.READY
        panel.command("G92 X7")
        panel.make("mode", "auto")  # another zero than the one that was confirmed
        await until(lambda: "G92" in later.status().why)
        panel.command("G92.1")
        panel.make("mode", "auto")
        await until(lambda: later.status().doing is Doing.READY)


async def test_nothing_is_confirmed_while_a_program_runs_or_the_machine_is_stopped(
    milling: LinuxCnc, panel: linuxcnc.Panel
) -> None:
    await begin(milling, SQUARE)
    with pytest.raises(Conflict, match="is running"):
        await milling.confirm_position()
    await milling.ended()
    panel.make("estop", "on")
    with pytest.raises(Conflict, match="off or stopped"):
        await milling.confirm_position()


async def test_an_address_without_a_controller_is_reported_in_plain_words(
    silent_port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def why(**where: object) -> str:
        driver = LinuxCnc.make({"program_folder": str(tmp_path), **where})
        with pytest.raises(Unavailable) as refused:
            await driver.connect()
        assert driver.status().why == str(refused.value)
        assert "rrno" not in str(refused.value)
        await driver.close()
        return str(refused.value)

    assert await why(port=silent_port) == (
        f"LinuxCNC at 127.0.0.1 port {silent_port} does not answer (it refuses the connection)"
    )
    assert "no computer of that name is known" in await why(host="no-such-mill.invalid")
    assert "no computer of that name is known" in await why(host="a" * 70 + ".example")

    async def slow(*_: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(asyncio, "open_connection", slow)
    monkeypatch.setattr(wire, "PATIENCE_S", 0.05)
    assert (await why()).endswith("does not answer")

    async def unreachable(*_: object) -> None:
        raise OSError(113, "No route to host")

    monkeypatch.setattr(asyncio, "open_connection", unreachable)
    assert "no device at that address" in await why()
