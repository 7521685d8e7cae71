"""What is asked of a run from the window of another station, and how long that counts."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from sqlalchemy import update

from cnc_station.config import Config
from cnc_station.engine.domain.actions import JobAction
from cnc_station.engine.domain.states import JobState
from cnc_station.engine.engine import open_client
from cnc_station.engine.services.remote_commands import RemoteCommands
from cnc_station.engine.services.run_phase import Phase
from cnc_station.engine.store import schema
from cnc_station.engine.store.claims import Claim
from cnc_station.engine.store.new_runs import Claimed
from cnc_station.engine.store.remote_commands import AskStation, answer_of
from cnc_station.engine.store.transaction import StoreCommand
from tests.engine.conftest import Station
from tests.engine.floor import Controller, FloorOf, by_hand, service_of, supervisor_of
from tests.until import until


@pytest.fixture
async def floor(station: Station) -> FloorOf:
    return await station()


@pytest.fixture
async def elsewhere(
    config: Config,
    floor: FloorOf,  # noqa: ARG001 - which is asked
) -> AsyncIterator[FloorOf]:
    """Somebody who has no machine, and asks the station that has it."""
    client = await open_client(replace(config, station="office"))
    yield FloorOf(client)
    await client.stop()


def _remote_commands(floor: FloorOf) -> RemoteCommands:
    return service_of(floor.engine, RemoteCommands)


async def _asked_a_minute_ago(floor: FloorOf, action: JobAction, job_id: int) -> str:
    """What the station answers that was cut off meanwhile."""
    await _remote_commands(floor).stop()
    asked = await floor.writer.write(AskStation(action.value, job_id, "anna", ""))
    row = schema.remote_command.c
    by_hand(
        floor.engine,
        update(schema.run).values(assigned_at=1),
        update(schema.remote_command).values(asked_at=row.asked_at - 60_000),
    )
    await _remote_commands(floor).start()

    async def answer() -> tuple[str] | None:
        found = await floor.reader.read(lambda c: answer_of(c, asked.id))
        return None if found is None else (found,)

    found = await until(answer)
    assert found is not None
    return found[0]


async def test_a_machine_is_not_set_going_by_who_asked_for_it_long_ago(
    floor: FloorOf, controller: Controller
) -> None:
    """Its station was cut off; who asked was told so, and may stand in the machine by now."""
    await floor.mill(driver="scripted", operator_starts=True)
    job_id = await floor.job()
    await floor.comes_to(job_id, JobState.ASSIGNED)
    assert "too long ago" in await _asked_a_minute_ago(floor, JobAction.START, job_id)
    assert (await floor.row(job_id)).state is JobState.ASSIGNED
    assert (await floor.act("start", job_id)).applied
    await floor.comes_to(job_id, JobState.RUNNING)
    await until(lambda: controller.cutting)
    assert (await floor.act("hold", job_id)).applied
    assert "too long ago" in await _asked_a_minute_ago(floor, JobAction.CONTINUE, job_id)
    assert "resume" not in controller.asked
    assert await _asked_a_minute_ago(floor, JobAction.ABORT, job_id) == ""
    await floor.comes_to(job_id, JobState.CANCELLED)


async def test_who_gets_no_answer_is_told_whether_it_may_still_be_done(
    floor: FloorOf, elsewhere: FloorOf, controller: Controller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cnc_station.engine.answers.machines.LOOKS", 1)
    await floor.mill(driver="scripted", operator_starts=True)
    job_id = await floor.job()
    await floor.comes_to(job_id, JobState.ASSIGNED)
    await _remote_commands(floor).stop()
    assert "will not do it later" in (await elsewhere.act("start", job_id)).error
    assert "may still do it later" in (await elsewhere.act("abort", job_id)).error
    assert controller.asked == ["connect"]


async def test_a_machine_that_is_slow_to_answer_keeps_nobody_from_holding_another(
    floor: FloorOf,
    elsewhere: FloorOf,
    made: list[Controller],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await floor.mill("Mill 1", driver="scripted")
    slow, other = await floor.job(), await floor.job()
    await floor.comes_to(slow, JobState.RUNNING)
    await floor.mill("Mill 2", driver="scripted")
    await floor.comes_to(other, JobState.RUNNING)
    first, second = (one for one in made if one.orders)
    await until(lambda: first.cutting and second.cutting)
    stopped, abort = asyncio.Event(), first.abort

    async def slowly() -> None:
        await stopped.wait()
        await abort()

    monkeypatch.setattr(first, "abort", slowly)
    aborting = asyncio.create_task(elsewhere.act("abort", slow))
    await until(lambda: _is_stopping(floor, slow))
    assert (await elsewhere.act("hold", other)).applied
    assert not aborting.done()
    stopped.set()
    assert (await aborting).applied
    assert (await elsewhere.act("abort", other)).applied


def _is_stopping(floor: FloorOf, job_id: int) -> bool:
    return floor.runs.session_of(job_id).phase is Phase.STOPPING


async def test_a_start_asked_for_before_the_station_knows_of_its_own_claim_counts(
    floor: FloorOf, elsewhere: FloorOf, controller: Controller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Others may read a claim a moment before its answer is heard."""
    writer, known, at_machines = (
        floor.writer,
        asyncio.Event(),
        supervisor_of(floor.engine).at_machines,
    )
    write, comes, asked = writer.write, at_machines.comes, asyncio.Event()

    async def seen(job_id: int) -> None:
        asked.set()
        await comes(job_id)

    async def later(change: StoreCommand[tuple[Claimed, ...]]) -> tuple[Claimed, ...]:
        claimed = await write(change)
        if isinstance(change, Claim) and claimed:
            await known.wait()
        return claimed

    monkeypatch.setattr(writer, "write", later)
    monkeypatch.setattr(at_machines, "comes", seen)
    await floor.mill(driver="scripted", operator_starts=True)
    job_id = await floor.job()
    await floor.comes_to(job_id, JobState.ASSIGNED)
    starting = asyncio.create_task(elsewhere.act("start", job_id))
    await asked.wait()
    known.set()
    answer = await starting
    assert (answer.error, answer.applied) == ("", True)
    await until(lambda: controller.cutting)
    controller.end()
