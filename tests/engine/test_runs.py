"""One attempt from claim to outcome, through the whole engine with simulated machines."""

import itertools
import time
from dataclasses import replace
from typing import Any

import pytest

from cnc_station.config import Config
from cnc_station.engine.commands import ActOnMachine, EditMachine, SaveSettings
from cnc_station.engine.domain.actions import MachineAction
from cnc_station.engine.domain.errors import InvalidInput
from cnc_station.engine.domain.policies import RetryPolicy
from cnc_station.engine.domain.states import JobState, MachineState
from cnc_station.engine.drivers.simulator import Simulator
from cnc_station.engine.engine import open_client
from cnc_station.engine.queries import (
    ControllerStatus,
    LatestTelemetry,
    ListEvents,
    ListMachines,
    ListRuns,
)
from tests.engine.conftest import Station
from tests.engine.floor import MILL, FloorOf
from tests.until import at_best, until

FAILS = {"failure_share": 1.0}
NEVER_ENDS = {"speed": 0.001}
LATE_MS = 10_000  # on a busy computer; a service that nobody woke would rest for longer
QUICK = RetryPolicy(initial_s=0.05, maximum_s=0.1)


async def test_a_hard_job_fails_waits_its_backoff_is_retried_and_then_needs_attention(
    config: Config, station: Station
) -> None:
    floor = await station(replace(config, retry=RetryPolicy(initial_s=0.2, maximum_s=10.0)))
    await floor.mill(settings=FAILS)
    job_id = await floor.job(complexity=5)
    row = await floor.comes_to(job_id, JobState.NEEDS_ATTENTION)
    assert await floor.told(job_id) == [
        "created",
        *("assigned", "started", "failed_retry", "released") * 2,
        *("assigned", "started", "failed_final"),
    ]
    events = await floor.door.ask(ListEvents(job_id=job_id))
    waits = [
        released.at - failed.at
        for failed, released in itertools.pairwise(events)
        if released.type == "released"
    ]
    assert 200 <= waits[0] < LATE_MS
    assert 400 <= waits[1] < LATE_MS
    assert (row.attempt, row.failures) == (3, 3)
    assert row.last_error
    assert [run.error for run in await floor.door.ask(ListRuns(job_id=job_id))].count("") == 0


async def test_a_job_with_no_retries_needs_attention_at_once(station: Station) -> None:
    floor = await station()
    await floor.mill(settings=FAILS)
    job_id = await floor.job(complexity=5, retry_limit=0)
    await floor.comes_to(job_id, JobState.NEEDS_ATTENTION)
    assert (await floor.row(job_id)).attempt == 1


async def test_a_retry_by_a_person_gives_a_fresh_set_of_attempts(
    config: Config, station: Station
) -> None:
    floor = await station(replace(config, retry=QUICK))
    await floor.mill(settings=FAILS)
    job_id = await floor.job(complexity=5, retry_limit=1)
    await floor.comes_to(job_id, JobState.NEEDS_ATTENTION)
    assert (await floor.act("retry", job_id)).applied

    async def failed_again() -> bool:
        row = await floor.row(job_id)
        return row.state is JobState.NEEDS_ATTENTION and row.attempt == 4

    await until(failed_again)


async def test_a_run_that_takes_longer_than_its_limit_is_stopped_and_fails(
    station: Station,
) -> None:
    floor = await station()
    machine_id = await floor.mill(settings=NEVER_ENDS)
    job_id = await floor.job(timeout_s=0.05, retry_limit=0)
    row = await floor.comes_to(job_id, JobState.NEEDS_ATTENTION)
    assert row.last_error == "took longer than its limit of 0.05 s"
    assert await floor.machine_state(machine_id) is MachineState.IDLE
    other = await floor.job(estimated_s=0.0)
    await floor.comes_to(other, JobState.COMPLETED)


async def test_a_held_run_stands_still_goes_on_and_completes(station: Station) -> None:
    floor = await station()
    machine_id = await floor.mill(settings=NEVER_ENDS)
    job_id = await floor.job()
    await floor.comes_to(job_id, JobState.RUNNING)
    assert (await floor.act("hold", job_id, reason="chips")).applied
    assert await floor.machine_state(machine_id) is MachineState.HELD
    stands = floor.door.peek(ControllerStatus(machine_id))
    await until(lambda: floor.door.peek(LatestTelemetry(machine_id)))
    assert stands is not None
    assert floor.door.peek(ControllerStatus(machine_id)) == stands
    refused = (await floor.act("hold", job_id)).error
    assert "is on hold. Only a running program can be held." in refused
    _ends_now(floor, machine_id)
    assert (await floor.act("continue", job_id)).applied
    await floor.comes_to(job_id, JobState.COMPLETED)
    assert (await floor.told(job_id))[-4:] == ["started", "held", "continued", "completed"]
    held = next(e for e in await floor.door.ask(ListEvents(job_id=job_id)) if e.type == "held")
    assert (held.actor, held.reason) == ("tester", "chips")


