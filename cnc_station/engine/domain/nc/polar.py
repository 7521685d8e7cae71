"""LinuxCNC's polar words: @ is the distance from the zero of the work offset, ^ the angle in
degrees ("Polar Coordinates" in its G-code reference). They give X and Y, in every plane."""

from math import atan2, cos, degrees, hypot, radians, sin

from cnc_station.engine.domain.nc import codes
from cnc_station.engine.domain.nc.findings import BlockError, Unsupported
from cnc_station.engine.domain.nc.machine import Machine
from cnc_station.engine.domain.nc.words import Block

POLAR = frozenset("@^")


def convert(machine: Machine, block: Block) -> None:
    """Replace @ and ^ by X and Y. The one that is missing stays as it is; G91 adds to both."""
    words = block.words
    if POLAR.isdisjoint(words):
        return
    if "X" in words or "Y" in words:
        raise BlockError("a block has polar coordinates (@, ^) or X and Y, not both")
    if codes.MACHINE_COORDINATES in block.g:
        raise BlockError("G53 cannot have polar coordinates (@, ^)")
    if not machine.absolute and words.get("L", 1.0) != 1.0:
        raise Unsupported("polar coordinates (@, ^) with L in G91 are not supported")
    x, y = (machine.position[axis] - machine.offset[axis] for axis in (0, 1))
    radius, angle = hypot(x, y), degrees(atan2(y, x))
    if machine.absolute:
        radius = words.pop("@") * machine.scale if "@" in words else radius
        angle = words.pop("^", angle)
        x, y = 0.0, 0.0
    else:
        radius += words.pop("@", 0.0) * machine.scale
        angle += words.pop("^", 0.0)
    words["X"] = (radius * cos(radians(angle)) - x) / machine.scales[0]
    words["Y"] = (radius * sin(radians(angle)) - y) / machine.scales[1]
