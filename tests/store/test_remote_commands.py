"""What one station asks of another reaches the one at the machine, while it is still meant."""

from dataclasses import replace

import pytest

from cnc_station.engine.domain import transitions as t
from cnc_station.engine.domain.errors import Conflict
from cnc_station.engine.store.remote_commands import (
    AskStation,
    CompleteRemoteCommand,
    RemoteCommand,
    answer_of,
    open_remote_commands,
)
from tests.store.shop import Shop, mill


def _open(shop: Shop, station: str = "A") -> tuple[RemoteCommand, ...]:
    now = shop.database.dialect.now
    found: tuple[RemoteCommand, ...] = shop.database.read(
        lambda c: open_remote_commands(c, now(c), station)
    )
    return found


async def _alarmed(shop: Shop) -> int:
    machine_id = await shop.machine()
    shop.later(1)
    await shop.move_machine(t.ALARMED, machine_id, reason="limit switch")
    return machine_id


async def test_a_remote_command_about_a_machine_goes_to_the_station_it_is_wired_to(
    shop: Shop,
) -> None:
    machine_id = await _alarmed(shop)
    asked = await shop.write(AskStation("unlock", 0, "anna", "looked", machine_id))
    assert (asked.station, asked.machine_id, asked.job_id) == ("A", machine_id, 0)
    (found,) = _open(shop)
    assert found == replace(asked, in_time=True)
    assert _open(shop, "B") == ()
    await shop.write(CompleteRemoteCommand(asked.id, "still on the switch"))
    assert _open(shop) == ()
    assert shop.database.read(lambda c: answer_of(c, asked.id)) == "still on the switch"


async def test_an_alarm_that_came_after_the_remote_command_is_not_meant_by_it(shop: Shop) -> None:
    machine_id = await _alarmed(shop)
    await shop.write(AskStation("unlock", 0, "anna", "", machine_id))
    await shop.move_machine(t.UNLOCKED, machine_id)
    (remote_command,) = _open(shop)
    assert not remote_command.in_time
    shop.later(1)
    await shop.move_machine(t.ALARMED, machine_id)
    (remote_command,) = _open(shop)
    assert not remote_command.in_time


async def test_a_machine_that_is_not_there_takes_no_remote_command(shop: Shop) -> None:
    machine_id = await shop.machine(mill("Mill 1"))
    await shop.move_machine(t.MACHINE_REMOVED, machine_id)
    with pytest.raises(Conflict, match=f"There is no machine {machine_id}"):
        await shop.write(AskStation("unlock", 0, "anna", "", machine_id))
    with pytest.raises(Conflict, match="Job 7 is not at a machine"):
        await shop.write(AskStation("hold", 7, "anna", ""))
