"""What is offered for a job, where its machine and what came of it decide that."""

from collections.abc import Iterator

import pytest
from PySide6.QtWidgets import QWidget

from cnc_station.engine.domain.machine import MachineSpec
from cnc_station.engine.domain.states import JobState
from cnc_station.ui.job_commands import JobCommands
from tests.ui.controller_fleet import LINUXCNC, MTCONNECT
from tests.ui.real_engine import Office
from tests.ui.test_floor_words import job

WATCHED = MachineSpec("Lathe 1", "mill", driver=MTCONNECT.name)
TENDED = MachineSpec("Mill 1", "mill", driver=LINUXCNC.name, operator_starts=True)
ALONE = MachineSpec("Mill 2", "mill", driver=LINUXCNC.name)


@pytest.fixture
def commands(office: Office) -> Iterator[JobCommands]:
    window = QWidget()
    commands = JobCommands(office.context, window)
    commands.machines = {1: WATCHED, 2: TENDED, 3: ALONE}
    yield commands
    window.deleteLater()


def offered(commands: JobCommands, state: JobState, machine: int | None) -> dict[str, str]:
    row = job(state=state, machine_id=machine)
    return {command.key: command.words for command in commands.of_one(row) if command.run}


async def test_a_part_half_way_has_its_four_choices_at_hand(
    commands: JobCommands,
) -> None:
    found = offered(commands, JobState.INTERRUPTED, 3)
    assert [found[key] for key in ("retry", "scrap", "accept", "cancel")] == [
        "Run again from line 1",
        "Scrap, make another",
        "It is complete",
        "Cancel",
    ]
    assert "scrap" not in offered(commands, JobState.NEEDS_ATTENTION, 3)


async def test_a_machine_that_is_only_watched_is_asked_for_nothing_it_cannot_do(
    commands: JobCommands,
) -> None:
    running = offered(commands, JobState.RUNNING, 1)
    assert "finish" in running
    assert "hold" not in running
    held = offered(commands, JobState.HELD, 1)
    assert "finish" in held
    assert "continue" not in held
    assert "continue" in offered(commands, JobState.HELD, 3)
    assert not commands.can_abort(job(state=JobState.RUNNING, machine_id=1))
    assert commands.can_abort(job(state=JobState.RUNNING, machine_id=3))
    assert "finish" not in offered(commands, JobState.RUNNING, 3)


async def test_a_set_up_is_offered_where_somebody_has_to_confirm_it(commands: JobCommands) -> None:
    for machine, wanted in ((1, True), (2, True), (3, False)):
        assert ("start" in offered(commands, JobState.ASSIGNED, machine)) is wanted


@pytest.mark.parametrize("state", [JobState.ASSIGNED, JobState.RUNNING, JobState.HELD])
@pytest.mark.parametrize("machine", [1, 2, 3])
async def test_a_job_at_a_machine_whose_station_is_gone_offers_nothing_that_station_would_do(
    commands: JobCommands, state: JobState, machine: int
) -> None:
    commands.unattended = dict.fromkeys((1, 2, 3), "Station Hall 2 does not respond")
    found = offered(commands, state, machine)
    assert not found.keys() & {"hold", "continue", "start", "finish", "defer"}
    row = job(state=state, machine_id=machine)
    assert not commands.can_abort(row)
    assert commands.why_not(row) == "Station Hall 2 does not respond"
    assert offered(commands, JobState.INTERRUPTED, machine)["retry"] == "Run again from line 1"


async def test_a_job_that_runs_without_a_machine_can_be_aborted_and_not_held(
    commands: JobCommands,
) -> None:
    running = offered(commands, JobState.RUNNING, None)
    assert commands.can_abort(job(state=JobState.RUNNING, machine_id=None))
    assert not {"hold", "continue", "finish"} & running.keys()
