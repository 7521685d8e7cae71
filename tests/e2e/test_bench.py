"""`./dev bench` works; what it measures is nobody's test."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import text

from cnc_station.engine.store.database import Database
from cnc_station.engine.store.migrate import bring_up_to_date
from tests.benchmarks.figures import Effort
from tests.benchmarks.fleet_bare_chain import chain_ms
from tests.benchmarks.fleet_claims import _shop
from tests.benchmarks.polling import polling
from tests.benchmarks.shop import url as file_url
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


def test_a_bare_round_stores_the_rows_of_a_round(tmp_path: Path, postgres_url: str) -> None:
    """Written by hand, it would fall behind the schema and the claim without anybody knowing."""
    stored = text("SELECT type, job_state, machine_state, count(*) FROM event GROUP BY 1, 2, 3")
    for where in (file_url(tmp_path), postgres_url):
        with _shop(where, 100, 5, one_type=True) as shop:
            shop.round_ms(5)
            shop.bare_round_ms(5)
            with shop.pen.begin():
                assert shop.pen.execute(stored).all() == [("assigned", "assigned", "assigned", 10)]
                runs = "SELECT count(DISTINCT job_id) FROM run WHERE state = 'succeeded'"
                assert shop.pen.execute(text(runs)).scalar_one() == 10


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
