"""Haas lathes. Their turning cycles are those of Fanuc's system A, in one block instead of two."""

from dataclasses import replace

from cnc_station.engine.domain.nc import codes
from cnc_station.engine.domain.nc.dialect import Dialect
from cnc_station.engine.domain.nc.dialects.fanuc_lathe import FANUC_LATHE_A, SYSTEM_A
from cnc_station.engine.domain.nc.dialects.haas_mill import SYSTEMS

SECOND_SPINDLE = "what the second spindle does is not timed"
MEANS = {code: meant for code, meant in SYSTEM_A.items() if code not in {870, 880, 890}}

HAAS_LATHE: Dialect = replace(
    FANUC_LATHE_A,
    name="haas-lathe",
    label="Haas lathe",
    manual="Haas lathe operator's manual, NGC (96-8910): G-codes, M-codes (M97)",
    means=MEANS
    | SYSTEMS
    | {
        1840: 840,  # G184: left-hand tap
        1950: codes.NEUTRAL,  # G195, G196: live tool forward and reverse for a radial tap
        1960: codes.NEUTRAL,
        2410: codes.SIDE_DRILL,
        2420: codes.SIDE_DRILL,
        2430: codes.SIDE_DRILL,
        2450: codes.SIDE_BORE,
        **dict.fromkeys((2540, 2550), codes.NEUTRAL),
    },
    warned={
        140: SECOND_SPINDLE,
        150: SECOND_SPINDLE,
        1050: "the time of the bar feeder is not known",
        1980: SECOND_SPINDLE,
        1990: SECOND_SPINDLE,
    },
    increments=False,
    level_from_start=False,
    shrinking_pecks=True,
    local_calls=True,
)
