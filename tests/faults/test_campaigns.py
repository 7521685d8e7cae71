"""The campaigns of `./dev faults` in short: every one works, and what goes wrong is reported."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.faults.__main__ import main
from tests.faults.campaigns import CAMPAIGNS, Failed

SCALE = {"station": 0.1, "websocket": 0.06}
SHORT = 0.02
SHORTENED = [name for name in CAMPAIGNS if name != "requests"]  # see tests/web/test_api_contract.py
LIMIT_S = 280


def _run(*options: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "tests.faults", "--seed", "7", *options]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.xdist_group(name)) for name in SHORTENED]
)
def test_a_short_campaign_keeps_all_promises(name: str, tmp_path: Path) -> None:
    table = tmp_path / "found.json"
    scale = SCALE.get(name, SHORT)
    done = _run(
        "--only", name, "--scale", str(scale), "--limit", str(LIMIT_S), "--json", str(table)
    )
    if "not installed" in done.stdout and os.environ.get("CI") != "true":
        pytest.skip(done.stdout.splitlines()[-2])
    assert done.returncode == 0, f"{done.stderr}\n{done.stdout}"
    assert done.stdout.splitlines()[-1] == "all promises kept"
    found = json.loads(table.read_text())[name]
    assert found["violations"] == []
    if name == "station":
        assert found["kills"] == 20
        assert found["completed"] > 100
        assert found["recovered"] > 5
    elif name == "schedules":
        assert found["measured"]["due times fired"] > 20
    elif name == "webhooks":
        assert (found["kills"], found["deliveries"]) == (6, 100)
    elif name == "websocket":
        assert found["cuts"] == 120
        assert min(found["messages"].values()) > 50
        assert found["long_transactions"] > 2
    elif name == "handlers":
        assert found["measured"]["MB printed by one command"] > 100


def test_a_campaign_that_does_not_end_is_ended_and_says_its_seed() -> None:
    done = _run("--only", "station", "--limit", "0.2")
    assert done.returncode == 1
    assert done.stdout.splitlines()[-1] == "FAILED with seed 7: station, no end within 0.2 s"


@dataclass
class _Broken:
    violations: list[str] = field(default_factory=lambda: ["job 1 was acknowledged and is gone"])

    def lines(self) -> Iterator[str]:
        yield from self.violations


def _fails(_seed: int, _scale: float) -> Failed:
    os.kill(2**22 + 1, 0)
    raise AssertionError("there is such a process")


@pytest.mark.parametrize(
    ("campaign", "said"),
    [
        (_fails, "the campaign failed: ProcessLookupError: [Errno 3] No such process (test_camp"),
        (lambda _seed, _scale: _Broken(), "job 1 was acknowledged and is gone"),
    ],
)
def test_a_campaign_that_fails_is_reported_with_its_seed(
    campaign: Any,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setitem(CAMPAIGNS, "fleet", campaign)
    assert main(["--only", "fleet", "--seed", "7"]) == 1
    *_, before, last = capsys.readouterr().out.splitlines()
    assert before.startswith(said)
    assert last == "FAILED with seed 7: fleet, 1 violations"
