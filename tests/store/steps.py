"""What people, machines and services do, each step on the real store and on a model at once."""

import asyncio
from collections.abc import Coroutine, Sequence
from random import Random
from typing import Any, TypeVar

from cnc_station.engine.domain import transitions as t
from cnc_station.engine.domain.actions import JOB_ACTIONS, JobAction
from cnc_station.engine.domain.errors import Conflict, Fenced
from cnc_station.engine.domain.job import JobSpec
from cnc_station.engine.domain.machine import Capability, MachineSpec
from cnc_station.engine.domain.states import LIVE_RUNS, JobState, RunState
from cnc_station.engine.store.database import Database
from cnc_station.engine.store.machines import MoveMachine
from cnc_station.engine.store.new_runs import Claimed
from cnc_station.engine.store.queue_actions import ActOnJob
from cnc_station.engine.store.readiness import SetReadiness
from cnc_station.engine.store.transaction import StoreCommand
from tests.store.model import Model, ModelJob, ModelMachine
from tests.store.shop import START, Shop, move_of

T = TypeVar("T")
Rows = tuple[t.Transition, ...]

_WITH_ARGUMENTS = {JobAction.PIN, JobAction.DELAY, JobAction.REORDER, JobAction.OVERRIDE}
_AT_A_MACHINE = {action for action, row in JOB_ACTIONS.items() if row.run is not None}
_ACTIONS: Sequence[t.Transition] = (
    *(JOB_ACTIONS[a] for a in JobAction if a not in _WITH_ARGUMENTS | _AT_A_MACHINE),
    *t.OVERRIDES.values(),
)
_HARMLESS = [JOB_ACTIONS[JobAction(name)] for name in ("pause", "resume", "cancel")]
_RUN_MOVES = [row for row in t.TRANSITIONS.values() if row.run is not None and row.run.sources]
_MACHINE_MOVES: Sequence[Rows] = (
    (t.MAINTENANCE_STARTED, t.MAINTENANCE_ASKED),
    *((t.CONNECTED,), (t.UNLOCKED,), (t.CLEARED,), (t.MAINTENANCE_ENDED,)) * 3,
    *(
        (row,)
        for row in t.TRANSITIONS.values()
        if row.machine is not None and row.run is None and row.machine.sources
    ),
)
_RESTORING = {
    JobState.PAUSED: t.RESTORED_PAUSED,
    JobState.DELAYED: t.RESTORED,
    JobState.QUEUED: t.RESTORED,
}


