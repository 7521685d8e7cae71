"""Commands that make every trouble, at stations that are killed and stand still meanwhile."""

import random

from tests.faults.fleet.campaign import Outcome, after, hurt_fleet, kill_and_stop
from tests.faults.fleet.fleet import Fleet, until
from tests.faults.fleet.load import LoadKind
from tests.faults.fleet.memory import MemoryWatch

CLOCKS = (0.0, 600.0)
HURTS = 20
FLOODS = 4
FLOOD_MB = 1024
MOST_MB = 400  # of a station at work, some three times what it needs


def run(seed: int, scale: float = 1.0) -> Outcome:
    """Both at once; then nothing is left running. `scale` multiplies how often, and of less than
    one how large a flood is."""
    chance = random.Random(seed)
    outcome = Outcome()
    flood_mb = round(FLOOD_MB * min(1.0, 5 * scale))

    def hurt(fleet: Fleet) -> None:
        flooding = [
            fleet.load.hand_in(fleet.load.command("floods", str(flood_mb)))
            for _ in range(max(1, round(FLOODS * scale)))
        ]
        kill_and_stop(fleet, chance, max(1, round(HURTS * scale)))
        until(lambda: not _open(fleet, flooding), 300, "every flood is over")

    with hurt_fleet(outcome, CLOCKS, load=LoadKind.TROUBLE) as fleet:
        with MemoryWatch(lambda: [one.pid for one in fleet.stations if one.process]) as memory:
            outcome.violations += after(fleet, hurt)
        fleet.measured["MB of a station at most"] = memory.most_mb
        fleet.measured["MB printed by one command"] = flood_mb
        if memory.most_mb > MOST_MB:
            outcome.violations.append(f"a station had {memory.most_mb} MB")
    return outcome


def _open(fleet: Fleet, jobs: list[int]) -> bool:
    return not {job_id for job_id, _, _ in fleet.open_jobs()}.isdisjoint(jobs)
