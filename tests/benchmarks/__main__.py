"""`./dev bench [--only NAME] [--json FILE] [--repeats N] [--share S]`."""

import argparse
from collections.abc import Callable
from pathlib import Path

from tests.benchmarks.claims import claims
from tests.benchmarks.figures import Effort, Figure, write_json
from tests.benchmarks.fleet import FLEET
from tests.benchmarks.lag import lag
from tests.benchmarks.lists import lists
from tests.benchmarks.messages import message_costs
from tests.benchmarks.pickup import pickup
from tests.benchmarks.polling import polling
from tests.benchmarks.start import start
from tests.benchmarks.streaming import streaming
from tests.benchmarks.throughput import throughput

BENCHMARKS: dict[str, Callable[[Effort], list[Figure]]] = {
    "throughput": throughput,
    "pickup": pickup,
    "claims": claims,
    "lag": lag,
    "messages": message_costs,
    "lists": lists,
    "start": start,
    "streaming": streaming,
    "polling": polling,
    **FLEET,
}


def main() -> None:
    """Run all or one, and print a line for each figure as soon as it is there."""
    parser = argparse.ArgumentParser(prog="dev bench", description=__doc__)
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
    options = parser.parse_args()
    effort = Effort(max(1, options.repeats), options.share)
    figures: list[Figure] = []
    for name, run in BENCHMARKS.items():
        if options.only in (None, name):
            for figure in run(effort):
                figures.append(figure)
                print(figure, flush=True)
    if options.json:
        write_json(figures, options.json)


if __name__ == "__main__":
    main()
