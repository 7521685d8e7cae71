"""`./dev bench` works; what it measures is nobody's test."""

import json
import subprocess
import sys
from pathlib import Path


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
