"""Turn one list of rows into another step by step, so that a view keeps current row and selection.

A list is a window of known rows, identified by their ids, among unknown rows (None). `steps` turns
an old window into a new one by filling, removing, moving and inserting runs of rows; rows that stay
are never touched. Positions count from the window's first row.
"""

from bisect import bisect_left
from collections.abc import Hashable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Remove:
    """Remove rows `first` to `last`."""

    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Insert:
    """Insert rows with these ids at `first`."""

    first: int
    ids: tuple[Hashable, ...]


@dataclass(frozen=True, slots=True)
class Move:
    """Move the row at `source` in front of the row now at `target`."""

    source: int
    target: int


@dataclass(frozen=True, slots=True)
class Fill:
    """Fill the unknown rows from `first` with these ids."""

    first: int
    ids: tuple[Hashable, ...]


Step = Remove | Insert | Move | Fill


def apply(step: Step, ids: list[Hashable | None]) -> None:
    """Apply a step to a list of ids."""
    match step:
        case Remove(first, last):
            del ids[first : last + 1]
        case Insert(first, new):
            ids[first:first] = new
        case Move(source, target):
            ids.insert(target if target < source else target - 1, ids.pop(source))
        case Fill(first, found):
            ids[first : first + len(found)] = found


def steps(old: Sequence[Hashable | None], new: Sequence[Hashable]) -> list[Step]:
    """The steps from `old` to `new`. An unknown row is filled in place when its new row was not
    known before: scrolling fills, it does not insert."""
    work = _Work(list(old), [])
    work.fill(new)
    work.remove_missing(new)
    work.move(new)
    work.insert(new)
    return work.done


@dataclass(slots=True)
class _Work:
    ids: list[Hashable | None]
    done: list[Step]

    def do(self, step: Step) -> None:
        apply(step, self.ids)
        self.done.append(step)

    def fill(self, new: Sequence[Hashable]) -> None:
        known = set(self.ids)
        at, end = 0, min(len(self.ids), len(new))
        while at < end:
            first = at
            while at < end and self.ids[at] is None and new[at] not in known:
                at += 1
            if at > first:
                self.do(Fill(first, tuple(new[first:at])))
            at += 1

    def remove_missing(self, new: Sequence[Hashable]) -> None:
        """Remove from the end, so that earlier positions stay valid."""
        wanted = set(new)
        at = len(self.ids) - 1
        while at >= 0:
            last = at
            while at >= 0 and self.ids[at] not in wanted:
                at -= 1
            if at < last:
                self.do(Remove(at + 1, last))
            at -= 1

    def move(self, new: Sequence[Hashable]) -> None:
        """Move as few rows as possible, each behind its predecessor."""
        here = {job_id: at for at, job_id in enumerate(self.ids) if job_id is not None}
        order = [job_id for job_id in new if job_id in here]
        staying = _longest_rising([here[job_id] for job_id in order])
        for at, job_id in enumerate(order):
            if here[job_id] in staying:
                continue
            source = self.ids.index(job_id)
            target = self.ids.index(order[at - 1]) + 1 if at else 0
            if target not in {source, source + 1}:
                self.do(Move(source, target))

    def insert(self, new: Sequence[Hashable]) -> None:
        """Insert what is missing; the rows present are already in the order of `new`."""
        at = 0
        while at < len(new):
            here = self.ids[at] if at < len(self.ids) else None
            first = at
            while at < len(new) and new[at] != here:
                at += 1
            if at > first:
                self.do(Insert(first, tuple(new[first:at])))
            at += 1


def _longest_rising(values: Sequence[int]) -> set[int]:
    """The values of a longest increasing subsequence: the rows that need not move."""
    ends: list[int] = []
    before: dict[int, int | None] = {}
    for value in values:
        place = bisect_left(ends, value)
        before[value] = ends[place - 1] if place else None
        ends[place : place + 1] = [value]
    chain: set[int] = set()
    value_or_none = ends[-1] if ends else None
    while value_or_none is not None:
        chain.add(value_or_none)
        value_or_none = before[value_or_none]
    return chain
