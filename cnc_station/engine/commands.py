"""The command half of the door: checks at the edge, then one change through the writer."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from functools import partial
from typing import Any

from sqlalchemy import Connection, select

from cnc_station.engine.domain import checks
from cnc_station.engine.domain import transitions as t
from cnc_station.engine.domain.actions import (
    JOB_ACTIONS,
    JobAction,
)
from cnc_station.engine.domain.errors import (
    CncStationError,
    Conflict,
    FieldError,
    InvalidInput,
)
from cnc_station.engine.domain.event import Actor
from cnc_station.engine.domain.job import JobSpec
from cnc_station.engine.domain.states import JobState
from cnc_station.engine.machine_commands import MOST_REASON, MachineCommands, refuse
from cnc_station.engine.services.at_machines import JOBS_AT_MACHINES
from cnc_station.engine.store.edits import EditJob, spec_of
from cnc_station.engine.store.jobs import CreateJobs
from cnc_station.engine.store.queue_actions import ActOnJob, Before
from cnc_station.engine.store.remote_commands import AskStation
from cnc_station.engine.store.schema import job
from cnc_station.engine.store.settings import SaveSettings
from cnc_station.engine.views import Answer, Undo

_UNDOABLE = frozenset({JobAction.REORDER, JobAction.PIN, JobAction.CANCEL})
_RESTORING = {
    JobState.PAUSED: t.RESTORED_PAUSED,
    JobState.DELAYED: t.RESTORED,
    JobState.QUEUED: t.RESTORED,
}


class StationCommands(MachineCommands):
    """Implements `Commands`."""

    async def try_database(self) -> None:
        """See `Commands.try_database`."""
        if self._supervisor is not None:
            await self._supervisor.try_database()

    async def submit(self, specs: Sequence[JobSpec], actor: Actor) -> tuple[int, ...]:
        """See `Commands.submit`."""
        checked = tuple(spec.validated() for spec in specs)
        return await self._writer.write(CreateJobs(checked, actor.name))

    async def edit_job(
        self, job_id: int, changes: Mapping[str, Any], actor: Actor, *, version: int | None = None
    ) -> None:
        """See `Commands.edit_job`."""
        await self._writer.write(EditJob(job_id, dict(changes), actor.name, version))

    async def duplicate(self, job_id: int, actor: Actor) -> int:
        """See `Commands.duplicate`."""
        spec = await self._reader.read(partial(_spec, job_id=job_id))
        if spec is None:
            raise Conflict(f"There is no job {job_id}.")
        (copy,) = await self.submit([replace(spec, source=f"copy of job {job_id}")], actor)
        return copy

    async def act(
        self,
        action: JobAction,
        job_ids: Sequence[int],
        actor: Actor,
        *,
        reason: str = "",
        **arguments: Any,
    ) -> tuple[Answer, ...]:
        """See `Commands.act`."""
        refuse(checks.text("reason", reason, MOST_REASON))
        if action in JOBS_AT_MACHINES:
            ask = partial(self._act_at_machine, action, actor=actor, reason=reason)
        else:
            ask = partial(self._act_on_queue, action, actor=actor, reason=reason, **arguments)
            if action is JobAction.PIN:
                await self._refuse_unknown_machine(arguments.get("machine_id"))
        return tuple(await asyncio.gather(*(ask(job_id) for job_id in job_ids)))

    async def _act_at_machine(
        self, action: JobAction, job_id: int, *, actor: Actor, reason: str
    ) -> Answer:
        try:
            if self._at_machines is not None and self._at_machines.has_job(job_id):
                await self._at_machines.act(action, job_id, actor.name, reason)
            else:
                ask = AskStation(action.value, job_id, actor.name, reason)
                return Answer(job_id, await self._ask_its_station(ask))
        except CncStationError as error:
            return Answer(job_id, str(error))
        return Answer(job_id)

    async def _act_on_queue(
        self, action: JobAction, job_id: int, *, actor: Actor, reason: str, **arguments: Any
    ) -> Answer:
        try:
            change = _change(action, job_id, actor, reason, arguments)
            if action is JobAction.PIN:
                await self._refuse_unfit(job_id, arguments.get("machine_id"))
            before = await self._writer.write(change)
        except CncStationError as error:
            return Answer(job_id, str(error))
        undo = _undo(action, before) if action in _UNDOABLE else None
        return Answer(job_id, undo=undo)

    async def undo(self, steps: Sequence[Undo], actor: Actor) -> tuple[Answer, ...]:
        """See `Commands.undo`."""
        return tuple(await asyncio.gather(*(self._undo(step, actor) for step in steps)))

    async def _undo(self, step: Undo, actor: Actor) -> Answer:
        state = JobState(step.details["state"])
        if step.action == JobAction.CANCEL:
            transition = _RESTORING[state]
        else:
            transition = JOB_ACTIONS[JobAction(step.action)]
        names = {
            JobAction.PIN: ("pinned_machine_id",),
            JobAction.REORDER: ("rank",),
            JobAction.CANCEL: ("rank", "not_before"),
        }[JobAction(step.action)]
        change = ActOnJob(
            transition,
            step.job_id,
            actor.name,
            reason="taken back",
            values={name: step.details[name] for name in names},
            version=step.details["version"],
        )
        try:
            await self._writer.write(change)
        except CncStationError as error:
            return Answer(step.job_id, str(error))
        return Answer(step.job_id)

    async def _refuse_unknown_machine(self, machine_id: int | None) -> None:
        if machine_id is not None:
            await self._machine(machine_id)

    async def _refuse_unfit(self, job_id: int, machine_id: int | None) -> None:
        if machine_id is None:
            return
        spec = await self._reader.read(partial(_spec, job_id=job_id))
        machine = await self._machine(machine_id)
        if spec and (why := machine.spec.capability.refusal(spec.need)):
            raise Conflict(f"{spec.name} can't go to {machine.spec.name}: it {why}.")

    async def save_settings(self, values: Mapping[str, Any], actor: Actor) -> None:
        """See `Commands.save_settings`."""
        refuse(checks.json_object("settings", values))
        await self._writer.write(SaveSettings(dict(values), actor.name))


def _change(
    action: JobAction, job_id: int, actor: Actor, reason: str, arguments: Mapping[str, Any]
) -> ActOnJob:
    """The change that an action asks for. Raises InvalidInput for wrong arguments."""
    transition = JOB_ACTIONS.get(action)
    values: dict[str, Any] = {}
    before = None
    if action is JobAction.OVERRIDE:
        state = arguments.get("state")
        if state not in t.OVERRIDES:
            raise InvalidInput(FieldError("state", f"can't be set to {state} by hand"))
        if not reason.strip():
            raise InvalidInput(FieldError("reason", "say why it is set by hand"))
        transition = t.OVERRIDES[JobState(state)]
    elif action is JobAction.PIN:
        values["pinned_machine_id"] = _number(arguments, "machine_id", optional=True)
    elif action is JobAction.DELAY:
        values["not_before"] = _number(arguments, "until")
    elif action is JobAction.REORDER:
        before = _number(arguments, "before", optional=True)
    assert transition is not None
    return ActOnJob(transition, job_id, actor.name, reason, values, before)


def _number(arguments: Mapping[str, Any], name: str, *, optional: bool = False) -> int | None:
    value: int | None = arguments.get(name)
    if value is None and optional:
        return None
    refuse(checks.whole(name, value, 0, checks.MOST_ID))
    return value


def _undo(action: JobAction, before: Before) -> Undo | None:
    if action is JobAction.CANCEL and before.state not in _RESTORING:
        return None
    return Undo(action.value, before.job_id, asdict(before))


def _spec(connection: Connection, job_id: int) -> JobSpec | None:
    row = connection.execute(select(job).where(job.c.id == job_id)).one_or_none()
    return None if row is None else spec_of(row)
