"""The long campaign: many faults at random, over every promise of `checks` after each phase."""

import random
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.failure import failure
from tests.faults.fleet.fleet import Fleet
from tests.faults.fleet.load import LoadKind
from tests.faults.fleet.schedules import SCHEDULES, firing
from tests.faults.fleet.supervised import LEASE_S
from tests.tools.servers import Postgres, Redis

CLOCKS = (0.0, 600.0, -600.0, 0.0)
LONGER_S = LEASE_S + 1.5


@dataclass(slots=True)
class Outcome:
    """What was done to the fleet, what became of its jobs, and what was not as it must be."""

    stations: int = 0
    faults: dict[str, int] = field(default_factory=dict)
    measured: dict[str, int] = field(default_factory=dict)
    jobs: int = 0
    seconds: float = 0.0
    violations: list[str] = field(default_factory=list)

    def lines(self) -> Iterator[str]:
        done = ", ".join(f"{what} {count} times" for what, count in sorted(self.faults.items()))
        yield f"{self.stations} stations, {self.seconds:.0f} s, {self.jobs} jobs; {done}"
        yield from (f"{what}: {count:,}" for what, count in self.measured.items())
        yield f"{len(self.violations)} violations"
        yield from (f"  {words}" for words in self.violations[:20])


@contextmanager
def hurt_fleet(
    outcome: Outcome,
    clocks: Sequence[float] = CLOCKS,
    *,
    mutation: str = "",
    load: LoadKind = LoadKind.MIXED,
) -> Iterator[Fleet]:
    """A fleet with servers of its own, and a station for each of these clocks. What is done to it
    and how long it takes goes into `outcome`."""
    outcome.stations, begun = len(clocks), time.monotonic()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="cnc-faults-")))
        postgres = stack.enter_context(Postgres())
        redis = stack.enter_context(Redis())
        fleet = Fleet(
            postgres, redis, folder, len(clocks), mutation=mutation, load=load, clocks=clocks
        )
        yield stack.enter_context(fleet)
        outcome.faults, outcome.measured = fleet.figures, fleet.measured
        outcome.jobs = len(fleet.load.acknowledged)
        outcome.seconds = time.monotonic() - begun


def run(seed: int, scale: float = 1.0) -> Outcome:
    """All phases; `scale` multiplies how often each fault comes."""
    chance = random.Random(seed)

    def of(count: int) -> int:
        return max(1, round(count * scale))

    phases: dict[str, Callable[[Fleet], None]] = {
        "stations killed and stopped": lambda f: kill_and_stop(f, chance, of(20)),
        "Redis": lambda f: _redis(f, of(3), 60 * scale),
        "PostgreSQL": lambda f: _postgres(f, of(5), 30 * scale),
        "leaders": lambda f: _leaders(f, of(5)),
        "schedules": lambda f: _schedules(f, 120 * scale),
        "cables": lambda f: _cables(f, chance, of(10)),
    }
    outcome = Outcome()
    with hurt_fleet(outcome) as fleet:
        for name, phase in phases.items():
            found = after(fleet, phase)
            print(f"  after {name}: {len(found)} violations", flush=True)
            outcome.violations += [f"{name}: {words}" for words in found]
    return outcome


def after(fleet: Fleet, phase: Callable[[Fleet], None]) -> list[str]:
    """What is not as it must be after a phase, or why it could not be carried out."""

    def hurt() -> list[str]:
        fleet.works_again()
        phase(fleet)
        fleet.works_again()
        return []

    return [*_found(hurt), *_found(fleet.drained)]


def _found(work: Callable[[], list[str]]) -> list[str]:
    try:
        return work()
    except Exception as error:  # noqa: BLE001 - a violation like others, reported with the seed
        return [failure(error)]


def run_mutated(mutation: str, seed: int, load: LoadKind = LoadKind.MIXED) -> Outcome:
    """The same with a guard taken out, until that has been noticed."""
    chance = random.Random(seed)
    outcome = Outcome()
    with hurt_fleet(outcome, mutation=mutation, load=load) as fleet:
        fleet.works_again()
        for _ in range(5):
            kill_and_stop(fleet, chance, 2)
            if found := fleet.drained(15):
                outcome.violations = found
                break
    return outcome


def kill_and_stop(fleet: Fleet, chance: random.Random, times: int) -> None:
    """One stands still and wakes too late, another is killed meanwhile."""
    for _ in range(times):
        still, killed = chance.sample(fleet.stations, 2)
        with fleet.stopped(still):
            time.sleep(chance.uniform(0, 1))
            fleet.kill(killed)
            time.sleep(LONGER_S)
        time.sleep(chance.uniform(0, 1))


def _redis(fleet: Fleet, times: int, pause_s: float) -> None:
    assert fleet.redis is not None
    for _ in range(times):
        fleet.figures.count("Redis killed")
        fleet.redis.kill()
        fleet.works_again()
        fleet.redis.start()
        fleet.works_again()
        fleet.figures.count("Redis flushed")
        fleet.redis.clear()
    with fleet.paused(fleet.redis):
        end = time.monotonic() + pause_s
        while time.monotonic() < end:
            fleet.works_again()


def _postgres(fleet: Fleet, times: int, pause_s: float) -> None:
    for _ in range(times):
        fleet.cut_connections()
        fleet.works_again()
    for _ in range(times):
        fleet.figures.count("PostgreSQL restarted")
        fleet.postgres.stop()
        fleet.postgres.start()
        fleet.works_again()
    with fleet.paused(fleet.postgres):
        time.sleep(pause_s)


def _leaders(fleet: Fleet, times: int) -> None:
    for _ in range(times):
        fleet.kill(fleet.leader())
        fleet.works_again()
        with fleet.stopped(fleet.leader()):
            time.sleep(LONGER_S)
        fleet.works_again()


def _schedules(fleet: Fleet, seconds: float) -> None:
    """Leaders are killed, and stand still, while some schedules are due in each second."""
    with firing(fleet, SCHEDULES):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            fleet.kill(fleet.leader())
            time.sleep(1.0)
            with fleet.stopped(fleet.leader()):
                time.sleep(LONGER_S)


def _cables(fleet: Fleet, chance: random.Random, times: int) -> None:
    for number in range(times):
        with fleet.cut_off(chance.choice(fleet.stations), reset=bool(number % 2)):
            time.sleep(chance.uniform(1.0, 2 * LONGER_S))
        fleet.works_again()
