"""The specification of a job, and the check of all its fields."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from graphlib import CycleError, TopologicalSorter
from typing import Any, ClassVar

from cnc_station.engine.domain import checks, text_gate
from cnc_station.engine.domain.admission import Text, has_tidy_texts
from cnc_station.engine.domain.errors import FieldError, InvalidInput
from cnc_station.engine.domain.machine import MAX_COMPLEXITY, Envelope, Need

PRIORITIES = {"low": 10, "medium": 50, "high": 90}
MACHINE_PROGRAM = "machine.program"
NO_MACHINE = ""  # the machine type of a job for any other handler
YEAR_S = 366 * 86_400
SHA256 = re.compile("[0-9a-f]{64}")
HANDLER = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+")
LONGEST_SIDE = 100_000  # mm
_WANTED = frozenset({"name", "handler"})
_TEXTS = {
    "name": Text(200),
    "machine_type": Text(40),
    "handler": Text(60),
    "material": Text(80),
    "tenant": Text(80),
    "work_order": Text(80),
    "operation": Text(80),
    "description": Text(10_000, lines=True),
    "notes": Text(10_000, lines=True),
    "customer": Text(80),
    "external_id": Text(200),
    "key": Text(200),
    "source": Text(400),
}
_WHOLE = {
    "complexity": (1, MAX_COMPLEXITY),
    "priority": (0, 100),
    "quantity": (1, 1_000_000),
    "axes": (1, 9),
}
_WHOLE_OR_NONE = {"retry_limit": (0, 100), "pinned_machine_id": (1, checks.MOST_ID)}
_SECONDS = {"estimated_s": (0.0, YEAR_S), "timeout_s": (0.001, YEAR_S)}


@dataclass(frozen=True, slots=True)
class JobSpec:
    """A job as submitted; times in ms since the epoch, durations in seconds. `estimated_s` is for
    one part. `program` is the SHA-256 of a stored program. `notes` are for the person at the
    machine. `external_id` is its id in another system, unique among the jobs of its tenant. `after`
    are ids of jobs that must complete first; `after_keys` are `key`s of new jobs in the same
    submission. `source` is its origin for the first event."""

    TEXTS: ClassVar = _TEXTS
    NUMBERS: ClassVar[Mapping[str, tuple[float, float]]] = {**_WHOLE, **_WHOLE_OR_NONE, **_SECONDS}

    name: str
    machine_type: str = NO_MACHINE
    material: str = ""
    complexity: int = 1
    priority: int = 0
    estimated_s: float = 60.0
    quantity: int = 1
    due_at: int | None = None
    program: str | None = None
    payload: Mapping[str, Any] = field(default_factory=dict)
    tenant: str = ""
    handler: str = MACHINE_PROGRAM
    retry_limit: int | None = None
    timeout_s: float | None = None
    work_order: str = ""
    operation: str = ""
    axes: int = 1
    envelope: Envelope | None = None
    pinned_machine_id: int | None = None
    not_before: int | None = None
    description: str = ""
    notes: str = ""
    customer: str = ""
    external_id: str = ""
    after: tuple[int, ...] = ()
    key: str = ""
    after_keys: tuple[str, ...] = ()
    draft: bool = False
    source: str = ""

    @property
    def need(self) -> Need:
        """What it needs of a machine."""
        return Need(self.machine_type, self.complexity, self.material, self.axes, self.envelope)

    def validated(self) -> "JobSpec":
        """Return the spec with its texts as they are stored. Raises InvalidInput with every invalid
        field."""
        errors = tuple(_errors(self))
        if errors:
            raise InvalidInput(*errors)
        untidy: dict[str, Any] = {}
        if not has_tidy_texts(self):
            untidy = {
                name: text_gate.tidy(getattr(self, name), lines=rule.lines)
                for name, rule in _TEXTS.items()
            }
        if (kind := text_gate.tidy(self.machine_type.lower())) != self.machine_type:
            untidy["machine_type"] = kind
        if self.after_keys:
            untidy["after_keys"] = tuple(map(text_gate.tidy, self.after_keys))
        return replace(self, **untidy) if untidy else self


def check_keys(specs: Sequence[JobSpec]) -> None:
    """Check the references between the specs of one submission. Raises InvalidInput for a duplicate
    key or external id, an unknown key, and jobs that would wait for each other forever."""
    graph: dict[str, tuple[str, ...]] = {}
    outside = Counter((spec.tenant, spec.external_id) for spec in specs if spec.external_id)
    if twice := [name for (_, name), count in outside.items() if count > 1]:
        raise InvalidInput(FieldError("external_id", f"{twice[0]!r} is given twice"))
    for spec in specs:
        if spec.key and spec.key in graph:
            raise InvalidInput(FieldError("key", f"{spec.key!r} is given twice"))
        if spec.key:
            graph[spec.key] = spec.after_keys
    for key in (key for spec in specs for key in spec.after_keys):
        if key not in graph:
            raise InvalidInput(FieldError("after", f"there is no {key!r} in this submission"))
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        circle = ", ".join(error.args[1][1:])
        raise InvalidInput(FieldError("after", f"{circle} would wait for each other")) from None


EDITABLE = frozenset(f.name for f in fields(JobSpec)) - {
    "key",
    "after_keys",
    "after",
    "draft",
    "source",
}


def _errors(spec: JobSpec) -> Iterable[FieldError]:
    yield from _texts(spec)
    yield from _numbers(spec)
    yield from _size(spec.envelope)
    yield from _references(spec)
    yield from checks.json_object("payload", spec.payload)
    draft: object = spec.draft
    if not isinstance(draft, bool):
        yield FieldError("draft", "must be yes or no")


def _texts(spec: JobSpec) -> Iterable[FieldError]:
    given = spec.name and spec.handler and (spec.machine_type or is_automation(spec.handler))
    for name, rule in () if given and has_tidy_texts(spec) else _TEXTS.items():
        wanted = name in _WANTED or (name == "machine_type" and not is_automation(spec.handler))
        value = getattr(spec, name)
        yield from checks.text(name, value, rule.most, wanted=wanted, lines=rule.lines)
    handler: object = spec.handler
    if isinstance(handler, str) and handler and not HANDLER.fullmatch(handler):
        yield FieldError("handler", "is not the name of a handler: test.delay, say")
    elif is_automation(spec.handler):
        for name in ("machine_type", "program", "pinned_machine_id"):
            if getattr(spec, name):
                yield FieldError(name, f"must be empty: {spec.handler} needs no machine")
    program: object = spec.program
    if program is not None and not (isinstance(program, str) and SHA256.fullmatch(program)):
        yield FieldError("program", "must be the SHA-256 of a stored program")


def is_automation(handler: str) -> bool:
    """Whether a job needs no machine, but a worker slot of some station."""
    return handler != MACHINE_PROGRAM


def _numbers(spec: JobSpec) -> Iterable[FieldError]:
    for name, (low, high) in _WHOLE.items():
        value = getattr(spec, name)
        if type(value) is not int or not low <= value <= high:
            yield from checks.whole(name, value, low, high)
    for name, (low, high) in _WHOLE_OR_NONE.items():
        if (value := getattr(spec, name)) is not None:
            yield from checks.whole(name, value, low, high)
    for name in ("due_at", "not_before"):
        if (at := getattr(spec, name)) is not None:
            yield from checks.moment(name, at)
    yield from _seconds("estimated_s", spec.estimated_s)
    if spec.timeout_s is not None:
        yield from _seconds("timeout_s", spec.timeout_s)


def _seconds(name: str, value: object) -> Iterable[FieldError]:
    least, most = _SECONDS[name]
    if not isinstance(value, int | float) or not checks.number(value):
        yield FieldError(name, "must be a number of seconds")
    elif not least <= value <= most:
        yield FieldError(name, f"from {least:g} s to a year")


def _size(size: object) -> Iterable[FieldError]:
    if size is None:
        return
    sides = (size.x, size.y, size.z) if isinstance(size, Envelope) else ()
    if not sides or not all(checks.number(side) and 0 <= side <= LONGEST_SIDE for side in sides):
        yield FieldError("envelope", f"each side from 0 to {LONGEST_SIDE:,} mm")


def _references(spec: JobSpec) -> Iterable[FieldError]:
    after: object = spec.after
    if not isinstance(after, tuple):
        yield FieldError("after", "must be numbers of jobs")
    else:
        for job_id in after:
            yield from checks.whole("after", job_id, 1, checks.MOST_ID)
    keys: object = spec.after_keys
    if not isinstance(keys, tuple) or not all(isinstance(key, str) for key in keys):
        yield FieldError("after_keys", "must be keys of this submission")
    else:
        for key in keys:
            yield from checks.text("after_keys", key, _TEXTS["key"].most)


NAMES = ("good", "scrap", "rework")


@dataclass(frozen=True, slots=True)
class PartCount:
    """Parts as a person counted them; None where nothing was counted."""

    good: int | None = None
    scrap: int | None = None
    rework: int | None = None

    @property
    def known(self) -> dict[str, int]:
        """The counts that were entered, by name."""
        counts = {name: getattr(self, name) for name in NAMES}
        return {name: count for name, count in counts.items() if count is not None}

    def mismatch(self, parts: int, *, completed: bool) -> str:
        """Return why the counts do not fit a run of `parts`; "" if they do. A completed run has
        made all its parts. Any other run has made an unknown number, but not more. While good or
        scrap is unknown, it may be the rest. Rework that was not entered is zero."""
        total = sum(self.known.values())
        whole = completed and self.good is not None and self.scrap is not None
        if total <= parts and not (whole and total < parts):
            return ""
        known = self.known.items()
        counts = " + ".join(f"{count:,} {name}" for name, count in known if count or not total)
        are = f"{counts} {'is' if total == 1 else 'are'} {_parts(total)}"
        made = f"the run made {parts:,}" if completed else f"the run was to make {parts:,}"
        return f"{are}, but {made}."


def _parts(count: int) -> str:
    return "1 part" if count == 1 else f"{count:,} parts"
