"""A job as it is asked for, and the one door at which every field is checked."""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from graphlib import CycleError, TopologicalSorter
from typing import Any

from cnc_station.engine.domain.errors import FieldError, InvalidInput
from cnc_station.engine.domain.machine import MAX_COMPLEXITY, Envelope, Need

PRIORITIES = {"low": 10, "medium": 50, "high": 90}
MACHINE_PROGRAM = "machine.program"
YEAR_S = 366 * 86_400


@dataclass(frozen=True, slots=True)
class JobSpec:
    """What intake asks for. Times in ms since the epoch, durations in seconds.

    `estimated_s` is for one part; a run makes `quantity` parts. `program` is the SHA-256 of a
    program already kept. `after` are ids of jobs that must complete first. `key` lets several
    new jobs of one submission refer to each other: `after_keys` names their keys. `source` says
    in its first event where it came from ("imported from monday.csv, row 7").
    """

    name: str
    machine_type: str
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
    after: tuple[int, ...] = ()
    key: str = ""
    after_keys: tuple[str, ...] = ()
    draft: bool = False
    source: str = ""

    @property
    def need(self) -> Need:
        """What it asks of a machine."""
        return Need(self.machine_type, self.complexity, self.material, self.axes, self.envelope)

    def validated(self) -> "JobSpec":
        """Itself with its texts trimmed; raises InvalidInput naming every bad field."""
        errors = tuple(_errors(self))
        if errors:
            raise InvalidInput(*errors)
        return replace(
            self,
            name=self.name.strip(),
            machine_type=self.machine_type.strip().lower(),
            material=self.material.strip(),
            work_order=self.work_order.strip(),
            operation=self.operation.strip(),
        )


def check_keys(specs: Sequence[JobSpec]) -> None:
    """Whether the specs of one submission may refer to each other as they do.

    Raises InvalidInput for a key given twice, one that is not there, and jobs that would wait for
    each other for ever.
    """
    graph: dict[str, tuple[str, ...]] = {}
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
    yield from _payload(spec)


def _texts(spec: JobSpec) -> Iterable[FieldError]:
    for name, wanted, most in (
        ("name", True, 200),
        ("machine_type", True, 40),
        ("handler", True, 60),
        ("material", False, 80),
        ("tenant", False, 80),
        ("work_order", False, 80),
        ("operation", False, 80),
    ):
        text: object = getattr(spec, name)
        if not isinstance(text, str):
            yield FieldError(name, "must be text")
        elif wanted and not text.strip():
            yield FieldError(name, "is missing")
        elif len(text) > most:
            yield FieldError(name, f"at most {most} characters")
        elif "\x00" in text:
            yield FieldError(name, "holds a character that can't be kept")
    program: object = spec.program
    if program is not None and not (isinstance(program, str) and len(program) == 64):
        yield FieldError("program", "must be the SHA-256 of a kept program")


def _numbers(spec: JobSpec) -> Iterable[FieldError]:
    for name, low, high in (
        ("complexity", 1, MAX_COMPLEXITY),
        ("priority", 0, 100),
        ("quantity", 1, 1_000_000),
        ("axes", 1, 9),
    ):
        yield from _whole(name, getattr(spec, name), low, high)
    if spec.retry_limit is not None:
        yield from _whole("retry_limit", spec.retry_limit, 0, 100)
    for name in ("due_at", "not_before"):
        if (time := getattr(spec, name)) is not None:
            yield from _whole(name, time, 0, 253_402_300_799_000)
    yield from _seconds("estimated_s", spec.estimated_s, 0.0)
    if spec.timeout_s is not None:
        yield from _seconds("timeout_s", spec.timeout_s, 0.001)
    size = spec.envelope
    if size and not all(0 <= side <= 100_000 for side in (size.x, size.y, size.z)):
        yield FieldError("envelope", "each side from 0 to 100,000 mm")


def _whole(name: str, value: object, low: int, high: int) -> Iterable[FieldError]:
    if not isinstance(value, int) or isinstance(value, bool):
        yield FieldError(name, "must be a whole number")
    elif not low <= value <= high:
        yield FieldError(name, f"from {low} to {high:,}")


def _seconds(name: str, value: object, low: float) -> Iterable[FieldError]:
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        yield FieldError(name, "must be a number of seconds")
    elif not low <= value <= YEAR_S:
        yield FieldError(name, f"from {low:g} s to a year")


def _payload(spec: JobSpec) -> Iterable[FieldError]:
    payload: object = spec.payload
    if not isinstance(payload, Mapping):
        yield FieldError("payload", "must be a JSON object")
        return
    try:
        text = json.dumps(dict(payload), allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        yield FieldError("payload", "must be JSON")
        return
    if len(text) > 65_536:
        yield FieldError("payload", "at most 64 KiB")
