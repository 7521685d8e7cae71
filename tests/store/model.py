"""A shop in plain Python, moved by the same table of transitions as the real one."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from cnc_station.engine.domain import transitions as t
from cnc_station.engine.domain.machine import Capability, Need
from cnc_station.engine.domain.states import (
    BUSY_MACHINES,
    LIVE_RUNS,
    JobState,
    MachineState,
    RunState,
)

_LEAVING = (t.UNLOCKED, t.MAINTENANCE_STARTED, t.MACHINE_REMOVED, t.MACHINE_MOVED)
_JUMPS_THE_TIME = (t.EXPEDITED, t.OVERRIDES[JobState.QUEUED])


@dataclass(slots=True)
class ModelJob:
    state: JobState
    need: Need
    not_before: int
    after: frozenset[int] = frozenset()
    pinned: int | None = None
    ran: bool = False
    run: int | None = None


@dataclass(slots=True)
class ModelMachine:
    capability: Capability
    clears: bool
    state: MachineState = MachineState.OFFLINE
    maintenance_due: bool = False
    removed: bool = False
    ready: bool = True
    part_on_it: bool = False  # while it is offline or in alarm


@dataclass(slots=True)
class ModelRun:
    job: int
    machine: int
    state: RunState = RunState.ASSIGNED
    started: bool = False


@dataclass(slots=True)
class Model:
    """What the database should hold. A refused request is False and changes nothing."""

    now: int
    jobs: dict[int, ModelJob] = field(default_factory=dict)
    machines: dict[int, ModelMachine] = field(default_factory=dict)
    runs: dict[int, ModelRun] = field(default_factory=dict)

    def blocked(self, job: ModelJob) -> bool:
        return any(self.jobs[one].state is not JobState.COMPLETED for one in job.after)

    def successors(self, job_id: int) -> list[int]:
        return [other for other, job in self.jobs.items() if job_id in job.after]

    def create(self, job_id: int, job: ModelJob, *, draft: bool) -> None:
        self.jobs[job_id] = job
        waits = self.blocked(job) or job.not_before > self.now
        job.state = JobState.DRAFT if draft else JobState.DELAYED if waits else JobState.QUEUED

    def release_due(self) -> int:
        due = [
            job
            for job in self.jobs.values()
            if job.state is JobState.DELAYED
            and job.not_before <= self.now
            and not self.blocked(job)
        ]
        for job in due:
            job.state = JobState.QUEUED
        return len(due)

    def act(self, row: t.Transition, job_id: int) -> bool:
        """False: refused."""
        job = self.jobs.get(job_id)
        if job is None or (job.state is JobState.COMPLETED and self.successors(job_id)):
            return False
        assert row.job is not None
        if job.state not in row.job.sources:
            return False
        if row in _JUMPS_THE_TIME and self.blocked(job):
            return False
        if row is t.DELETED and (job.ran or self.successors(job_id)):
            return False
        if row is t.SCRAPPED and not self._was_started(job_id):
            return False
        self._apply(row, job_id)
        return True

    def _was_started(self, job_id: int) -> bool:
        return any(run.job == job_id and run.started for run in self.runs.values())

    def _apply(self, row: t.Transition, job_id: int) -> None:
        assert row.job is not None
        job = self.jobs[job_id]
        if row is t.DELETED:
            del self.jobs[job_id]
            return
        waits = self.blocked(job) or job.not_before > self.now
        job.state = row.job.target or job.state
        if job.state is JobState.QUEUED and row not in _JUMPS_THE_TIME and row.job.target and waits:
            job.state = JobState.DELAYED
        if row in (t.RETRIED, t.EXPEDITED, t.SCRAPPED):
            job.not_before = self.now

    def fits(self, machine_id: int, job: ModelJob) -> bool:
        """Whether a machine could take a job now."""
        machine = self.machines[machine_id]
        return (
            machine.state is MachineState.IDLE
            and not machine.removed
            and machine.ready
            and job.state is JobState.QUEUED
            and job.pinned in (None, machine_id)
            and machine.capability.refusal(job.need) is None
        )

    def claim(self, run_id: int, job_id: int, machine_id: int) -> None:
        job, machine = self.jobs[job_id], self.machines[machine_id]
        assert self.fits(machine_id, job), "an unfit machine was given a job"
        job.state, machine.state = JobState.ASSIGNED, MachineState.ASSIGNED
        job.ran, job.run = True, run_id
        self.runs[run_id] = ModelRun(job_id, machine_id)

    def live_run(self, machine_id: int) -> bool:
        return any(
            run.machine == machine_id and run.state in LIVE_RUNS for run in self.runs.values()
        )

    def move_run(self, row: t.Transition, run_id: int, backoff_ms: int, half_made: bool) -> bool:
        run = self.runs[run_id]
        assert row.run is not None
        assert row.job is not None
        assert row.machine is not None
        machine, job = self.machines[run.machine], self.jobs[run.job]
        if run.state not in row.run.sources:
            return False
        if machine.state not in row.machine.sources and row.machine.required:
            return False
        if row is t.REATTACHED and not self._can_take_up(run_id):
            return False
        assert job.state in row.job.sources
        assert row.run.target is not None
        run.state, job.state = row.run.target, row.job.target or job.state
        run.started |= row is t.STARTED
        self._move(machine, row.machine, half_made)
        if job.state is JobState.DELAYED:
            job.not_before = self.now + backoff_ms
        if job.state is JobState.COMPLETED and self.successors(run.job):
            self.release_due()
        return True

    def _can_take_up(self, run_id: int) -> bool:
        """Nobody has decided about its job, and nothing else has its machine."""
        run = self.runs[run_id]
        if run.state in LIVE_RUNS:
            return True
        job = self.jobs.get(run.job)
        undecided = job and job.state is JobState.INTERRUPTED and job.run == run_id
        removed = self.machines[run.machine].removed
        return bool(undecided) and not removed and not self.live_run(run.machine)

    def say_readiness(self, machine_id: int, *, ready: bool) -> bool:
        machine = self.machines[machine_id]
        if machine.removed:
            return False
        machine.ready = ready
        return True

    def move_machine(
        self, rows: Iterable[t.Transition], machine_id: int, half_made: bool = False
    ) -> bool:
        machine = self.machines[machine_id]
        if machine.removed:
            return False
        for row in rows:
            assert row.machine is not None
            if machine.state not in row.machine.sources:
                continue
            if row in _LEAVING and self.live_run(machine_id):
                return False
            self._move(machine, row.machine, half_made)
            if row is t.MAINTENANCE_ASKED:
                machine.maintenance_due = True
            if row is t.MAINTENANCE_STARTED:
                machine.maintenance_due = False
            if row is t.MACHINE_MOVED:
                machine.ready = False
            machine.removed = row is t.MACHINE_REMOVED
            return True
        return False

    @staticmethod
    def _move(machine: ModelMachine, step: t.MachineStep, half_made: bool) -> None:
        before = machine.state
        if before not in step.sources:
            machine.part_on_it |= half_made and before is MachineState.ALARM
            return
        to_clear = not step.untouched and (machine.clears or half_made)
        if not step.to_rest:
            machine.state = before if before in step.keeps else step.target or before
        elif machine.maintenance_due:
            machine.state = MachineState.MAINTENANCE
        elif machine.part_on_it or to_clear:
            machine.state = MachineState.NEEDS_CLEARING
        else:
            machine.state = MachineState.IDLE
        if step.to_rest:
            machine.maintenance_due = False
        if machine.state is MachineState.ALARM:
            machine.part_on_it |= half_made or before is MachineState.NEEDS_CLEARING
        elif machine.state is not MachineState.OFFLINE:
            machine.part_on_it = False
        elif before in BUSY_MACHINES | {MachineState.ALARM}:
            machine.part_on_it |= to_clear
        else:
            machine.part_on_it |= before is MachineState.NEEDS_CLEARING
