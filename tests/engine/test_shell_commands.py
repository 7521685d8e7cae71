"""Jobs for shell.command at a real station, with real processes."""

import os
import resource
import signal
import uuid
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cnc_station.config import Config
from cnc_station.engine.commands import SubmitJobs
from cnc_station.engine.domain.errors import InvalidInput
from cnc_station.engine.domain.job import JobSpec
from cnc_station.engine.domain.policies import RetryPolicy
from cnc_station.engine.domain.states import JobState
from cnc_station.engine.engine import open_client
from cnc_station.engine.queries import JobById, ListRuns, RunById
from cnc_station.engine.views import RunDetail
from tests.engine.conftest import Station
from tests.engine.floor import ME, FloorOf
from tests.engine.killed_station import settings
from tests.engine.killed_station import station as station_process
from tests.handlers.allowing import ANYTHING, SHELL, allow, parent_of, running, sh
from tests.until import until

GIB = 1024**3
FLOOD_MEMORY_KIB = 60 * 1024


@pytest.fixture
def allowing(config: Config, tmp_path: Path) -> Config:
    """A station that runs any script, and retries soon."""
    retry = RetryPolicy(initial_s=0.05, jitter=0.0)
    return replace(config, shell_commands=allow(tmp_path), retry=retry)


@pytest.fixture
def mark() -> str:
    """What names the processes of one test."""
    return f"mark-{uuid.uuid4().hex}"


async def _submit(floor: FloorOf, payload: dict[str, Any], **values: Any) -> int:
    spec = JobSpec("command", handler="shell.command", payload=payload, **values)
    (job_id,) = await floor.door.execute(SubmitJobs([spec]))
    return job_id


async def _latest(floor: FloorOf, job_id: int) -> RunDetail:
    latest, *_ = await floor.door.ask(ListRuns(job_id=job_id))
    detail = await floor.door.ask(RunById(latest.id))
    assert detail is not None
    return detail


