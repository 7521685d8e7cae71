"""The fleet's demo day for pictures: three stations, one leads, and one has fallen silent."""

import os
import signal
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from cnc_station.config import Config
from cnc_station.demo import DEMO, demo_machines, load_demo
from cnc_station.engine.domain.principal import local_principal
from cnc_station.engine.domain.states import MachineState
from cnc_station.engine.engine import StationEngine
from cnc_station.engine.queries import ListMachines, ListStations
from cnc_station.engine.views import Presence
from cnc_station.loop import application
from cnc_station.ui.frame import Frame
from cnc_station.ui.pages.stations import StationsPage
from cnc_station.ui.shell import Shell
from tests.shots.shot import Shot
from tests.tools.fleet_demo import Share, running_fleet
from tests.until import until

STATIONS = 3
SILENT = "Hall 2"
SPEED = 12.0  # its machines are at work when it falls silent, and still when the others are shown


async def fleet_pictures(folder: Path, wanted: Sequence[Shot], operator: str) -> None:
    """The page of the stations, the silent one chosen. Starts servers of its own."""
    with tempfile.TemporaryDirectory(prefix="cnc-shots-") as data:
        config = Config(Path(data), "", simulator_speed=SPEED)
        with running_fleet(config, dict(os.environ), STATIONS) as fleet:
            engine = StationEngine(fleet.config)
            await engine.start()
            try:
                await Share(1, STATIONS).load(engine.door(DEMO))
                await until(partial(_all_at_work, engine), timeout=60)
                with _standing_still(fleet.others[SILENT].pid):
                    await until(partial(_one_is_silent, engine), timeout=60)
                    await _pictures(engine, folder, wanted, operator)
            finally:
                await engine.stop()


async def _pictures(
    engine: StationEngine, folder: Path, wanted: Sequence[Shot], operator: str
) -> None:
    app, shell, last = application(), Shell(Frame()), None
    shell.window.show()
    shell.open(engine.door(local_principal(operator)), partial(load_demo, engine.door(DEMO)))
    try:
        for shot in wanted:
            shot.dress(app, shell, last)
            shell.to_page("stations")
            page = shell.window.page("stations")
            assert isinstance(page, StationsPage)
            await until(lambda: page.rows.rows)  # noqa: B023 - this one's, and now
            page.table.choose([place.station.name for place in page.rows.rows].index(SILENT))
            await shot.take(shell, folder)
            last = shot
        await shell.close()
    finally:
        shell.window.finish()


async def _all_at_work(engine: StationEngine) -> bool:
    """Everything is wired, and runs."""
    machines = await engine.local_door.ask(ListMachines())
    running = [machine for machine in machines if machine.state is MachineState.RUNNING]
    return len(running) == len(demo_machines())


async def _one_is_silent(engine: StationEngine) -> bool:
    return any(
        row.presence is Presence.SILENT for row in await engine.local_door.ask(ListStations())
    )


@contextmanager
def _standing_still(pid: int) -> Iterator[None]:
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)
