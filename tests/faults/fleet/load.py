"""Somebody in the office who keeps handing in jobs, and remembers which were acknowledged."""

import asyncio
import os
import random
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from enum import Enum, auto
from pathlib import Path
from typing import Any

from cnc_station.config import Config
from cnc_station.engine.commands import AddMachine, SubmitJobs
from cnc_station.engine.domain.errors import Unavailable
from cnc_station.engine.domain.job import JobSpec
from cnc_station.engine.domain.machine import Capability, MachineSpec
from cnc_station.engine.domain.principal import local_principal
from cnc_station.engine.engine import StationEngine, open_client

ME = local_principal("office")
EVERY_S = 0.25
TRIES = 10
COMMANDS = 0.2  # how many of the submissions have a command
TROUBLESOME = 0.6  # the same, where they make trouble
TYPES = ("mill", "lathe")
ALLOWED, COMMAND_NOTES = "commands.toml", "command notes"  # in the folder of the fleet
TROUBLES = ((), ("hangs",), ("is killed",), ("kills its guard",), ("forks",))
HANGS_S = 3.0  # until a command that hangs is ended
COMMAND = Path(__file__).with_name("command.py")


class LoadKind(Enum):
    """Which jobs are handed in: for machines and handlers, or for handlers only, with commands that
    make trouble."""

    MIXED = auto()
    TROUBLE = auto()


class Load:
    """`acknowledged` are the jobs that must be done in the end. A submission that was refused with
    Unavailable may have been stored or not; it is not among them."""

    def __init__(self, url: str, folder: Path, kind: LoadKind) -> None:
        self._kind = kind
        self._folder = folder
        self._config = Config(folder, url, station="office", synchronous="NORMAL")
        self.acknowledged: list[int] = []
        self._chance = random.Random(1)
        self._going = threading.Event()
        self._ended = threading.Event()
        self._resting = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), name="load")

    def prepare(self, stations: Sequence[str], machines: int) -> None:
        """The schema, and the machines of each station."""

        async def add() -> None:
            for name in stations:
                client = await _opened(replace(self._config, station=name))
                for number in range(machines):
                    kind = TYPES[number % len(TYPES)]
                    spec = MachineSpec(f"{name} {kind} {number}", kind, capability=Capability(kind))
                    await client.door(ME).execute(AddMachine(spec))
                await client.stop()

        asyncio.run(add())
        path = os.path.realpath(sys.executable)
        allowed = f'[[command]]\npath = "{path}"\nmore_args = ".*"\n'
        (self._folder / ALLOWED).write_text(allowed)

    def start(self) -> None:
        self._going.set()
        self._thread.start()

    def stop(self) -> None:
        self._ended.set()
        self._thread.join()

    def hand_in(self, spec: JobSpec) -> int:
        """One job beside the others, from the caller's thread."""

        async def submit() -> int:
            client = await _opened(self._config)
            (job_id,) = await client.door(ME).execute(SubmitJobs([spec]))
            await client.stop()
            return job_id

        job_id = asyncio.run(submit())
        self.acknowledged.append(job_id)
        return job_id

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Nothing is handed in meanwhile."""
        self._going.clear()
        self._resting.wait(30)
        try:
            yield
        finally:
            self._resting.clear()
            self._going.set()

    async def _run(self) -> None:
        client = await _opened(self._config)
        while not self._ended.is_set():
            if self._going.is_set():
                await self._hand_in(client)
            else:
                self._resting.set()
            await asyncio.sleep(EVERY_S)
        await client.stop()

    async def _hand_in(self, client: StationEngine) -> None:
        machining = self._kind is LoadKind.MIXED
        specs = [*(self._parts() if machining else ()), *self._automation()]
        try:
            async with asyncio.timeout(5):
                self.acknowledged += await client.door(ME).execute(SubmitJobs(specs))
        except (Unavailable, TimeoutError):
            pass  # tried again with others

    def _parts(self) -> Iterator[JobSpec]:
        for kind in TYPES:
            yield JobSpec(f"part {kind}", kind, estimated_s=self._chance.uniform(2, 30))

    def _automation(self) -> Iterator[JobSpec]:
        wait = {"durationMs": self._chance.randrange(20, 1_500)}
        yield JobSpec("wait", handler="test.delay", payload=wait)
        trouble = self._kind is LoadKind.TROUBLE
        if self._chance.random() < (TROUBLESOME if trouble else COMMANDS):
            yield self.command(*(self._chance.choice(TROUBLES) if trouble else ()))

    def command(self, *trouble: str) -> JobSpec:
        """A job whose command may make trouble at its first attempt (see `command.py`)."""
        seconds = f"{self._chance.uniform(0.2, 1.5):.2f}"
        args = ["-I", "-S", str(COMMAND), str(self._folder / COMMAND_NOTES), seconds]
        payload: dict[str, Any] = {
            "command": os.path.realpath(sys.executable),
            "args": [*args, *trouble],
        }
        if "hangs" in trouble:
            payload["timeout"] = HANGS_S
        return JobSpec(" ".join(["command", *trouble]), handler="shell.command", payload=payload)


async def _opened(config: Config) -> StationEngine:
    """Three seconds without an answer are enough for a client to give up, and nothing where this
    computer stands still."""
    for _ in range(TRIES - 1):
        try:
            return await open_client(config)
        except Unavailable:
            await asyncio.sleep(EVERY_S)
    return await open_client(config)
