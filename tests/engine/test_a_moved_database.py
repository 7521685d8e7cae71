"""A database file that was copied or moved: its real machines wait until a person agrees."""

import asyncio
import shutil
import socket
import sqlite3
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from cnc_station.cli.run import run
from cnc_station.config import Config
from cnc_station.engine.commands import AcceptDatabase
from cnc_station.engine.domain.errors import Conflict
from cnc_station.engine.domain.states import JobState, MachineState
from cnc_station.engine.queries import FloorNow, ListMachines
from cnc_station.engine.store import computer
from cnc_station.engine.views import MachineRow, NeedsYou, Remedy
from tests.engine.conftest import Station
from tests.engine.floor import Controller, FloorOf
from tests.until import until


def elsewhere(config: Config, folder: Path) -> Config:
    """The settings of another station on a copy of the database."""
    folder.mkdir()
    for path in config.data_folder.glob("station.db*"):
        if not path.name.endswith((".lock", ".holder")):
            shutil.copy(path, folder)
    return replace(
        config, station="B", data_folder=folder, database_url=f"sqlite:///{folder / 'station.db'}"
    )


@pytest.fixture
def other_computer(monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on this is another computer."""
    monkeypatch.setattr(computer, "machine_id", lambda: "another")


async def machine(floor: FloorOf, name: str = "Mill 1") -> MachineRow:
    rows = await floor.door.ask(ListMachines())
    return next(row for row in rows if row.spec.name == name)


async def held(floor: FloorOf) -> list[NeedsYou]:
    shown = await floor.door.ask(FloorNow())
    return [item for item in shown.needs_you if item.remedy is Remedy.ACCEPT_DATABASE]


async def test_a_copy_holds_the_real_machines_and_connects_none_of_them(
    config: Config, station: Station, controller: Controller, tmp_path: Path
) -> None:
    floor = await station()
    mill = await floor.mill(driver="scripted")
    await floor.mill("Simulated")
    assert await held(floor) == []
    await floor.engine.stop()
    controller.asked.clear()
    copy = await station(elsewhere(config, tmp_path / "copy"))
    row = await machine(copy)
    assert (row.state, row.from_elsewhere) == (MachineState.MAINTENANCE, True)
    assert mill not in copy.drivers
    (item,) = await held(copy)
    assert "Mill 1" in item.text
    job_id = await copy.job()  # the simulator makes it, and it cuts nothing
    assert (await copy.comes_to(job_id, JobState.COMPLETED)).machine == "Simulated"
    assert controller.asked == []
    for action in ("maintenance_off", "reconnect", "unlock"):
        with pytest.raises(Conflict, match="cnc-station db accept"):
            await copy.act_on_machine(action, mill)
    assert controller.asked == []


async def test_a_person_agrees_and_the_machines_work_here(
    config: Config, station: Station, controller: Controller, tmp_path: Path
) -> None:
    floor = await station()
    mill = await floor.mill(driver="scripted")
    await floor.engine.stop()
    moved = elsewhere(config, tmp_path / "copy")
    copy = await station(moved)
    job_id = await copy.job()
    await copy.door.execute(AcceptDatabase())
    await copy.comes_to(job_id, JobState.RUNNING)
    await until(lambda: controller.asked[-1:] == ["start"])
    controller.end()
    await copy.comes_to(job_id, JobState.COMPLETED)
    assert await held(copy) == []
    await copy.engine.stop()
    again = await station(moved)
    await again.machine_comes_to(mill, MachineState.IDLE)
    assert await held(again) == []


async def test_a_run_in_the_copy_is_given_up_and_never_taken_up(
    config: Config, station: Station, controller: Controller, tmp_path: Path
) -> None:
    floor = await station()
    mill = await floor.mill(driver="scripted", operator_clears=True)
    job_id = await floor.job()
    await floor.comes_to(job_id, JobState.RUNNING)
    await until(lambda: controller.asked[-1:] == ["start"])
    moved = elsewhere(config, tmp_path / "copy")  # while it runs: the original goes on
    asked = list(controller.asked)
    copy = await station(moved)
    assert (await copy.row(job_id)).state is JobState.INTERRUPTED
    assert (await machine(copy)).from_elsewhere
    assert controller.asked == asked
    controller.end()
    await floor.comes_to(job_id, JobState.COMPLETED)
    await copy.door.execute(AcceptDatabase())
    await copy.machine_comes_to(mill, MachineState.NEEDS_CLEARING)


async def test_a_machine_that_was_in_maintenance_before_stays_so(
    config: Config, station: Station, controller: Controller, tmp_path: Path
) -> None:
    floor = await station()
    mill = await floor.mill(driver="scripted")
    await floor.machine_comes_to(mill, MachineState.IDLE)
    await floor.act_on_machine("maintenance_on", mill)
    await floor.engine.stop()
    controller.asked.clear()
    copy = await station(elsewhere(config, tmp_path / "copy"))
    assert (await machine(copy)).from_elsewhere
    assert controller.asked == []
    await copy.door.execute(AcceptDatabase())
    row = await machine(copy)
    assert (row.state, row.from_elsewhere, row.state_reason) == (
        MachineState.MAINTENANCE,
        False,
        "",
    )
    await copy.act_on_machine("maintenance_off", mill)
    await copy.machine_comes_to(mill, MachineState.IDLE)


@pytest.mark.usefixtures("controller")
async def test_another_computer_at_the_same_path_is_asked_for_too(
    station: Station, request: pytest.FixtureRequest
) -> None:
    floor = await station()
    await floor.mill(driver="scripted")
    await floor.engine.stop()
    request.getfixturevalue("other_computer")
    moved = await station()
    assert (await machine(moved)).from_elsewhere


@pytest.mark.usefixtures("controller")
async def test_a_file_that_comes_home_unanswered_is_released_by_itself(
    station: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    floor = await station()
    mill = await floor.mill(driver="scripted")
    await floor.engine.stop()
    with monkeypatch.context() as patch:
        patch.setattr(computer, "machine_id", lambda: "another")
        moved = await station()
        assert (await machine(moved)).from_elsewhere
        await moved.engine.stop()
    back = await station()
    await back.machine_comes_to(mill, MachineState.IDLE)


@pytest.mark.usefixtures("controller")
@pytest.mark.parametrize("change", ["name", "restored", "renamed", "no number"])
async def test_what_happens_on_one_computer_annoys_nobody(
    config: Config, station: Station, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    if change == "no number":
        monkeypatch.setattr(computer, "machine_id", lambda: "")
    floor = await station()
    mill = await floor.mill(driver="scripted")
    await floor.engine.stop()
    path, settings = config.database_path, config
    assert path is not None
    if change in {"name", "no number"}:
        monkeypatch.setattr(socket, "gethostname", lambda: "renamed")
    elif change == "restored":
        backup = path.with_name("backup")
        path.rename(backup)
        shutil.copy(backup, path)
    else:
        settings = replace(config, database_url=f"sqlite:///{path.with_name('other.db')}")
        path.rename(path.with_name("other.db"))
    again = await station(settings)
    await again.machine_comes_to(mill, MachineState.IDLE)
    assert await held(again) == []


async def test_a_copy_with_simulators_alone_is_at_home_at_once(
    config: Config, station: Station, tmp_path: Path
) -> None:
    floor = await station()
    await floor.mill()
    await floor.engine.stop()
    copy = await station(elsewhere(config, tmp_path / "copy"))
    assert await held(copy) == []
    job_id = await copy.job()
    await copy.comes_to(job_id, JobState.COMPLETED)


@pytest.mark.usefixtures("controller")
async def test_the_command_line_says_so_and_agrees(
    config: Config, station: Station, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    floor = await station()
    await floor.mill(driver="scripted")
    await floor.engine.stop()
    moved = elsewhere(config, tmp_path / "copy")
    environ = {"CNC_DATA_FOLDER": str(moved.data_folder), "QT_QPA_PLATFORM": "offscreen"}

    async def said(*argv: str) -> str:
        await asyncio.to_thread(partial(run, argv, environ))
        return capsys.readouterr().out

    assert "1 machine of another place" in await said("doctor")
    copy = await station(moved)
    await copy.engine.stop()
    assert "1 machine of another place" in await said("doctor")
    assert "run from this computer now" in await said("db", "accept")
    assert "of another place" not in await said("doctor")
    copy = await station(moved)
    assert await held(copy) == []


@pytest.mark.usefixtures("controller")
async def test_an_older_database_is_at_home_where_it_is_first_opened(
    config: Config, station: Station
) -> None:
    floor = await station()
    mill = await floor.mill(driver="scripted")
    await floor.engine.stop()
    assert config.database_path is not None
    with closing(sqlite3.connect(config.database_path)) as opened, opened:
        opened.execute("DELETE FROM home")
    again = await station()
    await again.machine_comes_to(mill, MachineState.IDLE)
