"""Find the controllers that a station could drive, without touching one.

Opening a serial port resets many boards, so ports are listed and never opened. A network port is
connected to and closed at once; nothing is sent. Who answers is shown by the connection test, which
a person asks for.
"""

import asyncio
import os
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from serial.tools import list_ports

from cnc_station.engine.domain.errors import FieldError, InvalidInput
from cnc_station.engine.domain.machine import MachineSpec
from cnc_station.engine.drivers import registry
from cnc_station.engine.views import FoundController

LONGEST_S = 3.0
LINUXCNC_PORT = 5007
KNOWN_PORTS = {  # of controllers on a network, by the driver that speaks to them
    LINUXCNC_PORT: "linuxcnc",
    23: "grbl",
    4840: "opcua",
    5000: "mtconnect",
}
_PROCESSES = frozenset({"linuxcncrsh", "linuxcncsvr", "milltask"})
BY_ID = Path("/dev/serial/by-id")
PROC = Path("/proc")
_PORT_OPTION = re.compile(r"--?port[\0= ](\d{1,5})|\0-p\0(\d{1,5})")
_SERIAL = re.compile(r"/dev/\S+|COM\d{1,3}", re.IGNORECASE)
_NETWORK = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[0-9A-Za-z._-]{1,253})(?::(\d{1,5}))?")
_SCHEMES = {"opc.tcp://": ("opcua", "url"), "http://": ("mtconnect", "url")}
_NOT_ASKED = "The connection test shows what is connected there."


def program_folder(data_folder: Path) -> Path:
    """Return a folder for the programs of a LinuxCNC on this computer: its own, if it has one."""
    try:
        own = Path.home() / "linuxcnc" / "nc_files"
        return own if own.is_dir() else data_folder
    except (OSError, RuntimeError):  # without a home
        return data_folder


async def on_this_computer(
    machines: Sequence[MachineSpec], programs: Path
) -> tuple[FoundController, ...]:
    """Return the serial ports, USB first, and a LinuxCNC that runs here. `machines` are those of
    this station; `programs` is the folder for the programs that LinuxCNC reads."""
    ports, running = await asyncio.gather(
        _in_time(_serial_ports, machines), _linuxcnc_here(machines, programs)
    )
    return (*running, *ports)


async def at_address(
    address: str, machines: Sequence[MachineSpec], programs: Path
) -> tuple[FoundController, ...]:
    """Return what a typed address can be: by its form, or by the known ports that are open there.
    Raises InvalidInput."""
    for scheme, (driver, setting) in _SCHEMES.items():
        if address.lower().startswith(scheme):
            return (_found(driver, address, {setting: address}, machines, _NOT_ASKED),)
    if _SERIAL.fullmatch(address):
        return (_found("grbl", address, {"port": address}, machines, _NOT_ASKED),)
    parts = _NETWORK.fullmatch(address.removeprefix("tcp://"))
    port = int(parts[2] or 0) if parts else 0
    if parts is None or port > 65_535:
        reason = "must be an address such as 192.168.5.1, 192.168.5.1:23, /dev/ttyUSB0 or COM3"
        raise InvalidInput(FieldError("address", reason))
    host = parts[1].strip("[]")
    if port:
        driver = KNOWN_PORTS.get(port, "grbl")
        return (_at_port(driver, host, port, machines, programs),)
    return await _open_ports(host, machines, programs)


async def _open_ports(
    host: str, machines: Sequence[MachineSpec], programs: Path
) -> tuple[FoundController, ...]:
    answered = await asyncio.gather(*(_is_open(host, port) for port in KNOWN_PORTS))
    return tuple(
        _at_port(driver, host, port, machines, programs)
        for (port, driver), there in zip(KNOWN_PORTS.items(), answered, strict=True)
        if there
    )


def _at_port(
    driver: str, host: str, port: int, machines: Sequence[MachineSpec], programs: Path
) -> FoundController:
    where = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    settings: dict[str, Any] = {
        "linuxcnc": {"host": host, "port": str(port), "program_folder": str(programs)},
        "grbl": {"port": where},
        "opcua": {"url": f"opc.tcp://{where}"},
        "mtconnect": {"url": f"http://{where}"},
    }[driver]
    return _found(driver, where, settings, machines, _NOT_ASKED)


