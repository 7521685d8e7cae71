"""The geometry of an arc in any of the three planes, helical and spiral included."""

import math
from dataclasses import dataclass
from enum import Enum

from cnc_station.engine.domain.nc.findings import BlockError

# The radius of an arc at its start and at its end differ by rounding in the CAM system. LinuxCNC's
# rule (`interp_convert.cc`, measured on 2.9): a difference within the tolerance is rounding, and so
# is one below 0.1 % of the radius, but never one of a hundred times the tolerance.
TOLERANCE_MM, TOLERANCE_IN_INCHES_MM = 0.0282, 0.0718
ROUNDING_SHARE = 0.001
NEVER_ROUNDING = 100.0
RADIUS_TOLERANCE_MM = 0.005  # of an R that is too small for its ends
FULL_CIRCLE_BELOW_RAD = 5e-7
TURN = 2 * math.pi


class Plane(Enum):
    """The plane of arcs and drilling: its two axes and its normal, as indices into (x, y, z)."""

    XY = (0, 1, 2)
    ZX = (2, 0, 1)
    YZ = (1, 2, 0)


@dataclass(frozen=True, slots=True)
class Arc:
    """An arc around (centre_u, centre_v). `sweep` is in radians, counter-clockwise positive. The
    radius changes linearly to `end_radius`: they differ by the rounding in the program."""

    plane: Plane
    centre_u: float
    centre_v: float
    radius: float
    end_radius: float
    start_angle: float
    sweep: float

    def point(
        self, start: tuple[float, float, float], end: tuple[float, float, float], fraction: float
    ) -> tuple[float, float, float]:
        """Return the point at `fraction` (0 to 1) of the arc; exactly `end` at 1."""
        if fraction >= 1.0:
            return end
        u, v, w = self.plane.value
        angle = self.start_angle + self.sweep * fraction
        radius = self.radius + (self.end_radius - self.radius) * fraction
        at = [0.0, 0.0, 0.0]
        at[u] = self.centre_u + radius * math.cos(angle)
        at[v] = self.centre_v + radius * math.sin(angle)
        at[w] = start[w] + (end[w] - start[w]) * fraction
        return (at[0], at[1], at[2])

    def length(self, along_normal: float) -> float:
        """Return the path length in mm, with a rise of `along_normal` mm (helix)."""
        return math.hypot((self.radius + self.end_radius) / 2 * self.sweep, along_normal)

    def extremes(self) -> list[tuple[float, float]]:
        """Return the points between the ends where the arc reaches furthest along its two axes."""
        first, last = sorted((self.start_angle, self.start_angle + self.sweep))
        quarter = TURN / 4
        begin = math.ceil(first / quarter)
        quarters = range(begin, min(begin + 4, math.floor(last / quarter) + 1))
        radius = max(self.radius, self.end_radius)
        return [
            (
                self.centre_u + radius * round(math.cos(q * quarter)),
                self.centre_v + radius * round(math.sin(q * quarter)),
            )
            for q in quarters
        ]


def closes(radius: float, end_radius: float, tolerance: float) -> bool:
    """Return whether the radius at the start and at the end differ by rounding only."""
    gap = abs(radius - end_radius)
    share = ROUNDING_SHARE * max(radius, end_radius)
    return gap <= tolerance or (gap <= share and gap <= NEVER_ROUNDING * tolerance)


def arc_around(
    plane: Plane,
    start: tuple[float, float],
    end: tuple[float, float],
    centre: tuple[float, float],
    *,
    clockwise: bool,
    turns: int = 1,
    tolerance: float = TOLERANCE_MM,
) -> Arc:
    """Return the arc from `start` to `end` around `centre`; all in the axes of the plane, in mm."""
    start_u, start_v = start[0] - centre[0], start[1] - centre[1]
    end_u, end_v = end[0] - centre[0], end[1] - centre[1]
    radius, end_radius = math.hypot(start_u, start_v), math.hypot(end_u, end_v)
    if not closes(radius, end_radius, tolerance):
        raise BlockError(
            f"the arc does not close: its radius is {radius:.3f} mm at the start"
            f" and {end_radius:.3f} mm at the end"
        )
    if radius < 1e-9 or end_radius < 1e-9:
        raise BlockError("the arc has no radius: its centre is its start point")
    start_angle = math.atan2(start_v, start_u)
    turned = math.atan2(end_v, end_u) - start_angle
    sweep = (-turned if clockwise else turned) % TURN
    if sweep <= FULL_CIRCLE_BELOW_RAD:
        sweep += TURN
    sweep += TURN * (turns - 1)
    return Arc(
        plane, centre[0], centre[1], radius, end_radius, start_angle, -sweep if clockwise else sweep
    )


def centre_from_radius(
    start: tuple[float, float], end: tuple[float, float], radius: float, *, clockwise: bool
) -> tuple[float, float]:
    """Return the centre of an arc given by R; a negative R means more than 180 degrees."""
    du, dv = end[0] - start[0], end[1] - start[1]
    chord = math.hypot(du, dv)
    if chord < 1e-9:
        raise BlockError(
            "an arc given by R cannot end where it starts; use I, J or K for a full circle"
        )
    half = chord / 2
    if half - abs(radius) > RADIUS_TOLERANCE_MM:
        raise BlockError(
            f"the arc does not close: R {abs(radius):.3f} mm is too small for ends"
            f" {chord:.3f} mm apart"
        )
    height = math.sqrt(max(radius * radius - half * half, 0.0))
    if clockwise != (radius < 0):
        height = -height
    return (
        start[0] + du / 2 - height * dv / chord,
        start[1] + dv / 2 + height * du / chord,
    )
