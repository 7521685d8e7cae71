"""The routing in a table: which of its jobs comes after which."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from graphlib import CycleError, TopologicalSorter

from cnc_station.engine.domain.job import JobSpec
from cnc_station.engine.services.table_values import shown
from cnc_station.engine.views import ImportIssue

_SEPARATOR = re.compile(r"[,;|\n]")
_STORED = re.compile(r"#([0-9]{1,18})")

Issues = list[ImportIssue]


@dataclass(frozen=True, slots=True)
class Draft:
    """A row that is right by itself, with the names of what comes before it: an operation of the
    same work order, the key of another row, or `#17`, a job the shop already has."""

    number: int
    spec: JobSpec
    after: tuple[str, ...]


def split_names(text: str) -> tuple[str, ...]:
    """The names in a cell, once each: `op10, op20`."""
    names = (name.strip() for name in _SEPARATOR.split(text))
    return tuple(dict.fromkeys(name for name in names if name))


def linked(drafts: Sequence[Draft], column: str, issues: Issues) -> tuple[JobSpec, ...]:
    """The jobs with `after`, `key` and `after_keys` filled in; what can't be linked goes to
    `issues` under `column`. A key that a row has itself wins over an operation's name."""
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
                self._say(place, f"the key {shown(spec.key)} stands in two rows")
            if spec.work_order and spec.operation:
                named = (spec.work_order, _folded(spec.operation))
                self._by_operation.setdefault(named, []).append(place)
            self._keys[place] = spec.key

    def _say(self, place: int, message: str) -> None:
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
        for name in self._drafts[place].after:
            if _STORED.fullmatch(name):
                continue
            other = self._find(place, name)
            if other == place:
                self._say(place, f"{shown(name)} is this row itself")
            elif other is not None:
                found[other] = None
        return tuple(found)

    def _find(self, place: int, name: str) -> int | None:
        if name in self._by_key:
            return self._by_key[name]
        order = self._drafts[place].spec.work_order
        rows = self._by_operation.get((order, _folded(name)), [])
        if len(rows) == 1:
            return rows[0]
        if rows:
            self._say(place, f"{shown(name)} stands in {len(rows)} rows of {shown(order)}")
        elif order:
            self._say(place, f"no row of {shown(order)} is the operation {shown(name)}")
        else:
            self._say(place, f"no row has the key {shown(name)}, and this row has no work order")
        return None

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
            self._say(circle[0], f"the rows {rows} wait for each other in a circle")


def _folded(operation: str) -> str:
    return " ".join(operation.casefold().split())


def _stored(names: Sequence[str]) -> tuple[int, ...]:
    return tuple(int(found[1]) for name in names if (found := _STORED.fullmatch(name)))
