"""The dialect that a program is read in, and how sure that is, as text."""

from PySide6.QtCore import QCoreApplication

from cnc_station.engine.domain.nc.dialect import Certainty
from cnc_station.engine.views import ReadAs
from cnc_station.ui import formatting

_HOW_SURE: dict[Certainty, str] = {
    Certainty.CHOSEN: "Read as {label}",
    Certainty.CLEAR: "Read as {label}",
    Certainty.LIKELY: "Read as {label}, which is likely",
    Certainty.ASSUMED: "Read as {label}, because nothing in it names a control",
}


def read_as(reading: ReadAs | None) -> str:
    """`Read as Fanuc mill, which is likely`; "" if the program was not read."""
    if reading is None:
        return ""
    return _tr(_HOW_SURE[reading.certainty]).format(label=reading.label)


def reasons(reading: ReadAs | None) -> str:
    """What speaks for the dialect, one a line."""
    if reading is None or not reading.reasons:
        return ""
    return "\n".join((_tr("Found in the program:"), *(_tr(reason) for reason in reading.reasons)))


def time_a_part(seconds: float, *, doubtful: bool) -> str:
    """`5 min`, or `about 5 min` if something in the program takes a time that is not known."""
    time = formatting.duration(seconds)
    return _tr("about {time}").format(time=time) if doubtful else time


def _tr(text: str) -> str:
    return QCoreApplication.translate("Reading", text)
