"""What a station does without it does not load."""

import subprocess
import sys
from pathlib import Path

ALONE = """
import asyncio, sys
from pathlib import Path
from cnc_station.config import Config
from cnc_station.engine.commands import SubmitJobs
from cnc_station.engine.domain.job import JobSpec
from cnc_station.engine.engine import StationEngine

async def main():
    folder = Path(sys.argv[1])
    engine = StationEngine(Config(data_folder=folder, database_url=f"sqlite:///{folder}/a.db"))
    await engine.start()
    await engine.local_door.execute(SubmitJobs([JobSpec("bracket", "mill")]))
    await engine.stop()

asyncio.run(main())
sys.exit(bool({"pydantic", "redis"} & set(sys.modules)))
"""


def test_a_station_without_a_fleet_loads_neither_redis_nor_the_codec(tmp_path: Path) -> None:
    """They take longer to load than its window takes to appear."""
    done = subprocess.run(
        [sys.executable, "-c", ALONE, str(tmp_path)], capture_output=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr.decode()) == (0, "")
