"""Somebody in the office beside one station: hands in jobs of all kinds and changes their mind."""

import asyncio
import contextlib
import random
import threading
import time

from cnc_station.config import Config
from cnc_station.engine.commands import ActOnJobs, AddMachine, SubmitJobs
from cnc_station.engine.domain.actions import JobAction
from cnc_station.engine.domain.errors import CncStationError
from cnc_station.engine.domain.job import JobSpec
from cnc_station.engine.domain.machine import Capability, MachineSpec
from cnc_station.engine.domain.principal import local_principal
from cnc_station.engine.engine import StationEngine, open_client

ME = local_principal("office")
EVERY_S = 0.03
TYPES = ("mill", "lathe")


class Office:
    """`acknowledged` are the jobs it was told are in; those it cancelled may end as they like."""

    def __init__(self, config: Config, seed: int) -> None:
        self._config = config
        self._chance = random.Random(seed + 1)
        self.open = threading.Event()  # closed, it hands in nothing
        self._ended = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), name="office")
        self.acknowledged: list[int] = []
        self._cancelled: set[int] = set()
        self._waited_for: set[int] = set()

    @property
    def must_be_done(self) -> list[int]:
        """What has to be completed in the end."""
        return [job_id for job_id in self.acknowledged if job_id not in self._cancelled]

    def prepare(self, machines: int) -> None:
        """The schema and the machines."""

        async def add() -> None:
            client = await open_client(self._config)
            for number in range(machines):
                kind = TYPES[number % len(TYPES)]
                spec = MachineSpec(f"{kind} {number}", kind, capability=Capability(kind))
                await client.door(ME).execute(AddMachine(spec))
            await client.stop()

        asyncio.run(add())

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Hand in nothing more; what was delayed or paused is left to run."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()

    async def _run(self) -> None:
        client = await open_client(self._config)
        try:
            while not self._ended.is_set():
                with contextlib.suppress(CncStationError):  # busy just then: others come
                    if self.open.is_set():
                        await self._do_something(client)
                await asyncio.sleep(EVERY_S)
        finally:
            await client.stop()

    async def _do_something(self, client: StationEngine) -> None:
        specs = [self._spec() for _ in range(4)]
        self.acknowledged += await client.door(ME).execute(SubmitJobs(specs))
        self._waited_for |= {job_id for spec in specs for job_id in spec.after}
        if self._chance.random() < 0.3:
            job_id = self._chance.choice(self.acknowledged[-30:])
            await self._change_its_mind(client, job_id)

    async def _change_its_mind(self, client: StationEngine, job_id: int) -> None:
        what = self._chance.choice([JobAction.CANCEL, JobAction.RUN_NOW, JobAction.DELAY])
        if what is JobAction.DELAY:
            await client.door(ME).execute(ActOnJobs(what, [job_id], until=_soon(0.3)))
        elif what is JobAction.RUN_NOW:
            await client.door(ME).execute(ActOnJobs(what, [job_id]))
        elif job_id not in self._waited_for:
            self._cancelled.add(job_id)
            await client.door(ME).execute(ActOnJobs(what, [job_id]))

    def _spec(self) -> JobSpec:
        chance = self._chance
        standing = [one for one in self.acknowledged[-10:] if one not in self._cancelled]
        after = tuple(standing[-1:]) if chance.random() < 0.2 else ()
        return JobSpec(
            "part",
            chance.choice(TYPES),
            complexity=chance.randint(1, 5),
            priority=chance.choice([0, 10, 50, 90]),
            estimated_s=chance.uniform(0.0, 5.0),
            after=after,
            not_before=_soon(chance.uniform(0, 0.5)) if chance.random() < 0.2 else None,
        )


def _soon(seconds: float) -> int:
    return time.time_ns() // 1_000_000 + round(seconds * 1000)
