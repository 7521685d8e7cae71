"""The long campaigns, one station and then a fleet. Exit 1 where a promise was broken, where a
campaign failed or did not end in time, or where a guard was taken out and nothing noticed."""

import argparse
import faulthandler
import json
import logging
import os
import random
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.faults.campaigns import CAMPAIGNS, run
from tests.faults.fleet.campaign import run_mutated
from tests.faults.fleet.load import LoadKind
from tests.faults.fleet.mutations import MUTATIONS


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="./dev faults", description=__doc__)
    parser.add_argument("--only", choices=list(CAMPAIGNS), help="one of the campaigns")
    parser.add_argument("--scale", type=float, default=1.0, help="times as many faults")
    parser.add_argument("--seed", type=int, help="repeats the moments of an earlier campaign")
    parser.add_argument("--limit", type=float, help="seconds that each campaign may take")
    parser.add_argument("--json", type=Path, help="write the figures here too")
    parser.add_argument(
        "--mutate",
        choices=sorted(MUTATIONS),
        help="a fleet without this guard, or only its handlers",
    )
    asked = parser.parse_args(argv)
    logging.basicConfig(level=logging.ERROR)  # the office's own complaints are expected
    seed = random.SystemRandom().randrange(10**6) if asked.seed is None else asked.seed
    limit_s = asked.limit or 900.0 + 2700.0 * asked.scale  # some seven times what it takes
    if asked.mutate:
        with _bounded(asked.mutate, seed, limit_s):
            load = LoadKind.TROUBLE if asked.only == "handlers" else LoadKind.MIXED
            outcome = run_mutated(asked.mutate, seed, load)
        print(f"without its {asked.mutate}, {' '.join(outcome.lines())}")
        return int(not outcome.violations)
    found: dict[str, Any] = {"seed": seed}
    broken: list[str] = []
    for name in [asked.only] if asked.only else CAMPAIGNS:
        print(f"{name}: seed {seed}", flush=True)
        with _bounded(name, seed, limit_s):
            figures: Any = run(name, seed, asked.scale)
        print(*figures.lines(), sep="\n", flush=True)
        found[name] = asdict(figures)
        if figures.violations:
            broken.append(f"{name}, {len(figures.violations)} violations")
    if asked.json:
        asked.json.write_text(json.dumps(found, indent=2))
    print(f"FAILED with seed {seed}: {'; '.join(broken)}" if broken else "all promises kept")
    return int(bool(broken))


@contextmanager
def _bounded(name: str, seed: int, limit_s: float) -> Iterator[None]:
    """Ends this process, and with it all that it has started, when the time is up."""

    def end() -> None:
        faulthandler.dump_traceback(all_threads=True)
        print(f"FAILED with seed {seed}: {name}, no end within {limit_s:g} s", flush=True)
        os._exit(1)

    timer = threading.Timer(limit_s, end)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
