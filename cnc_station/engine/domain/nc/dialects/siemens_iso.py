"""Siemens controls: ISO mode, and the G codes that Siemens programs have in common with it."""

from dataclasses import replace

from cnc_station.engine.domain.nc.dialect import Dialect, Family
from cnc_station.engine.domain.nc.dialects.fanuc_mill import FANUC_MILL, MEANS

SIEMENS_ISO: Dialect = replace(
    FANUC_MILL,
    name="siemens-iso",
    label="Siemens, ISO mode",
    family=Family.MILL,
    manual="SINUMERIK 808D/828D Programming Manual ISO Milling; 802D Programming: G70, G71, G700,"
    " G710 (chapter 8.2)",
    means=MEANS | {700: 200, 710: 210, 7000: 200, 7100: 210},
    macro_b=False,
)
