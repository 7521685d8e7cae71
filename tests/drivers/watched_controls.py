"""An operator and a machine for both read-only protocols."""

from typing import Protocol

from cnc_station.engine.drivers.mtconnect import MTConnect
from cnc_station.engine.drivers.opcua import OpcUa
from cnc_station.engine.drivers.read_only import ReadOnlyDriver
from tests.drivers.mtconnect_agent import FakeAgent
from tests.drivers.opcua_machines import OpcUaServer
from tests.drivers.watched import HEARTBEAT_S, PROGRAM, SETTLE_S


class Control(Protocol):
    """The actions of an operator and a machine, in terms of its protocol."""

    def watcher(self) -> ReadOnlyDriver:
        """Return the driver of a new station."""
        ...

    def select(self, program: str) -> None: ...

    def run(self) -> None: ...

    def hold(self) -> None: ...

    def complete(self) -> None: ...

    def break_off(self) -> None:
        """Reset before the end of the program."""
        ...

    def alarm(self, words: str) -> None: ...

    def by_hand(self, on: bool) -> None: ...

    async def unplug(self) -> None:
        """Remove the network of the machine; it continues."""
        ...

    async def plug_in(self) -> None: ...

    async def off(self) -> None:
        """Switch the machine off."""
        ...

    async def on(self) -> None: ...


class MtConnectControl:
    def __init__(self, agent: FakeAgent) -> None:
        self._agent = agent

    def watcher(self) -> ReadOnlyDriver:
        return MTConnect(self._agent.url, heartbeat_s=HEARTBEAT_S, settle_s=SETTLE_S)

    def select(self, program: str) -> None:
        self._agent.say(pgm=program)

    def run(self) -> None:
        self._agent.say(exec="ACTIVE")

    def hold(self) -> None:
        self._agent.say(exec="PROGRAM_STOPPED")

    def complete(self) -> None:
        self._agent.say(exec="PROGRAM_COMPLETED")

    def break_off(self) -> None:
        self._agent.say(exec="STOPPED")
        self._agent.say(exec="READY")

    def alarm(self, words: str) -> None:
        self._agent.fault(words, "A1")

    def by_hand(self, on: bool) -> None:
        self._agent.say(mode="MANUAL_DATA_INPUT" if on else "AUTOMATIC")

    async def unplug(self) -> None:
        await self._agent.down()

    async def plug_in(self) -> None:
        await self._agent.up()

    async def off(self) -> None:
        """The agent runs on another computer: it stays."""
        self._agent.say(avail="UNAVAILABLE", exec="UNAVAILABLE", pgm="UNAVAILABLE")

    async def on(self) -> None:
        self._agent.ready(count=12)


class OpcUaControl:
    def __init__(self, server: OpcUaServer) -> None:
        self._server = server

    def watcher(self) -> ReadOnlyDriver:
        return OpcUa(self._server.url, settle_s=SETTLE_S)

    def select(self, program: str) -> None:
        self._server.do("program", program)

    def run(self) -> None:
        self._server.do("state", "Running")

    def hold(self) -> None:
        self._server.do("state", "Interrupted")

    def complete(self) -> None:
        self._server.do("state", "Ended")

    def break_off(self) -> None:
        self._server.do("state", "Aborted")

    def alarm(self, words: str) -> None:
        self._server.do("alarm", words, "A1")

    def by_hand(self, on: bool) -> None:
        self._server.do("mode", "Manual" if on else "Automatic")

    async def unplug(self) -> None:
        self._server.kill()

    async def plug_in(self) -> None:
        self._server.up()
        self.select(PROGRAM)
        self.run()

    async def off(self) -> None:
        """The server is part of the control: it ends too."""
        self._server.kill()

    async def on(self) -> None:
        self._server.up()
