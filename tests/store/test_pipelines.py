"""What `pipelines` takes for granted of psycopg. Read a new version before it is allowed."""

import inspect
import tomllib
from pathlib import Path

import psycopg
from psycopg import Pipeline

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