def _ends_now(floor: FloorOf, machine_id: int) -> None:
    """What would never end does when it goes on, and so does what comes after it."""
    simulator = floor.drivers[machine_id]
    assert isinstance(simulator, Simulator)
    simulator.settings = replace(simulator.settings, speed=1e6)


@pytest.mark.parametrize("held", [False, True])
async def test_an_aborted_run_is_over_when_the_answer_comes(station: Station, held: bool) -> None:
    floor = await station()
    machine_id = await floor.mill(settings=NEVER_ENDS)
    job_id = await floor.job()
    await floor.comes_to(job_id, JobState.RUNNING)
    if held:
        await floor.act("hold", job_id)
    assert (await floor.act("abort", job_id, reason="wrong stock")).applied
    assert (await floor.row(job_id)).state is JobState.CANCELLED
    assert await floor.machine_state(machine_id) is MachineState.IDLE
    (*_, last) = await floor.door.ask(ListEvents(job_id=job_id))
    assert (last.type, last.actor, last.reason) == ("aborted", "tester", "wrong stock")


async def test_what_is_not_at_a_machine_can_not_be_held_or_aborted(station: Station) -> None:
    floor = await station()
    job_id = await floor.job()
    for action in ("hold", "continue", "abort"):
        answer = await floor.act(action, job_id)
        assert answer.error == f"Job {job_id} is not at a machine."


async def test_telemetry_shows_when_the_only_run_starts_not_after_the_tickers_rest(
    station: Station,
) -> None:
    floor = await station()
    machine_id = await floor.mill(settings=NEVER_ENDS)
    job_id = await floor.job()
    await floor.comes_to(job_id, JobState.RUNNING)
    await until(lambda: floor.door.peek(LatestTelemetry(machine_id)))
    await floor.act("abort", job_id)
    await until(lambda: floor.door.peek(LatestTelemetry(machine_id)) is None)


async def test_maintenance_asked_for_during_a_run_begins_after_it(station: Station) -> None:
    floor = await station()
    machine_id = await floor.mill(settings=NEVER_ENDS)
    job_id, next_one = await floor.job(), await floor.job()
    await floor.comes_to(job_id, JobState.RUNNING)
    await floor.act_on_machine("maintenance_on", machine_id)
    assert await floor.machine_state(machine_id) is MachineState.RUNNING
    assert (await floor.act("hold", job_id)).applied
    _ends_now(floor, machine_id)
    assert (await floor.act("continue", job_id)).applied
    await floor.comes_to(job_id, JobState.COMPLETED)
    await floor.machine_comes_to(machine_id, MachineState.MAINTENANCE)
    assert (await floor.row(next_one)).state is JobState.QUEUED
    await floor.act_on_machine("maintenance_off", machine_id)
    await floor.comes_to(next_one, JobState.COMPLETED)


async def test_a_machine_that_is_to_be_cleared_waits_for_that(station: Station) -> None:
    floor = await station()
    machine_id = await floor.mill(operator_clears=True)
    first, second = await floor.job(), await floor.job()
    await floor.comes_to(first, JobState.COMPLETED)
    await floor.machine_comes_to(machine_id, MachineState.NEEDS_CLEARING)
    assert (await floor.row(second)).state is JobState.QUEUED
    await floor.act_on_machine("clear", machine_id)
    await floor.comes_to(second, JobState.COMPLETED)


async def test_the_parts_counted_at_a_clearing_stand_with_the_run(station: Station) -> None:
    floor = await station()
    machine_id = await floor.mill(operator_clears=True)
    job_id = await floor.job(quantity=5)
    await floor.machine_comes_to(machine_id, MachineState.NEEDS_CLEARING)
    with pytest.raises(InvalidInput, match=r"4 good \+ 2 scrap are 6 parts, but the run made 5"):
        await floor.door.execute(ActOnMachine(MachineAction.CLEAR, machine_id, good=4, scrap=2))
    await floor.door.execute(
        ActOnMachine(MachineAction.CLEAR, machine_id, reason="chatter", good=3, scrap=1, rework=1)
    )
    (run,) = await floor.door.ask(ListRuns(job_id=job_id))
    assert (run.good, run.scrap, run.rework) == (3, 1, 1)
    with pytest.raises(InvalidInput, match="counted when a machine is cleared"):
        await floor.door.execute(ActOnMachine(MachineAction.MAINTENANCE_ON, machine_id, good=1))


