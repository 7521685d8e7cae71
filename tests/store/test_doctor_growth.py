"""What `doctor` says of the size in five years, beside the size that it then has."""

import re
from argparse import Namespace
from dataclasses import replace
from pathlib import Path

import pytest

from cnc_station.cli.doctor_growth import growth
from cnc_station.cli.invocation import Call, Diagnosis
from cnc_station.config import load
from cnc_station.engine.domain.policies import Retention
from cnc_station.engine.store import schema
from cnc_station.engine.store.database import Database
from cnc_station.engine.store.migrate import bring_up_to_date
from cnc_station.engine.timing import now_ms
from tests.store.rows import DAY, Rows, job_row
from tests.tools.servers import Postgres

A_DAY = 5
FIVE_YEARS = 5 * 365
FOR_EVER = Retention(*[0] * 7)


def _filled(url: str, days: int, *, first: int) -> None:
    """So many days of work until now."""
    database = Database(url)
    bring_up_to_date(database)
    database.close()
    rows = Rows(url)
    jobs, runs, events = [], [], []
    for number in range(days * A_DAY):
        job_id = first + number
        at = now_ms() - DAY * number // A_DAY - 1_000
        done = {"state": "completed", "finished_at": at, "state_since": at, "created_at": at}
        jobs.append(job_row(id=job_id, payload="x" * 900, **done))
        runs.append(
            {
                "id": job_id,
                "job_id": job_id,
                "station": "A",
                "attempt": 1,
                "token": 1,
                "state": "succeeded",
                "lease_until": 0,
                "assigned_at": at,
                "error": "",
                "ended_at": at,
            }
        )
        fact = {"at": at, "job_id": job_id, "actor": "anna", "station": "A", "reason": ""}
        events += [fact | {"type": "started", "trace_id": "0" * 32}] * 5
    for table, values in ((schema.job, jobs), (schema.run, runs), (schema.event, events)):
        rows.insert(table, values)
    rows.close()


def _told(url: str, retention: Retention = FOR_EVER) -> Diagnosis:
    config = replace(load({}, None, {"database_url": url}), retention=retention)
    (found,) = growth(Call(Namespace(config=None), config, {}))
    return found


def _in_five_years(found: Diagnosis) -> float:
    (size, unit), *_ = re.findall(r"about ([\d.,]+) (MB|GB) in five years", found.text)
    return float(size.replace(",", "")) * {"MB": 1e6, "GB": 1e9}[unit]


def test_the_forecast_is_near_the_size_that_five_years_have(tmp_path: Path) -> None:
    path = tmp_path / "shop.db"
    _filled(f"sqlite:///{path}", 25, first=1)
    found = _told(f"sqlite:///{path}")
    assert found.text.startswith("5.0 jobs a day")
    _filled(f"sqlite:///{path}", FIVE_YEARS, first=1_000)
    real = path.stat().st_size
    assert 0.7 < _in_five_years(found) / real < 1.4
    less = _in_five_years(_told(f"sqlite:///{path}", replace(FOR_EVER, jobs_days=100)))
    assert less == pytest.approx(real, rel=0.01)  # a file does not shrink


def test_what_is_deleted_in_time_does_not_count(tmp_path: Path) -> None:
    path = tmp_path / "shop.db"
    _filled(f"sqlite:///{path}", 25, first=1)
    whole = _in_five_years(_told(f"sqlite:///{path}"))
    kept = _in_five_years(_told(f"sqlite:///{path}", replace(FOR_EVER, jobs_days=90)))
    assert 0.05 < kept / whole < 0.3


def test_a_server_is_measured_as_well(postgres: Postgres) -> None:
    with postgres.new_database() as url:
        _filled(url, 25, first=1)
        assert _in_five_years(_told(url)) > 5e6
