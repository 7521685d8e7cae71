"""The duration of a program in the NC reader, and on a real LinuxCNC."""

import time

import pytest

from cnc_station.engine.domain.nc import Limits, read
from cnc_station.engine.drivers.linuxcnc import LinuxCnc
from cnc_station.engine.views import Doing
from tests.drivers.linuxcnc_programs import HEAD, begin
from tests.until import at_best

pytestmark = pytest.mark.xdist_group("linuxcnc")

MILL = Limits(rapid_mm_min=30.48 * 60, tool_change_s=0.0)
# Feeds, rapids, arcs in two planes and a dwell.
PART = f"""{HEAD}
F1500
G1 X20
G3 X20 Y20 J10
G1 X0
G4 P0.5
G0 Z20
G18 G2 X10 Z20 I5
G17 G0 X0 Y0
G1 Z15
M2
"""


async def test_the_estimate_is_close_to_what_the_machine_takes(milling: LinuxCnc) -> None:
    """A real machine accelerates and brakes, and rounds corners."""
    times: dict[Doing, float] = {}
    milling.subscribe(lambda status: times.update({status.doing: time.monotonic()}))

    async def seen_running_s() -> float:
        await begin(milling, f"{HEAD}M2\n")  # to the start of the part
        await milling.ended()
        await begin(milling, PART)
        began = time.monotonic()
        await milling.ended()
        return times[Doing.RUNNING] - began

    estimate = read(PART.encode(), limits=MILL).duration_s
    took = await at_best(seen_running_s, estimate * 1.1, tries=3)
    assert took == pytest.approx(estimate, rel=0.1, abs=0.2)
