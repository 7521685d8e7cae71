"""What a station may still do when its leases end, told from its own clock alone."""

import asyncio
import time
from dataclasses import replace
from functools import partial
from typing import Any, cast

import pytest
from sqlalchemy import select, update

from cnc_station.config import Config
from cnc_station.engine.commands import AddMachine, SubmitJobs
from cnc_station.engine.domain import transitions as t
from cnc_station.engine.domain.actions import JobAction
from cnc_station.engine.domain.errors import AlreadyDone, Conflict, Unavailable
from cnc_station.engine.domain.job import JobSpec
from cnc_station.engine.domain.machine import Capability, MachineSpec
from cnc_station.engine.domain.policies import RetryPolicy
from cnc_station.engine.domain.principal import local_principal
from cnc_station.engine.domain.states import JobState
from cnc_station.engine.drivers.base import OnLoss, RunAborted
from cnc_station.engine.drivers.simulator import Simulator
from cnc_station.engine.engine import StationEngine
from cnc_station.engine.queries import JobsById, ListLinks, ListRuns
from cnc_station.engine.services.leadership import Leadership, Reaper, Stager
from cnc_station.engine.services.lifeline import LONGEST_BEAT_S, Lifeline
from cnc_station.engine.services.recovery import Recovery
from cnc_station.engine.services.remote_commands import RemoteCommands
from cnc_station.engine.services.retrying_writer import RetryingWriter
from cnc_station.engine.services.run_ending import Judge
from cnc_station.engine.store import schema
from cnc_station.engine.store.claims import Claim
from cnc_station.engine.store.moves import MoveRun
from cnc_station.engine.store.new_runs import Claimed
from cnc_station.engine.store.remote_commands import AskStation, answer_of
from cnc_station.engine.store.sqlite import Sqlite
from cnc_station.engine.store.transaction import StoreCommand
from cnc_station.engine.store.writer import Writer
from cnc_station.engine.views import Doing
from tests.engine.floor import Controller, by_hand, service_of, supervisor_of
from tests.engine.sessions import runs_of
from tests.until import until

ME = local_principal("tester")
MILL = MachineSpec("Mill 1", "mill", capability=Capability("mill"))


class _Machine(Controller):
    """A driver whose runs last until they are aborted; `stuck`: even longer."""

    def __init__(self, on_loss: OnLoss = OnLoss.RETRY, *, stuck: bool = False) -> None:
        super().__init__()
        self.on_loss = on_loss
        self.stuck = stuck
        self.running: list[int] = []
        self.aborted = asyncio.Event()

    async def ended(self) -> None:
        run_id = self.orders[-1].run_id
        self.running.append(run_id)
        await self.aborted.wait()
        self.running.remove(run_id)
        raise RunAborted("aborted")

    async def abort(self) -> None:
        if not self.stuck:
            self.aborted.set()


class _Database:
    """A writer whose database writes everything, or stands still."""

    def __init__(self) -> None:
        self.moves: list[str] = []
        self.stands_still = False

    async def write(self, change: StoreCommand[Any]) -> None:
        if self.stands_still:
            await asyncio.Event().wait()
        if isinstance(change, MoveRun):
            self.moves.append(change.transition.name)

    write_until_committed = write


def _claimed(run_id: int, machine_id: int = 1, job_id: int = 1, attempt: int = 1) -> Claimed:
    return Claimed(
        run_id, 1, job_id, machine_id, "bracket", attempt, 0, None, None, 1, 1, 60.0, "", "", ""
    )


async def test_a_run_whose_lease_has_ended_is_never_begun() -> None:
    """As when the process stood still between its claim and its start."""
    database, machine = _Database(), _Machine()
    runs = runs_of(database, {1: machine})
    runs.take(_claimed(1), asyncio.get_running_loop().time() - 0.1)
    await until(lambda: not runs.busy)
    assert (database.moves, machine.running) == ([], [])


async def test_a_machine_whose_run_was_never_begun_is_ready_for_another() -> None:
    """It stood as held for good, and was never given another run."""
    simulator = Simulator.make({})
    runs = runs_of(_Database(), {1: simulator})
    runs.take(_claimed(1), asyncio.get_running_loop().time() - 0.1)
    await until(lambda: not runs.busy)
    assert simulator.status().doing is Doing.READY


