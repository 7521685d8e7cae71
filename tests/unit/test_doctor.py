import os
import sqlite3
import time
from argparse import Namespace
from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from cnc_station.cli import doctor, doctor_window
from cnc_station.cli.doctor_automation import automation
from cnc_station.cli.doctor_database import database
from cnc_station.cli.doctor_private import privacy
from cnc_station.cli.invocation import Call, Diagnosis, Exit, Verdict
from cnc_station.cli.run import run
from cnc_station.config import Config
from cnc_station.engine.domain.policies import RetryPolicy
from cnc_station.engine.store.database import Database, EngineLock
from cnc_station.engine.store.migrate import bring_up_to_date


def call(folder: Path, environ: Mapping[str, str] | None = None) -> Call:
    config = Config(folder, f"sqlite:///{folder / 'station.db'}", time_zone="Europe/Berlin")
    return Call(Namespace(config=None, json=False), config, environ or {})


def station(folder: Path) -> Path:
    """Return a database as a station creates it."""
    opened = Database(f"sqlite:///{folder / 'station.db'}")
    bring_up_to_date(opened)
    opened.close()
    return folder / "station.db"


def changed(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as opened, opened:
        opened.execute(statement)


def only(found: list[Diagnosis], verdict: Verdict) -> str:
    (text,) = (item.text for item in found if item.verdict is verdict)
    return text


def looked_at(folder: Path) -> list[Diagnosis]:
    return list(database(call(folder)))


def test_a_sound_database_without_a_running_station(tmp_path: Path) -> None:
    station(tmp_path)
    first, second = looked_at(tmp_path)
    assert "is sound: 0 jobs" in first.text
    assert second.text == "none is at work on it"
    assert {first.verdict, second.verdict} == {Verdict.GOOD}


def test_a_running_station_is_named_and_not_disturbed(tmp_path: Path) -> None:
    lock = EngineLock(station(tmp_path))
    lock.acquire("Hall 2")
    assert "Hall 2" in looked_at(tmp_path)[-1].text
    lock.release()


def test_a_missing_database_is_not_created(tmp_path: Path) -> None:
    (found,) = looked_at(tmp_path)
    assert found.verdict is Verdict.GOOD
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_not_a_database_is_bad(tmp_path: Path) -> None:
    (tmp_path / "station.db").write_bytes(b"a shopping list" * 100)
    assert "can't be read" in only(looked_at(tmp_path), Verdict.BAD)


def test_a_damaged_database_is_bad(tmp_path: Path) -> None:
    path = station(tmp_path)
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * 8192)
    found = looked_at(tmp_path)
    assert any(item.verdict is Verdict.BAD and item.remedy for item in found)


def test_restoring_a_backup_is_advised_only_for_a_damaged_file(
    tmp_path: Path,
) -> None:
    def advice() -> str:
        (found,) = (item for item in looked_at(tmp_path) if item.verdict is Verdict.BAD)
        return found.remedy

    file = tmp_path / "station.db"
    file.write_bytes(b"a shopping list" * 100)
    assert "Restore a copy" in advice()
    file.unlink()
    station(tmp_path)
    (tmp_path / "station.db-wal").mkdir()  # cannot be opened, as on a full disk
    assert "may be sound" in advice()


def test_a_check_leaves_no_lock_file_of_its_account(tmp_path: Path) -> None:
    path = station(tmp_path)
    assert looked_at(tmp_path)[-1].text == "none is at work on it"
    assert not EngineLock(path).path.exists()


def test_a_running_station_is_found_through_a_link_too(tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / "station.db").symlink_to(station(tmp_path / "kept"))
    lock = EngineLock(tmp_path / "station.db")
    lock.acquire("Hall 2")
    assert "Hall 2" in looked_at(tmp_path)[-1].text
    lock.release()


def test_a_second_name_of_the_file_is_pointed_out(tmp_path: Path) -> None:
    (tmp_path / "second.db").hardlink_to(station(tmp_path))
    assert "has 2 names" in only(looked_at(tmp_path), Verdict.WARNING)


