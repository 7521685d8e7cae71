"""Carry out what other stations ask of the machines wired to this one."""

import asyncio
import logging
from functools import partial

from cnc_station.engine.domain.errors import CncStationError
from cnc_station.engine.domain.notice import Topic, one_of
from cnc_station.engine.services.at_machines import AtMachines
from cnc_station.engine.services.reader import Reader
from cnc_station.engine.services.retrying_writer import RetryingWriter
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
    """Carry out each remote command in a task of its own: a machine that is slow to stop keeps
    nobody from holding another."""

    wakes_on = (one_of(Topic.REMOTE_COMMAND_ASKED),)
    lost_hint_s = 0.0  # a person waits for it

    def __init__(
        self, writer: RetryingWriter, reader: Reader, at_machines: AtMachines, station: str
    ) -> None:
        super().__init__()
        self._writer = writer
        self._reader = reader
        self._at_machines = at_machines
        self._station = station
        self._doing: dict[int, asyncio.Task[None]] = {}

    async def run_once(self) -> float:
        """Begin with what is new, in the order in which it was asked. Who has just been answered
        may still be found: nothing is forgotten before it is found no more."""
        found = await self._reader.read_now(partial(open_remote_commands, station=self._station))
        for remote_command in found:
            if remote_command.id not in self._doing:
                self._doing[remote_command.id] = asyncio.create_task(self._see_to(remote_command))
        still_open = {remote_command.id for remote_command in found}
        for over in [one for one, task in self._doing.items() if task.done()]:
            if over not in still_open:
                del self._doing[over]
        return REST_S

    async def stop(self) -> None:
        """Leave what is not answered yet."""
        await super().stop()
        for task in self._doing.values():
            task.cancel()
        await asyncio.gather(*self._doing.values(), return_exceptions=True)
        self._doing = {}

    async def _see_to(self, remote_command: RemoteCommand) -> None:
        try:
            answer = await self._do(remote_command)
        except Exception:
            log.exception("remote_command %s: %s", remote_command.id, remote_command.action)
            answer = "Internal error: see the log of its station."
        await self._writer.write_until_committed(CompleteRemoteCommand(remote_command.id, answer))

    async def _do(self, remote_command: RemoteCommand) -> str:
        """What became of it: "" if it was done."""
        asked, machine_id = self._at_machines, remote_command.machine_id
        if not remote_command.in_time:
            over = f"Job {remote_command.job_id} is not at a machine any more."
            return over if machine_id is None else "That alarm is over."
        if remote_command.late:
            return TOO_LATE
        try:
            if machine_id is not None:
                await asked.act_on_machine(
                    remote_command.action, machine_id, remote_command.actor, remote_command.reason
                )
            else:
                await asked.comes(remote_command.job_id)
                await asked.act(
                    remote_command.action,
                    remote_command.job_id,
                    remote_command.actor,
                    remote_command.reason,
                )
        except CncStationError as error:
            return str(error)
        return ""