async def test_a_pinned_job_waits_for_its_machine_while_another_is_free(
    station: Station,
) -> None:
    floor = await station()
    await floor.mill("Mill 1")
    second = await floor.mill("Mill 2")
    await floor.act_on_machine("maintenance_on", second)
    job_id = await floor.job(pinned_machine_id=second)
    other = await floor.job()
    await floor.comes_to(other, JobState.COMPLETED)
    assert (await floor.row(job_id)).state is JobState.QUEUED
    await floor.act_on_machine("maintenance_off", second)
    assert (await floor.comes_to(job_id, JobState.COMPLETED)).machine == "Mill 2"


async def test_a_delayed_job_starts_at_its_time_not_before(station: Station) -> None:
    floor = await station()
    await floor.mill()

    async def late_ms() -> float:
        due = time.time_ns() // 1_000_000 + 300
        job_id = await floor.job(not_before=due)
        await floor.comes_to(job_id, JobState.COMPLETED)
        released, assigned = (await floor.door.ask(ListEvents(job_id=job_id)))[1:3]
        assert due <= released.at
        return max(released.at - due, assigned.at - released.at)

    assert await at_best(late_ms, 500) <= 500


async def test_run_now_overtakes_the_queue_and_a_wait(station: Station) -> None:
    floor = await station()
    machine_id = await floor.mill()
    await floor.act_on_machine("maintenance_on", machine_id)
    first = await floor.job(priority=100)
    late = await floor.job(not_before=time.time_ns() // 1_000_000 + 3_600_000)
    assert (await floor.act("run_now", late)).applied
    await floor.act_on_machine("maintenance_off", machine_id)
    await floor.comes_to(first, JobState.COMPLETED)
    runs = sorted(await floor.door.ask(ListRuns()), key=lambda run: run.id)
    assert [run.job_id for run in runs] == [late, first]


@pytest.mark.parametrize("until_when", [None, "tomorrow", -1, 2**70, True])
async def test_a_delay_until_no_time_is_refused_in_words(
    station: Station, until_when: object
) -> None:
    floor = await station()
    job_id = await floor.job(machine_type="lathe")
    answer = await floor.act("delay", job_id, until=until_when)
    assert answer.error.startswith("until: ")
    assert (await floor.row(job_id)).state is JobState.QUEUED


@pytest.mark.parametrize(
    "values",
    [
        {"driver": "no such driver"},
        {"settings": {"speed": "fast"}},
        {"settings": {"speed": 0}},
        {"settings": {"speed": float("1e-320")}},
        {"settings": {"seed": "x"}},
    ],
)
async def test_a_machine_whose_driver_can_not_be_made_is_refused_and_not_kept(
    config: Config, station: Station, values: dict[str, Any]
) -> None:
    floor = await station()
    with pytest.raises(InvalidInput):
        await floor.mill("Wrong", **values)
    good = await floor.mill("Good")
    with pytest.raises(InvalidInput):
        await floor.door.execute(EditMachine(good, replace(MILL, name="Good", **values)))
    await floor.engine.stop()
    again = await station(config)
    (row,) = await again.door.ask(ListMachines())
    assert (row.spec.name, row.spec.driver, row.spec.settings) == ("Good", "simulator", {})
    assert row.state is MachineState.IDLE


@pytest.mark.parametrize("reason", ["\udcff", "a\x00", "x" * 2001])
async def test_a_reason_that_can_not_be_kept_is_refused(station: Station, reason: str) -> None:
    floor = await station()
    job_id, machine_id = await floor.job(), await floor.mill()
    with pytest.raises(InvalidInput, match="reason: "):
        await floor.act("cancel", job_id, reason=reason)
    with pytest.raises(InvalidInput, match="reason: "):
        await floor.door.execute(
            ActOnMachine(MachineAction.MAINTENANCE_ON, machine_id, reason=reason)
        )


async def test_a_setting_that_is_no_json_is_refused(station: Station) -> None:
    floor = await station()
    with pytest.raises(InvalidInput, match="settings: must be JSON"):
        await floor.door.execute(SaveSettings({"theme": object()}))


async def test_who_works_beside_a_station_asks_it_to_act_at_its_machine(
    config: Config, station: Station
) -> None:
    floor = await station()
    machine_id = await floor.mill(settings=NEVER_ENDS)
    job_id = await floor.job()
    await floor.comes_to(job_id, JobState.RUNNING)
    beside = FloorOf(await open_client(config))
    assert (await beside.act("hold", job_id)).applied
    assert await floor.machine_state(machine_id) is MachineState.HELD
    assert (await beside.act("abort", job_id)).applied
    assert (await floor.row(job_id)).state is JobState.CANCELLED
    await beside.engine.stop()
