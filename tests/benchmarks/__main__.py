"""`./dev bench [--only NAME] [--json FILE] [--repeats N]`."""

import argparse
from collections.abc import Callable
from pathlib import Path

from tests.benchmarks.figures import Figure, write_json
from tests.benchmarks.throughput import throughput

BENCHMARKS: dict[str, Callable[[int], list[Figure]]] = {
    "throughput": throughput,
}


def main() -> None:
    """Run all or one, and print a line for each figure as soon as it is there."""
    parser = argparse.ArgumentParser(prog="dev bench", description=__doc__)
    parser.add_argument("--only", choices=sorted(BENCHMARKS), metavar="NAME")
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--repeats", type=int, default=3, metavar="N")
    options = parser.parse_args()
    figures: list[Figure] = []
    for name, run in BENCHMARKS.items():
        if options.only in (None, name):
            for figure in run(max(3, options.repeats)):
                figures.append(figure)
                print(figure, flush=True)
    if options.json:
        write_json(figures, options.json)


if __name__ == "__main__":
    main()
