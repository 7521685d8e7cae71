"""Two stations whose clocks are far apart fire schedules; whichever leads is killed every few
seconds."""

import random
import time

from tests.faults.fleet.campaign import Outcome, after, hurt_fleet
from tests.faults.fleet.fleet import Fleet
from tests.faults.fleet.schedules import SCHEDULES, firing

CLOCKS = (0.0, 600.0)
SECONDS = 120.0
SHORTEST_S = 4.0


def run(seed: int, scale: float = 1.0) -> Outcome:
    """Every due time is fired exactly once, and none is missed. `scale` multiplies how long."""
    chance = random.Random(seed)
    outcome = Outcome()

    def hurt(fleet: Fleet) -> None:
        with fleet.load.paused(), firing(fleet, SCHEDULES):
            end = time.monotonic() + max(SHORTEST_S, SECONDS * scale)
            while time.monotonic() < end:
                leader = fleet.leader()
                time.sleep(chance.uniform(0.0, 3.0))
                fleet.kill(leader)

    with hurt_fleet(outcome, CLOCKS) as fleet:
        outcome.violations += after(fleet, hurt)
    return outcome