def _found(
    driver: str,
    address: str,
    settings: dict[str, Any],
    machines: Sequence[MachineSpec],
    note: str = "",
    title: str = "",
) -> FoundController:
    """`machine` is the one whose settings lead to the same place."""
    info = registry.info(driver)
    defaults = {setting.name: setting.default for setting in info.settings}
    theirs = ((m.name, {**defaults, **m.settings}) for m in machines if m.driver == driver)
    has_it = (name for name, stored in theirs if _same(stored, settings))
    title = title or info.title
    return FoundController(driver, title, address, settings, note, next(has_it, None))


def _same(stored: Any, found: dict[str, Any]) -> bool:
    """Whether both lead to one controller, whatever a device is called."""
    if "host" in found:
        return all(str(stored.get(name) or "") == found[name] for name in ("host", "port"))
    (name,) = found
    known, wanted = str(stored.get(name) or ""), str(found[name])
    is_device = wanted.startswith("/")
    return known == wanted or (is_device and os.path.realpath(known) == os.path.realpath(wanted))


def _serial_ports(machines: Sequence[MachineSpec]) -> list[FoundController]:
    """A USB adapter has a name that stays when it is plugged in elsewhere: that one is used."""
    lasting = _lasting_names()
    ports = sorted(list_ports.comports(), key=lambda port: (port.vid is None, port.device))
    return [
        _found(
            "grbl",
            port.device,
            {"port": lasting.get(os.path.realpath(port.device), port.device)},
            machines,
            _may_open(port.device),
            _title(port),
        )
        for port in ports
    ]


def _title(port: Any) -> str:
    """The adapter's name for people."""
    if port.vid is None:
        return "Serial port"
    maker, product = port.manufacturer or "", port.product or port.description or "USB serial port"
    return product if not maker or maker.lower() in product.lower() else f"{product} ({maker})"


def _may_open(device: str) -> str:
    if sys.platform == "win32" or os.access(device, os.R_OK | os.W_OK):
        return ""
    return (
        "This account may not use the port yet: sudo usermod -aG dialout $USER, then sign in again."
    )


def _lasting_names() -> dict[str, str]:
    with suppress(OSError):
        return {os.path.realpath(link): str(link) for link in sorted(BY_ID.iterdir())}
    return {}


async def _linuxcnc_here(
    machines: Sequence[MachineSpec], programs: Path
) -> tuple[FoundController, ...]:
    """A LinuxCNC that this station drives already is not connected to again."""
    running, port = await _in_time(_linuxcnc_process) or (False, LINUXCNC_PORT)
    settings = {"host": "127.0.0.1", "port": str(port), "program_folder": str(programs)}
    address, title = f"127.0.0.1:{port}", "LinuxCNC on this PC"
    found = _found("linuxcnc", address, settings, machines, title=title)
    if found.machine is not None or await _is_open("127.0.0.1", port):
        return (found,)
    if not running:
        return ()
    how = "It runs, but does not listen: add DISPLAY = linuxcncrsh to its INI file, restart it."
    return (_found("linuxcnc", address, settings, machines, how, title),)


def _linuxcnc_process() -> tuple[bool, int]:
    """Return whether LinuxCNC runs here, and where its linuxcncrsh listens. Linux only."""
    names = dict(_processes())
    for name, folder in names.items():
        if name == "linuxcncrsh":
            with suppress(OSError, UnicodeDecodeError):
                said = _PORT_OPTION.search((folder / "cmdline").read_text())
                if said:
                    return True, int(said[1] or said[2])
    return bool(names), LINUXCNC_PORT


def _processes() -> Iterator[tuple[str, Path]]:
    with suppress(OSError):
        for folder in PROC.iterdir():
            if folder.name.isdecimal():
                with suppress(OSError, UnicodeDecodeError):
                    name = (folder / "comm").read_text().strip()
                    if name in _PROCESSES:
                        yield name, folder


async def _is_open(host: str, port: int) -> bool:
    try:
        async with asyncio.timeout(LONGEST_S / 2):
            _, writer = await asyncio.open_connection(host, port)
    except (OSError, UnicodeError):  # OSError: a timeout too
        return False
    writer.transport.abort()
    return True


async def _in_time(look: Any, *arguments: Any) -> Any:
    """Return what a blocking look finds; nothing if the system does not answer in time."""
    try:
        async with asyncio.timeout(LONGEST_S / 2):
            return await asyncio.to_thread(look, *arguments)
    except TimeoutError:
        return ()
