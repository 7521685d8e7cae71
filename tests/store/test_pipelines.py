"""What `prepared` takes for granted of psycopg: read a new version before it is allowed. And what
ends a pipeline whose station is gone."""

import inspect
import tomllib
from pathlib import Path

import psycopg
import pytest
from psycopg import Pipeline
from sqlalchemy import text

from cnc_station.engine.store.database import Database

PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"


def test_psycopg_is_one_of_the_versions_that_this_was_written_for() -> None:
    needed = tomllib.loads(PYPROJECT.read_text())["project"]["dependencies"]
    assert "psycopg[binary]>=3.3,<3.4" in needed
    assert psycopg.__version__.startswith("3.3.")


def test_a_pipeline_ends_by_fetching_with_a_flush_that_can_be_left_out() -> None:
    ending = inspect.getsource(Pipeline._exit_gen)
    assert ending.rstrip().endswith("yield from self._fetch_gen(flush=True)")
    fetching = inspect.getsource(Pipeline._fetch_gen)
    assert list(inspect.signature(Pipeline._fetch_gen).parameters) == ["self", "flush"]
    asking = (
        "        if flush:\n"
        "            self.pgconn.send_flush_request()\n"
        "            yield from send(self.pgconn)\n"
    )
    assert asking in fetching
    assert fetching.count("flush_request") == 1


@pytest.mark.parametrize("setting", ["tcp_keepalives_idle", "tcp_user_timeout"])
def test_the_server_gives_up_a_session_that_is_cut_off_in_a_pipeline(
    postgres_url: str, setting: str
) -> None:
    """While it waits for the rest of one, no limit of a statement or transaction counts. The fault
    campaign pulls the cable then, once in a while."""
    database = Database(postgres_url)
    query = text("SELECT setting::int FROM pg_settings WHERE name = :name")
    found = database.read(lambda c: c.execute(query, {"name": setting}).scalar())
    database.close()
    assert 0 < found <= 10_000
