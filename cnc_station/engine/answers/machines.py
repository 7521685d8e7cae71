"""Answers about machines and their controllers."""

import asyncio
from dataclasses import replace
from functools import partial

from cnc_station.engine import commands, queries
from cnc_station.engine.answers.context import AnswerContext
from cnc_station.engine.domain import transitions as t
from cnc_station.engine.domain.actions import MACHINE_ACTIONS, MachineAction
from cnc_station.engine.domain.errors import Conflict
from cnc_station.engine.domain.machine import MachineSpec
from cnc_station.engine.domain.states import MachineState
from cnc_station.engine.drivers import finding, registry, secrets
from cnc_station.engine.services.at_machines import AT_CONTROLLERS
from cnc_station.engine.store import machines
from cnc_station.engine.store.queries import machine_rows, stations
from cnc_station.engine.store.remote_commands import PROMPT, AskStation, answer_of
from cnc_station.engine.views import (
    ConnectionReport,
    DriverInfo,
    FoundController,
    MachineRow,
    Message,
    RunInHand,
    Status,
    Telemetry,
)

_HELD_BACK = AT_CONTROLLERS | {MachineAction.MAINTENANCE_OFF}
ACCEPT_FIRST = (
    "The database was moved or copied, and another computer may run this machine. If none does, "
    'agree under "Needs you", or with: cnc-station db accept'
)
LOOK_EVERY_S = 0.1
LOOKS = 100


async def add_machine(context: AnswerContext, command: commands.AddMachine, actor: str) -> int:
    """See `AddMachine`."""
    spec = _drivable(secrets.completed(command.spec.validated()))
    machine_id = await context.writer.write(machines.AddMachine(spec, actor))
    if (services := context.running()) is not None:
        await services.pool.wire(await stored_machine(context, machine_id))
    return machine_id


async def edit_machine(context: AnswerContext, command: commands.EditMachine, actor: str) -> None:
    """See `EditMachine`."""
    machine_id = command.machine_id
    before = await stored_machine(context, machine_id)
    spec = _drivable(secrets.completed(command.spec.validated(), before.spec))
    rewired = (spec.driver, spec.settings) != (before.spec.driver, before.spec.settings)
    await context.writer.write(
        machines.MoveMachine((t.MACHINE_EDITED,), machine_id, actor, spec=spec, mask=secrets.mask())
    )
    here = (
        before.station == context.config.station
    )  # otherwise the reconciler of its station does it
    if rewired and here and (services := context.running()) is not None:
        await services.pool.wire(await stored_machine(context, machine_id))


def _drivable(spec: MachineSpec) -> MachineSpec:
    """Return the spec if its driver can be made. Raises InvalidInput."""
    registry.make(spec.driver, dict(spec.settings))
    return spec


async def act_on_machine(
    context: AnswerContext, command: commands.ActOnMachine, actor: str
) -> None:
    """See `ActOnMachine`."""
    action, machine_id = command.action, command.machine_id
    if action in _HELD_BACK and (await stored_machine(context, machine_id)).from_elsewhere:
        raise Conflict(ACCEPT_FIRST)
    if action in AT_CONTROLLERS and command.good is command.scrap is command.rework is None:
        machine = await stored_machine(context, machine_id)
        if action is not MachineAction.UNLOCK or machine.state is MachineState.ALARM:
            await _act_at_controller(context, command, actor)
            return
    rows = MACHINE_ACTIONS[action]
    await context.writer.write(
        machines.MoveMachine(
            rows,
            machine_id,
            actor,
            command.reason,
            good=command.good,
            scrap=command.scrap,
            rework=command.rework,
        )
    )
    if action is MachineAction.REMOVE and (services := context.running()) is not None:
        await services.pool.drop(machine_id)


async def _act_at_controller(
    context: AnswerContext, command: commands.ActOnMachine, actor: str
) -> None:
    action, machine_id, services = command.action, command.machine_id, context.running()
    if services is not None and services.at_machines.has_machine(machine_id):
        await services.at_machines.act_on_machine(action, machine_id, actor, command.reason)
        return
    remote = AskStation(action.value, 0, actor, command.reason, machine_id)
    if refusal := await ask_its_station(context, remote):
        raise Conflict(refusal)


