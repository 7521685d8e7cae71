"""Transitions of live runs with their jobs and machines: set-based and guarded."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Update, select, update

from cnc_station.engine.domain import transitions as t
from cnc_station.engine.domain.errors import AlreadyDone, Conflict, Fenced
from cnc_station.engine.domain.refusals import JOB_IS, MACHINE_IS, run_refusal
from cnc_station.engine.domain.states import LIVE_RUNS, JobState, MachineState, RunState
from cnc_station.engine.store.dialect import packed
from cnc_station.engine.store.jobs import ask_successors, release_due, unblock_successors
from cnc_station.engine.store.move_statements import (
    NO_RESULT,
    RunResult,
    job_statement,
    machine_statement,
    run_statement,
)
from cnc_station.engine.store.schema import job, machine, run
from cnc_station.engine.store.transaction import StoreCommand, Tx


@dataclass(frozen=True, slots=True)
class MoveRun(StoreCommand[None]):
    """One transition of a live run. `token` proves the right to make it.

    Raises Fenced if the token is stale, Conflict if the run's state does not allow it. `backoff_s`
    is the time a failed job waits before its retry, `seconds` the run time. `part_on_it`: an
    unfinished part is on the machine, which needs clearing in any case. `kept` is what remains of a
    handler's work.

    A run that was given up may be reattached by the station of its machine while nobody has decided
    about its job and the machine has no other run: that station then holds it for `lease_s`.
    """

    transition: t.Transition
    run_id: int
    token: int
    job_id: int
    machine_id: int | None
    actor: str
    reason: str = ""
    backoff_s: float = 0.0
    seconds: float = 0.0
    program: str = ""
    material: str = ""
    lease_s: float = 0.0
    part_on_it: bool = False
    kept: RunResult | None = None
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def group(self) -> Hashable:
        return ("move", self.transition.name)

    @property
    def touches(self) -> Sequence[Hashable]:
        if self.machine_id is None:
            return (("job", self.job_id),)
        return (("job", self.job_id), ("machine", self.machine_id))

    @classmethod
    def apply(cls, tx: Tx, commands: Sequence["MoveRun"]) -> list[Exception | None]:
        """Send all three statements at once, although the guard of the runs decides: a refusal is
        rare. Then everything is rolled back and each command is tried alone."""
        row = commands[0].transition
        assert row.job is not None
        assert row.run is not None
        with tx.pipeline():
            runs_asked = _ask_runs(tx, row, commands)
            jobs_asked = _ask(
                tx,
                job_statement(tx.dialect, row.name),
                [[c.job_id, c.run_id, c.reason, tx.now + _ms(c.backoff_s)] for c in commands],
            )
            machines_asked = _ask_machines(tx, row, commands)
            after = (
                ask_successors(tx, [c.job_id for c in commands])
                if row.job.target is JobState.COMPLETED
                else None
            )
        runs, jobs = runs_asked.fetchall(), jobs_asked.fetchall()
        machines: dict[int | None, str] = dict(machines_asked.fetchall() if machines_asked else ())
        if len(runs) != len(commands):
            raise (
                _refusal(tx, commands[0])
                if len(commands) == 1
                else Conflict("One of several runs was refused.")
            )
        if len(jobs) != len(commands):
            raise Conflict("The job has left this run meanwhile. Nothing was written.")
        _check_machines(tx, row, commands, machines)
        known = {job_id: of_job for job_id, *of_job in jobs}
        queued, delayed = (row.job.target is s for s in (JobState.QUEUED, JobState.DELAYED))
        over = row.run.target not in LIVE_RUNS
        for command in commands:
            trace_id, tenant, machine_type = known[command.job_id]
            tx.record(
                row,
                actor=command.actor,
                job_id=command.job_id,
                run_id=command.run_id,
                machine_id=command.machine_id,
                job_state=row.job.target,
                run_state=row.run.target,
                machine_state=machines.get(command.machine_id),
                trace_id=trace_id,
                reason=command.reason,
                details=dict(command.details),
                tenant=tenant,
                machine_type=machine_type if queued else None,
                due_at=tx.now + _ms(command.backoff_s) if delayed else None,
                frees_machine=over,
            )
        if after is not None and unblock_successors(tx, after.fetchall()):
            release_due(tx)
        return [None] * len(commands)


def _ask(tx: Tx, statement: Update, items: Sequence[Sequence[object]]) -> Any:
    return tx.ask(statement, {"item": packed(items), "now": tx.now, "station": tx.station})


def _ms(seconds: float) -> int:
    return round(seconds * 1000)


def _ask_runs(tx: Tx, row: t.Transition, commands: Sequence[MoveRun]) -> Any:
    items = [[c.run_id, c.token, c.reason, tx.now + _ms(c.lease_s)] for c in commands]
    if all(c.kept is None for c in commands):
        return _ask(tx, run_statement(tx.dialect, row.name), items)
    statement = run_statement(tx.dialect, row.name, with_result=True)
    return _ask(
        tx, statement, [[*i, *(c.kept or NO_RESULT)] for i, c in zip(items, commands, strict=True)]
    )


def _ask_machines(tx: Tx, row: t.Transition, commands: Sequence[MoveRun]) -> Any:
    items = [
        [c.machine_id, c.run_id, c.reason, c.seconds, c.program, c.material, c.job_id, c.part_on_it]
        for c in commands
        if c.machine_id is not None
    ]
    return _ask(tx, machine_statement(tx.dialect, row.name), items) if items else None


def _check_machines(
    tx: Tx, row: t.Transition, commands: Sequence[MoveRun], moved: Mapping[int | None, str]
) -> None:
    assert row.machine is not None
    at_machines = sum(command.machine_id is not None for command in commands)
    if len(moved) != at_machines and row.machine.required:
        raise Conflict("The machine has left this run meanwhile. Nothing was written.")
    left = [c.machine_id for c in commands if c.part_on_it and c.machine_id not in moved]
    if left:  # in alarm: they stay there, with the part
        tx.connection.execute(
            update(machine)
            .where(machine.c.id.in_(left), machine.c.state == MachineState.ALARM.value)
            .values(to_clear=True)
        )


def _refusal(tx: Tx, command: MoveRun) -> Exception:
    found = tx.connection.execute(
        select(
            run.c.token,
            run.c.state,
            job.c.name.label("job"),
            job.c.state.label("job_state"),
            machine.c.name.label("machine"),
            machine.c.state.label("at"),
        )
        .join(job, job.c.id == run.c.job_id)
        .join(machine, machine.c.id == run.c.machine_id, isouter=True)
        .where(run.c.id == command.run_id)
    ).one_or_none()
    if found is None or found.token != command.token:
        return Fenced(f"Run {command.run_id} belongs to another claim now. Nothing was written.")
    text = run_refusal(command.transition, command.run_id, RunState(found.state))
    if command.transition is t.REATTACHED:
        job_is = JOB_IS[JobState(found.job_state)].format(name=found.job)
        machine_is = MACHINE_IS[MachineState(found.at)].format(name=found.machine)
        return Conflict(f"{text} {job_is} {machine_is}")
    step = command.transition.run
    return AlreadyDone(text) if step and step.target == found.state else Conflict(text)
