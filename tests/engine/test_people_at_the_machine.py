"""What waits for people at a real machine: its set-up, the next blank, the panel's own buttons."""

from collections.abc import AsyncIterator

import pytest

from cnc_station.engine.domain.errors import Unavailable
from cnc_station.engine.domain.states import JobState, MachineState
from cnc_station.engine.drivers.base import NotReady, RunFailed
from cnc_station.engine.views import Doing, Status
from tests.engine.conftest import Station
from tests.engine.floor import Controller, FloorOf
from tests.until import until


@pytest.fixture
async def floor(station: Station, controller: Controller) -> AsyncIterator[FloorOf]:
    floor = await station()
    yield floor
    if controller.cutting:
        controller.end()


async def _not_ready(floor: FloorOf) -> str:
    (machine,) = await floor.engine.machines()
    return machine.not_ready


async def test_nothing_starts_before_an_operator_has_confirmed_the_set_up(
    floor: FloorOf, controller: Controller
) -> None:
    await floor.mill(driver="scripted", operator_starts=True)
    job_id = await floor.job()
    await floor.comes_to(job_id, JobState.ASSIGNED)
    assert not (await floor.act("continue", job_id)).applied
    assert controller.asked == ["connect"]
    assert (await floor.act("start", job_id, reason="material, tools, offset")).applied
    await floor.comes_to(job_id, JobState.RUNNING)
    await until(lambda: controller.asked == ["connect", "load 1", "start"])
    (started,) = [e for e in await floor.engine.events(job_id=job_id) if e.type == "started"]
    assert (started.actor, started.reason) == ("tester", "material, tools, offset")


async def test_a_job_put_aside_leaves_the_machine_untouched_for_the_next_one(
    floor: FloorOf, controller: Controller
) -> None:
    machine_id = await floor.mill(driver="scripted", operator_starts=True, operator_clears=True)
    job_id, other = await floor.job(), await floor.job()
    await floor.comes_to(job_id, JobState.ASSIGNED)
    assert (await floor.act("defer", job_id, reason="no blanks")).applied
    row = await floor.row(job_id)
    assert (row.state, row.failures) == (JobState.PAUSED, 0)
    await floor.comes_to(other, JobState.ASSIGNED)
    assert "abort" not in controller.asked
    assert await floor.machine_state(machine_id) is MachineState.ASSIGNED


async def test_a_job_that_has_begun_is_not_put_aside(
    floor: FloorOf, controller: Controller
) -> None:
    await floor.mill(driver="scripted")
    job_id = await floor.job()
    await floor.comes_to(job_id, JobState.RUNNING)
    await until(lambda: "start" in controller.asked)
    assert not (await floor.act("defer", job_id)).applied
    assert (await floor.row(job_id)).state is JobState.RUNNING


async def test_between_two_parts_the_machine_waits_for_the_next_blank(
    floor: FloorOf, controller: Controller
) -> None:
    await floor.mill(driver="scripted", operator_clears=True)
    job_id = await floor.job(quantity=2)
    await until(lambda: "start" in controller.asked)
    controller.end()
    await floor.comes_to(job_id, JobState.HELD)
    controller.does(Doing.READY)
    assert controller.asked.count("start") == 1
    (held,) = [e for e in await floor.engine.events(job_id=job_id) if e.type == "held"]
    assert held.reason == "Part 1 of 2 is done: take it out, load the next blank"
    assert (await floor.act("continue", job_id)).applied
    await until(lambda: controller.asked[-2:] == ["load 2", "start"])
    assert "resume" not in controller.asked
    controller.end()
    await floor.comes_to(job_id, JobState.COMPLETED)
    await floor.machine_comes_to(1, MachineState.NEEDS_CLEARING)


