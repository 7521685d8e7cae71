"""What a benchmark says: a median beside a baseline measured in the same run."""

import json
import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Effort:
    """How often each thing is measured, and at what share of its full size."""

    repeats: int = 3
    share: float = 1.0

    def of(self, count: int, *, at_least: int = 100) -> int:
        """So many of a full number."""
        return max(at_least, round(count * self.share))


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table. `aim` in words; `met` None where there is nothing to meet.

    An aim is a ratio to the baseline: computers differ by a factor of three and more.
    """

    name: str
    value: float
    unit: str
    baseline: float
    baseline_name: str
    ratio: float
    aim: str = ""
    met: bool | None = None

    @property
    def is_measured(self) -> bool:
        """Whether there are real numbers in it."""
        return all(math.isfinite(n) and n > 0 for n in (self.value, self.baseline, self.ratio))

    def __str__(self) -> str:
        ratio = f"{self.ratio:7.2f} × {self.baseline_name}"
        met = {True: "met", False: "MISSED", None: ""}[self.met]
        line = f"{self.name:44}{self.value:12,.2f} {self.unit:8} {ratio:44} {self.aim:18} {met}"
        return line.rstrip()


def compared(
    name: str,
    value: float,
    unit: str,
    baseline: float,
    against: str,
    *,
    at_least: float | None = None,
    at_most: float | None = None,
) -> Figure:
    """A figure beside its baseline."""
    ratio = value / baseline if baseline else math.nan
    figure = Figure(name, value, unit, baseline, against, ratio)
    if at_least is not None:
        return replace(figure, aim=f"≥ {at_least:g} ×", met=ratio >= at_least)
    if at_most is not None:
        return replace(figure, aim=f"≤ {at_most:g} ×", met=ratio <= at_most)
    return figure


def turns(repeats: int, *measures: Callable[[], T]) -> list[tuple[T, ...]]:
    """What each finds. They take turns, so that what else the machine does meets them all."""
    rounds = [[measure() for measure in measures] for _ in range(repeats)]
    return list(zip(*rounds, strict=True))


def in_turn(repeats: int, *measures: Callable[[], float]) -> list[float]:
    """The median of each, in the same way."""
    return [statistics.median(values) for values in turns(repeats, *measures)]


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which a share of them lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round(share * (len(ordered) - 1)))]


def write_json(figures: Sequence[Figure], path: Path) -> None:
    """{name: {value, unit, baseline, ratio, aim, met}}."""
    table = {}
    for figure in figures:
        row = asdict(figure)
        table[row.pop("name")] = row
    path.write_text(json.dumps(table, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def read_json(path: Path) -> list[Figure]:
    """What `write_json` has written."""
    table = json.loads(path.read_text(encoding="utf-8"))
    return [Figure(name=name, **row) for name, row in table.items()]
