"""One PC that is switched off again and again: a station under load, killed at random moments."""

import random
import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, func, select, text

from cnc_station.config import Config
from cnc_station.engine.domain.policies import RetryPolicy
from cnc_station.engine.domain.states import OPEN_JOBS, JobState
from cnc_station.engine.store import schema
from cnc_station.engine.store.database import Database
from tests.faults.fleet.checks import violations
from tests.faults.fleet.station import note_drivers
from tests.faults.office import Office
from tests.faults.process import StationProcess

MACHINES = 8
DRAIN_S = 60.0
EARLY_SHARE = 0.25  # of the kills that come while the station still starts
_FOREVER = 10**6


@dataclass(slots=True)
class Figures:
    """What a campaign counts."""

    kills: int = 0
    early_kills: int = 0
    start_s: list[float] = field(default_factory=list)
    acknowledged: int = 0
    completed: int = 0
    runs: int = 0
    recovered: int = 0
    events: int = 0
    seconds: float = 0.0
    violations: list[str] = field(default_factory=list)

    def lines(self) -> Iterator[str]:
        yield f"{self.kills} kills, {self.early_kills} of them during the start"
        if self.start_s:
            middle, most = statistics.median(self.start_s), max(self.start_s)
            yield f"start until at work: median {middle:.2f} s, at most {most:.2f} s"
        yield f"{self.acknowledged:,} jobs acknowledged, {self.completed:,} completed"
        yield f"{self.runs:,} runs, {self.recovered:,} of them put right after a kill"
        yield f"{self.events:,} events replayed, {self.seconds:.0f} s in all"
        yield f"{len(self.violations)} promises broken"
        yield from (f"  {one}" for one in self.violations[:50])


class Campaign:
    """Kills a station `kills` times and looks after each; `seed` makes the moments repeatable."""

    def __init__(self, folder: Path, *, kills: int, seed: int) -> None:
        self._kills = kills
        self._chance = random.Random(seed)
        self._notes = folder / "notes"
        self._died: dict[int, int] = {}
        self._config = Config(
            data_folder=folder,
            database_url=f"sqlite:///{folder / 'station.db'}",
            station="A",
            simulator_speed=50.0,
            retry=RetryPolicy(initial_s=0.05, maximum_s=0.2, machining_limit=_FOREVER),
            synchronous="FULL",
        )
        self._office = Office(self._config, seed)
        self.figures = Figures()

    def run(self) -> Figures:
        """All of it. Raises AssertionError only where it can't go on."""
        begun = time.monotonic()
        self._office.prepare(MACHINES)
        self._office.start()
        try:
            for _ in range(self._kills):
                self._once()
            with self._station() as process:
                self._wait_until_at_work(process)
                self._office.stop()
                self._drain()
            self._look(self._office.must_be_done)
        finally:
            self._office.stop()
        self._count()
        self.figures.seconds = time.monotonic() - begun
        return self.figures

    def _once(self) -> None:
        with self._station() as process:
            if self._chance.random() < EARLY_SHARE:
                self.figures.early_kills += 1
                time.sleep(self._chance.uniform(0.0, 0.4))
            else:
                self._wait_until_at_work(process)
                time.sleep(self._chance.uniform(0.0, 0.5))
        self.figures.kills += 1
        self._look()

    @contextmanager
    def _station(self) -> Iterator[StationProcess]:
        """A new process; killed at the end, never asked to stop."""
        process = StationProcess(
            self._config, f"{self._notes}.log", partial(note_drivers, str(self._notes))
        )
        self._office.open.set()
        try:
            yield process
        finally:
            self._office.open.clear()  # a long look would else give it ever more to do
            self._died[process.kill()] = time.monotonic_ns()

    def _wait_until_at_work(self, process: StationProcess) -> None:
        begun = time.monotonic()
        process.wait_until_at_work()
        self.figures.start_s.append(time.monotonic() - begun)

    def _drain(self) -> None:
        """Everything comes to its end by itself."""
        end = time.monotonic() + DRAIN_S
        opened = [state.value for state in OPEN_JOBS - {JobState.PAUSED}]
        query = select(func.count()).where(schema.job.c.state.in_(opened))
        with self._reading() as database:
            while left := database.read(lambda c: c.execute(query).scalar_one()):
                if time.monotonic() > end:
                    self.figures.violations.append(f"{left} jobs are not done after {DRAIN_S} s")
                    return
                time.sleep(0.05)

    @contextmanager
    def _reading(self) -> Iterator[Database]:
        database = Database(self._config.database_url)
        try:
            yield database
        finally:
            database.close()

    def _look(self, must_be_done: Sequence[int] = ()) -> None:
        """What every promise says about the rows as they are now."""
        acknowledged = tuple(self._office.acknowledged)

        def find(connection: Connection) -> list[str]:
            there = set(connection.execute(select(schema.job.c.id)).scalars())
            checks = ("PRAGMA integrity_check", "PRAGMA foreign_key_check")
            damage = [str(row[0]) for check in checks for row in connection.execute(text(check))]
            return [
                *(
                    f"job {job_id} was acknowledged and is gone"
                    for job_id in acknowledged
                    if job_id not in there
                ),
                *(f"the file: {one}" for one in damage if one != "ok"),
                *violations(
                    connection,
                    self._notes,
                    acknowledged=must_be_done,
                    frozen={},
                    died=self._died,
                    now=time.monotonic_ns(),
                ),
            ]

        with self._reading() as database:
            found = database.read(find)
        after = f"after kill {self.figures.kills}: "
        self.figures.violations += [after + one for one in found]

    def _count(self) -> None:
        job, run, event = schema.job, schema.run, schema.event
        with self._reading() as database:

            def count(column: Column[Any], *where: ColumnElement[bool]) -> int:
                query = select(func.count(column)).where(*where)
                return int(database.read(lambda c: c.execute(query).scalar_one()))

            self.figures.acknowledged = len(self._office.acknowledged)
            self.figures.completed = count(job.c.id, job.c.state == JobState.COMPLETED.value)
            self.figures.runs = count(run.c.id)
            self.figures.recovered = count(event.c.id, event.c.actor == "recovery")
            self.figures.events = count(event.c.id)
