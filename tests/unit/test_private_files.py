"""No other account of the computer can open what the station keeps, or have it write elsewhere."""

import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cnc_station import private_files
from cnc_station.cli.doctor_private import privacy
from cnc_station.cli.invocation import Call, Verdict
from cnc_station.config import Config
from cnc_station.engine.drivers.base import NotReady
from cnc_station.engine.drivers.linuxcnc import files
from cnc_station.engine.store import migrate
from cnc_station.engine.store.database import Database
from cnc_station.engine.store.migrate import bring_up_to_date
from cnc_station.local_socket.place import place_of
from cnc_station.ui.file_export import write_file
from tests.tools.migrations import copy_migrations
from tests.until import PATIENCE_S

pytestmark = pytest.mark.skipif(os.name != "posix", reason="files have no such modes elsewhere")

PROGRAM = b"G0 X1\nM2\n"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def opened_to_others(folder: Path) -> dict[str, str]:
    """What others could open, had they reached the folder."""
    found = [folder, *folder.rglob("*")]
    return {str(path): oct(mode(path)) for path in found if mode(path) & 0o077}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder that does not exist yet, below one that everybody may enter."""
    tmp_path.chmod(0o755)
    return tmp_path / "data"


def socket_of(data: Path) -> Path:
    """Where the station listens: in its data folder, unless that has too long a name."""
    return place_of(Config(data, f"sqlite:///{data / 'station.db'}", station="A")).file


@contextmanager
def serving(data: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A station without a window, started with a umask that hides nothing."""
    process = subprocess.Popen(
        [sys.executable, "-m", "cnc_station", "serve", "--demo"],
        env={
            **os.environ,
            "CNC_DATA_FOLDER": str(data),
            "CNC_STATION": "A",
            "CNC_HEALTH_PORT": "0",
        },
        stderr=subprocess.DEVNULL,
        umask=0,
    )
    try:
        end = time.monotonic() + PATIENCE_S
        while not socket_of(data).exists():
            assert process.poll() is None, "it has ended"
            assert time.monotonic() < end, "it does not listen"
            time.sleep(0.02)
        yield process
    finally:
        process.kill()
        process.wait()


def test_everything_a_station_makes_is_private(data: Path) -> None:
    with serving(data) as process:
        assert opened_to_others(data) == {}
        names = {path.name for path in data.iterdir()}
        assert names >= {"station.db", "station.db-wal", "station.db-shm", "station.db.lock"}
        assert names >= {"station.db.holder", "logs"}
        assert opened_to_others(socket_of(data).parent) == {}
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE_S) == 0
    assert opened_to_others(data) == {}