def test_a_newer_database_and_another_programs_are_bad(tmp_path: Path) -> None:
    path = station(tmp_path)
    changed(path, "UPDATE alembic_version SET version_num = '9999'")
    assert "newer than this program" in only(looked_at(tmp_path), Verdict.BAD)
    changed(path, "DROP TABLE alembic_version")
    assert "data of another program" in only(looked_at(tmp_path), Verdict.BAD)


def test_a_clock_behind_the_last_event_is_bad(tmp_path: Path) -> None:
    later = (int(time.time()) + 86_400) * 1000
    changed(
        station(tmp_path),
        "INSERT INTO event (at, type, actor, station, trace_id, reason) "
        f"VALUES ({later}, 'created', '', '', '', '')",
    )
    assert "in the future" in only(looked_at(tmp_path), Verdict.BAD)


def test_an_impossible_folder_is_bad_with_a_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    (found,) = doctor.folder(call(tmp_path / "file"))
    assert found.verdict is Verdict.BAD
    assert "--database" in found.remedy


def test_the_settings_in_force_are_listed_without_passwords(tmp_path: Path) -> None:
    asked = call(tmp_path)
    address = "redis://:horse@shop-server"
    given = replace(asked.config, lease_s=20.0, retry=RetryPolicy(maximum_s=60), redis_url=address)
    said = only(list(doctor.settings(replace(asked, config=given))), Verdict.GOOD)
    for words in (
        "station station; ",
        "lease_s 20.0",
        "retry_maximum_s 60",
        "otherwise the defaults",
    ):
        assert words in said
    assert "jitter" not in said
    assert "horse" not in said


def test_a_misspelt_setting_is_pointed_out(tmp_path: Path) -> None:
    found = list(doctor.settings(call(tmp_path, {"CNC_TEHME": "dark"})))
    assert only(found, Verdict.WARNING) == "CNC_TEHME is not a setting"


def test_a_missing_display_or_library_is_reported_with_a_remedy(tmp_path: Path) -> None:
    said = "libEGL.so.1: cannot open shared object file"
    shown = doctor_window.failed(said, call(tmp_path, {"DISPLAY": ":0"}))
    assert said in shown.text
    assert "libegl1" in shown.remedy
    hidden = doctor_window.failed(said, call(tmp_path))
    assert "serve" in hidden.remedy


@pytest.mark.parametrize("place", ["station.db", "station.db-wal", "station.db-shm"])
def test_a_pipe_among_the_files_of_a_database_is_bad_and_blocks_nobody(
    tmp_path: Path, place: str
) -> None:
    (tmp_path / "station.db").touch()
    (tmp_path / place).unlink(missing_ok=True)
    os.mkfifo(tmp_path / place)
    assert place in only(looked_at(tmp_path), Verdict.BAD)


def test_a_link_that_leads_to_itself_is_bad(tmp_path: Path) -> None:
    (tmp_path / "station.db").symlink_to("station.db")
    assert "symbolic links" in only(looked_at(tmp_path), Verdict.BAD)
    assert list(privacy(call(tmp_path)))


def test_a_path_that_cannot_be_looked_at_is_bad_in_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / ("x" * 300)
    assert run(["doctor"], {"CNC_DATA_FOLDER": str(folder)}) == Exit.UNAVAILABLE
    told = capsys.readouterr()
    assert "File name too long" in told.out
    assert told.err == ""


def test_schedules_and_deliveries_are_counted(tmp_path: Path) -> None:
    assert list(automation(call(tmp_path))) == []
    path = station(tmp_path)
    schedules, deliveries = automation(call(tmp_path))
    assert schedules.text == "0, of which 0 are paused; 0 due times wait for a job"
    assert (deliveries.text, deliveries.remedy) == ("0 delivered, 0 on their way, 0 failed", "")
    changed(
        path,
        "INSERT INTO delivery (key, webhook_id, event, tenant, at, state, tries, token, last_error,"
        " name, priority, status, attempt, trace_id, payload)"
        " VALUES ('k', 1, 'e', '', 0, 'dead', 4, 4, 'The receiver answered 500.', 'n', 0, 's', 1,"
        " '', '{}')",
    )
    _, deliveries = automation(call(tmp_path))
    assert deliveries.verdict is Verdict.WARNING
    assert deliveries.text == "0 delivered, 0 on their way, 1 failed"
