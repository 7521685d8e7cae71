"""The command line as a shop's scripts see it: processes, exit codes, stdout and stderr."""

import asyncio
import json
import os
import re
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from cnc_station.bundled import bundled
from cnc_station.config import Config
from cnc_station.engine.commands import AddMachine
from cnc_station.engine.domain.machine import Capability, MachineSpec
from cnc_station.engine.domain.principal import local_principal
from cnc_station.engine.engine import StationEngine
from cnc_station.engine.services.controller_monitor import ControllerMonitor
from cnc_station.engine.store.readiness import SetReadiness
from cnc_station.engine.views import KEPT
from tests.engine.floor import service_of, supervisor_of
from tests.tools.station_log import told
from tests.until import at_best, until

GOOD = b"G21 G90 G94 S900 M3\nG0 X0 Y0 Z5\nG1 Z-1 F100\nG1 X60 F600\nG0 Z5\nM30\n"


class Shell:
    """Runs commands on one database."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.database = folder / "station.db"
        self.environ = {
            **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
            "CNC_DATABASE": str(self.database),
            "CNC_DATA_FOLDER": str(folder),
            "CNC_TIME_ZONE": "Europe/Berlin",
            "CNC_OPERATOR": "Ada",
            "QT_QPA_PLATFORM": "offscreen",
        }

    def __call__(self, *argv: str | Path) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "cnc_station", *map(str, argv)],
            capture_output=True,
            text=True,
            env=self.environ,
            timeout=60,
            check=False,
        )

    def loads(self, *argv: str) -> set[str]:
        """The packages that a command has loaded when it is done."""
        script = """if True:
            import os, sys
            from cnc_station.cli.run import run
            code = run(sys.argv[1:], os.environ)
            print(*{name.partition(".")[0] for name in sys.modules}, file=sys.stderr)
            sys.exit(code)
        """
        done = subprocess.run(
            [sys.executable, "-c", script, *argv],
            capture_output=True,
            text=True,
            env=self.environ,
            timeout=60,
            check=True,
        )
        return set(done.stderr.split())

    def json(self, *argv: str | Path) -> Any:
        done = self(*argv, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def refused(self, code: int, *argv: str | Path) -> str:
        """What a command says that must end with `code`; never a traceback, nothing on stdout."""
        done = self(*argv)
        assert done.returncode == code, done
        assert "Traceback" not in done.stderr
        assert done.stdout == ""
        return done.stderr

    def file(self, name: str, content: bytes) -> Path:
        path = self.folder / name
        path.write_bytes(content)
        return path


@pytest.fixture
def shell(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Shell]:
    """On a database at rest, or with `either` beside a station at work too."""
    shell = Shell(tmp_path)
    if getattr(request, "param", "at rest") == "at rest":
        yield shell
        return
    with subprocess.Popen(
        [sys.executable, "-m", "cnc_station", "serve"],
        env=shell.environ,
        stderr=subprocess.PIPE,
        text=True,
    ) as station:
        assert station.stderr is not None
        next(line for line in station.stderr if "is at work on" in line)
        assert "sqlalchemy" not in shell.loads("jobs")
        yield shell
        station.terminate()


either = pytest.mark.parametrize("shell", ["at rest", "beside a station"], indirect=True)


@either
def test_a_job_is_handed_in_with_its_program_and_looked_at(shell: Shell) -> None:
    part = shell.file("part.nc", GOOD)
    answer = shell.json(
        *("submit", part, "--type", "mill", "--priority", "high", "--quantity", "3"),
        *("--due", "2026-11-23 17:00", "--work-order", "W1", "--operation", "op10"),
        *("--payload", '{"batch": 7}', "--size", "60x20x5", "--retry-limit", "1"),
    )
    detail = shell.json("job", str(answer["id"]))
    row = detail["job"]["row"]
    assert (row["name"], row["priority"], row["quantity"]) == ("part", 90, 3)
    assert (row["program"], row["program_name"]) == (answer["program"], "part.nc")
    assert row["due_at"] == 1_795_449_600_000
    assert row["estimated_s"] > 6
    assert detail["job"]["payload"] == {"batch": 7}
    assert detail["events"][0]["actor"] == "Ada"
    (listed,) = shell.json("jobs")["jobs"]
    assert listed["id"] == answer["id"]
    text = shell("jobs").stdout.splitlines()
    assert text[0].split()[:3] == ["ID", "STATE", "PRIO"]
    assert "2026-11-23 17:00" in text[1]


@either
def test_a_doubtful_program_is_kept_with_a_warning(shell: Shell) -> None:
    part = shell.file("part.nc", GOOD.replace(b"M30\n", b""))
    done = shell("submit", part, "--type", "mill")
    assert done.returncode == 0
    assert "warning: part.nc, line" in done.stderr


@either
def test_the_demo_day_is_imported_with_its_programs(shell: Shell) -> None:
    folder = Path(str(bundled("demo")))
    answer = shell.json("import", folder / "day.csv", "--programs", folder / "programs")
    assert len(answer["ids"]) >= 60
    assert shell.json("jobs", "--limit", "5")["total"] == len(answer["ids"])


@either
def test_what_is_not_there_is_told_in_a_sentence(shell: Shell) -> None:
    assert shell.refused(1, "job", "99") == "cnc-station: There is no job 99.\n"
    assert shell.json("events", "--after", str(10**30)) == {"events": []}
    assert "no machine M9" in shell.refused(1, "events", "--machine", "M9")
    assert "can't be read" in shell.refused(1, "import", shell.folder / "gone.csv")


@either
def test_a_wrong_program_is_refused_with_its_line(shell: Shell) -> None:
    part = shell.file("part.nc", GOOD.replace(b" F100", b""))
    assert "line 3: " in shell.refused(1, "submit", part, "--type", "mill")
    assert shell.json("jobs", "--state", "all")["total"] == 0


@either
def test_a_table_is_imported_whole_or_not_at_all(shell: Shell) -> None:
    table = shell.file("day.csv", b"Part,Machine,Qty\nA,mill,1\nB,lathe,none\n")
    said = shell.refused(1, "import", table)
    assert "row 2, Qty: 'none' is not a whole number" in said
    table.write_bytes(b"Part,Machine,Qty,Menge\nA,mill,1,4\nB,lathe,1,5\n")
    preview = shell.json("import", table, "--preview")
    assert (preview["total"], preview["issues"]) == (2, [])
    assert len(shell.json("import", table, "--map", "quantity=Menge")["ids"]) == 2
    assert [row["quantity"] for row in shell.json("jobs", "--sort", "name")["jobs"]] == [4, 5]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such files")
def test_what_is_not_a_file_is_refused_before_it_is_opened(shell: Shell) -> None:
    folder = shell.folder / "programs"
    folder.mkdir()
    os.mkfifo(folder / "pipe.nc")
    (folder / "zero.nc").symlink_to("/dev/zero")
    table = shell.file("day.csv", b"Part,Machine\nA,mill\n")
    zero = "zero.nc: is a device, not a file"
    assert "zero: is a device" in shell.refused(1, "import", Path("/dev/zero"))
    assert "pipe.nc: is a pipe" in shell.refused(1, "import", folder / "pipe.nc")
    assert "pipe.nc: is a pipe" in shell.refused(1, "submit", folder / "pipe.nc", "--type", "mill")
    said = shell.refused(1, "import", table, "--programs", folder)
    assert "pipe.nc: is a pipe" in said
    assert zero in said
    assert zero in shell.refused(1, "jobs", "--config", folder / "zero.nc")
    assert shell.json("jobs", "--state", "all")["total"] == 0


@either
def test_what_the_help_says_of_an_order_is_understood(shell: Shell) -> None:
    for name in ("A", "B"):
        shell.json("submit", "--name", name, "--type", "mill", "--due", f"+{ord(name)}h00m")
    (example,) = re.findall(r"--sort=\S+", shell("jobs", "--help").stdout)
    assert [row["name"] for row in shell.json("jobs", example)["jobs"]] == ["B", "A"]


async def test_a_running_station_takes_up_within_a_second_what_the_command_line_hands_in(
    shell: Shell,
) -> None:
    config = Config(shell.folder, f"sqlite:///{shell.database}", simulator_speed=1000.0)
    engine = StationEngine(config)
    await engine.start()
    try:
        spec = MachineSpec("Mill 1", "mill", capability=Capability("mill"))
        await engine.door(local_principal("Ada")).execute(AddMachine(spec))
        settings = {"port": "1", "program_folder": str(shell.folder), "enable_password": "horse"}
        await engine.door(local_principal("Ada")).execute(
            AddMachine(
                MachineSpec(
                    "Lathe 1", "lathe", "", "linuxcnc", Capability("lathe"), settings=settings
                )
            )
        )

        async def waited_ms() -> float:
            command = ("submit", "--name", "A", "--type", "mill", "--runtime", "1", "--json")
            done = await _beside(shell, *command)
            assert done.returncode == 0, done.stderr
            happened = partial(_happened, shell.database, json.loads(done.stdout)["id"])
            await until(lambda: happened("completed"))
            return happened("assigned") - happened("created")

        assert 0 <= await at_best(waited_ms, 1_000) <= 1_000
        machines = json.loads((await _beside(shell, "machines", "--json")).stdout)["machines"]
        assert machines[0]["spec"]["name"] == "Mill 1"
        assert machines[1]["spec"]["settings"]["enable_password"] == KEPT
        await service_of(engine, ControllerMonitor).stop()  # it would say what the simulator says
        write = supervisor_of(engine).context.writer.write
        await write(SetReadiness(machines[0]["id"], "not homed", "controller"))
        assert "not homed" in (await _beside(shell, "machines")).stdout
        second = await _beside(shell, "serve")
        assert second.returncode == 3
        assert "already works on this database" in second.stderr
        assert "Traceback" not in second.stderr
    finally:
        await engine.stop()


async def test_a_job_for_a_handler_is_handed_in_and_its_run_is_shown(shell: Shell) -> None:
    engine = StationEngine(Config(shell.folder, f"sqlite:///{shell.database}"))
    await engine.start()
    try:
        payload = json.dumps({"colour": "red"})
        done = await _beside(
            shell, "submit", "--name", "A", "--handler", "test.echo", "--payload", payload, "--json"
        )
        assert done.returncode == 0, done.stderr
        happened = partial(_happened, shell.database, json.loads(done.stdout)["id"])
        await until(lambda: happened("completed"))
        listed = await _beside(shell, "runs", "--handler", "test.echo", "--outcome", "succeeded")
        assert "test.echo" in listed.stdout
        found = json.loads((await _beside(shell, "runs", "--since", "+0h01m", "--json")).stdout)
        assert found == {"runs": []}
        (run,) = json.loads((await _beside(shell, "runs", "--json")).stdout)["runs"]
        shown = await _beside(shell, "run", str(run["id"]))
        assert "Handler   test.echo" in shown.stdout
        assert '"colour": "red"' in shown.stdout
        assert (await _beside(shell, "run", "999")).stderr == "cnc-station: There is no run 999.\n"
        wrong = await _beside(shell, "runs", "--outcome", "lost")
        assert "outcome: must be one of assigned" in wrong.stderr
        hidden = json.dumps({"colour": "\x1b[31mred"})
        refused = await _beside(
            shell, "submit", "--name", "A", "--handler", "test.echo", "--payload", hidden
        )
        assert "payload: has an escape character (U+001B)" in refused.stderr
        refused = await _beside(shell, "submit", "--name", "A", "--handler", "shell.command")
        assert "command: is missing" in refused.stderr
    finally:
        await engine.stop()


def test_a_station_without_a_window_serves_until_it_is_told_to_stop(shell: Shell) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "cnc_station", "serve", "--demo"],
        env=shell.environ,
        stderr=subprocess.PIPE,
        text=True,
    ) as station:
        assert station.stderr is not None
        said = next(line for line in station.stderr if "is at work on" in line)
        assert str(shell.database) in said
        assert len(shell.json("machines")["machines"]) == 9
        station.terminate()
        assert station.wait(timeout=60) == 0
    assert "is at work on" in told(shell.folder)


def test_a_window_keeps_a_log_and_closes_in_order_when_the_computer_is_switched_off(
    shell: Shell,
) -> None:
    with subprocess.Popen([sys.executable, "-m", "cnc_station"], env=shell.environ) as station:
        try:
            deadline = time.monotonic() + 60
            while "this station leads" not in told(shell.folder):
                assert station.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.05)
            found = shell.json("doctor")["findings"]
            assert any(f"process {station.pid}" in one["text"] for one in found)
            station.terminate()
            assert station.wait(timeout=60) == 0
        finally:
            station.kill()
    assert not (shell.folder / "station.db.holder").exists()  # it let go of the file itself


@pytest.mark.skipif(sys.platform != "linux", reason="only there a display has a name")
@pytest.mark.parametrize("command", [(), ("demo",)])
def test_without_a_display_no_window_opens_and_a_sentence_says_so(
    shell: Shell, command: tuple[str, ...]
) -> None:
    del shell.environ["QT_QPA_PLATFORM"]
    assert "run `cnc-station serve`" in shell.refused(3, *command)


def test_where_qt_can_not_be_loaded_the_doctor_is_named(shell: Shell) -> None:
    script = (
        "import sys; sys.modules['PySide6.QtWidgets'] = None; "
        f"from cnc_station.cli.run import run; sys.exit(run([], {shell.environ!r}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 3, done.stderr
    assert "run `cnc-station doctor` to see what to install" in done.stderr


async def _beside(shell: Shell, *argv: str) -> "subprocess.CompletedProcess[str]":
    return await asyncio.to_thread(shell, *argv)


def _happened(database: Path, job_id: int, kind: str) -> int:
    """When a job was first created, assigned ...; 0 if it was not."""
    with closing(sqlite3.connect(database)) as opened:
        query = "SELECT min(at) FROM event WHERE type = ? AND job_id = ?"
        return opened.execute(query, (kind, job_id)).fetchone()[0] or 0


def test_a_file_that_is_no_database_is_left_as_it_is(shell: Shell) -> None:
    shell.database.write_bytes(b"a shopping list" * 100)
    said = shell.refused(3, "jobs")
    assert said.startswith("cnc-station: ")
    assert shell.database.read_bytes() == b"a shopping list" * 100
    found = shell("doctor")
    assert found.returncode == 3
    assert "BAD   database" in found.stdout


@pytest.mark.skipif(os.name != "posix", reason="a terminal is another thing elsewhere")
@pytest.mark.parametrize(
    ("lines", "code"),
    [(["\x04"], 130), (["horse\n", "horse\n"], 0), (["horse\n", "mule\n"], 1)],
)
def test_a_password_is_asked_for_twice_and_anybody_may_give_up(
    shell: Shell, lines: list[str], code: int
) -> None:
    keyboard, terminal = os.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "cnc_station", "secret", "set", "redis", "--file"],
        env={**shell.environ, "CNC_REDIS_URL": "redis://shop"},
        stdin=terminal,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,  # else it would ask at the terminal of whoever runs the tests
    ) as asking:
        assert asking.stderr is not None
        for line in lines:
            said = b""
            while not said.endswith(b": "):
                said += asking.stderr.read(1)
                assert asking.poll() is None, said
            os.write(keyboard, line.encode())
        said = asking.stderr.read()
    os.close(keyboard)
    os.close(terminal)
    assert asking.returncode == code, said


def test_events_are_listed_oldest_first(shell: Shell) -> None:
    shell.json("submit", "--name", "A", "--type", "mill")
    shell.json("submit", "--name", "B", "--type", "mill")
    found = shell.json("events")["events"]
    assert [event["id"] for event in found] == sorted(event["id"] for event in found)
    later = shell.json("events", "--after", str(found[0]["id"]))["events"]
    assert later == found[1:]


def test_doctor_finds_nothing_wrong_where_nothing_is(shell: Shell) -> None:
    shell.json("submit", "--name", "A", "--type", "mill")
    found = {item["subject"]: item for item in shell.json("doctor")["findings"]}
    assert found["database"]["verdict"] == "good"
    assert "1 jobs" in found["database"]["text"]
    assert found["window"]["text"].endswith("on offscreen")
    assert found["station"]["text"] == "none is at work on it"


def test_looking_at_jobs_loads_no_window_and_no_spreadsheets(shell: Shell) -> None:
    script = (
        "import sys; from cnc_station.cli.run import run; code = run(['jobs'], {}); "
        "sys.exit(code or bool({'PySide6', 'openpyxl', 'numpy', 'alembic'} & set(sys.modules)))"
    )
    shell.json("jobs")  # makes the database, which needs alembic
    done = subprocess.run(
        [sys.executable, "-c", script.replace("{})", f"{shell.environ!r})")],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