async def test_a_machine_that_is_not_ready_for_the_next_part_keeps_those_already_made(
    floor: FloorOf, controller: Controller
) -> None:
    await floor.mill(driver="scripted")
    job_id = await floor.job(quantity=2, retry_limit=0)
    await until(lambda: "start" in controller.asked)
    controller.refuses["load 2"] = NotReady("the door is open")
    controller.end()
    await floor.comes_to(job_id, JobState.HELD)
    (held,) = [e for e in await floor.engine.events(job_id=job_id) if e.type == "held"]
    assert held.reason == "Part 1 of 2 is done, but the door is open"
    del controller.refuses["load 2"]
    assert (await floor.act("continue", job_id)).applied
    await until(lambda: controller.asked[-2:] == ["load 2", "start"])
    controller.end()
    await floor.comes_to(job_id, JobState.COMPLETED)
    assert controller.asked.count("load 1") == 1


async def test_a_stop_in_the_program_and_a_start_at_the_panel_are_written_as_they_happen(
    floor: FloorOf, controller: Controller
) -> None:
    await floor.mill(driver="scripted")
    job_id = await floor.job()
    await until(lambda: "start" in controller.asked)
    controller.does(Doing.HELD, "program stop (M0)")
    await floor.comes_to(job_id, JobState.HELD)
    controller.does(Doing.RUNNING)
    await floor.comes_to(job_id, JobState.RUNNING)
    told = [(e.type, e.actor, e.reason) for e in await floor.engine.events(job_id=job_id)]
    assert told[-2:] == [
        ("held", "controller", "program stop (M0)"),
        ("continued", "controller", ""),
    ]


async def test_a_machine_that_will_not_start_gives_the_job_back_and_is_not_asked_again(
    floor: FloorOf, controller: Controller
) -> None:
    controller.refuses["start"] = NotReady("the door is open")
    await floor.mill(driver="scripted")
    job_id = await floor.job(retry_limit=0)

    async def refused() -> bool:
        return await _not_ready(floor) == "the door is open"

    await until(refused)
    row = await floor.comes_to(job_id, JobState.QUEUED)
    assert (row.failures, controller.asked.count("start")) == (0, 1)
    assert (await floor.told(job_id))[-1] == "requeued"
    del controller.refuses["start"]
    controller.does(Doing.NOT_READY, "door")
    controller.does(Doing.READY)
    await floor.comes_to(job_id, JobState.RUNNING)


async def test_a_machine_that_is_not_ready_gets_no_job_until_it_is(
    floor: FloorOf, controller: Controller
) -> None:
    controller.does(Doing.NOT_READY, "not homed")
    machine_id = await floor.mill(driver="scripted")
    job_id = await floor.job()
    assert await _not_ready(floor) == "not homed"
    row = await floor.row(job_id)
    assert (row.state, controller.orders) == (JobState.QUEUED, [])
    assert "not homed" in row.next
    controller.does(Doing.READY)
    await floor.comes_to(job_id, JobState.RUNNING)
    assert await floor.machine_state(machine_id) is MachineState.RUNNING


async def _never_asked_to_start(floor: FloorOf, controller: Controller, job_id: int) -> bool:
    return (await floor.told(job_id), controller.orders) == (["created"], [])


async def test_a_waiting_job_is_not_even_assigned_to_a_machine_that_is_not_ready_when_it_connects(
    floor: FloorOf, controller: Controller
) -> None:
    job_id = await floor.job()
    controller.does(Doing.NOT_READY, "not homed")
    machine_id = await floor.mill(driver="scripted")
    assert await _not_ready(floor) == "not homed"
    assert await floor.machine_state(machine_id) is MachineState.IDLE
    assert await _never_asked_to_start(floor, controller, job_id)
    controller.does(Doing.READY)
    await floor.comes_to(job_id, JobState.RUNNING)


async def test_a_waiting_job_is_not_even_assigned_to_a_machine_that_has_yet_to_home_when_unlocked(
    floor: FloorOf, controller: Controller
) -> None:
    job_id = await floor.job()
    controller.does(Doing.ALARM, "locked")
    machine_id = await floor.mill(driver="scripted")
    assert await floor.machine_state(machine_id) is MachineState.ALARM
    controller.unlocks_to = Status(Doing.NOT_READY, "not homed")
    await floor.act_on_machine("unlock", machine_id)
    assert await _not_ready(floor) == "not homed"
    assert await floor.machine_state(machine_id) is MachineState.IDLE
    assert await _never_asked_to_start(floor, controller, job_id)
    controller.does(Doing.READY)
    await floor.comes_to(job_id, JobState.RUNNING)
    assert (await floor.told(job_id))[:2] == ["created", "assigned"]