async def ask_its_station(context: AnswerContext, remote: AskStation) -> str:
    """Send a command to the station that has the job or machine, and wait. Return why it was
    refused; "" when it is done."""
    asked = await context.writer.write(remote)
    look = partial(answer_of, command_id=asked.id)
    for _ in range(LOOKS):
        if (answer := await context.reader.read(look)) is not None:
            return answer
        await asyncio.sleep(LOOK_EVERY_S)
    if asked.action in PROMPT:
        return (
            f"Station {asked.station} does not answer, and will not do it later: look at "
            "the machine, then ask again."
        )
    return f"Station {asked.station} does not answer; it may still do it later."


async def move_machine(context: AnswerContext, command: commands.MoveMachine, actor: str) -> None:
    """See `MoveMachine`."""
    station = command.station
    own = context.config.station
    look = partial(stations.stations, own=own, clock=context.clock)
    if station not in {row.name for row in await context.reader.read(look)}:
        raise Conflict(f"There is no station {station}.")
    moved, reason = (t.MACHINE_MOVED,), f"to station {station}"
    await context.writer.write(
        machines.MoveMachine(moved, command.machine_id, actor, reason, station=station)
    )
    if (services := context.running()) is not None:
        await services.pool.drop(command.machine_id)


async def try_machine(
    context: AnswerContext, command: commands.TryMachine, _actor: str
) -> ConnectionReport:
    """See `TryMachine`."""
    if (services := context.running()) is None:
        raise Conflict("A machine is tried at the station it is wired to.")
    known = command.machine_id
    before = None if known is None else (await stored_machine(context, known)).spec
    return await services.pool.report(secrets.completed(command.spec, before))


async def stored_machine(context: AnswerContext, machine_id: int) -> MachineRow:
    """Return a machine with its passwords. Raises Conflict if it does not exist."""
    for machine in await context.reader.read(machine_rows.stored_machines):
        if machine.id == machine_id:
            return machine
    raise Conflict(f"There is no machine {machine_id}.")


async def list_machines(
    context: AnswerContext, _query: queries.ListMachines
) -> tuple[MachineRow, ...]:
    """See `ListMachines`."""
    own = context.config.station
    return await context.reader.read(
        partial(
            machine_rows.machines_with_stations,
            own=own,
            clock=context.clock,
            shown=secrets.mask(),
        )
    )


def list_drivers(_context: AnswerContext, _query: queries.ListDrivers) -> tuple[DriverInfo, ...]:
    """See `ListDrivers`."""
    return registry.infos()


async def find_controllers(
    context: AnswerContext, query: queries.FindControllers
) -> tuple[FoundController, ...]:
    """See `FindControllers`."""
    rows = await context.reader.read(machine_rows.stored_machines)
    own = [row.spec for row in rows if row.station == context.config.station]
    programs = await asyncio.to_thread(finding.program_folder, context.config.data_folder)
    if query.address.strip():
        return await finding.at_address(query.address.strip(), own, programs)
    return await finding.on_this_computer(own, programs)


def controller_status(context: AnswerContext, query: queries.ControllerStatus) -> Status | None:
    """See `ControllerStatus`."""
    driver, services = context.driver(query.machine_id), context.running()
    if driver is None or services is None:
        return None
    status, details = driver.status(), services.pool.details(query.machine_id)
    return replace(status, details=details) if details else status


def machine_log(context: AnswerContext, query: queries.MachineLog) -> tuple[Message, ...]:
    """See `MachineLog`."""
    driver = context.driver(query.machine_id)
    return tuple(driver.traffic()) if driver is not None else ()


def latest_telemetry(context: AnswerContext, query: queries.LatestTelemetry) -> Telemetry | None:
    """See `LatestTelemetry`."""
    services = context.running()
    return None if services is None else services.telemetry(query.machine_id)


def list_active_runs(
    context: AnswerContext, _query: queries.ListActiveRuns
) -> tuple[RunInHand, ...]:
    """See `ListActiveRuns`."""
    services = context.running()
    return () if services is None else services.active_runs.shown()
