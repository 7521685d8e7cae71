"""Haas mills (NGC and Classic)."""

from dataclasses import replace

from cnc_station.engine.domain.nc import codes
from cnc_station.engine.domain.nc.dialect import Dialect
from cnc_station.engine.domain.nc.dialects.fanuc_mill import CYLINDER, FANUC_MILL, MEANS, REFUSED

# G110 to G129 are the work offsets of G154 P1 to P20.
SYSTEMS = {1090 + 10 * number: code for code, number in codes.HAAS_SYSTEMS.items()}
MIRROR = "a mirror image"

HAAS_MILL: Dialect = replace(
    FANUC_MILL,
    name="haas-mill",
    label="Haas mill",
    manual="Haas mill operator's manual, NGC (96-8210): G-codes, M-codes (M97)",
    means=MEANS
    | SYSTEMS
    | {
        740: 740,
        1840: 840,  # G184: tapping with a reverse spindle
        2340: 430,  # G234 and G235: tool centre point control on and off
        2350: 490,
        **dict.fromkeys((2540, 2550), codes.NEUTRAL),  # dynamic work offset
    },
    refused=REFUSED
    | {
        1000: MIRROR,
        1010: MIRROR,
        1070: CYLINDER,
        1500: "pocket milling of any shape",
    },
    warned={470: "the time of text engraving is not known"},
    shrinking_pecks=True,
    local_calls=True,
)
