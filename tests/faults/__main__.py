"""The long campaign: `python -m tests.faults [--kills N] [--seed N] [--json FILE]`."""

import argparse
import json
import random
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from tests.faults.campaign import Campaign


def main() -> None:
    parser = argparse.ArgumentParser(prog="./dev faults", description=__doc__)
    parser.add_argument("--kills", type=int, default=200, help="how often the station is killed")
    parser.add_argument("--seed", type=int, help="repeats the moments of an earlier campaign")
    parser.add_argument("--json", type=Path, help="write the figures here too")
    asked = parser.parse_args()
    seed = random.SystemRandom().randrange(10**6) if asked.seed is None else asked.seed
    print(f"one station, killed {asked.kills} times at random moments; seed {seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="cnc-faults-") as folder:
        figures = Campaign(Path(folder), kills=asked.kills, seed=seed).run()
    for line in figures.lines():
        print(line)
    if asked.json:
        asked.json.write_text(json.dumps({"seed": seed, **asdict(figures)}, indent=2))
    sys.exit(bool(figures.violations))


if __name__ == "__main__":
    main()
