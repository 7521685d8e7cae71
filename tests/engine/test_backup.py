"""Back-ups of a station at work, and what a restored one is: one moment, complete, and at rest."""

import asyncio
import errno
import os
import sqlite3
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from cnc_station.config import Config
from cnc_station.engine.backup.archive import BackupRefused
from cnc_station.engine.backup.making import back_up
from cnc_station.engine.backup.restoring import inspect, restore
from cnc_station.engine.commands import AcceptDatabase
from cnc_station.engine.domain.errors import Conflict, Unavailable
from cnc_station.engine.domain.states import JobState, MachineState
from cnc_station.engine.store import migrate
from tests.engine.backups import jobs_in, wrong_with
from tests.engine.command_line import cli
from tests.engine.conftest import Station
from tests.engine.floor import Controller, FloorOf
from tests.until import until


@pytest.fixture
def stick(tmp_path: Path) -> Path:
    folder = tmp_path / "stick"
    folder.mkdir()
    return folder


def elsewhere(config: Config, folder: Path) -> Config:
    """The settings of another computer, without a database yet."""
    return replace(
        config, station="B", data_folder=folder, database_url=f"sqlite:///{folder / 'station.db'}"
    )


def path_of(config: Config) -> Path:
    assert config.database_path is not None
    return config.database_path


async def _fill(floor: FloorOf, made: list[int]) -> None:
    while True:
        made.append(await floor.job(estimated_s=1.0))
        await asyncio.sleep(0.01)


def _more_than(made: list[int], count: int) -> bool:
    return len(made) > count


async def test_a_back_up_under_load_is_one_moment_and_its_events_replay_elsewhere(
    config: Config, station: Station, stick: Path, tmp_path: Path
) -> None:
    floor = await station()
    for number in range(3):
        await floor.mill(f"Mill {number}")
    made: list[int] = []
    load = asyncio.create_task(_fill(floor, made))
    await until(lambda: len(made) > 20)
    for _ in range(3):
        before = len(made)
        done = await asyncio.to_thread(back_up, config, stick)
        there = elsewhere(config, tmp_path / done.path.stem)
        await asyncio.to_thread(restore, there, done.path)
        held = jobs_in(path_of(there))
        assert before <= held == sum(done.manifest.content.jobs.values()) <= len(made) + 1
        assert wrong_with(there) == []
        await until(partial(_more_than, made, before + 5))  # the shop goes on meanwhile
    load.cancel()
    again = await station(there)
    job_id = await again.job()
    await again.comes_to(job_id, JobState.COMPLETED)


async def test_a_restored_database_starts_nothing_before_a_person_agrees(
    config: Config, station: Station, controller: Controller, stick: Path
) -> None:
    floor = await station()
    mill = await floor.mill(driver="scripted")
    running = await floor.job()
    await floor.comes_to(running, JobState.RUNNING)
    await until(lambda: controller.cutting)
    queued = await floor.job()
    done = await asyncio.to_thread(back_up, config, stick)
    controller.end()  # what the back-up does not know: the first is done, the second is cut
    await floor.comes_to(queued, JobState.RUNNING)
    await until(lambda: controller.cutting)
    controller.end()
    await floor.comes_to(queued, JobState.COMPLETED)
    await floor.engine.stop()
    await asyncio.to_thread(restore, config, done.path)  # at the same place of the same computer
    controller.asked.clear()
    again = await station()
    assert await again.machine_state(mill) is MachineState.MAINTENANCE
    assert (await again.row(running)).state is JobState.INTERRUPTED
    assert (await again.row(queued)).state is JobState.QUEUED
    simulated = await again.mill("Simulated")
    await again.machine_comes_to(simulated, MachineState.IDLE)
    await again.act("cancel", queued)
    await again.comes_to(await again.job(), JobState.COMPLETED)
    assert controller.asked == []
    await again.door.execute(AcceptDatabase())
    await again.machine_comes_to(mill, MachineState.NEEDS_CLEARING)  # the interrupted part is on it


async def test_a_restore_is_refused_while_a_station_is_at_work(
    config: Config, station: Station, stick: Path
) -> None:
    floor = await station()
    await floor.job()
    done = await asyncio.to_thread(back_up, config, stick)
    await floor.job()
    with pytest.raises(Unavailable, match=r"CNC Station \(A, process .*already works"):
        await asyncio.to_thread(restore, config, done.path)
    assert await floor.job() == 3


def test_the_command_line_backs_up_and_restores_and_puts_aside(at_rest: Path, stick: Path) -> None:
    made = cli(at_rest, "backup", str(stick))
    assert made.returncode == 0, made
    (file,) = stick.iterdir()
    assert str(file) in made.stdout
    assert file.stat().st_mode & 0o077 == 0
    with closing(sqlite3.connect(at_rest)) as opened:
        opened.execute("DELETE FROM event")
        opened.commit()
    restored = cli(at_rest, "restore", str(file))
    assert restored.returncode == 0, restored
    assert "1 queued" in restored.stdout
    assert cli(at_rest, "jobs").stdout.count("bracket") == 1
    (aside,) = at_rest.parent.glob("station.db.before-restore-*")
    assert str(aside) in restored.stdout
    with closing(sqlite3.connect(aside)) as opened:
        assert opened.execute("SELECT count(*) FROM event").fetchone() == (0,)
    assert {path.name for path in at_rest.parent.glob("*-*/")} == set()  # nothing half is left


