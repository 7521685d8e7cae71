"""The long run: `./dev fuzz [--inputs 1000000] [--seed N] [--only TARGET]`.

`--guided TARGET` lets atheris, if it is installed, choose inputs by the code that they reach.
"""

import argparse
import gc
import random
import resource
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FunctionType

from tests.fuzz.inputs import mutated
from tests.fuzz.targets import TARGETS, Fuzzed
from tests.fuzz.trying import LONGEST_S, seconds_of

MOST_MB = 400


@dataclass(slots=True)
class Figures:
    """The result of one target."""

    inputs: int = 0
    seconds: float = 0.0
    slowest: float = 0.0
    failures: int = 0


def main(arguments: Sequence[str]) -> int:
    """Run, and print the figures. Return 1 if any input failed."""
    parser = argparse.ArgumentParser(prog="dev fuzz", description=__doc__)
    parser.add_argument("--inputs", type=int, default=1_000_000, help="of all targets together")
    parser.add_argument("--seed", type=int, default=random.randrange(10**9))
    parser.add_argument("--only", choices=TARGETS, help="one target")
    parser.add_argument("--guided", choices=TARGETS, help="one target, by atheris")
    options = parser.parse_args(arguments)
    if options.guided:
        return guided(options.guided, options.inputs)
    names = [options.only] if options.only else list(TARGETS)
    before = _peak_mb()
    found = {name: _run(name, options.inputs // len(names), options.seed) for name in names}
    grown = _peak_mb() - before
    total = sum(one.inputs for one in found.values())
    print(f"{total:,} inputs, seed {options.seed}; memory grew by {grown:.0f} MB")
    failed = any(one.failures for one in found.values()) or grown > MOST_MB
    return 1 if failed else 0


def _run(name: str, count: int, seed: int) -> Figures:
    fuzzed, figures = TARGETS[name], Figures()
    for seed_input in fuzzed.seeds:  # what is imported late is imported now
        _try(name, fuzzed, seed_input, Figures())
    begun = time.perf_counter()
    for number in range(count):
        chance = random.Random(f"{seed} {name} {number}")
        data = mutated(chance, fuzzed.seeds, fuzzed.tokens)
        _try(name, fuzzed, data, figures)
    figures.seconds = time.perf_counter() - begun
    rate = figures.inputs / max(figures.seconds, 1e-9)
    print(
        f"{name:16} {figures.inputs:>9,} inputs {rate:>8,.0f}/s  slowest {figures.slowest:.3f} s"
        f"  {figures.failures} failed",
        flush=True,
    )
    return figures


def _try(name: str, fuzzed: Fuzzed, data: bytes, figures: Figures) -> None:
    figures.inputs += 1
    try:
        seconds = seconds_of(fuzzed, data)
    except Exception:  # noqa: BLE001 - whatever it raises is a finding
        figures.failures += 1
        if figures.failures <= 3:
            print(f"{name}: {data[:400]!r}\n{traceback.format_exc()}", file=sys.stderr)
        return
    figures.slowest = max(figures.slowest, seconds)
    if seconds > LONGEST_S:
        figures.failures += 1
        print(f"{name}: {seconds:.1f} s for {data[:400]!r}", file=sys.stderr)


def guided(name: str, count: int) -> int:
    """Let atheris try so many inputs, until it finds something."""
    try:
        import atheris  # type: ignore[import-untyped] # noqa: PLC0415 - optional
    except ImportError:
        print("atheris is not installed: pip install atheris", file=sys.stderr)
        return 3
    fuzzed = TARGETS[name]
    for function in gc.get_objects():
        if isinstance(function, FunctionType) and (function.__module__ or "").startswith(
            "cnc_station."
        ):
            atheris.instrument_func(function)
    with tempfile.TemporaryDirectory() as folder:
        for number, seed in enumerate(fuzzed.seeds):
            (Path(folder) / str(number)).write_bytes(seed)
        flags = [sys.argv[0], folder, f"-runs={count}", "-timeout=2", "-rss_limit_mb=1000"]
        atheris.Setup(flags, lambda data: seconds_of(fuzzed, data))
        atheris.Fuzz()
    return 0


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
