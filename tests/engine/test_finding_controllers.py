"""Finding controllers: what is offered, and that nothing is opened or sent."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from serial.tools import list_ports

from cnc_station.engine.commands import AddMachine
from cnc_station.engine.domain.errors import InvalidInput, NotPermitted
from cnc_station.engine.domain.machine import Capability, MachineSpec
from cnc_station.engine.domain.principal import Principal, Role
from cnc_station.engine.drivers import finding
from cnc_station.engine.engine import StationEngine
from cnc_station.engine.queries import FindControllers
from cnc_station.engine.views import FoundController


@pytest.fixture(autouse=True)
def computer(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[SimpleNamespace]:
    """Its serial ports; no LinuxCNC runs on it."""
    ports: list[SimpleNamespace] = []
    monkeypatch.setattr(list_ports, "comports", lambda: ports)
    monkeypatch.setattr(finding, "PROC", tmp_path / "proc")
    monkeypatch.setattr(finding, "LINUXCNC_PORT", 9)
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    return ports


def port(device: str, product: str | None = None, maker: str | None = None) -> SimpleNamespace:
    vid = 0x1A86 if product else None
    return SimpleNamespace(
        device=device, vid=vid, product=product, manufacturer=maker, description="n/a"
    )


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as made:
        yield made


async def found(engine: StationEngine, address: str = "") -> tuple[FoundController, ...]:
    return await engine.local_door.ask(FindControllers(address))


async def test_usb_ports_come_first_with_their_names_and_none_is_opened(
    engine: StationEngine, computer: list[SimpleNamespace], tmp_path: Path
) -> None:
    board = tmp_path / "ttyUSB0"
    board.touch()
    computer += [port("/nowhere/ttyS0"), port(str(board), "USB Serial", "QinHeng")]
    first, second = await found(engine)
    assert (first.title, first.settings) == ("USB Serial (QinHeng)", {"port": str(board)})
    assert first.note == ""
    assert (second.title, second.address) == ("Serial port", "/nowhere/ttyS0")
    assert "dialout" in second.note


async def test_an_adapter_is_taken_by_the_name_that_stays_when_it_is_plugged_in_again(
    engine: StationEngine,
    computer: list[SimpleNamespace],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    device, link = tmp_path / "ttyUSB3", tmp_path / "by-id" / "usb-1a86_USB_Serial-if00"
    device.touch()
    link.parent.mkdir()
    link.symlink_to(device)
    monkeypatch.setattr(finding, "BY_ID", link.parent)
    computer.append(port(str(device), "USB Serial"))
    (one,) = await found(engine)
    assert (one.address, one.settings) == (str(device), {"port": str(link)})
    await engine.local_door.execute(AddMachine(router({"port": str(device)})))
    (one,) = await found(engine)
    assert one.machine == "Router 1", "the machine has it by its other name"


def router(settings: dict[str, object]) -> MachineSpec:
    return MachineSpec(
        "Router 1", "mill", driver="grbl", capability=Capability("mill"), settings=settings
    )


async def test_a_linuxcnc_on_this_pc_is_offered_and_nothing_is_sent_to_it(
    engine: StationEngine, listener: socket.socket, tmp_path: Path
) -> None:
    number = listener.getsockname()[1]
    run_linuxcnc(tmp_path, number)
    (one,) = await found(engine)
    assert (one.driver, one.title) == ("linuxcnc", "LinuxCNC on this PC")
    assert (one.settings["port"], one.note) == (str(number), "")
    assert await asyncio.to_thread(heard, listener) == b""


def run_linuxcnc(folder: Path, number: int) -> None:
    process = folder / "proc" / "41"
    process.mkdir(parents=True)
    (process / "comm").write_text("linuxcncrsh\n")
    (process / "cmdline").write_text(f"linuxcncrsh\0--port\0{number}\0--name\0MILL1\0")


def heard(listener: socket.socket) -> bytes:
    listener.settimeout(5)
    connection, _ = listener.accept()
    with connection:
        connection.settimeout(5)
        try:
            return connection.recv(100)
        except ConnectionResetError:
            return b""


async def test_a_linuxcnc_that_does_not_listen_says_what_to_do(
    engine: StationEngine, listener: socket.socket, tmp_path: Path
) -> None:
    run_linuxcnc(tmp_path, listener.getsockname()[1])
    listener.close()
    (one,) = await found(engine)
    assert "add DISPLAY = linuxcncrsh" in one.note


@pytest.mark.parametrize(
    ("address", "driver", "settings"),
    [
        ("192.168.5.1:23", "grbl", {"port": "192.168.5.1:23"}),
        ("tcp://cnc:8080", "grbl", {"port": "cnc:8080"}),
        ("COM7", "grbl", {"port": "COM7"}),
        ("/dev/ttyACM0", "grbl", {"port": "/dev/ttyACM0"}),
        ("opc.tcp://10.0.0.7:4840/x", "opcua", {"url": "opc.tcp://10.0.0.7:4840/x"}),
        ("http://10.0.0.7:5000", "mtconnect", {"url": "http://10.0.0.7:5000"}),
        ("[fe80::1]:4840", "opcua", {"url": "opc.tcp://[fe80::1]:4840"}),
    ],
)
async def test_the_form_of_a_typed_address_says_which_driver_it_is_for(
    engine: StationEngine, address: str, driver: str, settings: dict[str, str]
) -> None:
    (one,) = await found(engine, f" {address} ")
    assert (one.driver, one.settings) == (driver, settings)


@pytest.mark.parametrize("address", ["no such/place", "a:99999", "user@host", "//", "ftp://a"])
async def test_an_address_that_cannot_be_one_is_refused_at_its_field(
    engine: StationEngine, address: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        await found(engine, address)
    assert [error.field for error in refused.value.errors] == ["address"]


async def test_a_bare_name_offers_the_known_ports_that_are_open(
    engine: StationEngine, listener: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = listener.getsockname()[1]
    monkeypatch.setattr(finding, "KNOWN_PORTS", {number: "linuxcnc", 9: "grbl"})
    (one,) = await found(engine, "127.0.0.1")
    assert (one.driver, one.settings["port"]) == ("linuxcnc", str(number))
    assert one.settings["host"] == "127.0.0.1"


async def test_a_system_that_does_not_answer_costs_a_bounded_time(
    engine: StationEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = threading.Event()
    monkeypatch.setattr(finding, "LONGEST_S", 0.1)
    monkeypatch.setattr(list_ports, "comports", lambda: answers.wait(60) and [])
    async with asyncio.timeout(30):
        assert await found(engine) == ()
    answers.set()


async def test_an_operator_may_not_look_for_controllers(engine: StationEngine) -> None:
    door = engine.door(Principal("ann", frozenset({Role.OPERATOR}), tenants=None))
    with pytest.raises(NotPermitted):
        await door.ask(FindControllers())
