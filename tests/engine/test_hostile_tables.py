"""Tables that hurt end in a sentence, in seconds, with little memory."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cnc_station.bundled import self_environment
from tests.tools.hostile_tables import BOMBS, HARMLESS

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the peak is in other units")
MOST_MB = 300
MOST_S = 45.0  # of a busy computer; alone each takes up to 6


def read(tmp_path: Path, content: bytes) -> dict[str, Any]:
    file = tmp_path / "table"
    file.write_bytes(content)
    done = subprocess.run(
        [sys.executable, "-m", "tests.tools.read_apart", str(file)],
        capture_output=True,
        text=True,
        timeout=150,
        check=True,
        env=self_environment(),
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("kind", BOMBS)
def test_a_hostile_table_ends_in_a_sentence(tmp_path: Path, kind: str) -> None:
    found = read(tmp_path, BOMBS[kind]())
    assert found["refused"] or found["rows"] == []
    assert found["seconds"] < MOST_S
    assert found["child_mb"] < MOST_MB


@pytest.mark.parametrize("kind", HARMLESS)
def test_a_harmless_table_is_read(tmp_path: Path, kind: str) -> None:
    assert read(tmp_path, HARMLESS[kind]())["rows"] == [["a", "mill"]]
