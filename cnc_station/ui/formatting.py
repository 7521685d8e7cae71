"""Times and amounts as text, the same on every page.

Times are ms since the epoch, shown on this PC's clock; durations are seconds.
"""

from datetime import datetime
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication

if TYPE_CHECKING:  # the window is painted before the engine's values are imported
    from cnc_station.engine.domain.machine import Envelope

NONE = "—"
_NEAR_DAYS = 6
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def local(at: int) -> datetime:
    """A time on this PC's wall clock, as a naive datetime."""
    return datetime.fromtimestamp(at / 1000).astimezone().replace(tzinfo=None)


def time_of_day(at: int, *, seconds: bool = True) -> str:
    """`14:07:51`, or `14:07`."""
    return local(at).strftime("%H:%M:%S" if seconds else "%H:%M")


def zone(at: int) -> str:
    """`UTC+01:00`: the zone of this PC's clock at a time."""
    offset = datetime.fromtimestamp(at / 1000).astimezone().isoformat()[-6:]
    return f"UTC{offset}"


def duration(seconds: float) -> str:
    """`18:42`, from an hour on `1:12:08`; never below zero."""
    minutes, rest = divmod(round(max(0.0, seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes:02}:{rest:02}"


def lasted(since: int, now: int) -> str:
    """The duration from one time to another."""
    return duration((now - since) / 1000)


def day(at: int, now: int) -> str:
    """`today`, `Mon` within six days, otherwise `Tue 24 Nov`, with the year if it differs."""
    there, here = local(at), local(now)
    apart = (there.date() - here.date()).days
    if apart == 0:
        return QCoreApplication.translate("Words", "today")
    name = QCoreApplication.translate("Words", _DAYS[there.weekday()])
    if 0 < apart <= _NEAR_DAYS:
        return name
    month = QCoreApplication.translate("Words", _MONTHS[there.month - 1])
    year = "" if there.year == here.year else f" {there.year}"
    return f"{name} {there.day} {month}{year}"


def due(at: int | None, now: int) -> str:
    """`today 17:00`, `Mon`, `Tue 24 Nov`: the time matters on the day itself."""
    if at is None:
        return NONE
    words = day(at, now)
    same = local(at).date() == local(now).date()
    return f"{words} {time_of_day(at, seconds=False)}" if same else words


def moment(at: int | None, now: int) -> str:
    """`14:07:51` today, otherwise with its day: `Tue 24 Nov 14:07:51`."""
    if at is None:
        return NONE
    if local(at).date() == local(now).date():
        return time_of_day(at)
    return f"{day(at, now)} {time_of_day(at)}"


def sentence(text: str) -> str:
    """The text with a capital first letter."""
    return text[:1].upper() + text[1:]


def percent(share: float) -> str:
    """`64 %` of 0.64."""
    return f"{share * 100:.0f} %"


def size(envelope: "Envelope") -> str:
    """`762 × 406 × 508`, in mm."""
    return " × ".join(f"{side:g}" for side in (envelope.x, envelope.y, envelope.z))


def position(x: float | None, y: float | None, z: float | None) -> str:
    """`X 112.482  Y -36.015`: the axes that are known, in mm."""
    axes = (("X", x), ("Y", y), ("Z", z))
    return "  ".join(f"{name} {value:.3f}" for name, value in axes if value is not None)


def parts(count: int) -> str:
    """`1 part`, `1,200 parts`."""
    one = QCoreApplication.translate("Words", "1 part")
    many = QCoreApplication.translate("Words", "{n:,} parts")
    return one if count == 1 else many.format(n=count)
