"""`/health/live` and `/health/ready` in JSON, for a supervisor."""

import asyncio
from collections.abc import Mapping
from dataclasses import asdict

from aiohttp import web

from cnc_station.engine.domain.errors import Unavailable
from cnc_station.engine.door import Door
from cnc_station.engine.queries import AboutStation, ListLinks, ListMachines, ListStations
from cnc_station.web.readiness import Readiness, Status, database_away, readiness

API_PATH = "/api/v1/health"  # where programs of the API look for it
PATIENCE_S = 1.0


class Health:
    """Answers from the station's own loop: a loop that hangs does not answer, and so is not alive.

    It shows names and counts to everyone, so by default it is served to this computer only.
    """

    def __init__(self, door: Door) -> None:
        self._door = door

    def add_to(self, app: web.Application) -> None:
        app.router.add_get("/health/live", self._live)
        for path in ("/health/ready", "/health", API_PATH):
            app.router.add_get(path, self._ready)

    async def _live(self, _request: web.Request) -> web.Response:
        about = self._door.peek(AboutStation())
        return _answer({"status": "alive", "station": about.station, "version": about.version})

    async def _ready(self, _request: web.Request) -> web.Response:
        found = await self._look()
        about = self._door.peek(AboutStation())
        content = {
            "status": found.status,
            "station": about.station,
            "version": about.version,
            "checks": {name: asdict(check) for name, check in found.checks.items()},
        }
        return _answer(content, 503 if found.status is Status.NOT_READY else 200)

    async def _look(self) -> Readiness:
        door = self._door
        known = readiness(door.peek(ListLinks()), (), (), "")
        if not known.checks["database"].ok:  # a question more would wait behind the others
            return known
        try:
            async with asyncio.timeout(PATIENCE_S):
                stations, machines = await asyncio.gather(
                    door.ask(ListStations()), door.ask(ListMachines())
                )
        except TimeoutError:
            return database_away(door.peek(ListLinks()), "does not answer")
        except Unavailable as error:
            return database_away(door.peek(ListLinks()), str(error))
        return readiness(
            door.peek(ListLinks()), stations, machines, door.peek(AboutStation()).station
        )


def _answer(content: Mapping[str, object], status: int = 200) -> web.Response:
    return web.json_response(content, status=status, headers={"Cache-Control": "no-store"})
