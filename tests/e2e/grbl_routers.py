"""False GRBL controllers at the end of real wires, as machines of a shop."""

from pathlib import Path

from cnc_station.engine.domain.machine import Capability, MachineSpec
from tests.drivers.grbl_fake import FakeGrbl
from tests.drivers.grbl_wire import PtyWire, TcpWire, Wire

SPEED = 2.0


class Router:
    """A false controller at the end of its wire."""

    def __init__(self, folder: Path, *, hal: bool, homing: bool = False) -> None:
        self.fake = FakeGrbl(hal=hal, speed=SPEED, travel=500.0, homing=homing)
        self.wire: Wire = TcpWire(self.fake) if hal else PtyWire(self.fake, folder)

    def as_machine(self, name: str) -> MachineSpec:
        return router_machine(name, self.wire.port)


def router_machine(name: str, port: str) -> MachineSpec:
    """A machine of the shop that the controller at this port drives."""
    return MachineSpec(
        name, "mill", driver="grbl", capability=Capability("mill"), settings={"port": port}
    )
