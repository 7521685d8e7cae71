"""Why no machine of a type can make a job: names the limit."""

from collections.abc import Callable, Sequence

from cnc_station.engine.domain.machine import Capability, Need

_Limit = tuple[Callable[[Capability, Need], bool], Callable[[Need], str], Callable[[Need], str]]


def no_machine(need: Need, capabilities: Sequence[Capability]) -> str:
    """Return the sentence for a job that fits none of `capabilities` (all of the needed type).

    If one limit stops it on every machine, only that one; otherwise all the limits.
    """
    if not capabilities:
        return f"there is no {need.machine_type}"
    stopped = []
    for allows, everywhere, briefly in _LIMITS:
        refusing = sum(not allows(capability, need) for capability in capabilities)
        if refusing == len(capabilities):
            return f"no {need.machine_type} {everywhere(need)}"
        if refusing:
            stopped.append(briefly(need))
    return f"no {need.machine_type} meets every requirement: {', '.join(stopped)}"


def _complexity(capability: Capability, need: Need) -> bool:
    return need.complexity <= capability.max_complexity


def _material(capability: Capability, need: Need) -> bool:
    return not capability.materials or need.material.lower() in capability.materials


def _axes(capability: Capability, need: Need) -> bool:
    return need.axes <= capability.axes


def _size(capability: Capability, need: Need) -> bool:
    return not need.envelope or not capability.envelope or capability.envelope.holds(need.envelope)


def _named(need: Need) -> str:
    return need.material or "an unnamed material"


def _sides(need: Need) -> str:
    size = need.envelope
    return f"{size.x:g} × {size.y:g} × {size.z:g} mm" if size else "that size"


_LIMITS: Sequence[_Limit] = (
    (
        _complexity,
        lambda n: f"takes complexity {n.complexity}",
        lambda n: f"complexity {n.complexity}",
    ),
    (_material, lambda n: f"takes {_named(n)}", _named),
    (_axes, lambda n: f"has {n.axes} axes", lambda n: f"{n.axes} axes"),
    (_size, lambda n: f"is large enough for {_sides(n)}", _sides),
)
