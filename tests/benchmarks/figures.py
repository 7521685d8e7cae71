"""What a benchmark says: a median beside a baseline measured in the same run."""

import json
import statistics
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Effort:
    """How often each thing is measured, and at what share of its full size."""

    repeats: int = 3
    share: float = 1.0

    def of(self, count: int) -> int:
        """So many of a full number; never fewer than a hundred."""
        return max(100, round(count * self.share))


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table. `aim` in words; `met` None where there is nothing to meet."""

    name: str
    value: float
    unit: str
    baseline: float | None
    baseline_name: str
    ratio: float | None
    aim: str
    met: bool | None

    def __str__(self) -> str:
        ratio = "" if self.ratio is None else f"{self.ratio:7.2f} × {self.baseline_name}"
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
    """A figure whose aim is a ratio to its baseline."""
    ratio = value / baseline if baseline else float("inf")
    if at_least is not None:
        return Figure(
            name, value, unit, baseline, against, ratio, f"≥ {at_least:g} ×", ratio >= at_least
        )
    if at_most is not None:
        return Figure(
            name, value, unit, baseline, against, ratio, f"≤ {at_most:g} ×", ratio <= at_most
        )
    return Figure(name, value, unit, baseline, against, ratio, "", None)


def limited(
    name: str, value: float, unit: str, baseline: float, against: str, *, at_most: float
) -> Figure:
    """A figure whose aim is absolute; the baseline says how much of it is the machine's own."""
    ratio = value / baseline if baseline else None
    return Figure(
        name, value, unit, baseline, against, ratio, f"≤ {at_most:g} {unit}", value <= at_most
    )


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
