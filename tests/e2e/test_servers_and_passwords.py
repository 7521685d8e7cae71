"""A station on servers, as whoever sets it up meets it."""

import io
import json
import os
import socket
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from cnc_station import addresses
from cnc_station.cli.run import run
from cnc_station.engine.store.database import EngineLock
from tests.tools.servers import Postgres, Redis
from tests.tools.station_log import told

SECRET = "hunter2"


class Station:
    """Runs commands with some settings, in this process; remembers everything that was said."""

    def __init__(
        self,
        capsys: pytest.CaptureFixture[str],
        caplog: pytest.LogCaptureFixture,
        monkeypatch: pytest.MonkeyPatch,
        folder: Path,
    ) -> None:
        self._capsys = capsys
        self._caplog = caplog
        self._monkeypatch = monkeypatch
        self.folder = folder
        self.environ = {"CNC_DATA_FOLDER": str(folder), "QT_QPA_PLATFORM": "offscreen"}
        self.said = ""

    def __call__(self, *argv: str, code: int = 0, typed: str = "") -> str:
        self._monkeypatch.setattr("sys.stdin", io.StringIO(typed))
        ended = run(argv, self.environ)
        said = self._capsys.readouterr()
        assert ended == code, said
        self.said += said.out + said.err
        return said.out or said.err

    def findings(self, code: int = 0) -> dict[str, list[tuple[str, str]]]:
        """What `doctor` finds, by subject: verdict and text."""
        found: dict[str, list[tuple[str, str]]] = {}
        for item in json.loads(self("doctor", "--json", code=code))["findings"]:
            found.setdefault(item["subject"], []).append((item["verdict"], item["text"]))
        return found

    def everything(self) -> str:
        """All that was said aloud or into the log."""
        return self.said + self._caplog.text