async def test_a_run_is_let_go_before_its_lease_ends_although_the_database_stands_still() -> None:
    database, machine = _Database(), _Machine()
    runs = runs_of(database, {1: machine})
    loop = asyncio.get_running_loop()
    lease_ends = loop.time() + 0.3
    runs.take(_claimed(1), lease_ends)
    await until(lambda: machine.running)
    database.stands_still = True
    lifeline = Lifeline(cast(RetryingWriter, database), runs, "me", 30.0, _never, alone=False)
    await lifeline.start()
    await machine.aborted.wait()
    assert loop.time() >= lease_ends - 0.01
    assert loop.time() < lease_ends + LONGEST_BEAT_S - 1.0, "it waited for the next beat"
    await lifeline.stop()


async def _never(why: str) -> None:
    raise AssertionError(why)


async def test_why_there_is_no_heartbeat_is_said_once_for_each_reason(
    caplog: pytest.LogCaptureFixture,
) -> None:
    answers = [Unavailable("away"), Unavailable("away"), TimeoutError(), None, Unavailable("away")]

    class _Failing:
        async def write(self, _: StoreCommand[Any]) -> None:
            if (error := answers.pop(0)) is not None:
                raise error

    runs = runs_of(_Database(), {})
    lifeline = Lifeline(cast(RetryingWriter, _Failing()), runs, "me", 30.0, _never, alone=False)
    while answers:
        await lifeline.run_once()
    said = ["away", "no answer in time", "away"]
    assert [record.message for record in caplog.records] == [f"no heartbeat: {why}" for why in said]


async def test_what_may_be_half_made_goes_on_when_its_lease_is_lost() -> None:
    database, mill = _Database(), _Machine(OnLoss.INTERRUPT)
    runs = runs_of(database, {1: mill})
    runs.take(_claimed(1))
    await until(lambda: mill.running)
    runs.let_go(float("inf"))
    assert mill.running == [1]
    assert not mill.aborted.is_set()
    assert runs.lost_machines() == {1}
    mill.aborted.set()
    await until(lambda: not runs.busy)


async def test_a_job_that_comes_back_waits_until_its_lost_run_has_stopped_here() -> None:
    database = _Database()
    stuck, other, third = _Machine(stuck=True), _Machine(), _Machine()
    runs = runs_of(database, {1: stuck, 2: other, 3: third})
    runs.take(_claimed(1, 1))
    await until(lambda: stuck.running)
    runs.let_go(float("inf"))
    runs.take(_claimed(2, 2, attempt=2))
    runs.take(_claimed(3, 3, job_id=2))
    await until(lambda: third.running)  # what was taken after it runs
    assert runs.lost_machines() == {1}
    assert runs.run_ids() == (2, 3)
    assert not other.running
    stuck.aborted.set()
    await until(lambda: other.running == [2])
    for machine in (other, third):
        await machine.abort()
    await until(lambda: not runs.busy)


async def test_a_start_whose_answer_was_lost_counts_as_written(engine: StationEngine) -> None:
    await engine.door(ME).execute(AddMachine(MILL))
    (job_id,) = await engine.door(ME).execute(
        SubmitJobs([JobSpec("bracket", "mill", estimated_s=1e6)])
    )
    await until(partial(_is, engine, job_id, JobState.RUNNING))
    (run,) = await engine.local_door.ask(ListRuns(job_id=job_id))
    again = MoveRun(t.STARTED, run.id, 1, job_id, run.machine_id, "runner")
    writer = supervisor_of(engine).context.writer
    with pytest.raises(AlreadyDone):
        await writer.write(again)
    answers = iter([Unavailable("the answer was lost"), None])
    write = Writer.write

    async def losing(group_writer: Writer, change: StoreCommand[Any]) -> Any:
        answer = next(answers) if change is again else None  # there are heartbeats too
        if answer is not None:
            raise answer
        return await write(group_writer, change)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Writer, "write", losing)
        await writer.write_until_committed(again)


async def _is(engine: StationEngine, job_id: int, state: JobState) -> bool:
    (row,) = await engine.local_door.ask(JobsById([job_id]))
    return row.state is state