async def test_somebody_elses_program_keeps_jobs_away(
    floor: FloorOf, controller: Controller
) -> None:
    controller.does(Doing.RUNNING)
    await floor.mill(driver="scripted")
    job_id = await floor.job()
    assert "not started from here" in await _not_ready(floor)
    assert (await floor.row(job_id)).state is JobState.QUEUED


async def test_an_alarm_of_an_idle_machine_is_shown_and_goes_when_it_is_unlocked(
    floor: FloorOf, controller: Controller
) -> None:
    machine_id = await floor.mill(driver="scripted")
    controller.does(Doing.ALARM, "hard limit on X")
    await floor.machine_comes_to(machine_id, MachineState.ALARM)
    (machine,) = await floor.engine.machines()
    assert machine.state_reason == "hard limit on X"
    await floor.act_on_machine("unlock", machine_id)
    assert "unlock" in controller.asked
    await floor.machine_comes_to(machine_id, MachineState.IDLE)


async def test_an_idle_machine_that_is_switched_off_is_offline_until_it_answers_again(
    floor: FloorOf, controller: Controller
) -> None:
    machine_id = await floor.mill(driver="scripted")
    controller.refuses["connect"] = Unavailable("no route to host")
    controller.does(Doing.UNREACHABLE, "the line is dead")
    await floor.machine_comes_to(machine_id, MachineState.OFFLINE)
    (machine,) = await floor.engine.machines()
    assert machine.state_reason == "no route to host"
    del controller.refuses["connect"]
    await floor.machine_comes_to(machine_id, MachineState.IDLE)


async def test_a_part_half_made_has_to_be_cleared_even_where_the_machine_clears_itself(
    floor: FloorOf, controller: Controller
) -> None:
    machine_id = await floor.mill(driver="scripted")
    job_id = await floor.job(retry_limit=2)
    await until(lambda: "start" in controller.asked)
    controller.end(RunFailed("tool broke"))
    await floor.comes_to(job_id, JobState.DELAYED)
    await floor.machine_comes_to(machine_id, MachineState.NEEDS_CLEARING)


async def test_a_part_under_an_alarm_has_to_be_cleared_after_the_alarm(
    floor: FloorOf, controller: Controller
) -> None:
    machine_id = await floor.mill(driver="scripted")
    job_id = await floor.job(retry_limit=0)
    await until(lambda: "start" in controller.asked)
    controller.end(RunFailed("hard limit", alarm=True))
    await floor.comes_to(job_id, JobState.NEEDS_ATTENTION)
    assert await floor.machine_state(machine_id) is MachineState.ALARM
    await floor.act_on_machine("unlock", machine_id)
    await floor.machine_comes_to(machine_id, MachineState.NEEDS_CLEARING)


async def test_a_watched_machine_starts_and_ends_its_job_by_what_it_reports(
    station: Station, watched: Controller
) -> None:
    floor = await station()
    watched.at_panel()
    await floor.mill(driver="scripted")
    job_id = await floor.job()
    await until(lambda: "start" in watched.asked)
    assert (await floor.row(job_id)).state is JobState.ASSIGNED
    watched.begin()
    await floor.comes_to(job_id, JobState.RUNNING)
    watched.end()
    await floor.comes_to(job_id, JobState.COMPLETED)
    started = next(e for e in await floor.engine.events(job_id=job_id) if e.type == "started")
    assert started.actor == "controller"


async def test_a_watched_machine_starts_and_ends_its_job_by_the_operators_word(
    station: Station, watched: Controller
) -> None:
    floor = await station()
    watched.at_panel()
    await floor.mill(driver="scripted")
    job_id = await floor.job()
    await floor.comes_to(job_id, JobState.ASSIGNED)
    await until(lambda: "start" in watched.asked)
    assert (await floor.act("start", job_id)).applied
    await floor.comes_to(job_id, JobState.RUNNING)

    async def finished() -> bool:
        return (await floor.act("finish", job_id)).applied

    await until(finished)
    await floor.comes_to(job_id, JobState.COMPLETED)
