"""A station that is closed in the instant in which it claims."""

import asyncio
from dataclasses import replace

import pytest

from cnc_station.config import Config
from cnc_station.engine.domain.states import JobState
from cnc_station.engine.engine import StationEngine, open_client
from cnc_station.engine.services.dispatcher import MachineDispatcher
from cnc_station.engine.store.claims import Claim
from cnc_station.engine.store.new_runs import Claimed
from cnc_station.engine.store.transaction import StoreCommand
from tests.engine.floor import Controller, FloorOf


@pytest.mark.parametrize("driver", ["simulator", "scripted"])
async def test_a_job_claimed_as_its_station_is_closed_waits_in_the_queue_again(
    config: Config, controller: Controller, monkeypatch: pytest.MonkeyPatch, driver: str
) -> None:
    """Else it would stand at a machine of a closed station until its lease ends."""
    engine = StationEngine(replace(config, simulator_speed=0.01))
    await engine.start()
    floor = FloorOf(engine)
    writer, dispatcher = floor.writer, floor.service(MachineDispatcher)
    write, stop = writer.write, dispatcher.stop
    claimed, heard, ending = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def later(change: StoreCommand[tuple[Claimed, ...]]) -> tuple[Claimed, ...]:
        found = await write(change)
        if isinstance(change, Claim) and found:
            claimed.set()
            await heard.wait()
        return found

    async def ends() -> None:
        ending.set()
        await stop()  # cancels its claim before anybody else goes on

    monkeypatch.setattr(writer, "write", later)
    monkeypatch.setattr(dispatcher, "stop", ends)
    await floor.mill(driver=driver)
    job_id = await floor.job()
    await claimed.wait()
    stopping = asyncio.create_task(engine.stop())
    await ending.wait()
    heard.set()
    await stopping
    client = await open_client(config)
    try:
        assert (await FloorOf(client).row(job_id)).state is JobState.QUEUED
        assert controller.asked in ([], ["connect"])
    finally:
        await client.stop()
