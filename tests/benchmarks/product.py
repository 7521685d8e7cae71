"""What the benchmarks use of the product: the door and the driver.

When a name of the product changes, this file and its neighbours `product_signals` and
`product_store` change, and what is measured stays the same.
"""

import asyncio
import gc
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace

from cnc_station.config import Config
from cnc_station.engine.bulk import Bulk
from cnc_station.engine.commands import (
    ActOnMatchingJobs,
    AddMachine,
    CreateWebhook,
    SubmitJobs,
)
from cnc_station.engine.domain.actions import JobAction
from cnc_station.engine.domain.job import JobSpec
from cnc_station.engine.domain.machine import Capability, MachineSpec
from cnc_station.engine.domain.principal import local_principal
from cnc_station.engine.domain.states import JobState
from cnc_station.engine.domain.webhooks import WebhookEvent, WebhookSpec
from cnc_station.engine.door import Door
from cnc_station.engine.drivers import registry, simulator
from cnc_station.engine.drivers.base import Order
from cnc_station.engine.drivers.simulator import Simulator
from cnc_station.engine.engine import StationEngine, open_client
from cnc_station.engine.queries import CountJobs, JobsById, ListDeliveries, ListJobs
from cnc_station.engine.views import Identity, JobFilter, Sort
from cnc_station.engine.views.webhooks import DeliveryFilter, DeliveryState
from cnc_station.engine_thread import EngineThread
from cnc_station.web.socket.service import WebSockets

ME = local_principal("benchmark")


def delays(count: int) -> Sequence[JobSpec]:
    """Jobs without a machine that do nothing."""
    return [JobSpec("no-op", handler="test.delay", payload={"durationMs": 0})] * count


def no_op(name: str = "no-op", seconds: float = 0.0) -> JobSpec:
    """A job for a mill that takes so long."""
    return JobSpec(name, "mill", estimated_s=seconds)


# The door


@asynccontextmanager
async def started(config: Config) -> AsyncIterator[StationEngine]:
    """A station's engine at work on this loop."""
    engine = StationEngine(config)
    await engine.start()
    gc.freeze()  # as a station's process does
    try:
        yield engine
    finally:
        gc.unfreeze()
        await engine.stop()


@asynccontextmanager
async def running(config: Config) -> AsyncIterator[Door]:
    """The door of a station at work on this loop."""
    async with started(config) as engine:
        yield engine.door(ME)


async def add_mills(config: Config, count: int) -> None:
    """Mills of this station that take any job, added before it is at work."""
    client = await open_client(config)
    for number in range(count):
        name = f"{config.station}-{number:04}"
        await client.door(ME).execute(
            AddMachine(MachineSpec(name, "mill", capability=Capability("mill")))
        )
    await client.stop()


@asynccontextmanager
async def beside_window(config: Config) -> AsyncIterator[Door]:
    """A station at work in its own thread, as the window has it."""
    station = EngineThread(config)
    await station.start()
    try:
        yield station.door(ME)
    finally:
        await station.stop()


async def submit(door: Door, specs: Sequence[JobSpec]) -> Sequence[int]:
    return await door.execute(SubmitJobs(specs))


async def is_completed(door: Door, job_id: int) -> bool:
    (row,) = await door.ask(JobsById([job_id]))
    return row.state is JobState.COMPLETED


async def completed(door: Door) -> int:
    """How many jobs are."""
    counts = await door.ask(CountJobs(JobFilter()))
    return counts.by_state.get(JobState.COMPLETED, 0)


async def paused_rate(config: Config, machine_type: str, count: int) -> float:
    """Jobs of a machine type paused per second, without services."""
    client = await open_client(config)
    begun = time.perf_counter()
    await _all(client.door(ME), JobAction.PAUSE, machine_type, count)
    rate = count / (time.perf_counter() - begun)
    await client.stop()
    return rate


async def change_all(door: Door, machine_type: str, count: int) -> None:
    """Pause all jobs of a machine type, resume them, and so on until it is cancelled."""
    while True:
        for action in (JobAction.PAUSE, JobAction.RESUME):
            await _all(door, action, machine_type, count)


async def _all(door: Door, action: JobAction, machine_type: str, count: int) -> None:
    chosen = JobFilter(machine_types=frozenset({machine_type}))
    summary = await Bulk.matching(ActOnMatchingJobs(action, chosen, count)).run(door)
    if summary.done != count:
        raise AssertionError(f"{summary.done} of {count}: {summary.error}")


async def listen(door: Door, url: str) -> None:
    """Tell a receiver of every completed job."""
    await door.execute(CreateWebhook(WebhookSpec(url, (WebhookEvent.COMPLETED,))))


async def delivered(door: Door, count: int, *, told: bool) -> None:
    """Until so many jobs are completed, and with `told` a receiver has accepted word of each."""
    chosen = DeliveryFilter(states=frozenset({DeliveryState.DELIVERED}))
    while True:
        page = await door.ask(ListDeliveries(chosen, limit=1))
        if await completed(door) >= count and (page.total >= count or not told):
            return
        await asyncio.sleep(0.05)


async def first_rows(door: Door, chosen: JobFilter, order: tuple[Sort, ...]) -> None:
    """The query of a list's first page."""
    await door.ask(ListJobs(chosen, order, 0, 100))


def rows_changed(door: Door, count: Callable[[int], None]) -> Callable[[], None]:
    """Call `count` with how many rows each notice names; returns what ends that."""
    return door.subscribe(lambda notice: count(len(notice.jobs) + len(notice.machines)))


# The driver


@contextmanager
def starts(told: Callable[[int], None]) -> Iterator[None]:
    """Call `told` with a job's id when its machine is told to begin; its run is written as running
    by then. For the engines that are started meanwhile."""

    class Told(Simulator):
        job_id = 0

        async def load(self, order: Order, part: int) -> tuple[str, ...]:
            self.job_id = order.job_id
            return await super().load(order, part)

        async def start(self) -> None:
            told(self.job_id)
            await super().start()

    before = registry.OWN["simulator"]
    registry.OWN["simulator"] = replace(simulator.KIND, make=Told.make)
    try:
        yield
    finally:
        registry.OWN["simulator"] = before


@contextmanager
def drivers_loop() -> Iterator[list[asyncio.AbstractEventLoop]]:
    """A list that has the loop of the drivers once a machine of an engine is connected, which is
    started meanwhile."""
    found: list[asyncio.AbstractEventLoop] = []

    class Found(Simulator):
        async def connect(self) -> Identity:
            found.append(asyncio.get_running_loop())
            return await super().connect()

    before = registry.OWN["simulator"]
    registry.OWN["simulator"] = replace(simulator.KIND, make=Found.make)
    try:
        yield found
    finally:
        registry.OWN["simulator"] = before


# The WebSocket


def websockets(door: Door) -> WebSockets:
    """What a station's server has at `/ws`."""
    return WebSockets(door)
