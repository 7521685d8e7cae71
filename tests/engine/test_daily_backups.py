"""The daily back-up: made when it is due, thinned out, and missed aloud."""

import asyncio
import shutil
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from cnc_station.config import Config
from cnc_station.engine.backup.making import back_up
from cnc_station.engine.backup.restoring import inspect
from cnc_station.engine.commands import BackUpNow, SaveSettings, SetBackupPlan
from cnc_station.engine.domain.backup import DAY_MS, file_name
from cnc_station.engine.domain.errors import Conflict, InvalidInput, NotPermitted, Unavailable
from cnc_station.engine.domain.principal import Principal, Role
from cnc_station.engine.queries import BackupsNow, ListLinks
from cnc_station.engine.services import backups
from cnc_station.engine.timing import now_ms
from cnc_station.engine.views.backups import Backups
from tests.engine.conftest import Station
from tests.engine.floor import FloorOf
from tests.until import until


@pytest.fixture
def stick(tmp_path: Path) -> Path:
    folder = tmp_path / "stick"
    folder.mkdir()
    return folder


def known(floor: FloorOf) -> Backups:
    return floor.door.peek(BackupsNow())


def names_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def fill(folder: Path, names: set[str]) -> None:
    for name in names:
        (folder / name).touch()


def overdue(floor: FloorOf) -> str | None:
    return next((one.detail for one in floor.door.peek(ListLinks()) if one.name == "backup"), None)


async def test_none_is_made_and_none_is_missed_until_a_folder_is_named(
    station: Station, stick: Path
) -> None:
    floor = await station()
    await until(lambda: known(floor).clock)
    assert (known(floor).folder, overdue(floor)) == ("", None)
    with pytest.raises(Conflict, match="No folder"):
        await floor.door.execute(BackUpNow())
    await floor.door.execute(SetBackupPlan(str(stick), "3:15"))
    await until(lambda: known(floor).rows)
    assert (known(floor).folder, known(floor).clock) == (str(stick), "03:15")
    (name,) = names_in(stick)
    inspect(stick / name)
    assert overdue(floor) is None


async def test_a_due_back_up_is_made_at_the_start_and_old_ones_are_thinned_out(
    config: Config, station: Station, stick: Path
) -> None:
    now = now_ms()
    fill(stick, {file_name("A", now - day * DAY_MS) for day in range(1, 400)})
    wrong_clock = file_name("A", now + 90 * DAY_MS)
    others = {"holiday.jpg", file_name("B", now - 399 * DAY_MS), wrong_clock}
    fill(stick, others)
    floor = await station(replace(config, backup_folder=stick))
    await until(lambda: len(known(floor).rows) > 1 and known(floor).rows[1].at >= now - 1000)
    names = names_in(stick)
    assert others <= names
    assert {row.name for row in known(floor).rows} == (names - others) | {wrong_clock}
    assert 7 < len(names - others) <= 7 + 4 + 12
    await floor.engine.stop()
    again = await station(replace(config, backup_folder=stick))
    await until(lambda: known(again).rows)
    await until(lambda: known(again).part is None)
    assert names_in(stick) == names  # today's is there


async def test_a_missed_back_up_is_told_until_one_is_made(
    config: Config, station: Station, stick: Path
) -> None:
    old = file_name("A", now_ms() - 2 * DAY_MS)
    fill(stick, {old})
    away = shutil.move(stick, stick.with_name("pulled out"))
    floor = await station(replace(config, backup_folder=stick))
    words = str(await until(lambda: overdue(floor)))
    assert words == f"{stick} is not there: connect the drive or share, or make the folder."
    shutil.move(away, stick)

    async def made() -> bool:
        with suppress(Conflict, Unavailable):  # the station's own attempt goes on
            await floor.door.execute(BackUpNow())
        return overdue(floor) is None and bool(known(floor).rows)

    await until(made)
    assert known(floor).fault == ""
    assert old in names_in(stick)


async def test_a_running_station_is_stopped_in_the_middle_of_a_back_up(
    station: Station, stick: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    floor = await station()
    await floor.door.execute(SetBackupPlan(str(stick), "02:00"))
    await until(lambda: known(floor).rows)
    begun, wait = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def slow(config: Config, folder: Path, report: object) -> object:
        loop.call_soon_threadsafe(begun.set)
        asyncio.run_coroutine_threadsafe(wait.wait(), loop).result(30)
        return backups_made(config, folder, report)  # type: ignore[arg-type] # as it is called

    backups_made = back_up
    monkeypatch.setattr(backups, "back_up", slow)
    making = asyncio.ensure_future(floor.door.execute(BackUpNow()))
    await begun.wait()
    with pytest.raises(Conflict, match="being made"):
        await floor.door.execute(BackUpNow())
    await floor.engine.stop()
    wait.set()
    with pytest.raises(Exception, match="station was stopped"):
        await making
    assert len(names_in(stick)) == 1


@pytest.mark.parametrize(
    ("folder", "clock", "words"),
    [
        ("/missing/share", "02:00", "folder: is not there"),
        ("relative", "02:00", "folder: must be a full path"),
        ("", "25:00", "clock: must be a time of the day"),
    ],
)
async def test_a_plan_that_can_not_work_is_refused(
    station: Station, folder: str, clock: str, words: str
) -> None:
    floor = await station()
    with pytest.raises(InvalidInput, match=words):
        await floor.door.execute(SetBackupPlan(folder, clock))


async def test_only_those_who_may_choose_the_folder(
    config: Config, station: Station, stick: Path
) -> None:
    floor = await station()
    operator = floor.engine.door(Principal("op", frozenset({Role.OPERATOR}), tenants=None))
    with pytest.raises(NotPermitted, match="back-ups"):
        await operator.execute(SetBackupPlan(str(stick), "02:00"))
    with pytest.raises(InvalidInput, match="SetBackupPlan"):
        await operator.execute(SaveSettings({"backup.folder": str(stick)}))
    await floor.engine.stop()
    fixed = await station(replace(config, backup_folder=stick, backup_time="04:00"))
    with pytest.raises(Conflict, match="outside the window"):
        await fixed.door.execute(SetBackupPlan("", "02:00"))
    await until(lambda: known(fixed).fixed)
    assert known(fixed).clock == "04:00"
