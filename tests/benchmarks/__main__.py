"""`./dev bench`: each benchmark in a process of its own, with a time limit.

Exit 1 where one does not end, fails, or gives fewer figures than it must; the last line says which.
A missed aim is shown and is no failure.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.apart import BenchmarkFailed, figures_of, missing
from tests.benchmarks.figures import Effort, Figure, write_json
from tests.benchmarks.registry import BENCHMARKS


def main() -> int:
    """Run all or one, and print the figures of each as soon as it has ended."""
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__)
    parser.add_argument("--only", choices=sorted(BENCHMARKS), metavar="NAME")
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--repeats", type=int, default=3, metavar="N")
    parser.add_argument(
        "--share",
        type=float,
        default=1.0,
        metavar="S",
        help="a share of the full size, to see whether it works; such figures mean nothing",
    )
    parser.add_argument("--limit", type=float, metavar="SECONDS", help="for each benchmark")
    parser.add_argument(
        "--here", action="store_true", help="in this process, with no time limit: for a profiler"
    )
    options = parser.parse_args()
    effort = Effort(max(1, options.repeats), options.share)
    figures: list[Figure] = []
    failures: list[str] = []
    for name in [options.only] if options.only else BENCHMARKS:
        if lacks := BENCHMARKS[name].lacks:
            print(f"{name}: left out: {lacks}", flush=True)
            continue
        try:
            found = (
                BENCHMARKS[name].run(effort)
                if options.here
                else _run_apart(name, effort, options.limit)
            )
        except BenchmarkFailed as failed:
            failures.append(f"{name}: {failed}")
            continue
        print(*found, sep="\n", flush=True)
        figures += found
        if not options.here:
            failures += [f"{name}: {what}" for what in missing(found, BENCHMARKS[name].figures)]
    if options.json:
        write_json(figures, options.json)
    print(*_summary(figures, failures), sep="\n", flush=True)
    return int(bool(failures))


def _run_apart(name: str, effort: Effort, limit_s: float | None) -> list[Figure]:
    command = [sys.executable, "-m", "tests.benchmarks", "--here", "--only", name]
    command += ["--repeats", str(effort.repeats), "--share", str(effort.share)]
    return figures_of(command, limit_s or BENCHMARKS[name].limit_s * max(1.0, effort.repeats / 3))


def _summary(figures: list[Figure], failures: list[str]) -> Iterator[str]:
    missed = sum(figure.met is False for figure in figures)
    yield f"figures: {len(figures)}, aims missed: {missed}"
    if failures:
        yield f"FAILED: {'; '.join(failures)}"


if __name__ == "__main__":
    sys.exit(main())
