"""Carry out what other stations ask of the machines wired to this one."""

import asyncio
import logging
from functools import partial

from cnc_station.engine.domain.errors import CncStationError
from cnc_station.engine.domain.notice import Topic, one_of
from cnc_station.engine.services.at_machines import AtMachines
from cnc_station.engine.services.context import ServiceContext
from cnc_station.engine.services.service import Service
from cnc_station.engine.store.remote_commands import (
    CompleteRemoteCommand,
    RemoteCommand,
    open_remote_commands,
)

log = logging.getLogger(__name__)

REST_S = 30.0
TOO_LATE = "That was asked too long ago to set the machine going now."


class RemoteCommands(Service):
    """Each command has a task of its own: a machine that stops slowly must not delay the hold of
    another."""

    wakes_on = (one_of(Topic.REMOTE_COMMAND_ASKED),)
    lost_hint_s = 0.0  # a person waits

    def __init__(self, context: ServiceContext, at_machines: AtMachines) -> None:
        super().__init__()
        self._writer = context.writer
        self._reader = context.reader
        self._station = context.config.station
        self._at_machines = at_machines
        self._doing: dict[int, asyncio.Task[None]] = {}

    async def run_once(self) -> float:
        """Begin new commands in the order of their requests. A command that was just answered may
        still be read, so it is forgotten only when it is not read any more."""
        found = await self._reader.read_now(partial(open_remote_commands, station=self._station))
        for command in found:
            if command.id not in self._doing:
                self._doing[command.id] = asyncio.create_task(self._carry_out(command))
        still_open = {command.id for command in found}
        for over in [one for one, task in self._doing.items() if task.done()]:
            if over not in still_open:
                del self._doing[over]
        return REST_S

    async def stop(self) -> None:
        await super().stop()
        for task in self._doing.values():
            task.cancel()
        await asyncio.gather(*self._doing.values(), return_exceptions=True)
        self._doing = {}

    async def _carry_out(self, command: RemoteCommand) -> None:
        try:
            answer = await self._do(command)
        except Exception:
            log.exception("remote command %s: %s", command.id, command.action)
            answer = "Internal error: see the log of its station."
        await self._writer.write_until_committed(CompleteRemoteCommand(command.id, answer))

    async def _do(self, command: RemoteCommand) -> str:
        """Carry out a command. Return why it was refused; "" if it was done."""
        asked, machine_id = self._at_machines, command.machine_id
        if not command.in_time:
            over = f"Job {command.job_id} is not at a machine any more."
            return over if machine_id is None else "That alarm is over."
        if command.late:
            return TOO_LATE
        try:
            if machine_id is not None:
                await asked.act_on_machine(
                    command.action, machine_id, command.actor, command.reason
                )
            else:
                await asked.comes(command.job_id)
                await asked.act(
                    command.action,
                    command.job_id,
                    command.actor,
                    command.reason,
                )
        except CncStationError as error:
            return str(error)
        return ""