class Steps:
    """Both shops. Each step throws dice for what it is about; both must answer alike."""

    def __init__(self, database: Database) -> None:
        self._loop = asyncio.new_event_loop()
        self.shop = Shop(database)
        self.model = Model(START)
        self._claimed: list[Claimed] = []
        self._run(self.shop.writer.start())

    def close(self) -> None:
        self._run(self.shop.writer.stop())
        self.shop.database.close()
        self._loop.close()

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return self._loop.run_until_complete(work)

    def _write(self, *changes: StoreCommand[Any]) -> list[bool]:
        """Which of these changes, asked for at the same time, were applied."""

        async def ask() -> list[Any]:
            asked = (self.shop.write(change) for change in changes)
            return await asyncio.gather(*asked, return_exceptions=True)

        answers = self._run(ask())
        for answer in answers:
            if isinstance(answer, Exception) and not isinstance(answer, Conflict | Fenced):
                raise answer
        return [not isinstance(answer, Exception) for answer in answers]

    def open(self, *, clears: bool) -> None:
        """So that something happens from the start."""
        for cleared in (False, clears):
            self._add_machine("mill", cleared, 3)
        for job_id in self._run(self.shop.create(*[JobSpec("part", "mill")] * 4)):
            job = ModelJob(JobState.QUEUED, JobSpec("part", "mill").need, START)
            self.model.create(job_id, job, draft=False)

    def _add_machine(self, kind: str, clears: bool, complexity: int) -> None:
        capability = Capability(kind, complexity)
        name = f"M{len(self.model.machines)}"
        spec = MachineSpec(name, kind, capability=capability, operator_clears=clears)
        machine_id = self._run(self.shop.machine(spec))
        self.model.machines[machine_id] = ModelMachine(capability, clears)
        assert self.model.move_machine((t.CONNECTED,), machine_id)

    def _job(self, dice: Random) -> int:
        """One that is there, or seldom one that is not."""
        return dice.choice([*sorted(self.model.jobs), 999])

    def _machine(self, dice: Random) -> int:
        return dice.choice(sorted(self.model.machines))

    def new_machine(self, dice: Random) -> None:
        kind = dice.choice(["mill", "lathe"])
        if len(self.model.machines) < 5:
            self._add_machine(kind, dice.random() < 0.5, dice.randint(1, 3))

    def new_job(self, dice: Random) -> None:
        due = self.model.now + 1000 * max(0, dice.randint(-10, 5))
        after: frozenset[int] = frozenset()
        if self.model.jobs and dice.random() < 0.2:
            after = frozenset(dice.choices(sorted(self.model.jobs), k=dice.randint(1, 2)))
        spec = JobSpec(
            "part",
            dice.choice(["mill", "mill", "mill", "lathe"]),
            complexity=dice.randint(1, 3),
            priority=dice.randint(0, 100),
            not_before=due,
            draft=dice.random() < 0.2,
            after=tuple(after),
            pinned_machine_id=self._machine(dice) if dice.random() < 0.2 else None,
        )
        (job_id,) = self._run(self.shop.create(spec))
        job = ModelJob(JobState.DRAFT, spec.need, due, after, spec.pinned_machine_id)
        self.model.create(job_id, job, draft=spec.draft)
        if after:
            self.model.release_due()

    def act(self, dice: Random) -> None:
        row, job_id = dice.choice(_ACTIONS), self._job(dice)
        taken = self.model.act(row, job_id)
        assert self._write(ActOnJob(row, job_id, "anna")) == [taken]

    def undo_a_cancel(self, dice: Random) -> None:
        waiting = [key for key, job in self.model.jobs.items() if job.state in _RESTORING]
        if not waiting:
            return
        job_id = dice.choice(waiting)
        before = self._run(self.shop.act(JobAction.CANCEL, job_id))
        row = _RESTORING[self.model.jobs[job_id].state]
        values = {"rank": before.rank, "not_before": before.not_before}
        undo = ActOnJob(row, job_id, "anna", values=values, version=before.version)
        assert self.model.act(t.CANCELLED, job_id)
        if dice.random() < 0.5:
            for action in (JobAction.RETRY, JobAction.CANCEL):
                assert self.model.act(JOB_ACTIONS[action], job_id)
                self._run(self.shop.act(action, job_id))
            assert self._write(undo) == [False]
        else:
            assert self._write(undo) == [self.model.act(row, job_id)]

    def delay(self, dice: Random) -> None:
        job_id, until = self._job(dice), self.model.now + 1000 * dice.randint(-2, 5)
        taken = self.model.act(t.POSTPONED, job_id)
        change = ActOnJob(t.POSTPONED, job_id, "anna", values={"not_before": until})
        assert self._write(change) == [taken]
        if taken:
            self.model.jobs[job_id].not_before = until

    def pin(self, dice: Random) -> None:
        job_id, machine_id = self._job(dice), self._machine(dice)
        taken = self.model.act(t.PINNED, job_id)
        values = {"pinned_machine_id": machine_id}
        change = ActOnJob(t.PINNED, job_id, "anna", values=values)
        assert self._write(change) == [taken]
        if taken:
            self.model.jobs[job_id].pinned = machine_id

    def reorder(self, dice: Random) -> None:
        before = self._job(dice)
        self._write(ActOnJob(t.REORDERED, self._job(dice), "anna", before=before))

    def many_at_once(self, dice: Random) -> None:
        """Order is kept for one job; jobs do not mind each other."""
        actions = dice.choices(_HARMLESS, k=dice.randint(2, 6))
        asked = [(row, self._job(dice)) for row in actions]
        expected = [self.model.act(row, job_id) for row, job_id in asked]
        assert self._write(*(ActOnJob(row, job, "anna") for row, job in asked)) == expected

    def claim(self, dice: Random) -> None:
        begins_with_claim = [
            machine_id for machine_id in self.model.machines if dice.random() < 0.3
        ]
        while claimed := self._run(self.shop.claim(begins_with_claim)):
            for run in claimed:
                assert run.machine_id is not None
                self.model.claim(run.run_id, run.job_id, run.machine_id)
                assert run.begun == (run.machine_id in begins_with_claim)
                if run.begun:
                    assert self.model.move_run(t.STARTED, run.run_id, 0, half_made=False)
            self._claimed += claimed
        left = [
            (machine_id, job_id)
            for machine_id in self.model.machines
            for job_id, job in self.model.jobs.items()
            if self.model.fits(machine_id, job)
        ]
        assert left == [], "an idle machine and a job that fits it were left alone"

    def move_a_live_run(self, dice: Random) -> None:
        live = [run for run in self._claimed if self.model.runs[run.run_id].state in LIVE_RUNS]
        if not live:
            return
        run = dice.choice(live)
        state = self.model.runs[run.run_id].state
        likely = (t.STARTED, t.COMPLETED) if dice.random() < 0.6 else _RUN_MOVES
        rows = [row for row in likely if row.run and state in row.run.sources]
        self._move(run, dice.choice(rows), dice.randint(0, 3), half_made=dice.random() < 0.3)

    def move_any_run(self, dice: Random) -> None:
        if self._claimed:
            run = dice.choice(self._claimed)
            self._move(run, dice.choice(_RUN_MOVES), 1)

    def reattach(self, _dice: Random) -> None:
        """The last that was given up, if there is one: seldom hit upon otherwise."""
        given_up = [
            run
            for run in self._claimed
            if self.model.runs[run.run_id].state is RunState.INTERRUPTED
        ]
        if given_up:
            self._move(given_up[-1], t.REATTACHED, 0)

    def say_readiness(self, dice: Random) -> None:
        machine_id, ready = self._machine(dice), dice.random() < 0.7
        said = self.model.say_readiness(machine_id, ready=ready)
        words = "" if ready else "not homed"
        assert self._write(SetReadiness(machine_id, words, "station")) == [said]

    def _move(
        self, run: Claimed, row: t.Transition, backoff: int, *, half_made: bool = False
    ) -> None:
        moved = self.model.move_run(row, run.run_id, backoff * 1000, half_made)
        change = move_of(row, run, backoff_s=backoff, reason="so", part_on_it=half_made)
        assert self._write(change) == [moved]

    def move_machine(self, dice: Random) -> None:
        machine_id, rows = self._machine(dice), dice.choice(_MACHINE_MOVES)
        half_made = rows == (t.ALARMED,) and dice.random() < 0.3
        moved = self.model.move_machine(rows, machine_id, half_made)
        change = MoveMachine(rows, machine_id, "anna", station="A", part_on_it=half_made)
        assert self._write(change) == [moved]

    def time_passes(self, dice: Random) -> None:
        seconds = dice.randint(0, 4)
        self.shop.later(seconds)
        self.model.now += seconds * 1000
        assert self._run(self.shop.release_due()) == self.model.release_due()
