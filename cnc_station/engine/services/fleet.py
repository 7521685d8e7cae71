"""The drivers of the machines wired to this station."""

import logging
from collections.abc import Mapping
from typing import Any

from cnc_station.engine.domain import transitions as t
from cnc_station.engine.domain.errors import CncStationError, Conflict, InvalidInput
from cnc_station.engine.domain.machine import MachineSpec
from cnc_station.engine.domain.states import BUSY_MACHINES, MachineState
from cnc_station.engine.drivers import registry
from cnc_station.engine.drivers.base import Driver
from cnc_station.engine.services.pen import Pen
from cnc_station.engine.store.machines import MoveMachine
from cnc_station.engine.views import MachineRow

log = logging.getLogger(__name__)

ACTOR = "station"


class Fleet:
    """Makes drivers, connects them, and says so in the machines' states."""

    def __init__(self, pen: Pen, defaults: Mapping[str, Mapping[str, Any]]) -> None:
        """`defaults`: driver settings of the station by driver name; a machine's own win."""
        self._pen = pen
        self._defaults = defaults
        self.drivers: dict[int, Driver] = {}
        self._made_from: dict[int, MachineSpec] = {}

    def make(self, machine_id: int, spec: MachineSpec) -> None:
        """Give a machine its driver. Raises InvalidInput."""
        settings = {**self._defaults.get(spec.driver, {}), **spec.settings}
        self.drivers[machine_id] = registry.make(spec.driver, settings)
        self._made_from[machine_id] = spec

    def fits(self, machine_id: int, spec: MachineSpec) -> bool:
        """Whether the machine has the driver that `spec` asks for; another station may have
        edited it."""
        made = self._made_from.get(machine_id)
        wanted = (spec.driver, dict(spec.settings))
        return made is not None and (made.driver, dict(made.settings)) == wanted

    async def prepare(self, machines: tuple[MachineRow, ...]) -> None:
        """Drivers for all machines, before recovery asks them."""
        for machine in machines:
            try:
                self.make(machine.id, machine.spec)
            except InvalidInput as error:
                log.warning("%s has no driver: %s", machine.spec.name, error)
                await self._say_offline(machine.id, str(error))

    async def connect(self, machine_id: int, state: MachineState) -> None:
        """Reach the controller; a machine that was offline is idle then."""
        driver = self.drivers.get(machine_id)
        if driver is None:
            return
        try:
            await driver.connect()
            if state is MachineState.OFFLINE:
                await self._pen.write(MoveMachine((t.CONNECTED,), machine_id, ACTOR))
        except Conflict as error:
            log.debug("connected meanwhile: %s", error)
        except CncStationError as error:
            log.warning("machine %s is not reachable: %s", machine_id, error)
            if state not in BUSY_MACHINES | {MachineState.OFFLINE, MachineState.MAINTENANCE}:
                await self._say_offline(machine_id, str(error))

    async def replace(self, machine_id: int, spec: MachineSpec, state: MachineState) -> None:
        """A machine was edited: a new driver in place of the old one."""
        await self.drop(machine_id)
        self.make(machine_id, spec)
        await self.connect(machine_id, state)

    async def drop(self, machine_id: int) -> None:
        """Let go of a machine's controller."""
        self._made_from.pop(machine_id, None)
        driver = self.drivers.pop(machine_id, None)
        if driver is not None:
            await driver.close()

    async def close(self) -> None:
        """Let go of all controllers; idle machines are offline from now on."""
        for machine_id in list(self.drivers):
            try:
                await self.drop(machine_id)
                await self._say_offline(machine_id, "the station is closed")
            except CncStationError as error:  # the others are let go of all the same
                log.warning("machine %s was left as it is: %s", machine_id, error)

    async def _say_offline(self, machine_id: int, reason: str) -> None:
        try:
            await self._pen.write(MoveMachine((t.DISCONNECTED,), machine_id, ACTOR, reason))
        except Conflict:
            log.debug("machine %s keeps its state", machine_id)
