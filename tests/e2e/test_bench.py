"""Every benchmark works and gives its figures; what it measures is nobody's test."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import text

from cnc_station.engine.store.database import Database
from cnc_station.engine.store.migrate import bring_up_to_date
from tests.benchmarks.apart import BenchmarkFailed, figures_of, missing
from tests.benchmarks.claims import filled
from tests.benchmarks.figures import compared, read_json
from tests.benchmarks.fleet_bare_chain import chain_ms
from tests.benchmarks.fleet_rounds import bare_round_ms, round_ms
from tests.benchmarks.registry import BENCHMARKS
from tests.benchmarks.shop import url as file_url

SHARE = "0.01"
LIMIT_S = 240
NEEDS_LINUXCNC = {"polling"}


def _by_name() -> list[object]:
    group = pytest.mark.xdist_group("linuxcnc")
    return [
        pytest.param(name, marks=[group] if name in NEEDS_LINUXCNC else []) for name in BENCHMARKS
    ]


@pytest.mark.parametrize("name", _by_name())
def test_a_benchmark_gives_all_its_figures_beside_their_baselines(name: str) -> None:
    if lacks := BENCHMARKS[name].lacks:
        pytest.skip(lacks)
    command = [sys.executable, "-m", "tests.benchmarks", "--here", "--only", name]
    command += ["--repeats", "1", "--share", SHARE]
    try:
        figures = figures_of(command, LIMIT_S)
    except BenchmarkFailed as failed:
        _skip_without_servers(str(failed))
        raise
    assert missing(figures, BENCHMARKS[name].figures) == []
    assert all(figure.ratio == figure.value / figure.baseline for figure in figures)


def _skip_without_servers(why: str) -> None:
    """As `serving` does."""
    if (
        "PermissionError" in why
        or "older than this source" in why
        or ("not installed" in why and os.environ.get("CI") != "true")
    ):
        pytest.skip(why)


def test_the_command_says_on_its_last_line_which_benchmark_failed(tmp_path: Path) -> None:
    table = tmp_path / "figures.json"
    command = [sys.executable, "-m", "tests.benchmarks", "--only", "claims", "--repeats", "1"]
    command += ["--share", SHARE, "--json", str(table)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1].startswith("figures: 4, aims missed: ")
    assert len(read_json(table)) == 4
    done = subprocess.run([*command, "--limit", "0.1"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stdout.splitlines()[-1] == "FAILED: claims: no end within 0.1 s"


def test_a_benchmark_that_hangs_is_ended_with_its_children_and_named(tmp_path: Path) -> None:
    lives = tmp_path / "pipe"
    os.mkfifo(lives)
    forever = f"exec 3> '{lives}'; sleep 1000 & wait"
    reader = os.open(lives, os.O_RDONLY | os.O_NONBLOCK)
    with pytest.raises(BenchmarkFailed, match=r"no end within 0\.5 s"):
        figures_of(["sh", "-c", forever], 0.5)
    os.set_blocking(reader, True)
    assert os.read(reader, 1) == b""  # the end of the last writer
    os.close(reader)


def test_a_benchmark_that_fails_is_named_with_its_reason() -> None:
    with pytest.raises(BenchmarkFailed, match="ZeroDivisionError: division by zero"):
        figures_of([sys.executable, "-c", "1 / 0"], LIMIT_S)


def test_a_benchmark_that_ends_without_figures_is_a_failure() -> None:
    with pytest.raises(BenchmarkFailed, match="ended with 0 and no figures"):
        figures_of([sys.executable, "-c", ""], LIMIT_S)


def test_a_figure_that_is_missing_or_not_a_number_is_a_failure() -> None:
    good = compared("good", 2.0, "ms", 1.0, "bare")
    bad = compared("bad", float("nan"), "ms", 1.0, "bare")
    nothing = compared("nothing", 0.0, "ms", 1.0, "bare")
    assert missing([good], 1) == []
    assert missing([good], 2) == ["1 of 2 figures"]
    assert missing([good, bad, nothing], 3) == ["bad: not a number", "nothing: not a number"]


def test_a_bare_round_stores_the_rows_of_a_round(tmp_path: Path, postgres_url: str) -> None:
    """Written by hand, it would fall behind the schema and the claim without anybody knowing."""
    stored = text("SELECT type, job_state, machine_state, count(*) FROM event GROUP BY 1, 2, 3")
    for where in (file_url(tmp_path), postgres_url):
        with filled(where, 100, 5, one_type=True) as shop:
            round_ms(shop, 5)
            bare_round_ms(shop, 5)
            with shop.connection.begin():
                found = shop.connection.execute(stored).all()
                assert found == [("assigned", "assigned", "assigned", 10)]
                runs = "SELECT count(DISTINCT job_id) FROM run WHERE state = 'succeeded'"
                assert shop.connection.execute(text(runs)).scalar_one() == 10


def test_a_bare_chain_gives_each_job_its_run_in_another_process(
    postgres_url: str, redis_url: str
) -> None:
    database = Database(postgres_url)
    bring_up_to_date(database)
    assert len(chain_ms(postgres_url, redis_url, 3)) == 3
    events = text("SELECT type FROM event WHERE job_id = 3 ORDER BY id LIMIT 3")
    told = database.read(lambda connection: connection.execute(events).scalars().all())
    assert told == ["created", "assigned", "started"]
    database.close()