async def test_a_command_gets_nothing_of_ours_but_the_names_of_its_run(
    station: Station, allowing: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LD_LIBRARY_PATH", "/opt/bundle")
    monkeypatch.setenv("CNC_DATABASE_URL", "postgresql://cnc:secret@server/cnc")
    floor = await station(allowing)
    script = "env; echo in=$(pwd); echo \"$MARK\" '$HOME'; touch left; ulimit -c"
    job_id = await _submit(floor, sh(script, env={"MARK": "a b; c"}))
    await floor.comes_to(job_id, JobState.COMPLETED)
    run = await _latest(floor, job_id)
    lines = run.output.text.splitlines()
    variables = dict(line.split("=", 1) for line in lines if "=" in line)
    expected = {"PATH", "LANG", "HOME", "TMPDIR", "PWD", "MARK", "in"}
    expected |= {f"CNC_{n}" for n in ("JOB_ID", "RUN_ID", "ATTEMPT", "TRACE_ID")}
    assert set(variables) - {"_", "SHLVL", "OLDPWD"} == {*expected, "CNC_IDEMPOTENCY_KEY"}
    assert lines[-2:] == ["a b; c $HOME", "0"]
    assert (run.row.result, run.row.code) == ("exit code 0", 0)
    detail = await floor.door.ask(JobById(job_id))
    assert detail is not None
    assert variables["CNC_IDEMPOTENCY_KEY"].startswith(f"{detail.trace_id}-{job_id}-")
    assert Path(variables["in"]).parent == allowing.data_folder / "runs"
    assert list((allowing.data_folder / "runs").iterdir()) == []


async def test_an_exit_code_is_a_failure_with_the_last_line(
    station: Station, allowing: Config
) -> None:
    floor = await station(allowing)
    job_id = await _submit(floor, sh("echo out; echo no paper >&2; exit 7"), retry_limit=0)
    row = await floor.comes_to(job_id, JobState.NEEDS_ATTENTION)
    assert row.last_error == "sh ended with exit code 7: no paper"
    run = await _latest(floor, job_id)
    assert (run.row.code, run.output.text) == (7, "out\nno paper\n")
    job_id = await _submit(floor, sh("exit 7", success=[0, 7]))
    await floor.comes_to(job_id, JobState.COMPLETED)
    assert (await _latest(floor, job_id)).row.result == "exit code 7"
    job_id = await _submit(floor, sh("kill -SEGV $$"), retry_limit=0)
    row = await floor.comes_to(job_id, JobState.NEEDS_ATTENTION)
    assert row.last_error == "sh was ended by SIGSEGV"
    assert (await _latest(floor, job_id)).row.code == 128 + signal.SIGSEGV


async def test_it_is_off_until_an_administrator_allows_a_command(
    station: Station, config: Config, allowing: Config, tmp_path: Path
) -> None:
    floor = await station(config)
    with pytest.raises(InvalidInput, match=r"shell\.command is off at this station"):
        await _submit(floor, sh("true"))
    await floor.engine.stop()
    floor = await station(allowing)
    for payload, words in (
        ({"command": "/bin/ls"}, "/bin/ls is not in the list of commands"),
        ({"command": "/bin/sh", "args": ["-e", "x"]}, "argument 1 of /bin/sh does not match -c"),
        (sh("true", cwd="/etc"), "/bin/sh is not allowed in the folder /etc"),
        (sh("true", env={"OTHER": "1"}), "/bin/sh is not allowed with the variable OTHER"),
        ({"command": "sh"}, "command: must be an absolute path"),
        ({"command": "/bin/sh", "args": "-c true"}, "no shell takes them apart"),
        (sh("true", success=[256]), "success: must be a list of exit codes"),
        (sh("true", success=[]), "success: must be a list of exit codes"),
        (sh("true", timeout=0), "timeout: must be a number of seconds"),
        (sh("true", shell=True), "shell: is not known"),
    ):
        with pytest.raises(InvalidInput, match=words):
            await _submit(floor, payload)
    allow(tmp_path, mode=0o662)
    with pytest.raises(InvalidInput, match="can be changed by others"):
        await _submit(floor, sh("true"))
    allow(tmp_path, "[[command]]\npath = 'sh'\n")
    with pytest.raises(InvalidInput, match="entry 1: path must be an absolute path"):
        await _submit(floor, sh("true"))
    allow(tmp_path)
    job_id = await _submit(floor, sh("true"))
    await floor.comes_to(job_id, JobState.COMPLETED)


async def test_a_command_that_is_no_longer_allowed_is_not_claimed(
    station: Station, allowing: Config, tmp_path: Path
) -> None:
    floor = await station(allowing)
    draft = await _submit(floor, sh("true"), draft=True)
    allow(tmp_path, SHELL.replace("/bin/sh", "/bin/ls"))
    assert (await floor.act("submit", draft)).applied
    allow(tmp_path, SHELL.replace("/bin/sh", "/bin/ls") + '[[command]]\npath = "/bin/true"\n')
    later = await _submit(floor, {"command": "/bin/true"})
    await floor.comes_to(later, JobState.COMPLETED)
    row = await floor.row(draft)
    assert row.next == "waits for a station that allows /bin/sh: this one does not"
    assert await floor.told(draft) == ["drafted", "submitted"]


async def test_arguments_that_are_no_longer_allowed_go_to_a_person_at_once(
    station: Station, allowing: Config, tmp_path: Path
) -> None:
    floor = await station(allowing)
    draft = await _submit(floor, sh("true"), draft=True)
    allow(tmp_path, SHELL.replace(ANYTHING, "false"))
    assert (await floor.act("submit", draft)).applied
    row = await floor.comes_to(draft, JobState.NEEDS_ATTENTION)
    assert row.last_error == "argument 2 of /bin/sh does not match false"
    assert row.failures == 1


async def test_a_gigabyte_of_output_is_kept_in_bounded_memory(
    station: Station, allowing: Config
) -> None:
    floor = await station(allowing)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    job_id = await _submit(floor, sh(f"echo first; head -c {GIB} /dev/zero; echo last"))
    await floor.comes_to(job_id, JobState.COMPLETED, 300)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < FLOOD_MEMORY_KIB
    output = (await _latest(floor, job_id)).output
    assert (output.size, output.truncated) == (GIB + 11, True)
    assert output.text.startswith("first\n\ufffd")
    assert output.text.endswith("\ufffdlast\n")
    assert len(output.text) < 66_000


STUBBORN = (
    "trap '' TERM; echo begun; sh -c \"trap '' TERM; sleep 600; : {mark}\" & "
    "setsid sh -c \"trap '' TERM; sleep 600; : {mark}\" & "
    "(setsid sh -c 'sleep 600; : {mark}' &) ; sleep 600; : {mark}"
)


@pytest.mark.parametrize("way", ["abort", "timeout", "its own timeout"])
async def test_nothing_is_left_of_one_that_forks_and_ignores_sigterm(
    station: Station, allowing: Config, mark: str, way: str
) -> None:
    floor = await station(replace(allowing, lease_s=6.0))  # with a grace of 0.3 s
    payload = sh(STUBBORN.format(mark=mark), **({"timeout": 0.5} if "own" in way else {}))
    limit = {"timeout_s": 0.5} if way == "timeout" else {}
    job_id = await _submit(floor, payload, retry_limit=0, **limit)
    if way == "abort":
        await until(lambda: len(running(mark)) >= 4)
        assert (await floor.act("abort", job_id)).applied
        assert (await floor.row(job_id)).state is JobState.CANCELLED
    else:
        row = await floor.comes_to(job_id, JobState.NEEDS_ATTENTION)
        assert row.last_error == "took longer than its limit of 0.5 s"
    assert running(mark) == []
    assert (await _latest(floor, job_id)).output.text == "begun\n"
    assert list((allowing.data_folder / "runs").iterdir()) == []


async def test_one_that_ends_on_sigterm_may_end_in_order(
    station: Station, allowing: Config, tmp_path: Path
) -> None:
    floor = await station(allowing)
    done = tmp_path / "done"
    script = f"trap 'sleep 0.2; echo in order > {done}; exit 0' TERM; echo begun; sleep 600 & wait"
    job_id = await _submit(floor, sh(script))

    async def begun() -> bool:
        runs = await floor.door.ask(ListRuns(job_id=job_id))
        return bool(runs) and (await _latest(floor, job_id)).output.text == "begun\n"

    await until(begun)
    assert (await floor.act("abort", job_id)).applied
    assert done.read_text() == "in order\n"


async def test_what_a_command_leaves_in_the_background_ends_with_it(
    station: Station, allowing: Config, mark: str
) -> None:
    floor = await station(allowing)
    script = f"setsid sh -c 'sleep 600; : {mark}' & sh -c 'sleep 600; : {mark}' & echo done"
    job_id = await _submit(floor, sh(script))
    await floor.comes_to(job_id, JobState.COMPLETED)
    assert running(mark) == []


async def test_a_killed_guard_takes_its_command_along(
    station: Station, allowing: Config, mark: str
) -> None:
    floor = await station(allowing)
    job_id = await _submit(floor, sh(f"exec sh -c 'sleep 600 & wait; : {mark}'"), retry_limit=0)
    (command,) = await until(lambda: running(mark))
    os.kill(parent_of(command), signal.SIGKILL)
    row = await floor.comes_to(job_id, JobState.NEEDS_ATTENTION)
    assert row.last_error == "sh can't be run: its guard was killed"
    await until(lambda: not running(mark))


async def test_a_station_that_is_closed_leaves_nothing_running(
    station: Station, allowing: Config, mark: str
) -> None:
    floor = await station(replace(allowing, lease_s=6.0))
    job_id = await _submit(floor, sh(STUBBORN.format(mark=mark)))
    await until(lambda: len(running(mark)) >= 4)
    await floor.engine.stop()
    assert running(mark) == []
    again = await station(replace(allowing, lease_s=6.0))
    await again.comes_to(job_id, JobState.RUNNING)
    assert (await again.row(job_id)).failures == 0
    assert (await again.act("abort", job_id)).applied


async def _handed_in(config: Config, payload: dict[str, Any]) -> int:
    client = await open_client(config)
    spec = JobSpec("command", handler="shell.command", payload=payload)
    (job_id,) = await client.door(ME).execute(SubmitJobs([spec]))
    await client.stop()
    return job_id


async def test_one_of_a_killed_station_ends_and_is_run_again_with_a_new_token(
    station: Station, tmp_path: Path, mark: str
) -> None:
    """Never two at once: each notes its begin and its end, where it may have one."""
    config = settings(tmp_path, allow(tmp_path))
    notes = tmp_path / "notes"
    note = f'echo "$CNC_IDEMPOTENCY_KEY $CNC_ATTEMPT" >> {notes}'
    script = f"{note}; [ $CNC_ATTEMPT = 2 ] && exit 0; {STUBBORN.format(mark=mark)}"
    with station_process(config) as process:
        await until((tmp_path / "station.db").exists)
        job_id = await _handed_in(config, sh(script))
        await until(lambda: len(running(mark)) >= 4, 30)
        process.kill()
        process.wait()
        await until(lambda: not running(mark), 2.0)
    await until(lambda: not list((tmp_path / "runs").iterdir()))
    floor = await station(config)
    row = await floor.comes_to(job_id, JobState.COMPLETED)
    assert (row.attempt, row.failures) == (2, 1)
    (first, one), (second, two) = (line.split() for line in notes.read_text().splitlines())
    assert (one, two) == ("1", "2")
    assert first != second
    tokens = [run.token for run in await floor.door.ask(ListRuns(job_id=job_id))]
    assert tokens == sorted(set(tokens), reverse=True)


async def test_one_of_a_station_that_stands_still_ends_before_its_lease(
    tmp_path: Path, mark: str
) -> None:
    config = settings(tmp_path, allow(tmp_path), lease_s=3.0)
    with station_process(config) as process:
        await until((tmp_path / "station.db").exists)
        await _handed_in(config, sh(STUBBORN.format(mark=mark)))
        await until(lambda: len(running(mark)) >= 4, 30)
        process.send_signal(signal.SIGSTOP)
        await until(lambda: not running(mark), 2.0)
