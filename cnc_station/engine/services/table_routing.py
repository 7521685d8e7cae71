"""The routing in a table: which of its jobs come after which."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from graphlib import CycleError, TopologicalSorter

from cnc_station.engine.domain.job import JobSpec
from cnc_station.engine.domain.tables.refused_cell import shown
from cnc_station.engine.views import ImportIssue

_SEPARATOR = re.compile(r"[,;|\n]")
_MOST_NAMES = 100
_STORED = re.compile(r"#([0-9]{1,18})")

Issues = list[ImportIssue]


@dataclass(frozen=True, slots=True)
class Draft:
    """A row with the names of the jobs before it: an operation of the same work order, the key of
    another row, or `#17` for a stored job. Rows with other issues have a draft too, so that links
    to them are not reported as missing."""

    number: int
    spec: JobSpec
    after: tuple[str, ...]


def split_names(text: str) -> tuple[str, ...]:
    """Return the names in a cell, once each: `op10, op20`. A name may contain spaces. Raises
    ValueError for more than a job can wait for."""
    names = (name.strip() for name in _SEPARATOR.split(text))
    found = tuple(dict.fromkeys(name for name in names if name))
    if len(text.split()) > _MOST_NAMES or len(found) > _MOST_NAMES:
        raise ValueError(f"names more than {_MOST_NAMES} jobs")
    return found


def linked(drafts: Sequence[Draft], column: str, issues: Issues) -> tuple[JobSpec, ...]:
    """Return the jobs with `after`, `key` and `after_keys`. Names that can't be linked are added to
    `issues` under `column`. A row's own key takes precedence over the name of an operation."""
    return _Routing(drafts, column, issues).specs()


class _Routing:
    def __init__(self, drafts: Sequence[Draft], column: str, issues: Issues) -> None:
        self._drafts = drafts
        self._column = column
        self._issues = issues
        self._keys: dict[int, str] = {}
        self._by_key: dict[str, int] = {}
        self._by_operation: dict[tuple[str, str], list[int]] = {}
        for place, draft in enumerate(drafts):
            spec = draft.spec
            if spec.key and self._by_key.setdefault(spec.key, place) != place:
                self._add_issue(place, f"the key {shown(spec.key)} stands in two rows")
            if spec.work_order and spec.operation:
                named = (spec.work_order, _folded(spec.operation))
                self._by_operation.setdefault(named, []).append(place)
            self._keys[place] = spec.key

    def _add_issue(self, place: int, message: str) -> None:
        self._issues.append(ImportIssue(self._drafts[place].number, self._column, message))

    def specs(self) -> tuple[JobSpec, ...]:
        links = {place: self._links(place) for place, draft in enumerate(self._drafts)}
        self._refuse_circles(links)
        for places in links.values():
            for place in places:
                self._keys[place] = self._keys[place] or self._new_key(place)
        return tuple(
            replace(
                draft.spec,
                key=self._keys[place],
                after=_stored(draft.after),
                after_keys=tuple(self._keys[other] for other in links[place]),
            )
            for place, draft in enumerate(self._drafts)
        )

    def _links(self, place: int) -> tuple[int, ...]:
        found: dict[int, None] = {}
        for name in self._waited_for(place):
            others = self._named(place, name)
            if len(others) == 1 and place in others:
                self._add_issue(place, f"{shown(name)} is this row itself")
            elif len(others) == 1:
                found[others[0]] = None
            else:
                self._add_issue(place, self._why_not(place, name, len(others)))
        return tuple(found)

    def _waited_for(self, place: int) -> Iterator[str]:
        """Yield names of rows. A text that is not the name of a row is split at spaces."""
        for name in self._drafts[place].after:
            several = not self._named(place, name) and not _STORED.fullmatch(name)
            parts = name.split() if several else [name]
            yield from (part for part in parts if not _STORED.fullmatch(part))

    def _named(self, place: int, name: str) -> Sequence[int]:
        if name in self._by_key:
            return [self._by_key[name]]
        order = self._drafts[place].spec.work_order
        return self._by_operation.get((order, _folded(name)), ())

    def _why_not(self, place: int, name: str, rows: int) -> str:
        order = self._drafts[place].spec.work_order
        if rows:
            return f"{shown(name)} stands in {rows} rows of {shown(order)}"
        if order:
            return f"no row of {shown(order)} is the operation {shown(name)}"
        return f"no row has the key {shown(name)}, and this row has no work order"

    def _new_key(self, place: int) -> str:
        spec = self._drafts[place].spec
        key = f"{spec.work_order} {spec.operation}"
        while key in self._by_key:
            key += "'"
        self._by_key[key] = place
        return key

    def _refuse_circles(self, links: dict[int, tuple[int, ...]]) -> None:
        try:
            TopologicalSorter(links).prepare()
        except CycleError as error:
            circle: list[int] = error.args[1]
            rows = " → ".join(str(self._drafts[place].number) for place in circle[:10])
            self._add_issue(circle[0], f"the rows {rows} wait for each other in a circle")


def _folded(operation: str) -> str:
    return " ".join(operation.casefold().split())


def _stored(names: Sequence[str]) -> tuple[int, ...]:
    parts = (part for name in names for part in name.split())
    return tuple(int(found[1]) for part in parts if (found := _STORED.fullmatch(part)))
