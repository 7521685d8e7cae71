"""What the door can do to machines."""

import asyncio
from collections.abc import Iterable
from functools import partial

from cnc_station.engine.domain import checks
from cnc_station.engine.domain import transitions as t
from cnc_station.engine.domain.actions import MACHINE_ACTIONS, MachineAction
from cnc_station.engine.domain.errors import Conflict, FieldError, InvalidInput
from cnc_station.engine.domain.event import Actor
from cnc_station.engine.domain.machine import MachineSpec
from cnc_station.engine.domain.states import MachineState
from cnc_station.engine.drivers import registry, secrets
from cnc_station.engine.queries import StationQueries
from cnc_station.engine.services.at_machines import AT_CONTROLLERS, AtMachines
from cnc_station.engine.services.driver_pool import DriverPool
from cnc_station.engine.services.reader import Reader
from cnc_station.engine.services.retrying_writer import RetryingWriter
from cnc_station.engine.store.machines import AddMachine, MoveMachine
from cnc_station.engine.store.queries.machine_rows import machines
from cnc_station.engine.store.remote_commands import PROMPT, AskStation, answer_of
from cnc_station.engine.views import ConnectionReport, MachineRow

LOOK_EVERY_S = 0.1
LOOKS = 100
MOST_REASON = 2_000  # characters


class MachineCommands(StationQueries):
    """Implements the machines' part of `Commands`. `_at_machines` and `_fleet` are None where no
    station runs (the command line beside one): what needs a machine is left to its station, or
    refused."""

    _writer: RetryingWriter
    _reader: Reader
    _at_machines: AtMachines | None
    _pool: DriverPool | None

    async def add_machine(self, spec: MachineSpec, actor: Actor) -> int:
        """See `Commands.add_machine`."""
        spec = _drivable(secrets.completed(spec.validated()))
        machine_id = await self._writer.write(AddMachine(spec, actor.name))
        if self._pool is not None:
            await self._pool.wire(await self._machine(machine_id))
        return machine_id

    async def edit_machine(self, machine_id: int, spec: MachineSpec, actor: Actor) -> None:
        """See `Commands.edit_machine`."""
        before = await self._machine(machine_id)
        spec = _drivable(secrets.completed(spec.validated(), before.spec))
        rewired = (spec.driver, spec.settings) != (before.spec.driver, before.spec.settings)
        await self._writer.write(
            MoveMachine((t.MACHINE_EDITED,), machine_id, actor.name, spec=spec)
        )
        here = before.station == self._config.station  # another's reconciler sees it
        if rewired and here and self._pool is not None:
            await self._pool.wire(await self._machine(machine_id))

    async def act_on_machine(
        self,
        action: MachineAction,
        machine_id: int,
        actor: Actor,
        *,
        reason: str = "",
        good: int | None = None,
        scrap: int | None = None,
        rework: int | None = None,
    ) -> None:
        """See `Commands.act_on_machine`."""
        refuse(checks.text("reason", reason, MOST_REASON))
        if action in AT_CONTROLLERS and good is scrap is rework is None:
            machine = await self._machine(machine_id)
            if action is not MachineAction.UNLOCK or machine.state is MachineState.ALARM:
                await self._act_at_controller(action, machine_id, actor, reason)
                return
        rows = MACHINE_ACTIONS[action]
        await self._writer.write(
            MoveMachine(rows, machine_id, actor.name, reason, good=good, scrap=scrap, rework=rework)
        )
        if action is MachineAction.REMOVE and self._pool is not None:
            await self._pool.drop(machine_id)

    async def _act_at_controller(
        self, action: MachineAction, machine_id: int, actor: Actor, reason: str
    ) -> None:
        if self._at_machines is not None and self._at_machines.has_machine(machine_id):
            await self._at_machines.act_on_machine(action, machine_id, actor.name, reason)
            return
        ask = AskStation(action.value, 0, actor.name, reason, machine_id)
        if refusal := await self._ask_its_station(ask):
            raise Conflict(refusal)

    async def move_machine(self, machine_id: int, station: str, actor: Actor) -> None:
        """See `Commands.move_machine`."""
        if station not in {row.name for row in await self.stations()}:
            raise Conflict(f"There is no station {station}.")
        moved, reason = (t.MACHINE_MOVED,), f"to station {station}"
        await self._writer.write(
            MoveMachine(moved, machine_id, actor.name, reason, station=station)
        )
        if self._pool is not None:
            await self._pool.drop(machine_id)

    async def try_machine(
        self, spec: MachineSpec, machine_id: int | None = None
    ) -> ConnectionReport:
        """See `Commands.try_machine`."""
        if self._pool is None:
            raise Conflict("A machine is tried at the station it is wired to.")
        before = None if machine_id is None else (await self._machine(machine_id)).spec
        return await self._pool.report(secrets.completed(spec, before))

    async def _machine(self, machine_id: int) -> MachineRow:
        """As it is stored, passwords and all."""
        for machine in await self._reader.read(machines):
            if machine.id == machine_id:
                return machine
        raise Conflict(f"There is no machine {machine_id}.")

    async def _ask_its_station(self, ask: AskStation) -> str:
        """Leave word for the station that has the job or machine, and wait for its answer."""
        asked = await self._writer.write(ask)
        look = partial(answer_of, command_id=asked.id)
        for _ in range(LOOKS):
            if (answer := await self._reader.read(look)) is not None:
                return answer
            await asyncio.sleep(LOOK_EVERY_S)
        if asked.action in PROMPT:
            return (
                f"Station {asked.station} does not answer, and will not do it later: look at "
                "the machine, then ask again."
            )
        return f"Station {asked.station} does not answer; it may still do it later."


def refuse(complaints: Iterable[FieldError]) -> None:
    """Raises InvalidInput if there are any."""
    if errors := tuple(complaints):
        raise InvalidInput(*errors)


def _drivable(spec: MachineSpec) -> MachineSpec:
    """Itself, if its driver can be made. Raises InvalidInput before anything is kept."""
    registry.make(spec.driver, dict(spec.settings))
    return spec
