"""A machine as the shop describes it, and which jobs it can make."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cnc_station.engine.domain.errors import FieldError, InvalidInput

MAX_COMPLEXITY = 5


@dataclass(frozen=True, slots=True)
class Envelope:
    """Travel of the axes in mm; a job fits if each of its sizes does."""

    x: float
    y: float
    z: float

    def holds(self, other: "Envelope") -> bool:
        """Whether a part of size `other` fits."""
        return other.x <= self.x and other.y <= self.y and other.z <= self.z


@dataclass(frozen=True, slots=True)
class Capability:
    """What a machine can make. Machines with equal capabilities are interchangeable in matching.

    `materials` empty means any; `envelope` None means unknown, which refuses nothing.
    """

    machine_type: str
    max_complexity: int = MAX_COMPLEXITY
    materials: frozenset[str] = frozenset()
    axes: int = 3
    envelope: Envelope | None = None

    def refusal(self, need: "Need") -> str | None:
        """Why a job with this need can't be made here, in plain words; None if it can."""
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
        """Whether a job with this need can be made here; the fast twin of `refusal`."""
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
    """What a job asks of a machine."""

    machine_type: str
    complexity: int = 1
    material: str = ""
    axes: int = 1
    envelope: Envelope | None = None


@dataclass(frozen=True, slots=True)
class MachineSpec:
    """A machine as the shop enters it. `settings` belong to its driver (for example a port)."""

    name: str
    machine_type: str
    model: str = ""
    driver: str = "simulator"
    capability: Capability = field(default_factory=lambda: Capability("mill"))
    operator_clears: bool = False
    settings: Mapping[str, Any] = field(default_factory=dict)

    def validated(self) -> "MachineSpec":
        """Itself; raises InvalidInput naming each bad field."""
        errors = []
        if not self.name.strip():
            errors.append(FieldError("name", "a machine needs a name"))
        if len(self.name) > 60:
            errors.append(FieldError("name", "at most 60 characters"))
        if not self.machine_type.strip():
            errors.append(FieldError("machine_type", "mill, lathe, drill or a type of your own"))
        if not 1 <= self.capability.max_complexity <= MAX_COMPLEXITY:
            errors.append(FieldError("max_complexity", f"from 1 to {MAX_COMPLEXITY}"))
        if not 1 <= self.capability.axes <= 9:
            errors.append(FieldError("axes", "from 1 to 9"))
        size = self.capability.envelope
        if size and not all(0 < side <= 100_000 for side in (size.x, size.y, size.z)):
            errors.append(FieldError("envelope", "each side above 0 and at most 100,000 mm"))
        if self.capability.machine_type != self.machine_type:
            errors.append(FieldError("machine_type", "differs from the capability's type"))
        if errors:
            raise InvalidInput(*errors)
        return self
