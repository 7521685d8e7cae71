"""Two real stations started under one name: at most one of them is ever the station."""

import json
import socket
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from tests.conftest import serving
from tests.faults.fleet.fleet import Fleet, until
from tests.faults.fleet.supervised import LEASE_S
from tests.tools.servers import Postgres


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _ready(port: int) -> tuple[int, Any]:
    """What it says of itself to whoever watches over it."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready", timeout=30) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as refused:
        return refused.code, json.load(refused)


def _name(port: int) -> Any:
    return _ready(port)[1]["checks"]["name"]


def _is_there(port: int) -> bool:
    try:
        return bool(_name(port)["ok"])
    except OSError:  # it does not listen yet
        return False


def test_a_second_station_of_a_name_is_refused_and_takes_over_once_the_first_is_silent(
    tmp_path: Path,
) -> None:
    port = _free_port()
    settings = {"S1": {"CNC_HEALTH_PORT": str(port)}}
    with (
        serving(Postgres) as postgres,
        Fleet(postgres, None, tmp_path, 2, settings=settings) as fleet,
    ):
        first, other = fleet.stations
        until(lambda: _is_there(port), 60, "the first has its name")
        fleet.works_again()
        log = first.log(tmp_path)
        assert fleet.twin(first).wait(60) != 0
        assert "named S1 is at work already" in log.read_text()
        assert _name(port)["ok"]

        with fleet.stopped(first):
            time.sleep(LEASE_S + 1.0)
            before = fleet.incarnation(first)
            second = fleet.twin(first)
            until(lambda: fleet.incarnation(first) != before, 60, "the second has the name")
            woken = time.monotonic_ns()
        until(lambda: not _name(port)["ok"], 60, "the first says that it has lost its name")
        assert _name(port)["detail"] == "Another station is called S1 now."
        assert _ready(port)[0] == 503
        assert "this station stops acting" in log.read_text()

        def drivers() -> set[int]:
            return {run.pid for run in fleet.driven() if run.span.start > woken}

        until(lambda: drivers() >= {second.pid, other.pid}, 60, "the second works beside the other")
        fleet.works_again(20)
        assert fleet.drained() == []
        assert first.process is not None
        assert first.process.poll() is None
        assert drivers() == {second.pid, other.pid}
