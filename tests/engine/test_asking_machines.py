"""What people ask of machines and of jobs at them, done by a controller that obeys the test."""

from functools import partial

import pytest

from cnc_station.engine.domain.errors import Conflict, Unavailable
from cnc_station.engine.domain.states import JobState, MachineState
from cnc_station.engine.drivers import registry
from cnc_station.engine.drivers.base import RunFailed
from cnc_station.engine.queries import FloorNow, ListEvents, ListRuns
from cnc_station.engine.views import Abilities, Doing, Remedy
from tests.engine.conftest import Station
from tests.engine.floor import ME, Controller, FloorOf, kind_of
from tests.until import until

ON_THE_SWITCH = Conflict("Jog the axis off its limit switch first.")


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> Controller:
    """What the driver named `watched` gives: it only reports."""
    made = Controller()
    made.abilities = Abilities(starts=False, holds=False, aborts=False, unlocks=False)
    kind = kind_of(lambda: made, name="watched", watches=True)
    monkeypatch.setitem(registry.OWN, "watched", kind)
    return made


async def _needs(floor: FloorOf) -> list[tuple[Remedy, str]]:
    return [(item.remedy, item.text) for item in (await floor.door.ask(FloorNow())).needs_you]


async def _waits(floor: FloorOf, remedy: Remedy) -> bool:
    return remedy in [found for found, _ in await _needs(floor)]


async def test_nothing_starts_before_its_set_up_is_confirmed(
    station: Station, controller: Controller
) -> None:
    floor = await station()
    await floor.mill(driver="scripted", operator_starts=True)
    job_id = await floor.job()
    await until(partial(_waits, floor, Remedy.SET_UP))
    assert (await floor.row(job_id)).state is JobState.ASSIGNED
    assert "start" not in controller.asked
    assert (await floor.row(job_id)).next == "set-up on Mill 1 to be confirmed"
    assert (await floor.act("start", job_id, reason="checked")).applied
    await floor.comes_to(job_id, JobState.RUNNING)
    (event,) = [
        event
        for event in await floor.door.ask(ListEvents(job_id=job_id))
        if event.type == "started"
    ]
    assert (event.actor, event.reason) == (ME.name, "checked")
    assert await _needs(floor) == []
    await until(lambda: controller.asked[-1] == "start")
    controller.end()
    await floor.comes_to(job_id, JobState.COMPLETED)


async def test_a_job_that_is_put_aside_leaves_the_machine_to_the_next(
    station: Station, controller: Controller
) -> None:
    floor = await station()
    await floor.mill(driver="scripted", operator_starts=True)
    first, second = await floor.job(), await floor.job()
    await until(partial(_waits, floor, Remedy.SET_UP))
    assert (await floor.act("defer", first, reason="no blanks")).applied
    assert (await floor.row(first)).state is JobState.PAUSED
    await floor.comes_to(second, JobState.ASSIGNED)
    assert "start" not in controller.asked
    assert (await floor.act("abort", second)).applied


async def test_what_has_begun_can_not_be_put_aside_or_started_again(
    station: Station, controller: Controller
) -> None:
    floor = await station()
    await floor.mill(driver="scripted")
    job_id = await floor.job()
    await until(lambda: controller.asked[-1:] == ["start"])
    assert "can only be aborted" in (await floor.act("defer", job_id)).error
    for action in ("start", "finish"):
        assert "does not wait for that" in (await floor.act(action, job_id)).error
    controller.end()
    await floor.comes_to(job_id, JobState.COMPLETED)


async def test_a_job_on_a_machine_that_is_only_watched_is_started_and_finished_by_its_operator(
    station: Station, watched: Controller
) -> None:
    floor = await station()
    await floor.mill(driver="watched")
    watched.hangs.add("start")
    job_id = await floor.job()
    await until(partial(_waits, floor, Remedy.SET_UP))
    assert await _needs(floor) == [(Remedy.SET_UP, "start it at the panel")]
    assert (await floor.act("start", job_id)).applied
    await floor.comes_to(job_id, JobState.RUNNING)
    assert [remedy for remedy, _ in await _needs(floor)] == [Remedy.FINISH]
    assert (await floor.act("finish", job_id, reason="12 good")).applied
    await floor.comes_to(job_id, JobState.COMPLETED)


async def test_an_alarm_is_over_when_the_controller_says_so_and_who_asked_is_told(
    station: Station, controller: Controller
) -> None:
    floor = await station()
    machine_id = await floor.mill(driver="scripted")
    job_id = await floor.job(retry_limit=0)
    await until(lambda: controller.asked[-1:] == ["start"])
    controller.end(RunFailed("limit switch", alarm=True))
    await floor.comes_to(job_id, JobState.NEEDS_ATTENTION)
    controller.refuses["unlock"] = ON_THE_SWITCH
    with pytest.raises(Conflict, match="limit switch first"):
        await floor.act_on_machine("unlock", machine_id)
    assert await floor.machine_state(machine_id) is MachineState.ALARM
    del controller.refuses["unlock"]
    await floor.act_on_machine("unlock", machine_id)
    assert await floor.machine_state(machine_id) is MachineState.NEEDS_CLEARING
    told = await floor.door.ask(ListEvents(machine_id=machine_id))
    assert [event.actor for event in told if event.type == "unlocked"] == [ME.name]


async def test_a_machine_that_is_in_no_alarm_is_not_asked_to_unlock(
    station: Station, controller: Controller
) -> None:
    floor = await station()
    machine_id = await floor.mill(driver="scripted")
    with pytest.raises(Conflict, match="There is no alarm to unlock"):
        await floor.act_on_machine("unlock", machine_id)
    assert "unlock" not in controller.asked


async def test_a_controller_that_can_not_be_reached_leaves_the_alarm(
    station: Station, controller: Controller
) -> None:
    floor = await station()
    machine_id = await floor.mill(driver="scripted")
    controller.does(Doing.ALARM, "door open")
    await floor.machine_comes_to(machine_id, MachineState.ALARM)
    controller.refuses["unlock"] = Unavailable("The controller does not answer.")
    with pytest.raises(Unavailable, match="does not answer"):
        await floor.act_on_machine("unlock", machine_id)
    assert await floor.machine_state(machine_id) is MachineState.ALARM


async def test_a_part_that_was_interrupted_is_counted_as_scrap_and_made_again(
    station: Station, controller: Controller
) -> None:
    floor = await station()
    await floor.mill(driver="scripted")
    job_id = await floor.job()
    await until(lambda: controller.asked[-1:] == ["start"])
    await floor.engine.stop()
    again = await station()
    assert (await again.row(job_id)).state is JobState.INTERRUPTED
    assert (await again.act("scrap", job_id, reason="half cut")).applied
    await again.act_on_machine("clear", 1)
    await again.comes_to(job_id, JobState.RUNNING)
    runs = await again.door.ask(ListRuns(job_id=job_id))
    assert [run.scrap for run in runs] == [None, 1]
    await until(lambda: controller.cutting)
    controller.end()
    await again.comes_to(job_id, JobState.COMPLETED)