@pytest.fixture
def station(
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> Station:
    """One with a data folder and nothing else."""
    caplog.set_level("DEBUG")
    return Station(capsys, caplog, monkeypatch, tmp_path)


@pytest.fixture
def kept_out(station: Station, postgres_url: str, redis_url: str) -> tuple[Station, str, str]:
    """A station whose addresses leave the passwords out, and the passwords."""
    words = [addresses.password(url) for url in (postgres_url, redis_url)]
    assert words[0] is not None
    assert words[1] is not None
    station.environ["CNC_DATABASE_URL"] = postgres_url.replace(f":{words[0]}@", "@")
    station.environ["CNC_REDIS_URL"] = redis_url.replace(f":{words[1]}@", "")
    return station, words[0], words[1]


def test_a_station_on_servers_is_set_up_without_a_password_in_its_settings(
    kept_out: tuple[Station, str, str],
) -> None:
    station, database, redis = kept_out
    assert "secret set database" in station("jobs", code=3)
    said = station("secret", "set", "database", typed=f"{database}\n")
    file = station.folder / "secrets.toml"
    assert f"is stored in {file}" in said
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    station("secret", "set", "redis", "--file", typed=f"{redis}\n")
    assert "the first station that starts creates its tables" in station("db", "status")
    assert "has schema" in station("db", "upgrade")
    assert "it fits this program" in station("db", "status")
    station("submit", "--name", "A", "--type", "mill")
    found = station.findings()
    assert found["database"] == [("good", found["database"][0][1])]
    assert f"answers, with the password in {file}; schema" in found["database"][0][1]
    assert "answers" in found["redis"][0][1]
    for word in (database, redis):
        assert word not in station.everything()
    assert "was deleted; it was in" in station("secret", "forget", "database")
    assert "No password of" in station("secret", "forget", "database")
    assert database not in file.read_text()


def test_a_file_that_others_can_read_stops_the_start_with_a_sentence(
    kept_out: tuple[Station, str, str],
) -> None:
    station, database, _ = kept_out
    station("secret", "set", "database", typed=database)
    file = station.folder / "secrets.toml"
    file.chmod(0o644)
    assert f"chmod 600 {file}" in station("serve", code=3)
    assert station.findings(code=3)["database"][0][0] == "bad"
    assert database not in station.everything()


class Listener:
    """A server that answers nothing and remembers that somebody came."""

    def __init__(self) -> None:
        self._socket = socket.create_server((_own_address(), 0))
        self._socket.settimeout(0)
        self.address, self.port = self._socket.getsockname()

    def was_called(self) -> bool:
        try:
            self._socket.accept()[0].close()
        except BlockingIOError:
            return False
        return True

    def close(self) -> None:
        self._socket.close()


def _own_address() -> str:
    """An address of this computer in its network: a server there counts as beyond it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        try:
            asked.connect(("192.0.2.1", 9))  # sends nothing
        except OSError:
            pytest.skip("this computer has no network")
        return str(asked.getsockname()[0])


def test_nothing_is_sent_in_clear_text_beyond_this_computer(station: Station) -> None:
    with closing(Listener()) as database, closing(Listener()) as redis:
        station.environ |= {
            "CNC_DATABASE_URL": f"postgresql://cnc:{SECRET}@{database.address}:{database.port}/shop",
            "CNC_REDIS_URL": f"redis://:{SECRET}@{redis.address}:{redis.port}",
        }
        for argv in (["serve"], *COMMANDS):
            assert "sslmode=verify-full" in station(*argv, code=3)
        found = station.findings(code=3)
        assert found["database"][0][0] == found["redis"][0][0] == "bad"
        assert "rediss://" in found["redis"][0][1]
        assert not database.was_called()
        assert not redis.was_called()
    assert SECRET not in station.everything()


COMMANDS = (["jobs"], ["jobs", "--json"], ["db", "status"], ["db", "upgrade"])


def _assert_no_password_is_said(station: Station, database: str, redis: str, *more: str) -> None:
    station.environ |= {"CNC_DATABASE_URL": database, "CNC_REDIS_URL": redis}
    for argv in (*COMMANDS, *([word] for word in more)):
        station(*argv, code=3)
    found = station.findings(code=3)
    assert found["database"][0][0] == found["redis"][0][0] == "bad"
    assert SECRET not in station.everything()


def test_no_password_is_ever_said_where_it_is_wrong(
    station: Station, postgres: Postgres, redis_server: Redis
) -> None:
    database = addresses.with_password(postgres.url(), SECRET)
    redis = addresses.with_password(redis_server.url, SECRET)
    _assert_no_password_is_said(station, database, redis, "serve")
    station.environ["CNC_DATABASE_URL"] = f"postgresql://cnc:{SECRET}/x@db/shop"
    assert "write signs other than" in station("doctor", code=1)
    assert SECRET not in station.everything()


def test_no_password_is_ever_said_where_nobody_answers(station: Station) -> None:
    database, redis = (
        f"postgresql://cnc:{SECRET}@127.0.0.1:1/shop",
        f"redis://:{SECRET}@127.0.0.1:1",
    )
    _assert_no_password_is_said(station, database, redis)
    with _serving(station.environ) as process:
        said = _read_until(process, "the start waits and is tried again")
        process.terminate()
        said += _rest(process)
    assert SECRET not in said


def test_a_station_at_work_says_where_its_database_is_and_no_password(
    tmp_path: Path, postgres_url: str, redis_url: str
) -> None:
    environ = {
        "CNC_DATA_FOLDER": str(tmp_path),
        "CNC_DATABASE_URL": postgres_url,
        "CNC_REDIS_URL": redis_url,
    }
    with _serving(environ) as process:
        said = _read_until(process, "is at work on")
        process.terminate()
        rest = _rest(process)
    assert f"cnc:***@127.0.0.1:{urlsplit(postgres_url).port}/" in said
    for url in (postgres_url, redis_url):
        word = addresses.password(url)
        assert word is not None
        assert word not in said + rest + told(tmp_path)


@contextmanager
def _serving(environ: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    """A station of its own, killed at the end if it is still there."""
    with subprocess.Popen(
        [sys.executable, "-m", "cnc_station", "serve"],
        env={**os.environ, **environ},
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def _read_until(process: subprocess.Popen[str], words: str) -> str:
    assert process.stderr is not None
    said = ""
    for line in process.stderr:
        said += line
        if words in line:
            return said
    raise AssertionError(said)


def _rest(process: subprocess.Popen[str]) -> str:
    """What an orderly end says."""
    assert process.stderr is not None
    said = process.stderr.read()
    assert process.wait(timeout=60) == 0
    return said


def test_a_station_of_another_version_is_refused_and_says_what_to_do(
    station: Station, postgres_url: str
) -> None:
    station.environ["CNC_DATABASE_URL"] = postgres_url
    station("db", "upgrade")
    with psycopg.connect(postgres_url) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    for argv in (["serve"], ["jobs"], ["db", "upgrade"]):
        assert "newer CNC Station (schema 9999" in station(*argv, code=3)
    assert "install the newer program" in station("db", "status", code=3)
    assert station.findings(code=3)["database"][0][0] == "bad"


def test_an_older_file_is_no_reason_to_worry(station: Station) -> None:
    file = station.folder / "station.db"
    station.environ["CNC_DATABASE"] = str(file)
    station("db", "upgrade")
    with closing(sqlite3.connect(file)) as opened, opened:
        opened.execute("UPDATE alembic_version SET version_num = '0001'")
    assert "copies and upgrades it at the next start" in station("db", "status")


def test_a_file_that_a_station_works_on_is_not_upgraded(station: Station) -> None:
    file = station.folder / "station.db"
    station.environ["CNC_DATABASE"] = str(file)
    assert "has schema" in station("db", "upgrade")
    assert "already" in station("db", "upgrade")
    lock = EngineLock(file)
    lock.acquire("Hall 2")
    assert "Hall 2" in station("db", "upgrade", code=3)
    assert "it fits this program" in station("db", "status")
    lock.release()
