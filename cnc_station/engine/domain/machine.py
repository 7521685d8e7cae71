"""The specification of a machine, and which jobs it can make."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, ClassVar

from cnc_station.engine.domain import checks, text_gate
from cnc_station.engine.domain.admission import Text
from cnc_station.engine.domain.errors import FieldError, InvalidInput

MAX_COMPLEXITY = 5

# Reasons for an offline machine that do not come from its controller.
STATION_CLOSED = "the station is closed"
STATION_GONE = "its station is gone"
# Why a machine is in maintenance whose database file was moved or copied: nobody has agreed yet.
FROM_ELSEWHERE = "its database was moved or copied"


@dataclass(frozen=True, slots=True)
class Envelope:
    """Travel of the axes in mm. A job fits if each of its sizes does."""

    x: float
    y: float
    z: float

    def holds(self, other: "Envelope") -> bool:
        return other.x <= self.x and other.y <= self.y and other.z <= self.z


@dataclass(frozen=True, slots=True)
class Capability:
    """What a machine can make. Machines with equal capabilities are interchangeable. An empty
    `materials` means any material. An `envelope` of None means unknown and refuses nothing."""

    machine_type: str
    max_complexity: int = MAX_COMPLEXITY
    materials: frozenset[str] = frozenset()
    axes: int = 3
    envelope: Envelope | None = None

    def refusal(self, need: "Need") -> str | None:
        """Return why this machine cannot make a job with this need; None if it can."""
        if need.machine_type != self.machine_type:
            return f"needs a {need.machine_type}"
        if need.complexity > self.max_complexity:
            return f"takes complexity up to {self.max_complexity}"
        if self.materials and need.material.lower() not in self.materials:
            return f"does not take {need.material or 'an unnamed material'}"
        if need.axes > self.axes:
            return f"has {self.axes} axes"
        if need.envelope and self.envelope and not self.envelope.holds(need.envelope):
            return "is too small"
        return None

    def fits(self, need: "Need") -> bool:
        """Return whether this machine can make a job with this need. Faster than `refusal`."""
        return (
            need.machine_type == self.machine_type
            and need.complexity <= self.max_complexity
            and need.axes <= self.axes
            and (not self.materials or need.material.lower() in self.materials)
            and (
                need.envelope is None or self.envelope is None or self.envelope.holds(need.envelope)
            )
        )


@dataclass(frozen=True, slots=True)
class Need:
    """What a job needs of a machine."""

    machine_type: str
    complexity: int = 1
    material: str = ""
    axes: int = 1
    envelope: Envelope | None = None


@dataclass(frozen=True, slots=True)
class MachineSpec:
    """A machine as entered. `settings` belong to its driver (for example a port).
    `operator_starts`: each job waits until a person confirms its set-up. `operator_clears`: after
    each job the machine waits until a person has cleared it."""

    TEXTS: ClassVar = {
        "name": Text(60),
        "machine_type": Text(40),
        "model": Text(80),
        "driver": Text(60),
    }

    name: str
    machine_type: str
    model: str = ""
    driver: str = "simulator"
    capability: Capability = field(default_factory=lambda: Capability("mill"))
    operator_clears: bool = False
    operator_starts: bool = False
    settings: Mapping[str, Any] = field(default_factory=dict, repr=False)  # may contain a password

    def validated(self) -> "MachineSpec":
        """Return the spec with its texts as they are stored. Raises InvalidInput with each invalid
        field."""
        if errors := tuple(_errors(self)):
            raise InvalidInput(*errors)
        tidy = text_gate.tidy
        kind = tidy(self.machine_type.lower())
        materials = frozenset(map(tidy, self.capability.materials))
        return replace(
            self,
            name=tidy(self.name),
            machine_type=kind,
            model=tidy(self.model),
            driver=tidy(self.driver),
            capability=replace(self.capability, machine_type=kind, materials=materials),
        )


def _errors(spec: MachineSpec) -> Iterable[FieldError]:
    for name, rule in MachineSpec.TEXTS.items():
        yield from checks.text(name, getattr(spec, name), rule.most, wanted=name != "model")
    for name in ("operator_clears", "operator_starts"):
        if not isinstance(getattr(spec, name), bool):
            yield FieldError(name, "must be yes or no")
    yield from checks.json_object("settings", spec.settings)
    capability: object = spec.capability
    if not isinstance(capability, Capability):
        yield FieldError("capability", "must state what the machine can make")
    else:
        yield from _limits(capability)
        if capability.machine_type != spec.machine_type:
            yield FieldError("machine_type", "differs from the capability's type")


def _limits(capability: Capability) -> Iterable[FieldError]:
    yield from checks.whole("max_complexity", capability.max_complexity, 1, MAX_COMPLEXITY)
    yield from checks.whole("axes", capability.axes, 1, 9)
    materials: object = capability.materials
    if not isinstance(materials, frozenset):
        yield FieldError("materials", "must be names of materials")
    else:
        for name in materials:
            yield from checks.text("materials", name, 80, wanted=True)
    size: object = capability.envelope
    sides = (size.x, size.y, size.z) if isinstance(size, Envelope) else ()
    sound = sides and all(checks.number(side) and 0 < side <= 100_000 for side in sides)
    if size is not None and not sound:
        yield FieldError("envelope", "each side above 0 and at most 100,000 mm")


def no_machine(need: Need, capabilities: Sequence[Capability]) -> str:
    """Return why no machine can make a job that fits none of `capabilities`, all of its type. If
    one limit stops it on every machine, only that one; otherwise all the limits."""
    if not capabilities:
        return f"there is no {need.machine_type}"
    size, material = need.envelope, need.material or "an unnamed material"
    sides = f"{size.x:g} × {size.y:g} × {size.z:g} mm" if size else "that size"
    too_complex = [need.complexity > one.max_complexity for one in capabilities]
    name = need.material.lower()
    other = [bool(one.materials) and name not in one.materials for one in capabilities]
    axes = [need.axes > one.axes for one in capabilities]
    small = [bool(size and one.envelope and not one.envelope.holds(size)) for one in capabilities]
    limits = (
        (too_complex, f"takes complexity {need.complexity}", f"complexity {need.complexity}"),
        (other, f"takes {material}", material),
        (axes, f"has {need.axes} axes", f"{need.axes} axes"),
        (small, f"is large enough for {sides}", sides),
    )
    for refused, on_every_machine, _ in limits:
        if all(refused):
            return f"no {need.machine_type} {on_every_machine}"
    stopped = ", ".join(limit for refused, _, limit in limits if any(refused))
    return f"no {need.machine_type} meets every requirement: {stopped}"


class PositionBasis(StrEnum):
    """The basis on which a position is known."""

    FOUND = "found"  # as found at the first connection; nothing contradicts it
    HOMED = "homed"  # homed by the controller, and nothing has happened since
    CONFIRMED = "confirmed"  # a person has confirmed the work zero
    LOST = "lost"  # something may have moved an axis or cleared a zero


@dataclass(frozen=True, slots=True)
class Position:
    """The basis of a position. `reason` states what was seen or done. For a lost position it states
    what a person has to know before confirming."""

    basis: PositionBasis
    reason: str

    @property
    def known(self) -> bool:
        """Whether a program may start from it."""
        return self.basis is not PositionBasis.LOST


@dataclass(frozen=True, slots=True)
class PositionMemory:
    """What a driver stores for its next start, at this station or another. `mark` identifies the
    controller. It is text of the driver, stored unchanged."""

    position: Position
    mark: str = ""
