"""Fanuc lathes (T series), G-code systems A and B.

In system A, G90, G92 and G94 are cycles, G98 and G99 are feed modes, and U and W are increments.
In system B, these are G77, G78, G79, G94 and G95, and G91. P, Q and D of the turning cycles count
micrometres without a decimal point, because they do not take one.
"""

from dataclasses import replace

from cnc_station.engine.domain.nc import codes
from cnc_station.engine.domain.nc.dialect import Dialect, Dwell, Family
from cnc_station.engine.domain.nc.dialects.fanuc_mill import CYLINDER, POLAR

REPETITIVE = {
    700: codes.FINISH,
    710: codes.ROUGH_TURN,
    720: codes.ROUGH_FACE,
    730: codes.ROUGH_PATTERN,
    740: codes.PECK_FACE,
    750: codes.PECK_GROOVE,
    760: codes.MULTI_THREAD,
}
QUIET = (50, 51, 80, 220, 230, 250, 260, 620, 630, 680, 690)
COMMON = {
    **dict.fromkeys(QUIET, codes.NEUTRAL),
    **REPETITIVE,
    830: codes.FACE_DRILL,
    870: codes.SIDE_DRILL,
    880: codes.SIDE_TAP,
    890: codes.SIDE_BORE,
}
SYSTEM_A = COMMON | {
    500: codes.SHIFT,
    900: codes.TURN_CYCLE,
    920: codes.THREAD_CYCLE,
    940: codes.FACE_CYCLE,
    980: 940,
    990: 950,
}
SYSTEM_B = COMMON | {
    330: codes.SINGLE_THREAD,
    770: codes.TURN_CYCLE,
    780: codes.THREAD_CYCLE,
    790: codes.FACE_CYCLE,
}
POLYGON = "polygon turning"
REFUSED = {71: CYLINDER, 121: POLAR, 131: POLAR, 1070: CYLINDER, 1120: POLAR, 1130: POLAR}
REFUSED |= {502: POLYGON, 512: POLYGON}

FANUC_LATHE_A = Dialect(
    name="fanuc-lathe-a",
    label="Fanuc lathe, G-code system A",
    family=Family.LATHE,
    manual="Fanuc 0i-TF operator's manual B-64604EN-1: 3 (G-code systems), 4.2 (turning cycles),"
    " 4.3 (drilling cycles); B-64604EN: 5.4 (G04)",
    means=SYSTEM_A,
    refused=REFUSED,
    power_on=(180, 950),
    fixed=(900, 980),
    dwell=Dwell.MILLISECONDS,
    diameter=True,
    rapid_at_start=True,
    rapid_g53=True,
    increments=True,
    level_from_start=True,
    macro_b=True,
)
FANUC_LATHE_B: Dialect = replace(
    FANUC_LATHE_A,
    name="fanuc-lathe-b",
    label="Fanuc lathe, G-code system B",
    means=SYSTEM_B,
    fixed=(),
)
