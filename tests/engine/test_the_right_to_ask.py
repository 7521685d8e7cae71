"""Every command and query needs a right, and the principal's roles give it or not."""

import itertools
from dataclasses import replace

import pytest

from cnc_station.engine import commands, queries
from cnc_station.engine.answers import COMMANDS, QUERIES, WITH_PRINCIPAL
from cnc_station.engine.commands import ActOnJobs, ActOnMachine, AddMachine, Command, SaveSettings
from cnc_station.engine.domain import permissions
from cnc_station.engine.domain.actions import JobAction, MachineAction
from cnc_station.engine.domain.errors import NotPermitted
from cnc_station.engine.domain.principal import Principal, Role
from cnc_station.engine.queries import ListLinks, ListMachines, LiveQuery, Query
from tests.engine.conftest import Station
from tests.engine.floor import MILL

VALUES = {
    value
    for module in (commands, queries)
    for value in vars(module).values()
    if isinstance(value, type) and issubclass(value, Command | Query)
} - {Command, Query, LiveQuery}


def _principal(*roles: Role) -> Principal:
    return Principal("ann", frozenset(roles), tenants=None)


def test_every_command_and_query_has_an_answer_and_needs_a_right() -> None:
    assert COMMANDS.keys() | QUERIES.keys() | WITH_PRINCIPAL.keys() == VALUES
    assert permissions.NEEDED.keys() == {value.__name__ for value in VALUES}
    assert all(issubclass(value, Command) for value in COMMANDS)


def test_each_role_may_do_what_the_one_below_it_may() -> None:
    granted = [permissions.GRANTS[role] for role in Role]
    assert all(low <= high for low, high in itertools.pairwise(granted))


async def test_somebody_without_a_role_may_not_even_look(station: Station) -> None:
    door = (await station()).engine.door(Principal("ann"))
    with pytest.raises(NotPermitted, match="ann may not look at the shop"):
        await door.ask(ListMachines())
    with pytest.raises(NotPermitted):
        door.peek(ListLinks())


@pytest.mark.parametrize(
    ("role", "command"),
    [
        (Role.VIEWER, ActOnJobs(JobAction.PAUSE, [1])),
        (Role.VIEWER, ActOnMachine(MachineAction.CLEAR, 1)),
        (Role.VIEWER, SaveSettings({"floor.target_per_hour": 1})),
        (Role.OPERATOR, ActOnJobs(JobAction.DELETE, [1])),
        (Role.OPERATOR, ActOnMachine(MachineAction.REMOVE, 1)),
        (Role.OPERATOR, AddMachine(replace(MILL, name="Mill 2"))),
    ],
)
async def test_what_a_role_does_not_grant_is_refused_and_not_done(
    station: Station, role: Role, command: Command[object]
) -> None:
    floor = await station()
    await floor.mill()
    job_id = await floor.job(machine_type="lathe")
    before = await floor.told(job_id)
    with pytest.raises(NotPermitted, match="ann may not"):
        await floor.engine.door(_principal(role)).execute(command)
    assert await floor.told(job_id) == before
    assert len(await floor.door.ask(ListMachines())) == 1


async def test_an_operator_works_with_jobs_and_stands_in_their_events(station: Station) -> None:
    floor = await station()
    job_id = await floor.job(machine_type="lathe")
    door = floor.engine.door(_principal(Role.OPERATOR))
    (answer,) = await door.execute(ActOnJobs(JobAction.PAUSE, [job_id]))
    assert answer.applied
    door.rename_operator("ben")
    await door.execute(ActOnJobs(JobAction.RESUME, [job_id]))
    events = await floor.door.ask(queries.ListEvents(job_id=job_id))
    assert [event.actor for event in events[-2:]] == ["ann", "ben"]
    with pytest.raises(NotPermitted, match="ben"):
        await door.execute(ActOnJobs(JobAction.DELETE, [job_id]))