def test_what_an_earlier_version_left_open_is_closed_at_the_start(data: Path) -> None:
    with serving(data):
        pass
    (data / "station.db.before-0006-20260101-000000").write_bytes(b"a copy")
    (data / "cnc-station.log.1").write_bytes(b"rotated")
    for path in (data, *data.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    socket_of(data).unlink()
    with serving(data):
        assert opened_to_others(data) == {}


LOGGING = """
import logging, os, pathlib
from cnc_station.cli.station_log import start_log
from cnc_station.config import Config
os.umask(0)
folder = pathlib.Path(os.environ["FOLDER"])
start_log(Config(folder, "sqlite:///none", station="A", log_max_mb=1), aloud=False)
for number in range(100):
    logging.info("%d %s", number, "x" * 3_000)
"""


def test_a_log_and_its_former_files_are_private_from_their_first_line(data: Path) -> None:
    environ = {**os.environ, "FOLDER": str(data)}
    for _ in range(2):
        subprocess.run([sys.executable, "-c", LOGGING], env=environ, check=True)
    assert [path.name for path in data.iterdir()] == ["logs"]
    assert len(list((data / "logs").glob("A*.jsonl"))) >= 2
    assert opened_to_others(data) == {}


@pytest.mark.parametrize("kind", ["pipe", "folder", "full disk"])
def test_a_log_that_cannot_be_written_costs_only_its_lines(data: Path, kind: str) -> None:
    (data / "logs").mkdir(parents=True)
    if kind != "full disk":
        {"pipe": os.mkfifo, "folder": os.mkdir}[kind](data / "logs" / "A.jsonl")
    aloud = f"""
import logging, os, pathlib, resource, time
if {kind == "full disk"}:
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
from cnc_station.cli.station_log import start_log
from cnc_station.config import Config
start_log(Config(pathlib.Path(os.environ["FOLDER"]), "sqlite:///none", station="A"), aloud=True)
logging.info("first")
time.sleep(0.3)
logging.info("second")
"""
    done = subprocess.run(
        [sys.executable, "-c", aloud],
        env={**os.environ, "FOLDER": str(data)},
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stderr.count("the log can't be written") == 1
    assert "first" in done.stderr
    assert "second" in done.stderr
    assert "Traceback" not in done.stderr


def test_another_account_reads_nothing(data: Path) -> None:
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        pytest.skip("only root can become another account")
    opened = Database(f"sqlite:///{data / 'station.db'}")
    bring_up_to_date(opened)
    opened.close()
    nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    for asked in (data, data / "station.db"):
        done = subprocess.run([*nobody, "ls", asked], capture_output=True, check=False)
        assert done.returncode != 0
        assert b"Permission denied" in done.stderr


def test_a_copy_before_an_upgrade_is_private(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = tmp_path / "first"
    copy_migrations(first, before=2)
    opened = Database(f"sqlite:///{data / 'station.db'}")
    with monkeypatch.context() as patch:
        patch.setattr(migrate, "MIGRATIONS", first)
        patch.setattr(migrate, "REVISION", "0001")
        bring_up_to_date(opened)
    (data / "station.db").chmod(0o644)
    copy = bring_up_to_date(opened)
    opened.close()
    assert copy is not None
    assert mode(copy) == 0o600


def test_a_folder_that_everybody_uses_keeps_its_mode(tmp_path: Path) -> None:
    shared = tmp_path / "tmp"
    shared.mkdir()
    shared.chmod(0o1777)
    link = tmp_path / "link"
    link.symlink_to(shared)
    private_files.tighten([shared, link])
    assert mode(shared) == 0o1777


def test_a_planted_link_is_replaced_and_its_target_untouched(tmp_path: Path) -> None:
    victim, folder = tmp_path / "secrets.toml", tmp_path / "nc"
    victim.write_text("pw")
    victim.chmod(0o600)
    folder.mkdir()
    for planted in ("cnc-run-1-part-1.ngc", "cnc-run-1-part-1.ngc.new", "cnc-run-1-part-1.json"):
        (folder / planted).symlink_to(victim)
    files.write_program(folder, "cnc-run-1-part-1.ngc", PROGRAM)
    files.write_note(folder, "cnc-run-1-part-1.ngc", files.Note((0.0, 0.0, 0.0)))
    assert (victim.read_text(), mode(victim)) == ("pw", 0o600)
    written = folder / "cnc-run-1-part-1.ngc"
    assert (written.is_symlink(), written.read_bytes(), mode(written)) == (False, PROGRAM, 0o644)


def test_a_draft_is_never_open_wider_than_its_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []
    monkeypatch.setattr(os, "fsync", lambda handle: seen.append(os.fstat(handle).st_mode & 0o777))
    before = os.umask(0)
    try:
        private_files.replace(tmp_path / "a", b"a")
        private_files.replace(tmp_path / "b", b"b", None)
    finally:
        os.umask(before)
    assert seen == [0o600, 0o666]


def test_a_file_that_could_not_be_written_leaves_no_draft(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with pytest.raises(OSError, match="directory"):
        private_files.replace(tmp_path / "a", b"a")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


@pytest.mark.parametrize("swap", ["content", "length", "link", "pipe", "folder"])
async def test_a_program_that_was_swapped_is_told_apart(tmp_path: Path, swap: str) -> None:
    name = "cnc-run-1-part-1.ngc"
    path = tmp_path / name
    files.write_program(tmp_path, name, PROGRAM)
    assert files.change_of(tmp_path, name, PROGRAM) == ""
    path.unlink()
    if swap == "content":
        path.write_bytes(PROGRAM.replace(b"1", b"9"))
    elif swap == "length":
        path.write_bytes(PROGRAM + b"G0 Z-9\n")
    elif swap == "link":
        (tmp_path / "other").write_bytes(PROGRAM)
        path.symlink_to(tmp_path / "other")
    elif swap == "pipe":
        os.mkfifo(path)
    else:
        path.mkdir()
    assert files.change_of(tmp_path, name, PROGRAM) != ""
    with pytest.raises(NotReady, match="was changed after it was loaded"):
        await files.must_be_unchanged(tmp_path, name, PROGRAM)


@pytest.mark.parametrize(
    "content",
    ["[" * 60_000, '{"start": [1, 2, NaN], "late": false}', '{"start": "abc", "late": 1}', "7", ""],
)
def test_a_note_that_another_program_has_written_is_no_note(tmp_path: Path, content: str) -> None:
    note = files.Note((1.0, 2.0, 3.0))
    files.write_note(tmp_path, "a.ngc", note)
    assert files.read_note(tmp_path, "a.ngc") == note
    files.note_path(tmp_path, "a.ngc").write_text(content)
    assert files.read_note(tmp_path, "a.ngc") is None


async def test_an_export_is_private_in_a_private_folder_alone(tmp_path: Path) -> None:
    for folder_mode, expected in ((0o700, 0o600), (0o755, 0o644)):
        folder = tmp_path / oct(folder_mode)
        folder.mkdir(mode=folder_mode)
        before = os.umask(0o022)
        try:
            await write_file(folder / "jobs.csv", b"a")
        finally:
            os.umask(before)
        assert mode(folder / "jobs.csv") == expected


def test_doctor_names_what_others_could_read(data: Path) -> None:
    data.mkdir(mode=0o700)
    config = Config(data, f"sqlite:///{data / 'station.db'}")
    call = Call(Namespace(config=None, json=False), config, {})
    (data / "station.db").touch(0o600)
    (found,) = privacy(call)
    assert found.verdict is Verdict.GOOD
    (data / "station.db-wal").touch()
    (data / "station.db-wal").chmod(0o644)
    (found,) = privacy(call)
    assert found.verdict is Verdict.WARNING
    assert f"may open {data / 'station.db-wal'}" in found.text
    data.chmod(0o777)
    assert any("may replace files" in one.text for one in privacy(call))


def test_the_memory_of_a_crashed_program_is_not_stored() -> None:
    limited = """
import resource, sys
from cnc_station.__main__ import main
sys.argv = ["cnc-station", "--version"]
try:
    main()
except SystemExit:
    print(*resource.getrlimit(resource.RLIMIT_CORE))
"""
    command = ["sh", "-c", 'ulimit -c unlimited 2>/dev/null; exec "$@"', "sh", sys.executable]
    done = subprocess.run([*command, "-c", limited], stdout=subprocess.PIPE, text=True, check=True)
    assert done.stdout.split()[-2:] == ["0", "0"]
