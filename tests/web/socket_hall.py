"""A station whose WebSocket is tested."""

import time

import aiohttp
from aiohttp import web

from cnc_station.engine.commands import ActOnJobs, SubmitJobs
from cnc_station.engine.domain.actions import JobAction
from cnc_station.engine.domain.job import JobSpec
from cnc_station.engine.domain.states import JobState
from cnc_station.engine.engine import StationEngine
from cnc_station.web.socket.access import Access, Identify, TokenRefused
from cnc_station.web.socket.service import WebSockets

LOCALHOST = "127.0.0.1"


class Hall:
    """A station and its clients."""

    def __init__(self, engine: StationEngine, session: aiohttp.ClientSession) -> None:
        self.door, self.engine, self.session = engine.local_door, engine, session

    async def job(self, tenant: str = "acme", name: str = "Bracket") -> int:
        (job_id,) = await self.door.execute(SubmitJobs((JobSpec(name, "mill", tenant=tenant),)))
        return job_id

    async def act(self, action: JobAction, job: int, state: JobState | None = None) -> None:
        act = ActOnJobs(action, (job,), "as tested", state=state)
        (answer,) = await self.door.execute(act)
        assert answer.applied


async def served(
    engine: StationEngine, identify: Identify | None = None
) -> tuple[web.AppRunner, str]:
    app = web.Application()
    WebSockets(engine.local_door, *([identify] if identify else [])).add_to(app)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, LOCALHOST, 0)
    await site.start()
    return runner, f"http://{LOCALHOST}:{runner.addresses[0][1]}"


async def of_token(token: str | None, _request: web.Request) -> Access | None:
    """As accounts would say."""
    if token is None:
        return None
    if token == "short":
        return Access(frozenset({"acme"}), time.time() + 0.2)
    if token != "acme":
        raise TokenRefused("This token is not valid.")
    return Access(frozenset({"acme"}))