def test_the_settings_travel_without_their_secrets(
    config: Config, station_file: Path, stick: Path, tmp_path: Path
) -> None:
    secret = "hunter2"
    given = {
        "redis_url": f"redis://:{secret}@shop:6379/0",
        "http_proxy": f"http://me:{secret}@proxy:8080",
        "webhook_url": f"https://hooks.example/{secret}",
        "time_zone": "Europe/Berlin",
    }
    told = replace(config, given=given, redis_url=given["redis_url"])
    back_up(told, stick)
    (file,) = stick.iterdir()
    there = elsewhere(config, tmp_path / "there")
    done = restore(there, file)
    assert done.settings is not None
    text = done.settings.read_text()
    assert 'time_zone = "Europe/Berlin"' in text
    assert 'redis_url = "redis://shop:6379/0"' in text
    assert secret not in text
    assert "the password of Redis" in done.manifest.left_out
    assert done.settings.stat().st_mode & 0o077 == 0
    assert station_file.exists()


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "is full"),
        (errno.EFBIG, "FAT32"),
        (errno.EIO, "is gone or fails"),
        (errno.EROFS, "can't be written"),
    ],
)
def test_a_folder_that_fails_gets_no_half_back_up_and_keeps_the_old_ones(
    config: Config,
    at_rest: Path,
    stick: Path,
    monkeypatch: pytest.MonkeyPatch,
    number: int,
    words: str,
) -> None:
    old = back_up(config, stick).path

    def fail(_handle: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(Unavailable, match=words) as caught:
        back_up(config, stick)
    assert "earlier ones stay as they are" in str(caught.value)
    assert [*stick.iterdir()] == [old]
    inspect(old)
    assert [*at_rest.parent.glob("backup-*")] == []


def test_a_folder_that_is_away_is_not_made_on_another_disk(
    config: Config, at_rest: Path, stick: Path
) -> None:
    with pytest.raises(Unavailable, match="is not there: connect the drive"):
        back_up(config, stick / "mounted")
    assert not (stick / "mounted").exists()
    assert at_rest.exists()


def test_a_disk_without_room_for_the_copy_is_left_alone(at_rest: Path, stick: Path) -> None:
    done = cli(at_rest, "backup", str(stick), most_bytes=100_000)
    assert done.returncode == 3, done
    assert "can't be copied" in done.stderr
    assert "Traceback" not in done.stderr
    assert [*stick.iterdir()] == []
    assert cli(at_rest, "jobs").returncode == 0


def test_two_back_ups_at_once_are_refused_and_two_of_one_second_have_two_names(
    config: Config, at_rest: Path, stick: Path
) -> None:
    def again(_part: float) -> None:
        with pytest.raises(Conflict, match="Another back-up"):
            back_up(config, stick)

    back_up(config, stick, again)
    back_up(config, stick)
    assert len([*stick.iterdir()]) == 2
    assert at_rest.exists()


def test_damage_in_the_database_is_not_backed_up(
    config: Config, at_rest: Path, stick: Path
) -> None:
    size = at_rest.stat().st_size
    with at_rest.open("r+b") as file:
        for page in range(2, size // 4096):
            file.seek(page * 4096)
            file.write(b"\xff" * 200)
    with pytest.raises(Unavailable, match="is damaged"):
        back_up(config, stick)
    assert [*stick.iterdir()] == []


def test_a_newer_schema_is_refused_in_words(
    config: Config, at_rest: Path, stick: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = back_up(config, stick).path
    monkeypatch.setattr(migrate, "known_revisions", partial(set, ["0001"]))
    with pytest.raises(BackupRefused, match=r"made by a newer CNC Station .*install that first"):
        restore(config, file)
    assert jobs_in(at_rest) == 1


async def test_a_server_is_dumped_at_work_and_restored_into_an_empty_database(
    tmp_path: Path,
    station: Station,
    controller: Controller,
    stick: Path,
    shop_url: str,
    postgres_url: str,
) -> None:
    config = Config(tmp_path / "fleet", shop_url, station="A", simulator_speed=1000.0)
    floor = await station(config)
    mill = await floor.mill(driver="scripted")
    running = await floor.job()
    await floor.comes_to(running, JobState.RUNNING)
    await until(lambda: controller.cutting)
    queued = await floor.job()
    done = await asyncio.to_thread(back_up, config, stick)
    assert done.manifest.content.jobs == {"queued": 1, "running": 1}
    with pytest.raises(Conflict, match="is not empty"):
        await asyncio.to_thread(restore, config, done.path)
    controller.end()
    await floor.engine.stop()
    there = replace(config, database_url=postgres_url, station="A")
    await asyncio.to_thread(restore, there, done.path)
    assert wrong_with(there) == []
    controller.asked.clear()
    again = await station(there)
    assert await again.machine_state(mill) is MachineState.MAINTENANCE
    assert (await again.row(running)).state is JobState.INTERRUPTED
    assert (await again.row(queued)).state is JobState.QUEUED
    assert controller.asked == []
    await again.door.execute(AcceptDatabase())
    await again.machine_comes_to(mill, MachineState.NEEDS_CLEARING)
    with pytest.raises(Conflict, match="settings name a file"):
        await asyncio.to_thread(restore, elsewhere(config, tmp_path / "file"), done.path)
    assert await again.broken() == []
    await again.engine.stop()  # before its database goes


async def test_missing_tools_of_a_server_are_named(
    tmp_path: Path, stick: Path, shop_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Conflict, match=r"pg_dump is not installed .*postgresql-client"):
        back_up(Config(tmp_path / "fleet", shop_url, station="A"), stick)
    assert [*stick.glob("*")] == []  # noqa: ASYNC240 - an empty folder
