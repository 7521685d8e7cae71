"""`./dev bench` works; what it measures is nobody's test."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.benchmarks.figures import Effort
from tests.benchmarks.polling import polling
from tests.conftest import serving
from tests.linuxcnc import LinuxCnc


def test_a_benchmark_says_its_figures_beside_their_baselines(tmp_path: Path) -> None:
    table = tmp_path / "figures.json"
    command = [sys.executable, "-m", "tests.benchmarks", "--only", "claims", "--repeats", "1"]
    command += ["--share", "0.1", "--json", str(table)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    figures = json.loads(table.read_text(encoding="utf-8"))
    assert len(done.stdout.splitlines()) == len(figures) == 4
    last = list(figures.values())[-1]
    assert {"value", "unit", "baseline", "ratio", "aim", "met"} <= last.keys()
    assert last["ratio"] == last["value"] / last["baseline"]


@pytest.mark.xdist_group("linuxcnc")
def test_the_controllers_of_a_benchmark_answer_as_a_real_one_does_to_its_driver() -> None:
    """The driver has learnt more questions once, and only the benchmark did not know."""
    with serving(LinuxCnc):
        figures = polling(Effort(1, 0.1))
    assert [figure.unit for figure in figures] == ["% core", "ms"]
