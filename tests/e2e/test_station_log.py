"""The log of a station's own process, from its start to its end."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cnc_station.cli.run import run
from tests.until import PATIENCE_S

SERVE = [sys.executable, "-m", "cnc_station", "serve"]
LOGS = [sys.executable, "-m", "cnc_station", "logs", "--follow", "--job", "1"]
SUBMIT = ["submit", "--name", "bracket", "--handler", "test.echo", "--tenant", "acme"]


def wait_for(words: str, folder: Path, pattern: str) -> None:
    end = time.monotonic() + PATIENCE_S
    while not any(words in path.read_text("utf-8") for path in folder.glob(pattern)):
        assert time.monotonic() < end, f"no {words!r} in {pattern}"
        time.sleep(0.05)


@pytest.mark.skipif(os.name != "posix", reason="stopped by a signal")
def test_a_jobs_way_is_followed_in_the_log_of_a_station(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    environ = {"CNC_DATA_FOLDER": str(tmp_path), "CNC_STATION": "Hall 1", "CNC_HEALTH_PORT": "0"}
    both = {**os.environ, **environ, "CNC_LOG_FORM": "json"}
    station = subprocess.Popen(SERVE, env=both, stderr=subprocess.PIPE, text=True)
    followed = tmp_path / "followed"
    try:
        with followed.open("w") as file:
            following = subprocess.Popen(LOGS, env=both, stdout=file)
        wait_for("is at work", tmp_path, "logs/*.jsonl")
        assert run(SUBMIT, environ) == 0
        wait_for("job 1 completed", tmp_path, "followed")
        following.send_signal(signal.SIGINT)
        assert following.wait(PATIENCE_S) == 130
        station.send_signal(signal.SIGTERM)
        _, told = station.communicate(timeout=PATIENCE_S)
    finally:
        for process in (station, following):
            process.kill()
            process.wait()
    assert station.returncode == 0
    ways = [line.split("job 1 ")[1] for line in followed.read_text().splitlines()]
    assert [way.split()[0].strip(":") for way in ways] == ["submitted", "started", "completed"]
    aloud = [json.loads(line) for line in told.splitlines()]
    capsys.readouterr()
    assert run(["logs", "--json"], environ) == 0
    kept = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    by_time = sorted(aloud, key=lambda line: line["timestamp"])
    assert by_time == kept
    assert "starts" in kept[0]["message"]
    assert kept[-1]["message"] == "station Hall 1 has stopped"
    events = [line for line in kept if "transition" in line]
    assert [line["event"] for line in events] == ["submit", "start", "finish"]
    assert {(line["tenant"], line["station"]) for line in events} == {("acme", "Hall 1")}
    assert len({line["trace_id"] for line in events}) == 1
