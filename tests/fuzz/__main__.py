"""The long run: `./dev fuzz [--inputs 1000000] [--seed N] [--only TARGET] [--processes N]`.

Each input is made from the seed, the target and its number: `--seed` tries the same ones again.
`--guided TARGET` lets atheris, if it is installed, choose inputs by the code that they reach.
"""

import argparse
import gc
import multiprocessing
import os
import random
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from types import FunctionType

from tests.fuzz.targets import TARGETS
from tests.fuzz.trying import Figures, seconds_of, try_share

MOST_MB = 400
_SHARE = 20_000  # inputs that a process tries before it takes others


def main(arguments: Sequence[str]) -> int:
    """Run, and print the figures. Return 1 if any input failed."""
    parser = argparse.ArgumentParser(prog="dev fuzz", description=__doc__)
    parser.add_argument("--inputs", type=int, default=1_000_000, help="of all targets together")
    parser.add_argument("--seed", type=int, default=random.randrange(10**9))
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--only", choices=TARGETS, help="one target")
    parser.add_argument("--guided", choices=TARGETS, help="one target, by atheris")
    options = parser.parse_args(arguments)
    if options.guided:
        return guided(options.guided, options.inputs)
    names = [options.only] if options.only else list(TARGETS)
    total = Figures()
    count = -(-options.inputs // len(names))
    shares = [range(at, min(at + _SHARE, count)) for at in range(0, count, _SHARE)]
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(options.processes, context) as pool:
        for name in names:
            found = Figures()
            for one in pool.map(partial(try_share, name, options.seed), shares):
                found.add(one)
            _print(name, found)
            total.add(found)
    print(
        f"{total.inputs:,} inputs, seed {options.seed}: {total.failures:,} failed, slowest "
        f"{total.slowest:.3f} s; memory grew by {total.grown_mb:.0f} MB to {total.peak_mb:.0f} MB"
    )
    return 1 if total.failures or total.grown_mb > MOST_MB else 0


def _print(name: str, found: Figures) -> None:
    rate = found.inputs / max(found.seconds, 1e-9)
    print(
        f"{name:16} {found.inputs:>9,} inputs {rate:>8,.0f}/s  slowest {found.slowest:.3f} s"
        f"  {found.failures} failed",
        flush=True,
    )


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
        flags = [sys.argv[0], folder, f"-runs={count}", "-timeout=20", "-rss_limit_mb=1000"]
        flags.append(f"-artifact_prefix={tempfile.gettempdir()}/")
        atheris.Setup(flags, lambda data: seconds_of(fuzzed, data))
        atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
