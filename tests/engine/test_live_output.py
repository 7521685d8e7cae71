"""The output of a run that still runs, as another station of the fleet shows it."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from cnc_station.config import Config
from cnc_station.engine.commands import SubmitJobs
from cnc_station.engine.domain.job import JobSpec
from cnc_station.engine.domain.states import RunState
from cnc_station.engine.engine import StationEngine
from cnc_station.engine.handlers import registry
from cnc_station.engine.queries import ListRuns, RunById
from cnc_station.engine.services import live_outputs
from cnc_station.engine.store.live_output import LiveOutput, StoreLiveOutputs
from cnc_station.engine.views import RunDetail
from tests.engine.floor import supervisor_of
from tests.engine.test_automation import Printing
from tests.until import until

Fleet = tuple[StationEngine, StationEngine]


@pytest.fixture
async def fleet(
    config: Config, shop_url: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[Fleet, Printing]]:
    """Two stations of which only the second one runs handlers."""
    printing = Printing()
    monkeypatch.setattr(registry, "installed", lambda: (printing,))
    monkeypatch.setattr(live_outputs, "INTERVAL_S", 0.05)
    first = replace(config, database_url=shop_url, automation_workers=0)
    a, b = StationEngine(first), StationEngine(replace(first, station="B", automation_workers=1))
    await a.start()
    await b.start()
    yield (a, b), printing
    printing.go_on.set()
    await b.stop()
    await a.stop()


async def latest(engine: StationEngine) -> RunDetail:
    run, *_ = await engine.local_door.ask(ListRuns())
    detail = await engine.local_door.ask(RunById(run.id))
    assert detail is not None
    return detail


async def test_another_station_shows_what_a_run_prints_and_then_all_of_it(
    fleet: tuple[Fleet, Printing],
) -> None:
    (a, b), printing = fleet
    await a.local_door.execute(SubmitJobs([JobSpec("print", handler="acme.print")]))
    await until(lambda: printing.keys)

    async def is_shown() -> bool:
        return (await latest(a)).output.size > 0

    await until(is_shown)
    running = await latest(a)
    row = running.row
    assert (row.station, running.live, running.output.text) == ("B", True, "first\n")
    write = supervisor_of(b).context.writer.write
    await write(StoreLiveOutputs([LiveOutput(row.id, row.token + 1, 9, "of another claim")]))
    assert await latest(a) == running
    printing.go_on.set()

    async def is_over() -> bool:
        return (await latest(a)).row.state is RunState.SUCCEEDED

    await until(is_over)
    ended = await latest(a)
    assert (ended.live, ended.output.size) == (False, 6 + 160_000)
    await write(StoreLiveOutputs([LiveOutput(row.id, row.token, 6, "too late")]))
    assert await latest(a) == ended
