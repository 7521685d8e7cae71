"""`./dev mutants [--only PATH]... [--sample N] [--seed S] [--jobs N]`: which guards no test misses.

Takes out guards and comparisons one by one, runs the tests near them that run the file they stand
in, those of the same function first, and lists the mutants that survive. Which tests those are is
measured first, on the unchanged code, and kept in build/mutants until a file changes. Everything
runs on copies of the checkout.
"""

import argparse
import hashlib
import os
import queue
import random
import shutil
import signal
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.mutants.mutations import Mutant, mutants_of
from tests.mutants.reach import Reach, read, write
from tests.mutants.trial import Fate, Tree
from tests.tools.recorder import ROOT

NEAR = {
    "cnc_station/engine/store": ("tests/store",),
    "cnc_station/engine/services": ("tests/engine", "tests/unit"),
    "cnc_station/engine/drivers": ("tests/drivers",),
    "cnc_station/engine/handlers": ("tests/handlers", "tests/engine/test_shell_commands.py"),
    "cnc_station/engine/services/deliveries.py": (
        "tests/engine/test_webhooks.py",
        "tests/engine/test_webhook_receivers.py",
    ),
    "cnc_station/engine/services/schedules.py": ("tests/engine/test_schedules.py",),
    "cnc_station/engine/services/worker_slots.py": (
        "tests/engine/test_automation.py",
        "tests/engine/test_shell_commands.py",
    ),
    "cnc_station/engine/store/deliveries.py": (
        "tests/store/test_deliveries.py",
        "tests/store/test_retention.py",
    ),
    "cnc_station/engine/store/firings.py": (
        "tests/store/test_schedules.py",
        "tests/store/test_schedule_actions.py",
        "tests/store/test_retention.py",
    ),
    "cnc_station/ui/widgets/hold_button.py": ("tests/ui/test_hold_button.py",),
}
"""What is mutated unless a path is named, and where the tests near it are: the longest place that
fits a path is that of its tests."""
_LEFT_OUT = "migrations"
_REACH = ROOT / "build" / "mutants"


def mutants_in(paths: Iterable[str]) -> Iterator[Mutant]:
    """All mutants of these files and folders, which are named from the root of the checkout."""
    for path in paths:
        place = ROOT / path
        for file in [place] if place.is_file() else sorted(place.rglob("*.py")):
            name = file.relative_to(ROOT)
            if _LEFT_OUT not in name.parts:
                yield from mutants_of(name.as_posix(), file.read_bytes())


def _outermost() -> list[str]:
    """The known places that are in no other one."""
    return [place for place in NEAR if not any(place.startswith(f"{other}/") for other in NEAR)]


def near(paths: Sequence[str]) -> list[str]:
    """The tests near these paths; all tests for a path that nothing is known of."""
    found: set[str] = set()
    for path in paths:
        fitting = [place for place in NEAR if f"{path}/".startswith(f"{place}/")]
        inside = sorted(fitting, key=len)[-1:]
        around = [place for place in NEAR if place.startswith(f"{path}/")]
        places = [test for place in inside or around for test in NEAR[place]]
        found |= set(places or ["tests"])
    return sorted(found)


def _measured(tree: Tree, tests: Sequence[str], jobs: int) -> Reach:
    """What the tests reach; kept, as measuring takes longer than the tests do."""
    sources = hashlib.sha256()
    for folder in ("cnc_station", "tests"):
        for file in sorted((ROOT / folder).rglob("*.py")):
            sources.update(file.read_bytes())
    kept = _REACH / hashlib.sha256("\n".join(tests).encode()).hexdigest()[:16]
    now = kept / sources.hexdigest()[:16]
    if not now.is_dir():
        print(f"measuring what {', '.join(tests)} run", flush=True)
        measured = tree.measure(tests, jobs)
        shutil.rmtree(kept, ignore_errors=True)
        now.mkdir(parents=True)
        write(measured, now / "reach.json")
    return Reach(read(now))


def _try_all(trees: Sequence[Tree], mutants: Sequence[Mutant], reach: Reach) -> Counter[Fate]:
    """Try each, in as many threads as there are trees; prints those that are not killed."""
    free: queue.SimpleQueue[Tree] = queue.SimpleQueue()
    for tree in trees:
        free.put(tree)
    fates: Counter[Fate] = Counter()
    printing = threading.Lock()

    def try_one(mutant: Mutant) -> None:
        tree = free.get()
        tests = reach.tests_of(mutant)
        try:
            fate = tree.try_mutant(mutant, tests)
        finally:
            free.put(tree)
        with printing:
            fates[fate] += 1
            if fate is not Fate.KILLED:
                number = f"[{fates.total()}/{len(mutants)}]"
                print(f"{number} {fate.value} ({len(tests)} tests)  {mutant}", flush=True)

    with ThreadPoolExecutor(len(trees)) as pool:
        try:
            for _ in pool.map(try_one, mutants):
                pass
        except BaseException:  # Ctrl-C: neither the others, nor to the end of these
            pool.shutdown(wait=False, cancel_futures=True)
            for tree in trees:
                tree.end()
            raise
    return fates


def run(paths: Sequence[str], tests: Sequence[str], mutants: Sequence[Mutant], jobs: int) -> None:
    """Try these mutants of these paths with the tests at `tests` and print what came of it."""
    with tempfile.TemporaryDirectory(prefix="cnc-mutants-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        trees = [Tree(folder / str(number)) for number in range(min(jobs, len(mutants)))]
        reach = _measured(trees[0], tests, jobs)
        print(f"{len(mutants)} mutants of {', '.join(paths)}; {reach.count} tests", flush=True)
        if reached := next((of for mutant in mutants if (of := reach.tests_of(mutant))), None):
            trees[0].check(reached)
        fates = _try_all(trees, mutants, reach)
    print(", ".join(f"{fates[fate]} {fate.value}" for fate in Fate))


def main() -> None:
    """Try them, or print them."""
    parser = argparse.ArgumentParser(prog="dev mutants", description=__doc__)
    parser.add_argument("--only", action="append", metavar="PATH", help="a file or folder (repeat)")
    parser.add_argument("--tests", action="append", metavar="PATH", help="not those near it")
    parser.add_argument("--sample", type=int, metavar="N", help="so many of them, by chance")
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="of that chance (1)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, metavar="N")
    parser.add_argument("--list", action="store_true", help="print the mutants and try none")
    options = parser.parse_args()
    paths = [path.rstrip("/") for path in options.only or _outermost()]
    if missing := [path for path in paths if not (ROOT / path).exists()]:
        parser.error(f"not in this checkout: {', '.join(missing)}")
    mutants = list(mutants_in(paths))
    if options.sample is not None:
        chosen = random.Random(options.seed).sample(mutants, min(options.sample, len(mutants)))
        mutants = sorted(chosen, key=mutants.index)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    if options.list:
        for mutant in mutants:
            print(mutant)
    if options.list or not mutants:
        print(f"{len(mutants)} mutants")
        return
    run(paths, options.tests or near(paths), mutants, max(1, options.jobs))


if __name__ == "__main__":
    main()
