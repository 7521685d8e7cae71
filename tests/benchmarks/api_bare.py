"""A bare aiohttp handler that reads twenty rows of a station's database: the least cost of an API.

`python -m tests.benchmarks.api_bare FILE` prints its port, and ends with its standard input.
"""

import asyncio
import json
import sqlite3
import sys

from aiohttp import web

READ = "SELECT * FROM job ORDER BY id LIMIT 20"


async def main() -> None:
    """Serve until the standard input ends."""
    database = sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True)
    database.row_factory = sqlite3.Row

    async def answer(_request: web.Request) -> web.Response:
        rows = [dict(row) for row in database.execute(READ)]
        return web.Response(text=json.dumps({"jobs": rows}), content_type="application/json")

    app = web.Application()
    app.router.add_get("/jobs", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(main())
