"""A bulk action to be killed: `python -m tests.engine.bulk_to_kill URL FOLDER COUNT LIMIT`."""

import asyncio
import sys
from pathlib import Path

from cnc_station.config import Config
from cnc_station.engine.bulk import Bulk
from cnc_station.engine.commands import ActOnMatchingJobs
from cnc_station.engine.domain.actions import JobAction
from cnc_station.engine.domain.states import JobState
from cnc_station.engine.engine import open_client
from cnc_station.engine.views import JobFilter


async def _run(url: str, folder: Path, count: int, limit: int) -> None:
    engine = await open_client(Config(data_folder=folder, database_url=url, station="A"))
    queued = JobFilter(states=frozenset({JobState.QUEUED}))
    command = ActOnMatchingJobs(JobAction.CANCEL, queued, count, limit=limit)
    await Bulk.matching(command).run(engine.local_door)


def main() -> None:
    url, folder, count, limit = sys.argv[1:]
    asyncio.run(_run(url, Path(folder), int(count), int(limit)))


if __name__ == "__main__":
    main()
