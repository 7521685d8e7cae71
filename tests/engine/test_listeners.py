"""Who listens to an engine, a window or whatever it shows, can't do it any harm."""

import asyncio

import pytest

from cnc_station.engine.domain.notice import Notice
from cnc_station.engine.domain.states import JobState
from cnc_station.engine.engine import StationEngine
from tests.engine.floor import FloorOf
from tests.until import until


async def test_a_listener_that_fails_costs_neither_an_answer_nor_the_others_their_notice(
    engine: StationEngine, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_: Notice) -> None:
        raise RuntimeError("its widget is deleted already")

    heard: list[Notice] = []
    engine.subscribe(fail)
    engine.subscribe(heard.append)
    floor = FloorOf(engine)
    await asyncio.wait_for(floor.mill(), 10.0)
    job_id = await asyncio.wait_for(floor.job(), 10.0)
    await floor.comes_to(job_id, JobState.COMPLETED)
    await until(lambda: any(job_id in notice.jobs for notice in heard))
    assert any("widget is deleted" in str(record.exc_info) for record in caplog.records)
