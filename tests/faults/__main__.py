"""The long campaigns, one station and then a fleet. Exit 1 where a promise was broken, or where a
guard was taken out and nothing noticed."""

import argparse
import json
import logging
import random
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.faults.campaign import Campaign
from tests.faults.fleet import campaign as fleet
from tests.faults.fleet.mutations import MUTATIONS

STATION, FLEET = "station", "fleet"


def main() -> int:
    parser = argparse.ArgumentParser(prog="./dev faults", description=__doc__)
    parser.add_argument("--only", choices=[STATION, FLEET], help="one of the two campaigns")
    parser.add_argument("--kills", type=int, default=200, help="how often the one is killed")
    parser.add_argument("--scale", type=float, default=1.0, help="times as many faults of a fleet")
    parser.add_argument("--seed", type=int, help="repeats the moments of an earlier campaign")
    parser.add_argument("--json", type=Path, help="write the figures here too")
    parser.add_argument("--mutate", choices=sorted(MUTATIONS), help="a fleet without this guard")
    asked = parser.parse_args()
    logging.basicConfig(level=logging.ERROR)  # the office's own complaints are expected
    seed = random.SystemRandom().randrange(10**6) if asked.seed is None else asked.seed
    if asked.mutate:
        outcome = fleet.run_mutated(asked.mutate, seed)
        print(f"without its {asked.mutate}, a {outcome}")
        return int(not outcome.violations)
    found: dict[str, Any] = {"seed": seed}
    violations = 0
    if asked.only != FLEET:
        print(f"one station, killed {asked.kills} times at random moments; seed {seed}", flush=True)
        with tempfile.TemporaryDirectory(prefix="cnc-faults-") as folder:
            figures = Campaign(Path(folder), kills=asked.kills, seed=seed).run()
        for line in figures.lines():
            print(line, flush=True)
        violations += bool(figures.violations)
        found[STATION] = asdict(figures)
    if asked.only != STATION:
        print(f"a fleet, hurt in every way; seed {seed}", flush=True)
        outcome = fleet.run(seed, asked.scale)
        print(outcome)
        violations += len(outcome.violations)
        found[FLEET] = asdict(outcome)
    if asked.json:
        asked.json.write_text(json.dumps(found, indent=2))
    return int(violations > 0)


if __name__ == "__main__":
    sys.exit(main())