async def test_a_station_whose_name_was_taken_over_claims_and_drives_nothing_more(
    config: Config,
) -> None:
    engine = StationEngine(replace(config, lease_s=3.0))
    await engine.start()
    try:
        await engine.door(ME).execute(AddMachine(MILL))
        by_hand(engine, update(schema.station).values(incarnation="other"))
        await engine.door(ME).execute(SubmitJobs([JobSpec("bracket", "mill", estimated_s=1e6)]))
        assert (
            await supervisor_of(engine).context.writer.write(Claim(3.0, incarnation="mine")) == ()
        )
        await until(lambda: "name" in {link.name for link in engine.local_door.peek(ListLinks())})
        runs = supervisor_of(engine).active_runs
        await until(lambda: not runs.run_ids())
    finally:
        await engine.stop()


async def test_a_clock_that_is_set_forward_costs_no_station_its_runs(
    engine: StationEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All leases have ended then, and the next heartbeat is far away."""
    await engine.door(ME).execute(AddMachine(MILL))
    (job_id,) = await engine.door(ME).execute(
        SubmitJobs([JobSpec("bracket", "mill", estimated_s=1e6)])
    )
    await until(partial(_is, engine, job_id, JobState.RUNNING))
    leadership = service_of(engine, Leadership)
    before = leadership.term
    assert before is not None
    ms = time.time_ns() // 1_000_000 + 3_600_000
    monkeypatch.setattr(Sqlite, "now", lambda *_: ms)
    for service in (Reaper, Leadership, Reaper, Lifeline, Reaper):
        await service_of(engine, service).run_once()
    assert leadership.term == before + 1
    assert await _is(engine, job_id, JobState.RUNNING)
    read = supervisor_of(engine).context.reader.read
    leases = await read(lambda c: c.execute(select(schema.run.c.lease_until)).scalars().all())
    assert leases == [ms + 300_000]


async def test_a_remote_command_about_a_run_that_is_over_leaves_the_next_one_alone(
    engine: StationEngine,
) -> None:
    await engine.door(ME).execute(AddMachine(MILL))
    (job_id,) = await engine.door(ME).execute(
        SubmitJobs([JobSpec("bracket", "mill", estimated_s=1e6)])
    )
    await until(partial(_is, engine, job_id, JobState.RUNNING))
    remote_commands = service_of(engine, RemoteCommands)
    await remote_commands.stop()  # as if the station were away meanwhile
    context = supervisor_of(engine).context
    asked = await context.writer.write(AskStation(JobAction.ABORT, job_id, "anna", ""))
    by_hand(engine, update(schema.remote_command).values(asked_at=1))
    await remote_commands.run_once()
    answer = await until(lambda: context.reader.read(lambda c: answer_of(c, asked.id)))
    assert answer == f"Job {job_id} is not at a machine any more."
    assert await _is(engine, job_id, JobState.RUNNING)


async def test_the_stager_sleeps_by_the_databases_clock(
    engine: StationEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A station whose own is ten minutes ahead would else ask a thousand times a second."""
    await engine.door(ME).execute(SubmitJobs([JobSpec("bracket", "mill", not_before=_soon(20))]))
    monkeypatch.setattr("time.time", lambda: 4e9)
    assert 10 < await service_of(engine, Stager).run_once() < 21


def _soon(seconds: float) -> int:
    return time.time_ns() // 1_000_000 + round(seconds * 1000)


async def test_a_run_settled_by_another_meanwhile_does_not_stop_a_start(config: Config) -> None:
    class _Late:
        async def write(self, change: MoveRun) -> None:
            raise Conflict(f"run {change.run_id} is failed")

    engine = StationEngine(config)
    await engine.start()
    try:
        await engine.door(ME).execute(AddMachine(MILL))
        (job_id,) = await engine.door(ME).execute(
            SubmitJobs([JobSpec("bracket", "mill", estimated_s=1e6)])
        )
        await until(partial(_is, engine, job_id, JobState.RUNNING))
        crew = supervisor_of(engine)
        late, judge = cast(RetryingWriter, _Late()), Judge(RetryPolicy())
        recovery = Recovery(
            late,
            crew.context.reader,
            crew.context.library,
            crew.pool,
            crew.active_runs,
            judge,
            "A",
        )
        assert await recovery.settle(60.0) == 1
    finally:
        await engine.stop()
