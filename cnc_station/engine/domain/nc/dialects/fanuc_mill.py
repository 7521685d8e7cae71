"""Fanuc machining centres (M series)."""

from cnc_station.engine.domain.nc import codes
from cnc_station.engine.domain.nc.dialect import Dialect, Dwell, Family

# G5, G5.1 and G8 (high-speed and look-ahead control), G22 and G23 (stored stroke check), G62 and
# G63 (feed override) do not change the path.
QUIET = (50, 51, 80, 220, 230, 620, 630)

MEANS = {
    **dict.fromkeys(QUIET, codes.NEUTRAL),
    434: 430,  # G43.4: the programmed points are those of the tool tip, as with G43
    435: 430,
    760: codes.FINE_BORE,
}
POLAR, CYLINDER = "polar interpolation", "cylindrical interpolation"
REFUSED = {70: "an imaginary axis", 71: CYLINDER, 121: POLAR, 131: POLAR, 1120: POLAR, 1130: POLAR}
REFUSED |= {511: "a programmable mirror image", 1070: CYLINDER}

FANUC_MILL = Dialect(
    name="fanuc-mill",
    label="Fanuc mill",
    family=Family.MILL,
    manual="Fanuc 0i-MF operator's manual B-64604EN: 5.4 (G04), 6 (coordinates), 9 and 10 (cycles),"
    " 19 (high-speed control)",
    means=MEANS,
    refused=REFUSED,
    dwell=Dwell.MILLISECONDS,
    rapid_at_start=True,
    rapid_g53=True,
    macro_b=True,
)
