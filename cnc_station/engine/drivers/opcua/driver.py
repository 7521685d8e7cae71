"""OPC UA for Machine Tools (OPC 40501-1), read-only. The server reports each change of the
subscribed values, every 200 ms, in order. It keeps no history for the time of a lost connection."""

import asyncio
from typing import Self
from urllib.parse import urlsplit

from cnc_station.engine.domain.errors import Unavailable
from cnc_station.engine.drivers.base import DriverKind
from cnc_station.engine.drivers.dialects import DIALECT
from cnc_station.engine.drivers.opcua.apart import ServerApart
from cnc_station.engine.drivers.opcua.picture import Picture
from cnc_station.engine.drivers.read_only import ABILITIES, SETTLE_S, ReadOnlyDriver
from cnc_station.engine.views import DriverInfo, Identity, Setting
from cnc_station.peers.limits import OPCUA
from cnc_station.peers.values import text


class OpcUa(ReadOnlyDriver):
    """Implements `Driver`. `machine`: its name in the Machines folder; "" for the only one."""

    def __init__(self, url: str, machine: str = "", settle_s: float = SETTLE_S) -> None:
        super().__init__(settle_s)
        self._server = ServerApart(url, self.wire, self._connection_lost)
        self._wanted = machine
        self._picture = Picture()
        self._before = False  # whether it was connected before

    @classmethod
    def make(cls, settings: dict[str, object]) -> Self:
        url = str(settings.get("url") or "").strip()
        if "://" not in url:
            url = f"opc.tcp://{url}"
        parts = urlsplit(url)
        if parts.scheme != "opc.tcp" or not parts.hostname:
            raise ValueError("the address must be like opc.tcp://192.168.1.20:4840")
        return cls(url, str(settings.get("machine") or "").strip())

    async def _connect(self) -> Identity:
        """Find the machine in the server's model and subscribe to its values."""
        try:
            async with asyncio.timeout(OPCUA.last_byte_s):
                return await self._find_machine()
        except TimeoutError as error:
            words = f"the server takes longer than {OPCUA.last_byte_s:g} s to describe its machine"
            raise Unavailable(words) from error

    async def _find_machine(self) -> Identity:
        await self._server.open()
        machines = await self._server.machines()
        name = _choose(tuple(machines), self._wanted)
        details = await self._server.identity(machines[name])
        values = await self._server.watch(machines[name])
        alarms = await self._server.watch_alarms(alone=len(machines) == 1)
        if self._before:
            self._reports_lost()
        self._before = True
        self._picture = Picture()
        for value in values:
            self._picture.take(value)
        self._add_reports([self._picture.report()])
        missing = () if alarms else (("Alarms", "the server does not report it"),)
        return Identity("OPC UA for Machine Tools", (("Machine", name), *details, *missing))

    async def _receive(self) -> None:
        async for update in self._server.updates():
            if self._picture.take(update):
                self._add_reports([self._picture.report()])

    async def _disconnect(self) -> None:
        await self._server.close()


def _choose(names: tuple[str, ...], wanted: str) -> str:
    there = text(", ".join(names), 300)
    if not names:
        raise Unavailable("the server has no machine tool in its Machines folder")
    if wanted:
        if wanted not in names:
            raise Unavailable(f"the server has no machine called {wanted!r}; it has {there}")
        return wanted
    if len(names) > 1:
        raise Unavailable(f"the server has several machines, name one in the settings: {there}")
    return names[0]


KIND = DriverKind(
    DriverInfo(
        "opcua",
        "OPC UA for Machine Tools (read-only)",
        settings=(
            Setting("url", "Address", "", "opc.tcp://192.168.1.20:4840", wanted=True),
            Setting("machine", "Machine", "", "its name; leave empty if the server has only one"),
            DIALECT,
        ),
        abilities=ABILITIES,
    ),
    OpcUa.make,
)
