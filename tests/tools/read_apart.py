"""Read a table as a station does, and print what came of it and what it took, as JSON.

Run it as a process of its own: the peak of a child begins with that of the process that starts it.
"""

import asyncio
import json
import sys
import time
from pathlib import Path

from cnc_station.engine.domain.tables.table import Table
from cnc_station.engine.services.table_file import Unreadable
from cnc_station.engine.services.table_reader import ReadTable, TableReader


async def main(content: bytes) -> dict[str, object]:
    import resource  # noqa: PLC0415 - POSIX only

    tables = TableReader()

    def work(read: ReadTable) -> Table | str:
        try:
            return read(content, frozenset())
        except Unreadable as error:
            return str(error)

    begun = time.monotonic()
    found = await tables.run("a table", work)
    took = time.monotonic() - begun
    tables.close()
    return {
        "refused": found if isinstance(found, str) else None,
        "rows": [] if isinstance(found, str) else [row.cells for row in found.rows[:2]],
        "seconds": took,
        "child_mb": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024,
    }


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(Path(sys.argv[1]).read_bytes()))))
